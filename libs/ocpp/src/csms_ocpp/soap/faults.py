"""SOAP faults, read and written."""

import re
from xml.etree.ElementTree import Element

from csms_ocpp.soap.messages import Fault, Subcode
from csms_ocpp.soap.namespaces import ADDRESSING, SOAP, namespace, part, service_for
from csms_ocpp.soap.tables import Service
from csms_ocpp.soap.xml import escape
from csms_ocpp.version import Version

MAX_REASON = 255  # what an OCPP-J error description may be, which is what becomes of it

_OURS = ("Sender", "Client")  # SOAP 1.2's word and SOAP 1.1's
_THEIRS = ("Receiver", "Server")
_OWN_CODES = (Subcode.VERSION_MISMATCH, Subcode.MUST_UNDERSTAND)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{ADDRESSING}"><soap:Header>%s'
    f"<wsa:Action>{ADDRESSING}/soap/fault</wsa:Action>%s%s</soap:Header>"
    "<soap:Body><soap:Fault><soap:Code><soap:Value>soap:%s</soap:Value>%s</soap:Code>"
    '<soap:Reason><soap:Text xml:lang="en">%s</soap:Text></soap:Reason></soap:Fault></soap:Body></soap:Envelope>'
)
# SOAP 1.2 part 1 §5.4.7: a VersionMismatch fault "SHOULD contain an Upgrade header block".
_UPGRADE = f'<soap:Upgrade><soap:SupportedEnvelope qname="s:Envelope" xmlns:s="{SOAP}"/></soap:Upgrade>'


def read_fault(body: Element, version: Version, service: Service, message_id: str) -> Fault:
    """What a fault says, SOAP 1.2's or 1.1's; `message_id` is the one it relates to."""
    code = _name(_text(body, "Code", "Value") or _text(body, "faultcode"))
    subcode = _name(_text(body, "Code", "Subcode", "Value"))
    if not subcode and code not in _OURS + _THEIRS:
        subcode = code
    reason = _text(body, "Reason", "Text") or _text(body, "faultstring")
    return Fault(subcode, reason[:MAX_REASON], code in (*_OURS, *_OWN_CODES), version, service.asker, message_id)


def _text(element: Element, *path: str) -> str:
    for step in path:
        found = part(element, step)
        if found is None:
            return ""
        element = found
    return (element.text or "").strip()


def _name(qualified: str) -> str:
    return qualified.rpartition(":")[2]


def write_fault(fault: Fault, message_id: str) -> bytes:
    """The envelope that refuses; `message_id` is its own, "" for none. Its HTTP status is `fault.status`."""
    upgrade = _UPGRADE if fault.subcode == Subcode.VERSION_MISMATCH else ""
    own_id = message_id and f"<wsa:MessageID>{escape(message_id)}</wsa:MessageID>"
    relates_to = fault.message_id and f"<wsa:RelatesTo>{escape(fault.message_id)}</wsa:RelatesTo>"
    code, subcode = _codes(fault)
    return (_ENVELOPE % (upgrade, own_id, relates_to, code, subcode, escape(fault.reason))).encode()


def _codes(fault: Fault) -> tuple[str, str]:
    if fault.subcode in _OWN_CODES:
        return fault.subcode, ""
    code = "Sender" if fault.sender else "Receiver"
    if not fault.subcode:
        return code, ""
    subcode = fault.subcode if _NAME.fullmatch(fault.subcode) else Subcode.GENERIC_ERROR
    qualified = namespace(fault.version or Version.V1_6, service_for(fault.asker))
    return code, f'<soap:Subcode><soap:Value xmlns:ocpp="{qualified}">ocpp:{subcode}</soap:Value></soap:Subcode>'

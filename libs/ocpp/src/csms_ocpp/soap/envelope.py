"""SOAP 1.2 envelopes with WS-Addressing ↔ `Request`, `Response`, `Fault`.

Reading never raises: what cannot be read is a `Fault` to be sent back, or `Unreadable` when it was the answer to
something of ours. The body's element says what is asked; the header Action is only kept, for a client that repeats a
stale one.
"""

from xml.etree.ElementTree import Element

from msgspec import Raw

from csms_ocpp.soap.codec import reader, writer
from csms_ocpp.soap.faults import read_fault, write_fault
from csms_ocpp.soap.headers import IDENTITY, Headers, read_headers
from csms_ocpp.soap.messages import ANONYMOUS, Fault, Request, Response, Subcode, Unreadable
from csms_ocpp.soap.namespaces import (
    ADDRESSING,
    SOAP,
    SOAP_1_1,
    element,
    namespace,
    part,
    requests,
    service_for,
    split,
    spoken,
)
from csms_ocpp.soap.tables import Service
from csms_ocpp.soap.xml import escape, parse
from csms_ocpp.version import Version

__all__ = ["read_request", "read_response", "write_fault", "write_request", "write_response"]

_SPOKEN = (
    "OCPP 1.5 and 1.6: urn://Ocpp/Cs/2012/06/, urn://Ocpp/Cp/2012/06/, urn://Ocpp/Cs/2015/10/, urn://Ocpp/Cp/2015/10/"
)
_SHOWN = 80  # characters of a name that a peer made up

_BEGIN = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{ADDRESSING}"><soap:Header>'
)
_MIDDLE = "</soap:Header><soap:Body>"
_END = "</soap:Body></soap:Envelope>"


def read_request(body: bytes, charset: str = "") -> Request | Fault:
    """What a peer asks, of either service; `charset` as in `xml.parse`.

    The payload has the shape of its version's JSON and is not yet checked. A fault's version, asker and message id are
    filled in as far as they could be read.
    """
    envelope = parse(body, charset)
    if isinstance(envelope, str):
        return Fault(Subcode.PROTOCOL_ERROR, envelope)
    soap, name = split(envelope.tag)
    if name != "Envelope" or soap not in (SOAP, SOAP_1_1):
        return Fault(Subcode.PROTOCOL_ERROR, _cut("%s is not a SOAP 1.2 envelope.", name))
    return _asked(soap, envelope, read_headers(envelope))


def _asked(soap: str, envelope: Element, headers: Headers) -> Request | Fault:
    asked = _content(envelope)
    uri, name = split(asked[0].tag) if len(asked) == 1 else ("", "")
    version, service = spoken(uri) or (None, Service.CENTRAL_SYSTEM)

    def refuse(subcode: Subcode, reason: str) -> Fault:
        message_id = headers.addressing.message_id
        return Fault(subcode, reason, version=version, asker=service.asker, message_id=message_id)

    if soap != SOAP:
        return refuse(Subcode.VERSION_MISMATCH, "This is a SOAP 1.1 envelope, and SOAP 1.2 is spoken here.")
    if headers.refused:
        return refuse(Subcode.MUST_UNDERSTAND, _cut("The header %s is not understood here.", headers.refused))
    if len(asked) != 1:
        return refuse(Subcode.PROTOCOL_ERROR, f"The SOAP body has {len(asked)} elements, expected one.")
    if version is None:
        return refuse(Subcode.PROTOCOL_ERROR, _cut(f"The namespace %s is not one of {_SPOKEN}.", uri))
    action = requests(version, service).get(name)
    if action is None:
        return refuse(Subcode.NOT_SUPPORTED, _cut(f"%s is not a request to the {service}.", name))
    payload = Raw(reader(version, service, f"{action}Request")(asked[0]))
    return Request(version, service.asker, headers.identity, action, payload, headers.addressing)


def _content(envelope: Element) -> list[Element]:
    body = part(envelope, "Body")
    return [] if body is None else list(body)


def _cut(sentence: str, name: str) -> str:
    return sentence % (name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")


def read_response(
    body: bytes, version: Version, service: Service, action: str, charset: str = ""
) -> Response | Fault | Unreadable:
    """What was answered to `action` of `service`. The payload is not yet checked against its schema.

    Only the local name of the body's element counts: what it must be is known, and stations err in namespaces.
    """
    envelope = parse(body, charset)
    if isinstance(envelope, str):
        return Unreadable(envelope)
    soap, name = split(envelope.tag)
    if name != "Envelope" or soap not in (SOAP, SOAP_1_1):
        return Unreadable(_cut("%s is not a SOAP envelope.", name))
    answers = _content(envelope)
    if not answers:
        return Unreadable("The SOAP body is empty.")
    headers = read_headers(envelope)
    uri, name = split(answers[0].tag)
    if name == "Fault" and uri in (SOAP, SOAP_1_1):
        return read_fault(answers[0], version, service, headers.addressing.relates_to)
    expected = element(action, "Response")
    if name not in (expected, f"{action}Response"):
        return Unreadable(_cut(f"The answer is %s, expected {expected}.", name))
    payload = Raw(reader(version, service, f"{action}Response")(answers[0]))
    return Response(version, service.asker, action, payload, headers.addressing)


def write_request(request: Request) -> bytes:
    """The envelope that asks. Without a `source` there is no From; without `reply_to` the answer is to come back.

    The payload must have passed its schema. Raises `KeyError` for an action that the service has not.
    """
    version, action, addressing = request.version, request.action, request.addressing
    service = service_for(request.asker)
    return "".join(
        (
            _BEGIN,
            f'<{IDENTITY} xmlns="{namespace(version, service)}" soap:mustUnderstand="true">',
            f"{escape(request.identity)}</{IDENTITY}>",
            f'<wsa:Action soap:mustUnderstand="true">/{action}</wsa:Action>',
            _block("MessageID", addressing.message_id),
            _block("To", addressing.to),
            _reference("From", addressing.source),
            _reference("ReplyTo", addressing.reply_to or ANONYMOUS),
            _MIDDLE,
            writer(version, service, f"{action}Request")(request.payload),
            _END,
        )
    ).encode()


def write_response(response: Response) -> bytes:
    """The envelope that answers; `addressing` gives its own message id, and the one it relates to.

    Payload and action as in `write_request`.
    """
    version, action, addressing = response.version, response.action, response.addressing
    return "".join(
        (
            _BEGIN,
            f"<wsa:Action>/{action}Response</wsa:Action>",
            _block("MessageID", addressing.message_id),
            _block("RelatesTo", addressing.relates_to),
            _MIDDLE,
            writer(version, service_for(response.asker), f"{action}Response")(response.payload),
            _END,
        )
    ).encode()


def _block(name: str, text: str) -> str:
    return text and f"<wsa:{name}>{escape(text)}</wsa:{name}>"


def _reference(name: str, address: str) -> str:
    return address and f"<wsa:{name}><wsa:Address>{escape(address)}</wsa:Address></wsa:{name}>"

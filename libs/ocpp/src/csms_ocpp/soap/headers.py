"""What the header blocks of an envelope say, of those that we understand."""

from xml.etree.ElementTree import Element

import msgspec

from csms_ocpp.soap.messages import ANONYMOUS, Addressing
from csms_ocpp.soap.namespaces import ADDRESSING, ADDRESSING_2004, SOAP, part, split

IDENTITY = "chargeBoxIdentity"

_BLOCKS = {
    "MessageID": "message_id",
    "RelatesTo": "relates_to",
    "Action": "action",
    "To": "to",
    "From": "source",
    "ReplyTo": "reply_to",
}
_ADDRESSES = ("From", "ReplyTo")
_UNDERSTOOD = (ADDRESSING, ADDRESSING_2004)

_NOWHERE = {
    "": "",
    ANONYMOUS: "",
    f"{ADDRESSING}/none": "",
    f"{ADDRESSING_2004}/role/anonymous": "",
}

_MUST_UNDERSTAND = f"{{{SOAP}}}mustUnderstand"
_ROLE = f"{{{SOAP}}}role"
_OURS = ("", f"{SOAP}/role/next", f"{SOAP}/role/ultimateReceiver")


class Headers(msgspec.Struct, frozen=True, gc=False):
    """`refused` names a block that its writer wants understood and that we do not know; "" when there is none."""

    identity: str = ""
    addressing: Addressing = Addressing()
    refused: str = ""


def read_headers(envelope: Element) -> Headers:
    """The first block of each kind counts; an envelope without any is as good."""
    header = part(envelope, "Header")
    if header is None:
        return Headers()
    identity = refused = ""
    found: dict[str, str] = {}
    for block in header:
        namespace, name = split(block.tag)
        if name.lower() == IDENTITY.lower():
            identity = identity or _text(block)
        elif namespace in _UNDERSTOOD:
            if name in _BLOCKS:
                found.setdefault(_BLOCKS[name], _address(block) if name in _ADDRESSES else _text(block))
        elif not refused and _must_be_understood(block):
            refused = name
    return Headers(identity, Addressing(**found), refused)


def _text(block: Element) -> str:
    return (block.text or "").strip()


def _address(reference: Element) -> str:
    found = part(reference, "Address")
    address = "" if found is None else _text(found)
    return _NOWHERE.get(address, address)


def _must_be_understood(block: Element) -> bool:
    # SOAP 1.2 part 1 §5.2.2: a role left out or empty is ultimateReceiver's, which every last node plays.
    wanted = block.get(_MUST_UNDERSTAND, "").strip() in ("true", "1")
    return wanted and block.get(_ROLE, "").strip() in _OURS

"""OCPP-J arrays on the wire ↔ `Call`, `CallResult`, `CallError`, `CallResultError`, `Send`.

Payloads stay the bytes they came as. Reading never raises: what is not a message is `Malformed`, with the reason, and
with the message id where one could be read.
"""

import re
from typing import Any, assert_never

import msgspec
from msgspec import Raw

from csms_ocpp.version import Dialect, MessageId, MessageType

MAX_MESSAGE_ID = 36  # OCPP-J 1.6 §4.1.4, OCPP-J 2.0.1 §4.1.4: "Maximum of 36 characters"
MAX_DESCRIPTION = 255  # OCPP-J 2.0.1 §4.2.3: errorDescription is string[255]

MAX_DEPTH = 100  # no OCPP payload nests deeper than 15; our readers, and those behind the bus, recurse per level

EMPTY = Raw(b"{}")

_SHORT = 2 * MAX_DEPTH  # no shorter text can nest deeper
_NULL_LENGTH = len(b"null")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_SPACE = re.compile(rb"[ \t\r\n]")
_BRACKETS = re.compile(rb"[\[\]{}]")


class Call(msgspec.Struct, frozen=True, gc=False):
    """[2, id, action, payload]: a question."""

    unique_id: MessageId
    action: str
    payload: Raw = EMPTY


class CallResult(msgspec.Struct, frozen=True, gc=False):
    """[3, id, payload]: the answer."""

    unique_id: MessageId
    payload: Raw = EMPTY


class CallError(msgspec.Struct, frozen=True, gc=False):
    """[4, id, code, description, details]: the question could not be answered."""

    unique_id: MessageId
    code: str
    description: str = ""
    details: Raw = EMPTY


class CallResultError(msgspec.Struct, frozen=True, gc=False):
    """[5, id, code, description, details] (2.1): the answer could not be understood."""

    unique_id: MessageId
    code: str
    description: str = ""
    details: Raw = EMPTY


class Send(msgspec.Struct, frozen=True, gc=False):
    """[6, id, action, payload] (2.1): told, not asked; nobody answers."""

    unique_id: MessageId
    action: str
    payload: Raw = EMPTY


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """Text that is not a message of the dialect.

    `kind` is None when not even the type could be read, `unique_id` None when no id could.
    `ignorable`: the specification wants no reaction (a message type this version does not have).
    """

    reason: str
    kind: int | None = None
    unique_id: MessageId | None = None
    ignorable: bool = False


Frame = Call | CallResult | CallError | CallResultError | Send

_call = msgspec.json.Decoder(tuple[int, MessageId, str, Raw]).decode
_array = msgspec.json.Decoder(list[Raw]).decode
_id = msgspec.json.Decoder(MessageId).decode
_string = msgspec.json.Decoder(str).decode
_integer = msgspec.json.Decoder(int).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

_CALL_BEGINS = (b"[2,", "[2,")

_LENGTHS = {
    MessageType.CALL: (4, 4),
    MessageType.CALL_RESULT: (3, 3),
    # 1.6 stations leave the empty description and details out, though §4.2.3 asks for them.
    MessageType.CALL_ERROR: (3, 5),
    MessageType.CALL_RESULT_ERROR: (3, 5),
    MessageType.SEND: (4, 4),
}


def decode(text: bytes | str, dialect: Dialect) -> Frame | Malformed:
    """Read one message. The returned payload is a slice of `text`, not a copy, and not looked into."""
    # The usual case first: most of what comes is a CALL that is as it should be.
    if text[:3] in _CALL_BEGINS:
        try:
            _, unique_id, action, payload = _call(text)
        except (ValueError, RecursionError):
            return _decode_any(text, dialect)
        unusual = len(unique_id) > MAX_MESSAGE_ID or len(payload) == _NULL_LENGTH
        if not unusual and (len(text) <= _SHORT or not _nests_deeply(text)):
            return Call(unique_id, action, payload)
    return _decode_any(text, dialect)


def _decode_any(text: bytes | str, dialect: Dialect) -> Frame | Malformed:
    try:
        parts = _array(text)
    except (ValueError, RecursionError) as error:
        return Malformed(f"not a JSON array: {error}"[:MAX_DESCRIPTION])
    try:
        kind = _integer(parts[0])
    except (ValueError, IndexError):
        return Malformed("no message type number")
    if kind not in dialect.frame_types:
        # OCPP-J 1.6 §4.1.3: "When a server receives a message with a Message Type Number not in this list, it SHALL
        # ignore the message payload."
        return Malformed(f"message type {kind} is not one of {dialect.version}"[:MAX_DESCRIPTION], kind, ignorable=True)
    try:
        unique_id = _id(parts[1])
    except (ValueError, IndexError):
        return Malformed("the message id is not a string", kind)
    least, most = _LENGTHS[kind]
    if not least <= len(parts) <= most:
        return Malformed(f"{len(parts)} elements, expected {most}", kind, unique_id)
    if len(unique_id) > MAX_MESSAGE_ID:
        return Malformed(f"the message id is longer than {MAX_MESSAGE_ID} characters", kind, unique_id)
    if len(text) > _SHORT and _nests_deeply(text):
        return Malformed(f"nested deeper than {MAX_DEPTH} levels", kind, unique_id)
    try:
        return _frame(kind, unique_id, parts, dialect)
    except ValueError:
        return Malformed("an element has the wrong type", kind, unique_id)


def _frame(kind: int, unique_id: MessageId, parts: list[Raw], dialect: Dialect) -> Frame:
    match kind:
        case MessageType.CALL:
            return Call(unique_id, _string(parts[2]), _payload(parts[3], dialect))
        case MessageType.CALL_RESULT:
            return CallResult(unique_id, _payload(parts[2], dialect))
        case MessageType.CALL_ERROR:
            return CallError(unique_id, _string(parts[2]), _description(parts), _details(parts))
        case MessageType.CALL_RESULT_ERROR:
            return CallResultError(unique_id, _string(parts[2]), _description(parts), _details(parts))
        case _:
            return Send(unique_id, _string(parts[2]), _payload(parts[3], dialect))


def _payload(payload: Raw, dialect: Dialect) -> Raw:
    # OCPP-J 1.6 §4.2.1: "If there is no payload field … it can be null or an empty object".
    if len(payload) == _NULL_LENGTH and dialect.null_payload_is_empty and bytes(payload) == b"null":
        return EMPTY
    return payload


def _description(parts: list[Raw]) -> str:
    # Only for people: one that is missing or not a string does not hide the code.
    try:
        return _string(parts[3])
    except (ValueError, IndexError):
        return ""


def _details(parts: list[Raw]) -> Raw:
    try:
        _object(parts[4])
    except (ValueError, IndexError, RecursionError):
        return EMPTY
    return parts[4]


def _nests_deeply(text: bytes | str) -> bool:
    data = text.encode() if isinstance(text, str) else text
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def encode(frame: Frame) -> bytes:
    """The message's compact JSON text, keys of the payload in the order given."""
    match frame:
        case Call():
            return b"[2,%b,%b,%b]" % (_encode(frame.unique_id), _encode(frame.action), _compact(frame.payload))
        case CallResult():
            return b"[3,%b,%b]" % (_encode(frame.unique_id), _compact(frame.payload))
        case CallError():
            return b"[4,%b]" % _error_fields(frame)
        case CallResultError():
            return b"[5,%b]" % _error_fields(frame)
        case Send():
            return b"[6,%b,%b,%b]" % (_encode(frame.unique_id), _encode(frame.action), _compact(frame.payload))
        case _:
            assert_never(frame)


def _error_fields(frame: CallError | CallResultError) -> bytes:
    description = frame.description[:MAX_DESCRIPTION]
    return b"%b,%b,%b,%b" % (
        _encode(frame.unique_id),
        _encode(frame.code),
        _encode(description),
        _compact(frame.details),
    )


def _compact(payload: Raw) -> bytes:
    text = bytes(payload)
    # Our own encoders write no white space between tokens; an operator's endpoint may.
    return msgspec.json.format(text, indent=-1) if _SPACE.search(text) else text

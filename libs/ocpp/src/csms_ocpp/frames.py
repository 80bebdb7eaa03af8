"""OCPP-J arrays on the wire ↔ `Call`, `CallResult`, `CallError`, `CallResultError`, `Send`.

Payloads stay the bytes they came as. Reading never raises: what is not a message is `Malformed`, with the reason, and
with the message id where one could be read.
"""

from typing import assert_never

import msgspec
from msgspec import Raw

from csms_ocpp.version import Dialect, MessageId, MessageType

MAX_MESSAGE_ID = 36  # OCPP-J 1.6 §4.1.4, OCPP-J 2.0.1 §4.1.4: "Maximum of 36 characters"
MAX_DESCRIPTION = 255  # OCPP-J 2.0.1 §4.2.3: errorDescription is string[255]

EMPTY = Raw(b"{}")


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

_array = msgspec.json.Decoder(list[Raw]).decode
_string = msgspec.json.Decoder(str).decode
_integer = msgspec.json.Decoder(int).decode
_encode = msgspec.json.Encoder().encode

_LENGTHS = {
    MessageType.CALL: (4, 4),
    MessageType.CALL_RESULT: (3, 3),
    # 1.6 stations leave the empty details out, though §4.2.3 asks for `{}`.
    MessageType.CALL_ERROR: (4, 5),
    MessageType.CALL_RESULT_ERROR: (4, 5),
    MessageType.SEND: (4, 4),
}


def decode(text: bytes | str, dialect: Dialect) -> Frame | Malformed:
    """Read one message. The returned payload is a slice of `text`, not a copy."""
    try:
        parts = _array(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"not a JSON array: {error}"[:MAX_DESCRIPTION])
    try:
        kind = _integer(parts[0])
    except (msgspec.MsgspecError, IndexError):
        return Malformed("no message type number")
    if kind not in dialect.frame_types:
        # OCPP-J 1.6 §4.1.3: "When a server receives a message with a Message Type Number not in this list, it SHALL
        # ignore the message payload."
        return Malformed(f"message type {kind} is not one of {dialect.version}", kind, ignorable=True)
    try:
        unique_id = MessageId(_string(parts[1]))
    except (msgspec.MsgspecError, ValueError, IndexError):
        return Malformed("the message id is not a string", kind)
    least, most = _LENGTHS[kind]
    if not least <= len(parts) <= most:
        return Malformed(f"{len(parts)} elements, expected {most}", kind, unique_id)
    if len(unique_id) > MAX_MESSAGE_ID:
        return Malformed(f"the message id is longer than {MAX_MESSAGE_ID} characters", kind, unique_id)
    try:
        if kind == MessageType.CALL_RESULT:
            return CallResult(unique_id, parts[2])
        word = _string(parts[2])
        if kind == MessageType.CALL or kind == MessageType.SEND:
            payload = parts[3]
            if len(payload) == 4 and dialect.null_payload_is_empty and bytes(payload) == b"null":
                # OCPP-J 1.6 §4.2.1: "If there is no payload field … it can be null or an empty object".
                payload = EMPTY
            return Call(unique_id, word, payload) if kind == MessageType.CALL else Send(unique_id, word, payload)
        frame = CallError if kind == MessageType.CALL_ERROR else CallResultError
        return frame(unique_id, word, _string(parts[3]), _object(parts[4]) if len(parts) == 5 else EMPTY)
    except (msgspec.MsgspecError, ValueError):
        return Malformed("an element has the wrong type", kind, unique_id)


def _object(details: Raw) -> Raw:
    return details if bytes(details).startswith(b"{") else EMPTY


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
    return msgspec.json.format(text, indent=-1) if b" " in text or b"\n" in text or b"\t" in text else text

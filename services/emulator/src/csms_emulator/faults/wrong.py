"""One of every kind of wrong message, as OCPP-J and RFC 6455 see it: bytes that no sound station sends.

Those that are messages carry the id `ID`, so that an answer to them can be told from others.
"""

from enum import Enum

import msgspec

ID = "wrong-message"
_LEVELS = 5_000
_DIGITS = 5_000
_OVERSIZE = 2**21


class Layer(Enum):
    """How bytes go out: as a text message, as a binary message, or onto the socket as they are."""

    TEXT = "text"
    BINARY = "binary"
    SOCKET = "socket"


class Piece(msgspec.Struct, frozen=True):
    """Bytes, and how they go out."""

    data: bytes
    layer: Layer = Layer.TEXT


def _call(payload: bytes, action: bytes = b'"Heartbeat"', unique_id: bytes = b'"wrong-message"') -> bytes:
    return b"[2,%b,%b,%b]" % (unique_id, action, payload)


def _frame(first: int, data: bytes, masked: int = 0x80) -> bytes:
    # RFC 6455 §5.2; the masking key is 0, which leaves the data as they are.
    return bytes([first, masked | len(data)]) + (bytes(4) if masked else b"") + data


_ANOTHER = _call(b"{}", unique_id=b'"wrong-second"')

_TEXTS = {
    # not an array
    "empty": b"",
    "blank": b" \r\n",
    "not-json": b"Hello, central system.",
    "cut-off": b'[2,"wrong-message","Heartb',
    "trailing-comma": b'[2,"wrong-message","Heartbeat",{},]',
    "single-quotes": b"[2,'wrong-message','Heartbeat',{}]",
    "byte-order-mark": b"\xef\xbb\xbf" + _call(b"{}"),
    "two-messages": _call(b"{}") + _ANOTHER,
    "object": b'{"2":"wrong-message"}',
    "string": b'"Heartbeat"',
    "number": b"2",
    "null": b"null",
    # the number of elements
    "empty-array": b"[]",
    "only-type": b"[2]",
    "without-action": b'[2,"wrong-message"]',
    "without-payload": b'[2,"wrong-message","Heartbeat"]',
    "too-long": b'[2,"wrong-message","Heartbeat",{},{}]',
    "array-in-array": b"[" + _call(b"{}") + b"]",
    # the message type
    "type-unknown": b'[9,"wrong-message","Heartbeat",{}]',
    "type-negative": b'[-2,"wrong-message","Heartbeat",{}]',
    "type-fraction": b'[2.5,"wrong-message","Heartbeat",{}]',
    "type-huge": b'[%b,"wrong-message","Heartbeat",{}]' % (b"2" * _DIGITS),
    "type-string": b'["2","wrong-message","Heartbeat",{}]',
    "type-null": b'[null,"wrong-message","Heartbeat",{}]',
    # the message id
    "id-number": _call(b"{}", unique_id=b"1"),
    "id-null": _call(b"{}", unique_id=b"null"),
    "id-array": _call(b"{}", unique_id=b'["wrong-message"]'),
    "id-empty": _call(b"{}", unique_id=b'""'),
    "id-37-characters": _call(b"{}", unique_id=b'"%b"' % (b"w" * 37)),
    "id-enormous": _call(b"{}", unique_id=b'"%b"' % (b"w" * 100_000)),
    "id-null-character": _call(b"{}", unique_id=rb'"wrong\u0000message"'),
    "id-lone-surrogate": _call(b"{}", unique_id=rb'"wrong\ud800message"'),
    # the action
    "action-number": _call(b"{}", action=b"7"),
    "action-null": _call(b"{}", action=b"null"),
    "action-empty": _call(b"{}", action=b'""'),
    "action-unknown": _call(b"{}", action=b'"MakeCoffee"'),
    "action-in-lower-case": _call(b"{}", action=b'"heartbeat"'),
    "action-enormous": _call(b"{}", action=b'"%b"' % (b"A" * 100_000)),
    "action-of-the-other-side": _call(b'{"type":"Hard"}', action=b'"Reset"'),
    # the payload
    "payload-array": _call(b"[]"),
    "payload-string": _call(b'"{}"'),
    "payload-number": _call(b"1"),
    "payload-null": _call(b"null"),
    "payload-unknown-field": _call(b'{"colour":"red"}'),
    "payload-field-missing": _call(b"{}", action=b'"BootNotification"'),
    "payload-field-twice": _call(b'{"colour":1,"colour":2}'),
    "payload-nested": _call(b'{"a":' * _LEVELS + b"1" + b"}" * _LEVELS),
    "payload-1e999": _call(b'{"colour":1e999}'),
    "payload-long-number": _call(b'{"colour":%b}' % (b"9" * _DIGITS)),
    "payload-nan": _call(b'{"colour":NaN}'),
    "payload-infinity": _call(b'{"colour":-Infinity}'),
    "payload-control-character": _call(b'{"colour":"\x00\x1f"}'),
    "only-brackets": b"[" * 100_000,
    "invalid-utf-8": b'[2,"wrong-message","\xff\xfe",{}]',
    "utf-8-surrogate": b'[2,"wrong-message","\xed\xa0\x80",{}]',
    # answers
    "answer-to-nobody": b'[3,"nobody-asked",{}]',
    "answer-without-payload": b'[3,"nobody-asked"]',
    "answer-with-a-payload-of-text": b'[3,"nobody-asked","{}"]',
    "answer-without-an-id": b"[3,null,{}]",
    "error-to-nobody": b'[4,"nobody-asked","GenericError","",{}]',
    "error-without-a-code": b'[4,"nobody-asked"]',
    "error-with-a-number": b'[4,"nobody-asked",500,"",{}]',
    "error-with-a-code-nobody-knows": b'[4,"nobody-asked","Tired","",{}]',
    "error-too-long": b'[4,"nobody-asked","GenericError","",{},{}]',
    "error-description-enormous": b'[4,"nobody-asked","GenericError","%b",{}]' % (b"x" * 100_000),
    "result-error-to-nobody": b'[5,"nobody-asked","GenericError","",{}]',
    "send-of-a-call": b'[6,"wrong-message","Heartbeat",{}]',
}

_FIN = 0x80
_CONTINUATION, _TEXT, _CLOSE, _PING = 0x0, 0x1, 0x8, 0x9
_SOCKETS = {
    "unmasked": _frame(_FIN | _TEXT, _call(b"{}"), masked=0),
    "reserved-bit": _frame(_FIN | 0x40 | _TEXT, _call(b"{}")),
    "unknown-opcode": _frame(_FIN | 0x3, b""),
    "stray-continuation": _frame(_FIN | _CONTINUATION, b"{}]"),
    "message-in-a-message": _frame(_TEXT, b"[2,") + _frame(_FIN | _TEXT, _call(b"{}")),
    "fragmented-ping": _frame(_PING, b"x"),
    "long-ping": b"\x89\xfe\x00\x7e" + bytes(4) + b"x" * 126,
    "length-of-2-63": b"\x81\xff\x80" + bytes(7) + bytes(4),
    "close-code-wrong": _frame(_FIN | _CLOSE, b"\x03\xed"),
    "close-too-short": _frame(_FIN | _CLOSE, b"\x03"),
    "http": b"GET /ocpp/again HTTP/1.1\r\nHost: localhost\r\n\r\n",
}

MALFORMED: dict[str, Piece] = {
    **{kind: Piece(data) for kind, data in _TEXTS.items()},
    "too-large": Piece(_call(b'{"colour":"%b"}' % (b"x" * _OVERSIZE))),
    "binary": Piece(_call(b"{}"), Layer.BINARY),
    **{kind: Piece(data, Layer.SOCKET) for kind, data in _SOCKETS.items()},
}
"""Every kind by its name. Those onto the socket, the binary one, `too-large` and invalid UTF-8 cost the connection."""

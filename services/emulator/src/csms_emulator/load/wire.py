"""WebSocket frames as a load generator needs them: cheap to build, cheap to read, and nothing more.

Client frames carry a masking key of zero, so that a frame is built once and only the message id changes. That is legal
on the wire, and careless in a browser, for whose sake RFC 6455 §5.3 says "The masking key needs to be unpredictable":
there a page chooses what is sent. Here nobody but this program does.
"""

import base64
import hashlib

ID_WIDTH = 10

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FIN = 0x80
MASKED = 0x80
FIN_TEXT = FIN | TEXT
ZERO_KEY = bytes(4)

_KEY = base64.b64encode(b"csms-bench-loads")
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ACCEPT = base64.b64encode(hashlib.sha1(_KEY + _GUID).digest())


class WireError(ConnectionError):
    """The server sent what a WebSocket server must not send."""


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One whole masked frame."""
    return _head(opcode, len(payload)) + payload


class CallTemplate:
    """A CALL that is sent again and again; `frame(message_id)` is the whole masked frame.

    `message_id` is exactly ID_WIDTH bytes, so the length in the frame's head never changes.
    """

    __slots__ = ("_after", "_before")

    def __init__(self, action: str, payload: bytes) -> None:
        before = b'[2,"'
        self._after = b'","%b",%b]' % (action.encode(), payload)
        self._before = _head(TEXT, len(before) + ID_WIDTH + len(self._after)) + before

    def frame(self, message_id: bytes) -> bytes:
        return self._before + message_id + self._after


def _head(opcode: int, length: int) -> bytes:
    # RFC 6455 §5.2: "If 0-125, that is the payload length. If 126, the following 2 bytes … If 127, the following 8".
    if length < 126:
        size = bytes((MASKED | length,))
    elif length < 1 << 16:
        size = bytes((MASKED | 126,)) + length.to_bytes(2, "big")
    else:
        size = bytes((MASKED | 127,)) + length.to_bytes(8, "big")
    return bytes((FIN | opcode,)) + size + ZERO_KEY


class FrameReader:
    """Cuts what a server sends into whole frames; keeps the part of a frame that has not come yet."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def pending(self) -> bool:
        """True while a part of a frame is kept."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Every frame that is complete now, as (opcode, payload). Raises WireError on fragments and masked frames."""
        data = self._rest + data
        frames, at = [], 0
        while (end := _frame_end(data, at)) is not None:
            start, stop = end
            frames.append((data[at] & 0x0F, data[start:stop]))
            at = stop
        self._rest = data[at:]
        return frames


def _frame_end(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` starts and stops; None while it is not all there."""
    if len(data) - at < 2:
        return None
    if not data[at] & FIN or not data[at] & 0x0F:
        raise WireError("a fragmented message; this reader takes whole ones only")
    size = data[at + 1]
    # RFC 6455 §5.1: "A server MUST NOT mask any frames that it sends to the client."
    if size & MASKED:
        raise WireError("a masked frame from a server")
    start = at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < start + width:
            return None
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    return (start, start + size) if len(data) >= start + size else None


def handshake_request(host: str, path: str, subprotocol: str, *headers: str) -> bytes:
    """The opening request of RFC 6455 §4.1; `headers` are further lines of it."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {_KEY.decode()}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {subprotocol}",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def handshake_response(data: bytes) -> bytes | None:
    """What follows the head of the server's response; None while the head is not all there.

    Raises WireError unless it is a 101 with the right Sec-WebSocket-Accept.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    status = head.split(b"\r\n", 1)[0].decode("latin-1")
    if not status.startswith("HTTP/1.1 101"):
        raise WireError(f"the handshake was refused: {status} {rest[:200].decode('latin-1')}")
    if _ACCEPT not in head:
        raise WireError("the handshake's Sec-WebSocket-Accept is wrong")
    return rest

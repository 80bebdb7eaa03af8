"""The WebSocket of an open connection: bytes from the socket ↔ OCPP-J messages, on the sans-I/O layer of `websockets`.

A station's message nearly always arrives as one whole, unfragmented, masked text frame, and an answer always leaves as
one unmasked text frame. `read_text` and `write_text` do exactly those, with the library's result (RFC 6455 §5.2), at a
fifth of its cost. Everything else is the library's, which is fed whole frames, so that between two calls it is never in
the middle of one.
"""

from collections.abc import Iterator
from typing import Literal

from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]  # the compiled one, if any
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

_FINAL_TEXT = 0x81
_MASKED = 0x80
_NO_LIMIT = 1 << 62


class Wire:
    """Reads and writes for one connection. `most` bounds a message in bytes, 0: not at all."""

    __slots__ = ("_fragments", "_most", "_plain", "_protocol", "_rest")

    def __init__(self, protocol: ServerProtocol, most: int) -> None:
        self._protocol = protocol
        self._most = most or _NO_LIMIT
        self._plain = not protocol.extensions
        self._rest: bytearray | None = None  # what came of a frame that is not whole, or not wanted yet
        self._fragments: list[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither end has begun to close."""
        return self._protocol.state is OPEN

    # --- reading ----------------------------------------------------------------------------------------------------

    def read_whole(self, data: bytes) -> bytes | None:
        """The message, when `data` is exactly that; None: give `data` to `receive`."""
        if self._plain and self._rest is None and self._fragments is None and self._protocol.state is OPEN:
            return read_text(data, self._most)
        return None

    def receive(self, data: bytes) -> None:
        """Bytes came from the socket; `messages` tells what they hold."""
        if self._rest is None:
            self._rest = bytearray(data)
        else:
            self._rest += data

    def messages(self) -> Iterator[bytes | None]:
        """The messages that are complete; None stands for a binary one.

        Whoever stops iterating finds the rest in the next call. Control frames are answered on the way: see `output`.
        """
        while self._rest and (size := frame_size(self._rest, self._most)):
            piece = bytes(self._rest[:size])
            del self._rest[:size]
            self._protocol.receive_data(piece)
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and (message := self._message(event)) is not False:
                    yield message
        if not self._rest:
            self._rest = None

    def _message(self, frame: Frame) -> bytes | Literal[False] | None:
        """The message that this frame completes, None for a binary one, False while there is none."""
        match frame.opcode:
            case Opcode.TEXT if frame.fin:
                return bytes(frame.data)
            case Opcode.TEXT:
                self._fragments = [bytes(frame.data)]
            case Opcode.CONT if self._fragments is not None:
                self._fragments.append(bytes(frame.data))
                if frame.fin:
                    text, self._fragments = b"".join(self._fragments), None
                    return text
            case Opcode.BINARY:
                return None
        return False

    def receive_eof(self) -> None:
        """The station sends no more."""
        self._protocol.receive_eof()

    # --- writing ----------------------------------------------------------------------------------------------------

    def text(self, message: bytes) -> bytes:
        """What to write so that the station gets `message`; nothing once the closing handshake has begun."""
        if self._protocol.state is not OPEN:
            return b""
        if self._plain:
            return write_text(message)
        self._protocol.send_text(message)
        return b"".join(self._protocol.data_to_send())

    def ping(self) -> None:
        """Ask for a pong; `output` holds the frame."""
        self._protocol.send_ping(b"")

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; `output` holds the frame. `reason` is cut to what a close frame can hold."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))

    @property
    def farewell(self) -> str:
        """How the station left, in words."""
        if (frame := self._protocol.close_rcvd) is None:
            return "connection lost"
        return f"closed by the station: {frame.code} {frame.reason}".rstrip()

    def output(self) -> list[bytes]:
        """Control frames to write, in order. An empty one means: nothing follows, hang up."""
        return self._protocol.data_to_send()


def read_text(data: bytes, most: int) -> bytes | None:
    """The payload, when `data` is exactly one final, masked text frame of at most `most` bytes; otherwise None."""
    size = len(data)
    if size < 6 or data[0] != _FINAL_TEXT or data[1] < _MASKED:
        return None
    length, start = data[1] - _MASKED, 2
    if length == 126:
        length, start = (data[2] << 8) | data[3], 4
    elif length == 127:
        return None
    if length > most or size != start + 4 + length:
        return None
    return apply_mask(data[start + 4 :], data[start : start + 4])


def write_text(payload: bytes) -> bytes:
    """`payload` as one final, unmasked text frame."""
    length = len(payload)
    if length < 126:
        return bytes((_FINAL_TEXT, length)) + payload
    if length < 65536:
        return bytes((_FINAL_TEXT, 126, length >> 8, length & 255)) + payload
    return bytes((_FINAL_TEXT, 127)) + length.to_bytes(8, "big") + payload


def frame_size(data: bytes | bytearray, most: int) -> int | None:
    """How many bytes the frame at the start of `data` has; None while it is not all there.

    A frame that announces more than `most` is not waited for: all of `data` belongs to it, and the library refuses it.
    """
    if len(data) < 2:
        return None
    length, head = data[1] & 127, 6 if data[1] & _MASKED else 2
    extended = {126: 2, 127: 8}.get(length, 0)
    if extended:
        if len(data) < 2 + extended:
            return None
        length, head = int.from_bytes(data[2 : 2 + extended], "big"), head + extended
    if length > most:
        return len(data)
    return head + length if len(data) >= head + length else None

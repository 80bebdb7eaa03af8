"""A central system that does nothing: every CALL gets the same CALLRESULT, as fast as Python allows.

What the load generator can generate at most is measured against it. The handshake is that of the library's sans-I/O
layer; from then on frames are cut by hand, and what came in one read is answered in one write.
"""

import asyncio
import sys
from typing import cast

import uvloop
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

HOST = "127.0.0.1"
BACKLOG = 2000
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FIN = 0x80
_PAYLOAD = b'{"status":"Accepted","interval":300,"currentTime":"2024-05-01T10:00:00Z","transactionId":1}'


class Null(asyncio.Protocol):
    """One connection. `_handshake` is there until the WebSocket is open."""

    __slots__ = ("_handshake", "_rest", "_transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._handshake: ServerProtocol | None = ServerProtocol(subprotocols=[Subprotocol("ocpp1.6")])
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._open(self._handshake, data)
            return
        data = self._rest + data if self._rest else data
        answers, at = [], 0
        while (cut := frame(data, at)) is not None:
            opcode, payload, at = cut
            answers.append(answer(opcode, payload))
            if opcode == CLOSE:
                self._transport.write(b"".join(answers))
                self._transport.close()
                return
        self._rest = data[at:]
        if answers:
            self._transport.write(b"".join(answers))

    def _open(self, handshake: ServerProtocol, data: bytes) -> None:
        handshake.receive_data(data)
        for event in handshake.events_received():
            if isinstance(event, Request):
                handshake.send_response(handshake.accept(event))
                self._handshake = None
        for output in handshake.data_to_send():
            self._transport.write(output)


def frame(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Opcode and payload of the masked frame at `at`, and where the next begins; None while it is not all there."""
    if len(data) < at + 6:
        return None
    size, start = data[at + 1] & 0x7F, at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size, start = int.from_bytes(data[start : start + width], "big"), start + width
    stop = start + 4 + size
    if len(data) < stop:
        return None
    key, payload = data[start : start + 4], data[start + 4 : stop]
    return data[at] & 0x0F, payload if key == b"\0\0\0\0" else _unmasked(payload, key), stop


def answer(opcode: int, payload: bytes) -> bytes:
    """The whole frame that answers one; nothing for what needs no answer."""
    if opcode == TEXT:
        message_id = payload[4 : payload.find(b'"', 4)]
        text = b'[3,"%b",%b]' % (message_id, _PAYLOAD)
        size = len(text)
        head = bytes((FIN | TEXT, size)) if size < 126 else bytes((FIN | TEXT, 126)) + size.to_bytes(2, "big")
        return head + text
    if opcode in (PING, CLOSE):
        return bytes((FIN | (PONG if opcode == PING else CLOSE), len(payload))) + payload
    return b""


def _unmasked(payload: bytes, key: bytes) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Null, HOST, port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))

"""Two bare WebSocket echo servers: what the shell under a gateway costs before the gateway does anything.

`sansio` is the sans-I/O layer of `websockets` under an `asyncio.Protocol`, as the ws-gateway has it; `library` is
`websockets.asyncio.server`. Both on uvloop; neither has deadlines, limits or back-pressure of its own.
"""

import asyncio
import sys
from typing import cast

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

HOST = "127.0.0.1"
SUBPROTOCOLS = [Subprotocol("ocpp1.6")]


class Echo(asyncio.Protocol):
    """One connection on the sans-I/O layer."""

    __slots__ = ("_protocol", "_transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._protocol = ServerProtocol(subprotocols=SUBPROTOCOLS)

    def data_received(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Request):
                protocol.send_response(protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                protocol.send_text(event.data)
        for output in protocol.data_to_send():
            if output:
                self._transport.write(output)
            else:
                self._transport.close()


async def _sansio(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, HOST, port)
    await server.serve_forever()


async def _library(port: int) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, HOST, port, subprotocols=SUBPROTOCOLS, compression=None) as server:
        await server.serve_forever()


SHELLS = {"sansio": _sansio, "library": _library}

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(SHELLS[sys.argv[1]](int(sys.argv[2])))

"""A station that is nothing but a socket: sends what no library would, and reads what comes, byte by byte."""

import asyncio
import base64
import json
import os
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.frames import Close, Frame, Opcode

from tests.service.ws_gateway.world import World


class HttpAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def request(path: str = "/ocpp/CS-1", *lines: str, subprotocol: str | None = "ocpp1.6", method: str = "GET") -> bytes:
    """A handshake request."""
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol is not None:
        head.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*head, *lines, "", ""]).encode("latin-1")


def text(message: Any, *, fin: bool = True) -> bytes:
    """A masked text frame; `message` is JSON unless it is bytes."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Frame(Opcode.TEXT, data, fin=fin).serialize(mask=True)


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """A masked frame."""
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def heartbeat(unique_id: str) -> list[Any]:
    """The smallest CALL."""
    return [2, unique_id, "Heartbeat", {}]


class Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))
        await self.writer.drain()

    async def http(self) -> HttpAnswer:
        """The next HTTP response; the body only when its length is told."""
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return HttpAnswer(int(status.split()[1]), headers, body.decode())

    async def upgraded(self, path: str = "/ocpp/CS-1", *lines: str, subprotocol: str = "ocpp1.6") -> None:
        """Complete the handshake."""
        await self.send(request(path, *lines, subprotocol=subprotocol))
        assert (await self.http()).status == 101

    async def frame(self) -> tuple[Opcode, bytes]:
        """The next frame from the gateway."""
        async with asyncio.timeout(5):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Opcode(first & 0x0F), await self.reader.readexactly(length)

    async def message(self) -> Any:
        """The next frame, which is a text message."""
        opcode, data = await self.frame()
        assert opcode is Opcode.TEXT
        return json.loads(data)

    async def closed(self) -> int:
        """The code of the next frame, which is a close frame."""
        opcode, data = await self.frame()
        assert opcode is Opcode.CLOSE
        return Close.parse(data).code

    async def ended(self, within: float = 5.0) -> bytes:
        """Wait until the gateway has closed the socket; answers what came until then."""
        async with asyncio.timeout(within):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def hang_up(self) -> None:
        """Cut the socket."""
        self.writer.transport.abort()


@asynccontextmanager
async def dial(world: World, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """An open socket to the gateway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=tls)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def ask(world: World, *pieces: bytes) -> HttpAnswer:
    """One request on a socket of its own."""
    async with dial(world) as wire:
        await wire.send(*pieces)
        return await wire.http()

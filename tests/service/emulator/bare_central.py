"""A central system that is nothing but a `websockets` server: keeps every frame as it came, answers what it must."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.service.emulator.hearing import Hearing

MOST_BYTES = 2**22
NOW = "2024-01-01T00:00:00Z"
_ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "StartTransaction": {"transactionId": 7, "idTagInfo": {"status": "Accepted"}},
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
}


class BareCentral(Hearing):
    """Of one OCPP 1.6 station. `came` are text messages, `binaries` the others, in order; `heard` the CALLs among them.

    `sockets` are all connections there have been, `closes` their codes. `silent`: nothing is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.came: list[bytes] = []
        self.binaries: list[bytes] = []
        self.sockets: list[ServerConnection] = []
        self.closes: list[int | None] = []
        self.silent = False

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        self.news.set()
        try:
            while True:
                await self._take(socket, await socket.recv())
        except ConnectionClosed:
            self.closes.append(socket.close_code)
            self.news.set()

    async def _take(self, socket: ServerConnection, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.binaries.append(message)
        else:
            self.came.append(message.encode())
            if message.startswith("[2,") and not self.silent:
                await self._answer(socket, *json.loads(message))
        self.news.set()

    async def _answer(self, socket: ServerConnection, kind: int, unique_id: str, action: str, payload: Any) -> None:
        self.heard.append(("", action, payload))
        await socket.send(json.dumps([3, unique_id, _ANSWERS.get(action, {})]))

    @property
    def online(self) -> bool:
        """Whether a station is connected."""
        return len(self.sockets) > len(self.closes)

    def forget(self) -> None:
        """Only what comes from now on counts."""
        self.came.clear()
        self.heard.clear()

    async def ask(self, unique_id: str, action: str = "ClearCache", **payload: Any) -> None:
        """A CALL, on the newest connection; nobody waits for the answer."""
        await self.sockets[-1].send(json.dumps([2, unique_id, action, payload]))

    async def comes(self, *texts: bytes) -> None:
        """Wait until exactly these have come. Raises TimeoutError with what came instead."""
        try:
            await self.until(lambda: len(self.came) >= len(texts), 5)
        except TimeoutError:
            raise TimeoutError(f"only {self.came}") from None
        assert self.came == [*texts]

    async def pinged(self, within: float) -> bool:
        """Whether the station answers a ping."""
        pong = await self.sockets[-1].ping()
        await asyncio.wait([asyncio.ensure_future(pong)], timeout=within)
        return pong.done()


@asynccontextmanager
async def bare_central() -> AsyncIterator[BareCentral]:
    """On a free loopback port; it never pings by itself."""
    central = BareCentral()
    subprotocols = [Subprotocol("ocpp1.6")]
    async with serve(
        central.serve,
        "127.0.0.1",
        0,
        subprotocols=subprotocols,
        max_size=MOST_BYTES,
        ping_interval=None,
        close_timeout=1,
    ) as server:
        central.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ocpp"
        yield central

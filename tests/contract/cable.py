"""A cable between one process and a broker, for tests to cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cable:
    """Passes bytes on in both directions. `url` is the broker's, seen through the cable.

    While it is `deaf` nothing that the broker says comes through; while it is `severed` nobody can connect.
    """

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self._ends: set[asyncio.StreamWriter] = set()
        self.severed = False
        self.deaf = False
        self.url = ""

    def cut(self) -> None:
        """Both sides see their connections end, without a word."""
        for end in list(self._ends):
            end.transport.abort()

    async def lay(self, near: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """A client plugged in."""
        if self.severed:
            client.transport.abort()
            return
        far, broker = await asyncio.open_connection(self._far.hostname, self._far.port)
        await asyncio.gather(self._pass(near, broker), self._pass(far, client, back=True))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: bool = False) -> None:
        self._ends.add(sink)
        with contextlib.suppress(OSError):
            while chunk := await source.read(65536):
                if back and self.deaf:
                    continue
                sink.write(chunk)
                await sink.drain()
        sink.close()
        self._ends.discard(sink)

    def seen_at(self, port: int) -> str:
        """The broker's URL with the cable's near end in it."""
        return self._far._replace(netloc=f"{self._far.username}:{self._far.password}@127.0.0.1:{port}").geturl()


@asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    """A cable to the broker at `url`, laid at once."""
    laid = Cable(url)
    server = await asyncio.start_server(laid.lay, "127.0.0.1", 0)
    laid.url = laid.seen_at(server.sockets[0].getsockname()[1])
    try:
        yield laid
    finally:
        laid.severed = True
        laid.cut()
        server.close()
        await asyncio.sleep(0.01)  # the ends that were cut are cleared away

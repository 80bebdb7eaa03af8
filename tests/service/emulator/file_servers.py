"""Servers for files, over HTTP and FTP, on free loopback ports. `files` is what they hold, by path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from aiohttp.test_utils import TestServer


class FileServer:
    """`url` is without a slash at its end; `asked` is what was asked of it, as (method, path)."""

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.visits: list[asyncio.Task[None]] = []

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        """Below /denied nothing is taken, below /form only what is posted; /away leads to a file of the host."""
        self.asked.append((request.method, request.path))
        if request.path.startswith("/denied"):
            return web.Response(status=403)
        if request.path.startswith("/away"):
            return web.Response(status=302, headers={"Location": "file:///etc/hostname"})
        if request.path.startswith("/form") and request.method != "POST":
            return web.Response(status=405)
        if request.method == "GET":
            found = self.files.get(request.path)
            return web.Response(status=404) if found is None else web.Response(body=found)
        self.files[request.path] = await request.read()
        return web.Response(status=201)

    # --- FTP ----------------------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of RFC 959 as passive transfers need; the password is "secret"."""
        task = asyncio.current_task()
        assert task
        self.visits.append(task)
        data: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        async with await asyncio.start_server(lambda r, w: data.put((r, w)), "127.0.0.1", 0) as passive:
            high, low = divmod(passive.sockets[0].getsockname()[1], 256)
            writer.write(b"220 Here\r\n")
            while line := (await _line(reader)).decode().strip():
                verb, _, rest = line.partition(" ")
                replies = {"USER": "331 Who?", "TYPE": "200 Yes", "PASV": f"227 At (127,0,0,1,{high},{low})"}
                if verb == "PASS":
                    writer.write(b"230 In\r\n" if rest == "secret" else b"530 Out\r\n")
                elif verb in ("STOR", "RETR"):
                    writer.write(await self.exchange(verb, rest, writer, data))
                else:
                    writer.write(f"{replies.get(verb, '221 Bye')}\r\n".encode())
            await closed(writer)

    async def exchange(
        self,
        verb: str,
        path: str,
        control: asyncio.StreamWriter,
        data: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> bytes:
        self.asked.append((verb, path))
        source, sink = await data.get()
        if verb == "RETR" and path not in self.files:
            await closed(sink)
            return b"550 Nothing\r\n"
        control.write(b"150 Now\r\n")
        if verb == "STOR":
            self.files[path] = await source.read()
        else:
            sink.write(self.files[path])
        await closed(sink)
        return b"226 Done\r\n"


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close it, and wait until that is done; the peer may have gone first."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def http_server() -> AsyncIterator[FileServer]:
    """Takes PUT and POST, and answers GET."""
    files, app = FileServer(), web.Application()
    app.router.add_route("*", "/{path:.*}", files.answer)
    async with TestServer(app) as server:
        files.url = f"http://127.0.0.1:{server.port}"
        yield files


@asynccontextmanager
async def ftp_server(password: str = "secret") -> AsyncIterator[FileServer]:
    """Takes STOR and RETR from whoever knows the password; `password` is the one in its URL."""
    files = FileServer()
    async with await asyncio.start_server(files.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        files.url = f"ftp://me:{password}@127.0.0.1:{port}"
        yield files
        async with asyncio.timeout(5):
            await asyncio.gather(*files.visits)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line of a client that may hang up at any moment."""
    try:
        return await reader.readline()
    except ConnectionError:
        return b""

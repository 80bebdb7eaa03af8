"""Where the stations of a SOAP fleet can be called: one HTTP server for all, one path for each."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from aiohttp import web

from csms_emulator.conversation import Reply
from csms_emulator.link import CLOSE_WITHIN, address
from csms_emulator.settings import Settings
from csms_ocpp.soap.messages import CONTENT_TYPE

Answering = Callable[[bytes, str], Reply]


class Endpoint:
    """Passes what is POSTed at a station's path (body and charset) to the station."""

    def __init__(self) -> None:
        self.url = ""
        self._stations: dict[str, Answering] = {}

    def address(self, identity: str) -> str:
        """The station's address, as it tells it to the central system."""
        return address(self.url, identity)

    def open(self, identity: str, answering: Answering) -> None:
        """Let the station be called."""
        self._stations[identity] = answering

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one HTTP request. The identity is the path's last segment, whatever a proxy puts before it."""
        answering = self._stations.get(unquote(urlsplit(request.raw_path).path.rpartition("/")[2]))
        if answering is None:
            return web.Response(status=404, text="There is no such station here.\n")
        if request.method != "POST":
            return web.Response(status=405, text="Stations are called with POST.\n", headers={"Allow": "POST"})
        reply = answering(await request.read(), request.charset or "")
        if reply.after:
            await asyncio.sleep(reply.after)
        if reply.lost and request.transport:
            request.transport.abort()
        return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": CONTENT_TYPE})


@asynccontextmanager
async def endpoint(settings: Settings) -> AsyncIterator[Endpoint]:
    """Listen at `callback_host` and `callback_port`. Raises `OSError` when that is not possible."""
    served = Endpoint()
    runner = web.ServerRunner(web.Server(served.handle, access_log=None), shutdown_timeout=CLOSE_WITHIN)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.callback_host, settings.callback_port).start()
        served.url = settings.callback_url or _url(settings.callback_host, runner.addresses[0][1])
        yield served
    finally:
        await runner.cleanup()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

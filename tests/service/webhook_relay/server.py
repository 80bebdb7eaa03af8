"""The operator's endpoint: a real HTTP server of which each test writes the answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACCEPTED = b'{"payload":{"idTagInfo":{"status":"Accepted"}}}'


@dataclass
class Operator:
    """`bodies` and `headers` of what was posted, in order; `peers` are the connections it came over."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)
    under_way: int = 0
    most_under_way: int = 0


async def accept(_: web.Request) -> web.StreamResponse:
    """What an endpoint says to every Authorize."""
    return web.Response(body=ACCEPTED, content_type="application/json")


def in_turn(*answers: Answer) -> Answer:
    """The first answer first; the last one again and again."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def status(number: int, **headers: str) -> Answer:
    """An empty response."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=number, headers=headers)

    return answer


def says(body: bytes | str | dict[str, Any]) -> Answer:
    """A 200 with this body, JSON if it is none."""
    text = msgspec.json.encode(body) if isinstance(body, dict) else body

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=text, content_type="application/json")

    return answer


def after(wait: float | asyncio.Event, then: Answer = accept) -> Answer:
    """The same, later."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await (wait.wait() if isinstance(wait, asyncio.Event) else asyncio.sleep(wait))
        return await then(request)

    return answer


@asynccontextmanager
async def operator(answer: Answer = accept, tls: ssl.SSLContext | None = None) -> AsyncIterator[Operator]:
    """A running endpoint, on a port of its own."""
    about = Operator()

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        about.peers.add(request.transport.get_extra_info("peername"))
        about.headers.append(dict(request.headers))
        about.bodies.append(msgspec.json.decode(await request.read()))
        about.under_way += 1
        about.most_under_way = max(about.most_under_way, about.under_way)
        try:
            return await answer(request)
        finally:
            about.under_way -= 1

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    about.url = f"{'https' if tls else 'http'}://localhost:{runner.addresses[0][1]}/ocpp"
    try:
        yield about
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(response: bytes, *, hang: bool = False) -> AsyncIterator[str]:
    """Something on a port that writes these bytes to whoever says something, and hangs up (or hangs); its URL."""
    released = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(response)
        if hang:
            await released.wait()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        released.set()
        server.close()
        await server.wait_closed()

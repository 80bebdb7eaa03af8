"""Commands to stations that are HTTP servers on loopback: the real calls on a bus, the test sends and hears."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Raw
from structlog.testing import capture_logs

from csms_platform.bus import BusSettings
from csms_platform.bus.memory import Exchange, MemoryBus
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import ROUTER, SOAP
from csms_soap_gateway.calls import Calls
from csms_soap_gateway.settings import Settings
from tests.support.soap import CONTENT_TYPE, POINT, WSA, Command
from tests.support.soap import SOAP as SOAP_NAMESPACE

OURS = "https://csms.example/Ocpp"
ACCEPTED = "<cp:status>Accepted</cp:status>"


# --- whoever sends commands -------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """Sends commands to the shared address, as the router does, and hears how they end. `logs` is what was logged."""

    bus: MemoryBus
    calls: Calls
    ended: list[Envelope] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def send(self, callback: str, *, identity: str = "CS-1", payload: str = '{"type":"Soft"}', **fields: Any) -> None:
        """One command; Reset unless `fields` say otherwise."""
        known: dict[str, Any] = {"version": "ocpp1.6", "unique_id": "1", "action": "Reset", "attempt": 1} | fields
        self.bus.send(
            SOAP,
            Envelope(
                known.pop("kind", Kind.CALL),
                identity,
                transport="soap",
                payload=Raw(payload.encode()),
                reply_to=ROUTER.name,
                callback=callback,
                **known,
            ),
        )

    async def ends(self, count: int = 1) -> list[Envelope]:
        """Wait until at least `count` commands have ended; answers all outcomes, in their order."""
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: len(self.ended) >= count)
        return self.ended

    async def ask(self, callback: str, **fields: Any) -> Envelope:
        """One command, and how it ended."""
        before = len(self.ended)
        self.send(callback, **fields)
        return (await self.ends(before + 1))[before]

    async def hear(self, batch: list[Envelope]) -> None:
        async with self.news:
            self.ended += batch
            self.news.notify_all()


@asynccontextmanager
async def open_desk(
    *, private_networks: bool = True, resolver: AbstractResolver | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    """The calls of one gateway, and a desk on the same exchange."""
    exchange = Exchange()
    with capture_logs() as logs:
        async with MemoryBus(exchange, BusSettings()) as bus, MemoryBus(exchange, BusSettings()) as router:
            known = Settings(**({"url": OURS} | settings))
            calls = Calls(bus, known, private_networks=private_networks, gateway="g1", resolver=resolver)
            desk = Desk(router, calls, logs=logs)
            await router.subscribe(ROUTER, desk.hear)
            await bus.subscribe(SOAP, calls.hear)
            try:
                yield desk
            finally:
                await bus.unsubscribe(SOAP)
                await calls.close(0)


def outcome(ended: Envelope) -> tuple[str, str, str]:
    """What an outcome says in words: itself, the error's code, and its description."""
    return ended.outcome, ended.error_code, ended.error_description


def result(ended: Envelope) -> Any:
    """The payload of an outcome, decoded."""
    return msgspec.json.decode(ended.payload)


# --- stations ---------------------------------------------------------------------------------------------------------

Answering = Callable[[web.Request, Command], Awaitable[web.StreamResponse]]


@dataclass
class Point:
    """A station's own server. `asked` are the commands, `requests` their headers, in order; `peers` the connections."""

    url: str = ""
    asked: list[Command] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)
    under_way: int = 0
    most_under_way: int = 0


def response(command: Command, body: str = ACCEPTED, version: str = "1.6") -> bytes:
    """The envelope that answers `command` with this XML in the prefix `cp`."""
    name = command.operation[0].lower() + command.operation[1:] + "Response"
    return (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}" xmlns:a="{WSA}" xmlns:cp="{POINT[version]}"><s:Header>'
        f"<a:Action>/{command.operation}Response</a:Action><a:RelatesTo>{command.headers['MessageID']}</a:RelatesTo>"
        f"</s:Header><s:Body><cp:{name}>{body}</cp:{name}></s:Body></s:Envelope>"
    ).encode()


def fault(subcode: str, reason: str, code: str = "Receiver") -> bytes:
    """A SOAP fault; `subcode` "" for none."""
    inner = f"<s:Subcode><s:Value>cp:{subcode}</s:Value></s:Subcode>" if subcode else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}" xmlns:cp="{POINT["1.6"]}"><s:Body><s:Fault><s:Code>'
        f"<s:Value>s:{code}</s:Value>{inner}</s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason></s:Fault>"
        "</s:Body></s:Envelope>"
    ).encode()


def says(body: str = ACCEPTED, version: str = "1.6") -> Answering:
    """The operation's response, with this content."""

    async def answer(_: web.Request, command: Command) -> web.StreamResponse:
        return web.Response(body=response(command, body, version), headers={"Content-Type": CONTENT_TYPE})

    return answer


def gives(body: bytes, status: int = 200, **headers: str) -> Answering:
    """These bytes."""

    async def answer(_: web.Request, __: Command) -> web.StreamResponse:
        return web.Response(
            body=body, status=status, headers={name.replace("_", "-"): headers[name] for name in headers}
        )

    return answer


def packed(pack: Callable[[bytes], bytes] = gzip.compress, encoding: str = "gzip", body: str = ACCEPTED) -> Answering:
    """The same under a content encoding."""

    async def answer(_: web.Request, command: Command) -> web.StreamResponse:
        headers = {"Content-Type": CONTENT_TYPE, "Content-Encoding": encoding}
        return web.Response(body=pack(response(command, body)), headers=headers)

    return answer


def after(wait: asyncio.Event, then: Answering | None = None) -> Answering:
    """The same, later."""

    async def answer(request: web.Request, command: Command) -> web.StreamResponse:
        await wait.wait()
        return await (then or says())(request, command)

    return answer


@asynccontextmanager
async def point(answer: Answering | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Point]:
    """A station's server, on a port of its own."""
    about, answering = Point(), answer or says()

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        about.peers.add(request.transport.get_extra_info("peername"))
        about.requests.append(dict(request.headers))
        about.paths.append(f"{request.method} {request.raw_path}")
        command = Command.read(await request.read())
        about.asked.append(command)
        about.under_way += 1
        about.most_under_way = max(about.most_under_way, about.under_way)
        try:
            return await answering(request, command)
        finally:
            about.under_way -= 1

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    about.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/ocpp"
    try:
        yield about
    finally:
        await runner.cleanup()


Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Socket:
    """A port behind which there is no HTTP server, but `talk`; `heard` are the requests, `open` the connections now."""

    url: str = ""
    connections: int = 0
    open: int = 0
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def raw_point(talk: Talk) -> AsyncIterator[Socket]:
    """`talk` is given every request that comes, writes what it likes, and closes the connection if it wants to."""
    about, tasks = Socket(), set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        about.connections += 1
        about.open += 1
        try:
            while request := await read_request(reader):
                about.heard.append(request)
                await talk(request, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            about.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    about.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield about
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep_alive(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Answers, and leaves the connection open."""
    body = response(Command.read(request))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One HTTP request's body; b"" when there is none more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return await reader.readexactly(length)


# --- names ------------------------------------------------------------------------------------------------------------


class Names(AbstractResolver):
    """DNS as the test says it: each name's addresses, one list for each time that it is asked for."""

    def __init__(self, **names: list[list[str]]) -> None:
        self._names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self._names.get(host)
        if answers is None:
            raise OSError(None, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            await asyncio.Event().wait()
        return [ResolveResult(hostname=host, host=each, port=port, family=0, proto=0, flags=0) for each in addresses]

    async def close(self) -> None:
        pass

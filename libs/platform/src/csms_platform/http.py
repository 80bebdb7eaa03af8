"""The one port: HTTP for people and probes, WebSockets for stations.

A new connection's first request line decides: what is under a mounted prefix goes to that protocol (the WebSocket
shell, which answers 405 to all but GET), everything else, any POST and any question for a WSDL to uvicorn's, each with
the bytes read so far. `/healthz` (the process lives), `/readyz` (broker and store answer) and `/metrics` are always
there; the rest belongs to the applications that services `serve`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from csms_platform import metrics
from csms_platform.certificates import secured
from csms_platform.logging import get_logger
from csms_platform.ports import AsgiApp, ProtocolFactory
from csms_platform.proxies import NO_PROXIES, Origin, Proxies, UnreadableError, introduced

log = get_logger("http")

_MAX_REQUEST_LINE = 8192
_REQUEST_LINE_DEADLINE = 10.0
_TLS_HANDSHAKE_DEADLINE = 10.0
_LAST_WORDS = 5.0

Checks = Mapping[str, Callable[[], Awaitable[bool]]]


class Front:
    """Listens on one port and hands connections over. `mount` and `serve` before or after `listen`.

    `patience` is how many seconds a new connection may take for its first request line. What `proxies` say about who
    is behind them is believed; with `introductions` each of their connections begins with a PROXY header.
    """

    def __init__(
        self,
        checks: Checks,
        patience: float = _REQUEST_LINE_DEADLINE,
        proxies: Proxies = NO_PROXIES,
        *,
        introductions: bool = False,
    ) -> None:
        self.patience = patience
        self.proxies = proxies
        self.introductions = introductions
        self.sniffers: set[Sniffer] = set()
        self._mounts: dict[bytes, ProtocolFactory] = {}
        self._state = ServerState()
        self._apps = Apps(checks, proxies)
        self._config = uvicorn.Config(
            self._apps,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._config.load()

    @property
    def prefixes(self) -> list[str]:
        """The mounted path prefixes."""
        return [prefix.decode("ascii") for prefix in self._mounts]

    def mount(self, prefix: str, factory: ProtocolFactory) -> None:
        """Requests whose path starts with `prefix` go to protocols made by `factory`, but for POST and `?wsdl`."""
        self._mounts[prefix.encode("ascii")] = factory

    def serve(self, app: AsgiApp, path: str) -> None:
        """Give the HTTP requests under `path` to `app`, all but the health pages. See `Apps.add`."""
        self._apps.add(app, path)

    @asynccontextmanager
    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Accept connections while inside; yields the port (useful when 0 was asked for).

        Leaving closes the connections on which nothing is asked. The others close when they are answered: `answered`.
        """
        loop = asyncio.get_running_loop()
        patience = _TLS_HANDSHAKE_DEADLINE if tls else None
        server = await loop.create_server(
            lambda: Sniffer(self), host, port, ssl=tls, backlog=4096, ssl_handshake_timeout=patience
        )
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for sniffer in list(self.sniffers):
                sniffer.close()
            for connection in list(self._state.connections):
                connection.shutdown()

    async def answered(self, seconds: float = _LAST_WORDS) -> None:
        """Wait until the HTTP requests that are still under way after `listen` are answered, or time is up."""
        try:
            async with asyncio.timeout(seconds):
                while self._state.connections or self._state.tasks:  # noqa: ASYNC110 - uvicorn tells nobody
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log.warning("left with HTTP requests under way", requests=len(self._state.tasks))

    def choose(self, line: bytes, transport: asyncio.BaseTransport) -> asyncio.BaseProtocol:
        """The protocol for a connection that starts with this request line."""
        method, _, target = line.partition(b" ")
        if method != b"POST" and not _asks_for_wsdl(target):
            for prefix, factory in self._mounts.items():
                if target.startswith(prefix):
                    return factory()
        protocol: Any = self._config.http_protocol_class
        state = secured(transport)._asdict()
        made: asyncio.BaseProtocol = protocol(config=self._config, server_state=self._state, app_state=state)
        return made


def _asks_for_wsdl(target: bytes) -> bool:
    # SOAP stations are often set up with the address of the others, and their tools look for the description there.
    return target.partition(b"?")[2][:4].lower() == b"wsdl"


class Apps:
    """The HTTP side: an ASGI application that finds the one that a request is for. Nothing is put in its way."""

    def __init__(self, checks: Checks, proxies: Proxies = NO_PROXIES) -> None:
        self._proxies = proxies
        pages = _health(checks)
        self._health = Starlette(routes=pages)
        self._pages = frozenset(page.path for page in pages)
        self._apps: dict[str, AsgiApp] = {}

    def add(self, app: AsgiApp, path: str) -> None:
        """Give `app` what is at `path` and below it, in any case, with its path as it came.

        Of several that match the longest path has it. Raises `ValueError` when another one has this path.
        """
        prefix = path.rstrip("/").lower()
        if prefix in self._apps:
            raise ValueError(f"The port serves an application at {path} already.")
        self._apps[prefix] = app
        self._apps = dict(sorted(self._apps.items(), key=lambda one: -len(one[0])))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request; `client` and `state` of its scope tell who is behind the proxies."""
        if self._proxies and scope["type"] == "http":
            scope = _seen_through(self._proxies, scope)
        await self._app_for(scope["path"])(scope, receive, send)

    def _app_for(self, path: str) -> AsgiApp:
        if path not in self._pages:
            below = path.lower() + "/"
            for prefix, app in self._apps.items():
                if below.startswith(prefix + "/"):
                    return app
        return self._health


def _seen_through(proxies: Proxies, scope: Any) -> Any:
    client, state = scope.get("client") or ("", 0), scope.get("state") or {}
    direct = Origin(str(client[0]), bool(state.get("tls")), str(state.get("subject", "")))

    def header(name: str) -> list[str]:
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in scope["headers"] if key == wanted]

    found = proxies.origin(direct, header)
    if found == direct:
        return scope
    told = {"client": (found.peer, 0), "scheme": "https" if found.tls else scope["scheme"]}
    return {**scope, **told, "state": {**state, "tls": found.tls, "subject": found.subject}}


class Sniffer(asyncio.Protocol):
    """Reads the first request line of a connection, then replaces itself."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._read = b""
        self._transport: asyncio.Transport
        self._late: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "set_protocol")
        self._transport = transport  # type: ignore[assignment]
        self._front.sniffers.add(self)
        self._anonymous = self._front.introductions and self._front.proxies.trust(_peer(transport))
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(self._front.patience, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._anonymous and not self._introduce():
            return
        if b"\n" not in self._read and len(self._read) < _MAX_REQUEST_LINE:
            return
        self._over()
        protocol: Any = self._front.choose(self._read.partition(b"\n")[0], self._transport)
        read, self._read = self._read, b""
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(read)

    def _introduce(self) -> bool:
        """Read the PROXY header; False while it is not there, or when there is none."""
        try:
            found = introduced(self._read)
        except UnreadableError as error:
            log.warning("dropped", peer=_peer(self._transport), reason=str(error))
            self.close()
            return False
        if found is None:
            return False
        self._anonymous = False
        self._read = self._read[found.length :]
        if found.peer:
            self._transport = cast(asyncio.Transport, Introducing(self._transport, found.peer))
        return True

    def connection_lost(self, _: Exception | None) -> None:
        self._over()

    def close(self) -> None:
        """The port closes, and nothing was asked yet."""
        self._over()
        self._transport.close()

    def _over(self) -> None:
        self._late.cancel()
        self._front.sniffers.discard(self)


class Introducing:
    """A transport whose peer is not whom it is connected with, but whom a proxy has introduced."""

    def __init__(self, transport: asyncio.Transport, peer: str) -> None:
        self._transport = transport
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport says, but for the peer's address."""
        return (self._peer, 0) if name == "peername" else self._transport.get_extra_info(name, default)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own; kept, so that writing costs no look-up here."""
        found = getattr(self._transport, name)
        setattr(self, name, found)
        return found


def _peer(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _health(checks: Checks) -> list[Route]:
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        results = {name: await _answers(check) for name, check in checks.items()}
        return JSONResponse(results, status_code=200 if all(results.values()) else 503)

    async def scrape(_: Request) -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)]


async def _answers(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await asyncio.wait_for(check(), 2)
    except TimeoutError:
        return False

"""The door that every request to `/api/` passes before its route: who asks, how often, from which page, how much.

Also the place where requests are counted. Pure ASGI: it costs a few microseconds and no task.
"""

import math
from collections.abc import Callable
from time import monotonic, perf_counter
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from csms_api import metrics
from csms_api.auth import EVERYTHING, Authenticator, Client, Openness, admit, failed, is_loopback
from csms_api.errors import ApiError, respond
from csms_api.limits import Buckets
from csms_api.settings import Settings
from csms_platform.logging import get_logger

_log = get_logger("api")

PUBLIC = frozenset({"/api/v1/ping", "/api/v1/time"})
"""What needs no credentials; so does everything outside `/api/`."""


class Gate:
    """ASGI middleware around the application. `clock` is in seconds and only goes forward."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        openness: Openness,
        authenticator: Authenticator,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._openness = openness
        self._authenticator = authenticator
        self._clock = clock
        self._max_body = settings.max_body
        self._origins = frozenset(settings.cors_origins)
        self._requests = Buckets(settings.rate, settings.burst)
        most = settings.failed_logins_per_minute
        self._failures = Buckets(most / 60, most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        try:
            self._refuse_foreign(headers)
            client = await self._identify(scope, headers)
            self._refuse_hurry(client.name)
            receive = self._bounded(headers, receive)
        except ApiError as error:
            return await respond(error)(scope, receive, send)
        admit(scope, client)
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope, headers: Headers) -> Client:
        peer = scope["client"][0] if scope.get("client") else "unknown"
        if self._openness.open or scope["path"] in PUBLIC:
            return Client(peer, EVERYTHING)
        header = headers.get("authorization", "")
        if header and (seconds := self._failures.wait(peer, self._clock())):
            raise _too_often("logins", "Too many failed logins from this address.", seconds)
        try:
            return await self._authenticator.authenticate(header)
        except ApiError:
            if header:
                failed(header)
                self._failures.take(peer, self._clock())
            raise

    def _refuse_hurry(self, name: str) -> None:
        if seconds := self._requests.take(name, self._clock()):
            raise _too_often("requests", "Too many requests.", seconds)

    def _refuse_foreign(self, headers: Headers) -> None:
        """Web pages from elsewhere may not use what a browser knows: its network, or credentials that it has kept."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._openness.local and not is_loopback(_hostname(host)):
            # A name that leads here from outside (DNS rebinding) must not open what is open to this machine only.
            raise ApiError(403, f"The API is open without credentials to this machine only, not as {host!r}.")
        if origin and not self._origins & {origin, "*"} and origin.partition("://")[2] != host:
            raise ApiError(403, f"Pages from {origin} may not use this API; see [api] cors_origins.")

    def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        length, most = headers.get("content-length", ""), self._max_body
        if length.isdecimal() and int(length[:19]) > most:
            raise _too_large(most)
        if length:
            return receive  # the server holds the client to it
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise _too_large(most)
            return message

        return bounded


class Meter:
    """ASGI middleware that counts requests by route, method and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status, outer = perf_counter(), 500, scope.get("route")

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            found = scope.get("route")
            route = getattr(found, "path_format", "none") if found is not outer else "none"
            seconds = perf_counter() - began
            metrics.request(route, scope["method"], status, seconds)
            _log.debug("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _too_often(limit: str, message: str, seconds: float) -> ApiError:
    metrics.LIMITED.labels(limit).inc()
    return ApiError(429, message, headers={"Retry-After": str(math.ceil(seconds))})


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"The request's body is larger than {most} bytes.")

"""The spool half of a relay between real doors and stores, and an endpoint over HTTP that judges as it is told."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from csms_platform.bus import Doors
from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_platform.state import Stores
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.spooling import Spooling
from tests.support.endpoint import Endpoint as Operator
from tests.support.endpoint import Heard
from tests.support.wiring import ports

DEADLINE = 20.0
FAST: dict[str, Any] = {
    "spool_first_pause": 0.02,
    "spool_longest_pause": 0.05,
    "breaker_failures": 5,
    "breaker_seconds": 0.05,
    "timeout": 5.0,
    "drain_seconds": 5.0,
}

Judge = Callable[[Heard], int]


@dataclass
class Judged(Operator):
    """Answers each request with the HTTP status that `judge` says, or after `hold` is set; and as `mode` says, when it
    is "garbage" or "wrong"."""

    judge: Judge = lambda heard: 200
    hold: asyncio.Event | None = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        heard = Heard(body, {name.lower(): value for name, value in request.headers.items()})
        self.heard.append(heard)
        if self.hold:
            await self.hold.wait()
        if self.mode == "garbage":
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        status = self.judge(heard)
        if 200 <= status < 300:
            self.taken.append(heard)
        return web.json_response({"payload": {"wrong": 1} if self.mode == "wrong" else {}}, status=status)

    def numbers(self, identity: str = "CS-1") -> list[int]:
        """What was taken from a station, by the number that `meter` gave it, in order."""
        return [int(heard.body["uniqueId"]) for heard in self.taken if heard.body["identity"] == identity]


def meter(number: int, identity: str = "CS-1", **fields: Any) -> Envelope:
    """A station's MeterValues; its unique id is the number."""
    about = {
        "version": "ocpp1.6",
        "unique_id": str(number),
        "action": "MeterValues",
        "payload": Raw(b'{"connectorId":1,"meterValue":[]}'),
        "reply_to": "ocpp.gateway.east",
        "session": Capsule(epoch=3, registration="Accepted"),
    }
    return Envelope(Kind.CALL, identity, **(about | fields))


@dataclass
class World:
    """What a relay stands on. `now` may be moved; `endpoints` are the running relay's."""

    doors: Doors
    stores: Stores
    operator: Judged
    settings: dict[str, Any] = field(default_factory=dict)
    ahead: float = 0.0
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    def now(self) -> float:
        return time.time() + self.ahead

    @property
    def configured(self) -> Settings:
        return msgspec.convert({"url": self.operator.url, **FAST, **self.settings}, Settings)

    @asynccontextmanager
    async def relay(self, doors: Doors | None = None) -> AsyncIterator[Spooling]:
        """A relay that delivers while inside; `doors`: another process's."""
        settings, tasks = self.configured, list[asyncio.Task[None]]()
        async with AsyncExitStack() as stack:
            for name, target in settings.endpoints().items():
                self.endpoints[name] = await stack.enter_async_context(Endpoint(name, target, settings))
            wired = ports(doors or self.doors, self.stores, tasks=tasks)
            spooling = Spooling(wired, settings, self.endpoints, self.now)
            await spooling.start()
            try:
                yield spooling
            finally:
                await spooling.stop(settings.drain_seconds)

    async def move(self, spooling: Spooling, seconds: float) -> None:
        """The clock goes ahead, and whoever waited for it is told."""
        self.ahead += seconds
        for postman in spooling.postmen:
            postman.look()

    async def serve_stations(self) -> None:
        """Stations ask and are answered, every 10 ms, until cancelled."""
        for number in itertools.count(1_000_000):
            await self.endpoints["default"].ask(meter(number, "CS-LIVE"), attempt=1, seconds=5, delivery_id="live")
            await asyncio.sleep(0.01)

    async def waiting(self, identity: str = "CS-1", endpoint: str = "default") -> bool:
        return await self.stores.deliveries.pending(f"{endpoint}/{identity}")

    async def emptied(self, *endpoints: str) -> None:
        """Return when no letters are in the spool."""
        for endpoint in endpoints or ("default",):
            await until(lambda endpoint=endpoint: self._empty(endpoint))  # type: ignore[misc]

    async def _empty(self, endpoint: str) -> bool:
        return await self.doors.spool.waiting(endpoint) == 0


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask every 10 ms."""
    async with asyncio.timeout(DEADLINE):
        while not await true():
            await asyncio.sleep(0.01)

"""The real gateway behind the real front on a loopback port; the test plays the router at the other end of the bus."""

import asyncio
import http.client
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import time
from typing import Any

import msgspec
from msgspec import Raw
from structlog.testing import capture_logs

from csms_platform.bus import BusSettings, Doors
from csms_platform.bus.memory import Exchange, MemoryBus, memory_doors
from csms_platform.envelope import Capsule, Envelope, Kind, Refusal
from csms_platform.http import Front
from csms_platform.ports import ROUTER, address_of
from csms_soap_gateway.service import service
from csms_soap_gateway.settings import Settings
from tests.service.ws_gateway.world import GatedBus
from tests.support.soap import Answered, envelope, post
from tests.support.wiring import ports

NOON = b'{"currentTime":"2026-01-01T12:00:00Z"}'
HEARTBEAT = "<cs:heartbeatRequest/>"
BOOT = (
    "<cs:bootNotificationRequest><cs:chargePointVendor>Foreign</cs:chargePointVendor>"
    "<cs:chargePointModel>Plain</cs:chargePointModel></cs:bootNotificationRequest>"
)
_INFO = b'{"idTagInfo":{"status":"Accepted"}}'
ANSWERS = {
    "Heartbeat": NOON,
    "Authorize": _INFO,
    "StopTransaction": _INFO,
    "StartTransaction": b'{"transactionId":7,"idTagInfo":{"status":"Accepted"}}',
    "DataTransfer": b'{"status":"UnknownVendorId"}',
}
_INTERVAL = {"ocpp1.5": "heartbeatInterval", "ocpp1.6": "interval"}

Decision = Capsule | Refusal | None


class Router:
    """What the gateway believes to be the router. Lets everybody in and answers every CALL, unless told otherwise.

    `decide` answers a CALL that brings its arrival: with a capsule it is answered, with a refusal refused, and None
    keeps silent.
    """

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus
        self.heard: list[Envelope] = []
        self.answers = True
        self.decide: Callable[[Envelope], Decision] = self.let_in
        self._epochs: Counter[str] = Counter()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "Router":
        await self.bus.subscribe(ROUTER, self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bus.__aexit__()

    def let_in(self, call: Envelope, fresh: float = 60.0) -> Capsule:
        self._epochs[call.identity] += 1
        fresh_until = int((time() + fresh) * 1000) if fresh else 0
        return Capsule(self._epochs[call.identity], "acme", "Accepted", fresh_until=fresh_until)

    async def _hear(self, batch: list[Envelope]) -> None:
        for call in batch:
            decision = self.decide(call) if call.arrival else call.session
            if isinstance(decision, Refusal):
                self.refuse(call, decision)
            elif decision and self.answers:
                self.answer(call, session=decision)
        async with self._news:
            self.heard += batch
            self._news.notify_all()

    def refuse(self, call: Envelope, refusal: Refusal) -> None:
        self._tell(call, Kind.REFUSE, payload=Raw(msgspec.json.encode(refusal)))

    def answer(self, call: Envelope, payload: bytes | None = None, **fields: Any) -> None:
        """RESULT, or whatever `fields` make of it."""
        known = {"action": call.action, "payload": Raw(payload or _answer(call)), "version": call.version}
        self._tell(call, fields.pop("kind", Kind.RESULT), **(known | fields))

    def fail(self, call: Envelope, code: str, description: str = "", **fields: Any) -> None:
        """ERROR."""
        self.answer(call, b"{}", kind=Kind.ERROR, error_code=code, error_description=description, **fields)

    def _tell(self, call: Envelope, kind: Kind, **fields: Any) -> None:
        told = Envelope(kind, call.identity, transport="soap", unique_id=call.unique_id, **fields)
        self.bus.send(address_of(call.reply_to), told)

    async def hears(self, count: int = 1) -> list[Envelope]:
        """Wait until at least `count` envelopes were heard; answers all of them."""
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= count)
        return self.heard


def _answer(call: Envelope) -> bytes:
    if call.action == "BootNotification":
        accepted = b'{"status":"Accepted","currentTime":"2026-01-01T12:00:00Z","%s":300}'
        return accepted % _INTERVAL[call.version].encode()
    return ANSWERS.get(call.action, b"{}")


@dataclass
class World:
    """`doors` is the gateway's process; what it emits can be followed there, too."""

    router: Router
    bus: GatedBus
    doors: Doors
    port: int
    leave: Callable[[], Coroutine[Any, Any, None]]
    logs: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/Ocpp"

    async def post(self, body: bytes | str, **more: Any) -> Answered:
        """POST these bytes: `headers`, `chunked`."""
        return await asyncio.to_thread(post, self.url, body, timeout=10, **more)

    async def ask(
        self, body: str = HEARTBEAT, *, identity: str = "CS-1", version: str = "1.6", source: str = "", **more: Any
    ) -> Answered:
        """POST an envelope with this body, XML in the prefix `cs`."""
        text = envelope(version, identity, body, message_id=more.pop("message_id", ""), source=source)
        return await self.post(text, **more)

    def ask_soon(self, *args: Any, **more: Any) -> "asyncio.Task[Answered]":
        """The same in a task, for a test that answers itself."""
        return asyncio.create_task(self.ask(*args, **more))

    async def request(
        self, method: str, path: str = "/Ocpp", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Any HTTP request without a body: status, headers (names in small letters), body."""
        return await asyncio.to_thread(self._request, method, path, headers or {})

    def _request(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=dict(headers))
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log lines with this event."""
        return [line for line in self.logs if line["event"] == event]


@asynccontextmanager
async def open_world(settings: Settings | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[World]:
    """A running gateway. `world.leave()` makes it drain; without it the end of the block does."""
    exchange, tasks, front = Exchange(), list[asyncio.Task[None]](), Front({})
    with capture_logs() as logs:
        bus = GatedBus(exchange)
        async with (
            memory_doors(exchange, BusSettings()) as doors,
            bus,
            Router(MemoryBus(exchange, BusSettings())) as router,
        ):
            running = service(ports(doors, tasks=tasks, bus=bus, serve=front.serve), settings or Settings())
            left = False

            async def leave() -> None:
                nonlocal left
                if not left:
                    left = True
                    await running.__aexit__(None, None, None)

            await running.__aenter__()
            async with front.listen("127.0.0.1", 0, tls) as port:
                try:
                    yield World(router, bus, doors, port, leave, logs)
                finally:
                    bus.gate.set()
                    await leave()
            for task in tasks:
                assert not task.done() or task.exception() is None
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

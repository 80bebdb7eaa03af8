"""The real gateway behind the real front on a loopback port; the test plays the router at the other end of the bus."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw
from structlog.testing import capture_logs

from csms_platform.bus import BusSettings, Doors
from csms_platform.bus.memory import Exchange, MemoryBus, memory_doors
from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Kind, Refusal
from csms_platform.http import Front
from csms_platform.ports import ROUTER, Address, address_of
from csms_ws_gateway.service import service
from csms_ws_gateway.settings import Settings
from tests.support.wiring import ports

NOON = b'{"currentTime":"2026-01-01T12:00:00Z"}'
API = Address("ocpp.test.api")

Decision = Capsule | Refusal | None


class GatedBus(MemoryBus):
    """A bus whose broker can be made to take nothing for a while."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange, BusSettings(outbox_mib=1))
        self.gate = asyncio.Event()
        self.gate.set()

    async def _publish(self, address: Address, body: bytes) -> None:
        await self.gate.wait()
        await super()._publish(address, body)

    async def choke(self) -> None:
        """Let an outbox fill up past its limit."""
        self.gate.clear()
        self.send(ROUTER, Envelope(Kind.SEND, "ballast", payload=Raw(b'"' + 2 * 1024 * 1024 * b"x" + b'"')))


class Router:
    """What the gateway believes to be the router. Lets everybody in and answers every CALL, unless told otherwise.

    `decide` answers a CONNECT: a capsule lets the station in, a refusal does not, None keeps silent.
    """

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus
        self.heard: list[Envelope] = []
        self.outcomes: list[Envelope] = []
        self.answers = True
        self.decide: Callable[[Envelope], Decision] = self.let_in
        self._epochs: Counter[str] = Counter()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "Router":
        await self.bus.subscribe(ROUTER, self._hear)
        await self.bus.subscribe(API, self._hear_outcomes)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bus.__aexit__()

    def let_in(self, envelope: Envelope) -> Capsule:
        self._epochs[envelope.identity] += 1
        return Capsule(epoch=self._epochs[envelope.identity], account=envelope.account, registration="Accepted")

    async def _hear(self, batch: list[Envelope]) -> None:
        for envelope in batch:
            if envelope.kind is Kind.CONNECT:
                self.connect_decided(envelope, self.decide(envelope))
            elif envelope.kind is Kind.CALL and self.answers:
                self.answer(envelope)
        await self._remember(self.heard, batch)

    async def _hear_outcomes(self, batch: list[Envelope]) -> None:
        await self._remember(self.outcomes, batch)

    async def _remember(self, where: list[Envelope], batch: list[Envelope]) -> None:
        async with self._news:
            where += batch
            self._news.notify_all()

    # --- what the router says -----------------------------------------------------------------------------------------

    def tell(self, name: str, envelope: Envelope) -> None:
        self.bus.send(address_of(name), envelope)

    def connect_decided(self, connect: Envelope, decision: Decision) -> None:
        if isinstance(decision, Capsule):
            version = connect_request(connect).subprotocol
            self._decided(connect, Kind.ACCEPT, version=version, session=decision)
        elif isinstance(decision, Refusal):
            self._decided(connect, Kind.REFUSE, payload=Raw(msgspec.json.encode(decision)))

    def _decided(self, connect: Envelope, kind: Kind, **fields: Any) -> None:
        self.tell(connect.reply_to, Envelope(kind, connect.identity, unique_id=connect.unique_id, **fields))

    def answer(self, call: Envelope, payload: bytes = NOON, **fields: Any) -> None:
        """CALLRESULT, or whatever `fields` make of it."""
        known = {"unique_id": call.unique_id, "action": call.action, "payload": Raw(payload), "session": call.session}
        self.tell(call.reply_to, Envelope(fields.pop("kind", Kind.RESULT), call.identity, **(known | fields)))

    async def command(self, identity: str, action: str, payload: bytes = b"{}", **fields: Any) -> str:
        """Command a station as the API would; answers the command's id."""
        unique_id: str = fields.pop("unique_id", f"command-{len(self.outcomes)}")
        known = {"unique_id": unique_id, "action": action, "payload": Raw(payload), "reply_to": API.name}
        self.tell(await self.gateway(), Envelope(Kind.CALL, identity, **(known | fields)))
        return unique_id

    async def evict(self, identity: str, epoch: int) -> None:
        self.tell(await self.gateway(), Envelope(Kind.EVICT, identity, session=Capsule(epoch=epoch)))

    # --- what the router heard ----------------------------------------------------------------------------------------

    async def gateway(self) -> str:
        """The gateway's address."""
        return (await self.hears(Kind.LEASE))[0].reply_to

    def of(self, kind: Kind, identity: str = "") -> list[Envelope]:
        """What was heard of this kind so far."""
        return [e for e in self.heard if e.kind is kind and (not identity or e.identity == identity)]

    async def hears(self, kind: Kind, count: int = 1, *, identity: str = "", within: float = 5.0) -> list[Envelope]:
        """Wait until at least `count` of this kind were heard; answers all of them."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.of(kind, identity)) >= count)
        return self.of(kind, identity)

    async def learns(self, count: int = 1) -> list[Envelope]:
        """Wait until at least `count` commands have ended; answers their outcomes."""
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(self.outcomes) >= count)
        return self.outcomes


@dataclass
class World:
    """`doors` is the gateway's process; what it emits can be followed there, too."""

    router: Router
    bus: GatedBus
    doors: Doors
    port: int
    leave: Callable[[], Coroutine[Any, Any, None]]
    logs: list[Any] = field(default_factory=list)
    tls: bool = False

    def url(self, path: str = "CS-1") -> str:
        return f"{'wss' if self.tls else 'ws'}://localhost:{self.port}/ocpp/{path}"

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log lines with this event."""
        return [line for line in self.logs if line["event"] == event]

    async def sees(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until that many such lines were logged; answers them."""
        async with asyncio.timeout(5):
            while len(self.logged(event)) < count:
                await asyncio.sleep(0.005)
        return self.logged(event)


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
            wired = ports(doors, tasks=tasks, bus=bus, mount=front.mount)
            running = service(wired, settings or Settings(drain_pause=0.05, close_deadline=0.5))
            left = False

            async def leave() -> None:
                nonlocal left
                if not left:
                    left = True
                    await running.__aexit__(None, None, None)

            await running.__aenter__()
            async with front.listen("127.0.0.1", 0, tls) as port:
                try:
                    yield World(router, bus, doors, port, leave, logs, tls is not None)
                finally:
                    bus.gate.set()
                    await leave()
            for task in tasks:
                assert not task.done() or task.exception() is None
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


def connect_request(connect: Envelope) -> ConnectRequest:
    """What the gateway told about the handshake."""
    return msgspec.json.decode(connect.payload, type=ConnectRequest)

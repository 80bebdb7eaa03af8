"""A scene for commands: routers on one broker, gateways whose stations answer by script, and an operator.

On memory, or on RabbitMQ and Redis; time is the real one.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.version import StationId
from csms_platform.bus import Doors
from csms_platform.envelope import ConnectRequest, Envelope, Kind, Lease
from csms_platform.ports import ROUTER, Address, Claim, Event, GatewayId, Ports, address_of, gateway_address
from csms_platform.state import Stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.contract.doors import Broker
from tests.support.wiring import ports

REPLIES = "operator.replies"
SETTINGS = Settings(boot_required=False, sweep_interval=0.05)
Answer = Callable[[Envelope], Envelope | None]


def ends(call: Envelope, outcome: str, payload: Any = None, code: str = "", description: str = "") -> Envelope:
    """What a gateway says when a command is over."""
    return Envelope(
        Kind.RESULT if outcome == "result" else Kind.ERROR,
        call.identity,
        version=call.version,
        unique_id=call.unique_id,
        action=call.action,
        payload=Raw(json.dumps(payload or {}).encode()),
        error_code=code or ("" if outcome == "result" else outcome),
        error_description=description,
        outcome=outcome,
        attempt=call.attempt,
    )


def accepted(call: Envelope) -> Envelope | None:
    """The station accepts whatever it is asked."""
    return ends(call, "result", {"status": "Accepted"})


def silent(call: Envelope) -> Envelope | None:
    """Nobody ever hears from the station."""
    return None


class Gateway:
    """Holds stations that answer by `answer`; keeps the CALLs in the order in which they came."""

    def __init__(self, doors: Doors, name: str, answer: Answer) -> None:
        self._bus = doors.bus
        self.name = GatewayId(name)
        self.address = gateway_address(self.name)
        self.answer = answer
        self.calls: list[Envelope] = []
        self.others: list[Envelope] = []

    async def open(self) -> None:
        await self._bus.subscribe(self.address, self.hear)

    async def serves(self, address: Address) -> None:
        """It takes CALLs from there, too."""
        await self._bus.subscribe(address, self.hear)

    async def close(self) -> None:
        """The process is gone; its lease lives on for a while."""
        await self._bus.flush()
        await self._bus.unsubscribe(self.address)

    async def hear(self, batch: list[Envelope]) -> None:
        for envelope in batch:
            if envelope.kind is not Kind.CALL:
                self.others.append(envelope)
                continue
            self.calls.append(envelope)
            if reply := self.answer(envelope):
                self._bus.send(address_of(envelope.reply_to), reply)

    def says(self, kind: Kind, identity: str, payload: Any, **more: Any) -> None:
        """Send something to the routers."""
        body = Raw(msgspec.json.encode(payload))
        self.send(Envelope(kind, identity, payload=body, reply_to=self.address.name, **more))

    def send(self, envelope: Envelope) -> None:
        """Send this to the routers."""
        self._bus.send(ROUTER, envelope)

    async def connects(self, identity: str, version: str = "ocpp1.6") -> Envelope:
        """The station comes; answers the ACCEPT."""
        before = len(self.others)
        self.says(Kind.LEASE, "", Lease(60))
        self.says(Kind.CONNECT, identity, ConnectRequest("192.0.2.1", subprotocol=version))
        await eventually(lambda: any(one.kind is Kind.ACCEPT for one in self.others[before:]))
        return next(one for one in self.others[before:] if one.kind is Kind.ACCEPT)

    @property
    def ids(self) -> list[str]:
        """The ids of the commands that came."""
        return [call.unique_id for call in self.calls]


class Scene:
    def __init__(self, broker: Broker, stores: Stores) -> None:
        self.broker = broker
        self.stores = stores
        self.clock = time.time
        self._processes: dict[int, Doors] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.events: list[Event] = []
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """The operator has a queue for replies, and follows what happens to commands."""
        await self.broker.declare(REPLIES)
        doors = await self.broker.connect()
        await doors.events.follow(self._happened, ("#.command",))
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """The end, which no router may hold up for ever."""
        async with asyncio.timeout(60):
            await self.leave()
        self._reading.cancel()
        await asyncio.wait([self._reading], timeout=10)

    async def leave(self) -> None:
        """All routers leave."""
        await self._stack.aclose()
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def router(self, settings: Settings = SETTINGS) -> None:
        """One more router."""
        await self._stack.enter_async_context(service(await self.ports(), settings))

    async def ports(self, **instead: Any) -> Ports:
        """Those of one more process."""
        doors = await self.broker.connect(events="always")
        self._processes[id(doors.bus)] = doors
        return ports(doors, self.stores, tasks=self._tasks, **instead)

    async def vanish(self, process: Ports) -> None:
        """This process ends, without having left anything."""
        await self.broker.leave(self._processes.pop(id(process.bus)))

    async def gateway(self, name: str = "east", answer: Answer = accepted) -> Gateway:
        """One more gateway, with no stations yet."""
        gateway = Gateway(await self.broker.connect(), name, answer)
        await gateway.open()
        return gateway

    async def online(self, gateway: Gateway, identity: str, version: str) -> None:
        """The station has a session at this gateway, whatever it would have had to show."""
        await self.stores.sessions.renew(gateway.name, 60)
        await self.stores.sessions.open(Claim(StationId(identity), gateway.name, version=version))

    async def order(self, identity: str, action: str, payload: Any = None, *, id: str = "", **more: Any) -> None:
        """The operator publishes a command. `timeout` goes into the body, the rest are properties."""
        timeout = {"timeout": more.pop("timeout")} if "timeout" in more else {}
        body = {"action": action, "payload": payload or {}} | ({"uniqueId": id} if id else {}) | timeout
        properties = {"reply_to": REPLIES, "correlation_id": f"c-{id}"} | more
        await self.broker.order(identity, json.dumps(body).encode(), **properties)

    async def replies(self, count: int) -> list[dict[str, Any]]:
        """The first `count` replies, waited for."""
        await eventually(lambda: len(self.told) >= count)
        return [body for _, body in self.told]

    async def outcomes(self, count: int) -> list[tuple[str, str]]:
        """Id and outcome of the first `count` replies."""
        return [(body["uniqueId"], body["outcome"]) for body in await self.replies(count)]

    async def happened(self, count: int) -> list[Event]:
        """The first `count` events, waited for."""
        await eventually(lambda: len(self.events) >= count)
        return self.events

    async def _read(self) -> None:
        while True:
            correlation, body = await self.broker.reply(REPLIES, within=120)
            self.told.append((correlation, json.loads(body)))

    def _happened(self, batch: list[bytes]) -> None:
        self.events += [msgspec.json.decode(one, type=Event) for one in batch]


async def begins_to_wait(scene: Scene, within: float = 10) -> None:
    """Wait until a command waits for its station."""
    async with asyncio.timeout(within):
        while not await scene.stores.commands.expectant():
            await asyncio.sleep(0.005)


async def eventually(true: Callable[[], bool], within: float = 10) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)

"""Stations without a connection, as a SOAP gateway speaks for them; and two routers that they may come to."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.version import StationId
from csms_platform.bus import BusSettings
from csms_platform.bus.memory import Exchange, memory_doors
from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Kind, Refusal
from csms_platform.ports import Event, GatewayId, Note, gateway_address
from csms_platform.state import open_stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.service.router.world import Clock, RecordingBus, World
from tests.support.wiring import ports

CS = StationId("CS-1")
URL = "http://10.8.0.42:8080/ocpp"
BOOT = {"chargePointVendor": "ACME", "chargePointModel": "One"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


class Visitor:
    """A station that comes to `world`; `capsule` is what its gateway was given last."""

    def __init__(self, world: World, identity: str = "CS-1", version: str = "ocpp1.5", gateway: str = "s1") -> None:
        self.world = world
        self.identity = identity
        self.version = version
        self.gateway = gateway_address(GatewayId(gateway)).name
        self.capsule: Capsule | None = None

    def asks(self, action: str, payload: Any = None, unique_id: str = "", **fields: Any) -> Envelope:
        """The envelope of a CALL, with nothing that says who asks."""
        encoded = payload if isinstance(payload, bytes) else msgspec.json.encode(payload or {})
        return Envelope(
            Kind.CALL,
            self.identity,
            **(
                {
                    "version": self.version,
                    "transport": "soap",
                    "unique_id": unique_id or f"m-{next(self.world.ids)}",
                    "action": action,
                    "payload": Raw(encoded),
                    "reply_to": self.gateway,
                    "deadline": self.world.deadline,
                }
                | fields
            ),
        )

    def arriving(
        self, action: str = "Heartbeat", payload: Any = None, *, password: bytes | None = None, **request: Any
    ) -> Envelope:
        """The same with an arrival; `user` is the identity when a password is given."""
        account = request.pop("account", "")
        if password is not None:
            shown = {"user": self.identity, "password": base64.b64encode(password).decode(), "authorization": True}
            request = shown | request
        return self.asks(action, payload, arrival=ConnectRequest(**({"peer": "192.0.2.1"} | request)), account=account)

    async def visit(self, action: str = "Heartbeat", payload: Any = None, **request: Any) -> Envelope:
        """The router's RESULT, ERROR or REFUSE."""
        return await self.hear(self.arriving(action, payload, **request))

    async def again(self, action: str, payload: Any = None) -> Envelope:
        """The same for a CALL with the capsule instead of an arrival."""
        return await self.hear(self.asks(action, payload, session=self.capsule))

    async def hear(self, call: Envelope) -> Envelope:
        replies = await self.world.bus.deliver(call)
        (reply,) = [one for one in replies if one.kind in (Kind.RESULT, Kind.ERROR, Kind.REFUSE)]
        self.capsule = reply.session or self.capsule
        return reply

    async def accepted(self, interval: int | None = None) -> None:
        """It was accepted once, and told this interval."""
        notes = [Note(self.identity, "registration", b'"Accepted"')]
        if interval is not None:
            notes.append(Note(self.identity, "interval", b"%d" % interval))
        await self.world.ports.stations.note(notes)


def status(reply: Envelope) -> int | str:
    """The HTTP status of a REFUSE, the code of an ERROR, or `answered`."""
    if reply.kind is Kind.REFUSE:
        return msgspec.json.decode(reply.payload, type=Refusal).status
    return reply.error_code or "answered"


class Followed:
    """The events about stations that come and go, as type, transport, gateway and version."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, batch: list[bytes]) -> None:
        self.events += [msgspec.json.decode(one, type=Event) for one in batch]

    async def told(self) -> list[tuple[str, str, str]]:
        """Type, version and reason of each, in their order."""
        await asyncio.sleep(0.01)
        return [(one.type, one.version, one.reason) for one in self.events]


async def following(world: World) -> Followed:
    """Follows from now on."""
    followed = Followed()
    await world.ports.events.follow(followed, ("#.connected", "#.disconnected"))
    return followed


@asynccontextmanager
async def open_pair(settings: Settings | None = None, *, url: str = "memory://") -> AsyncIterator[tuple[World, World]]:
    """Two routers with the same stores and the same operator."""
    settings, clock, exchange = settings or Settings(), Clock(), Exchange()
    tasks: list[asyncio.Task[None]] = []
    worlds: list[World] = []
    async with open_stores(url, clock=clock) as stores:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                bus, doors = RecordingBus(), await stack.enter_async_context(memory_doors(exchange, BusSettings()))
                process = ports(doors, stores, tasks=tasks, bus=bus)
                await stack.enter_async_context(service(process, settings, now=clock))
                worlds.append(World(bus, exchange, process, clock, settings))
            yield worlds[0], worlds[1]
        await asyncio.gather(*tasks)

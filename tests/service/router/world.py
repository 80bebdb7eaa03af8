"""A router between a bus that records and real stores, and charging stations that talk to it as a gateway would."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
from msgspec import Raw

from csms_platform.bus import BusSettings
from csms_platform.bus.memory import Exchange, memory_doors
from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Kind, decode, encode
from csms_platform.ports import (
    ROUTER,
    Address,
    BatchHandler,
    GatewayId,
    Ports,
    ReturnHandler,
    Sessions,
    Stations,
    Tags,
    Transactions,
    gateway_address,
)
from csms_platform.state import open_stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.support.wiring import ports as make_ports

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
PATIENCE = 30_000


class Clock:
    """A clock that stands until it is moved; epoch seconds."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class RecordingBus:
    """`ports.Bus` that keeps what is sent, and delivers what a test gives it. Everything crosses as bytes."""

    connected = True
    congested = False

    def __init__(self) -> None:
        self.sent: list[tuple[Address, Envelope]] = []
        self.handlers: dict[Address, BatchHandler] = {}
        self.give_back: ReturnHandler | None = None

    def send(self, address: Address, envelope: Envelope) -> None:
        self.sent.append((address, decode(encode([envelope]))[0]))

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        self.handlers[address] = handler

    async def unsubscribe(self, address: Address) -> None:
        del self.handlers[address]

    def on_return(self, handler: ReturnHandler) -> None:
        self.give_back = handler

    def on_congestion(self, handler: Any) -> None:
        raise AssertionError("not the router's business")

    async def flush(self) -> None:
        raise AssertionError("not the router's business")

    async def deliver(self, *batch: Envelope) -> list[Envelope]:
        """What the router sends while it handles `batch`, wherever to."""
        before = len(self.sent)
        await self.handlers[ROUTER](decode(encode(batch)))
        return [envelope for _, envelope in self.sent[before:]]


@dataclass
class World:
    """`exchange` is the operator's side of the broker: events, orders, letters."""

    bus: RecordingBus
    exchange: Exchange
    ports: Ports
    clock: Clock
    settings: Settings
    ids: Any = field(default_factory=lambda: count(1))

    @property
    def deadline(self) -> int:
        return int(self.clock.now * 1000) + PATIENCE

    async def note_of(self, identity: str, about: str) -> Any:
        """What was noted about a station under this field; None: nothing."""
        value = (await self.ports.stations.recall(identity)).get(about)
        return None if value is None else msgspec.json.decode(value)


@asynccontextmanager
async def open_world(
    settings: Settings | None = None,
    *,
    url: str = "memory://",
    clock: Clock | None = None,
    sessions: Sessions | None = None,
    stations: Stations | None = None,
    tags: Tags | None = None,
    transactions: Transactions | None = None,
) -> AsyncIterator[World]:
    """A running router; a store that is given takes the place of the one at `url`."""
    settings = settings or Settings()
    clock = clock or Clock()
    tasks: list[asyncio.Task[None]] = []

    exchange, bus = Exchange(), RecordingBus()
    async with open_stores(url, clock=clock) as stores, memory_doors(exchange, BusSettings()) as doors:
        instead = {"sessions": sessions, "stations": stations, "tags": tags, "transactions": transactions}
        ports = make_ports(doors, stores, tasks=tasks, bus=bus, **instead)
        async with service(ports, settings, now=clock):
            yield World(bus, exchange, ports, clock, settings)
        await asyncio.gather(*tasks)


class ChargingStation:
    """A station's side of the conversation, with the capsule that its gateway keeps."""

    def __init__(
        self, world: World, identity: str = "CS-1", version: str = "ocpp1.6", gateway: str = "east", epoch: int = 1
    ) -> None:
        self.world = world
        self.identity = identity
        self.version = version
        self.gateway = gateway_address(GatewayId(gateway)).name
        self.capsule: Capsule | None = Capsule(epoch=epoch, registration="Accepted")

    def asks(self, action: str, payload: Any, unique_id: str = "", *, kind: Kind = Kind.CALL, **more: Any) -> Envelope:
        """The envelope of a CALL."""
        fields = {
            "version": self.version,
            "unique_id": unique_id or f"{self.identity}-{next(self.world.ids)}",
            "action": action,
            "payload": Raw(payload if isinstance(payload, bytes) else msgspec.json.encode(payload)),
            "reply_to": self.gateway,
            "session": self.capsule,
            "deadline": self.world.deadline,
        }
        return Envelope(kind, self.identity, **(fields | more))

    async def call(self, action: str, payload: Any, unique_id: str = "", **more: Any) -> Any:
        """The payload of the CALLRESULT, or the code of the CALLERROR."""
        (reply,) = await self.world.bus.deliver(self.asks(action, payload, unique_id, **more))
        if reply.session is not None:
            self.capsule = reply.session
        return msgspec.json.decode(reply.payload) if reply.kind is Kind.RESULT else reply.error_code

    async def connect(self, *, account: str = "", password: bytes | None = None, **request: Any) -> Envelope:
        """The router's ACCEPT or REFUSE. `user` is the identity when a password is given."""
        if password is not None:
            request = {
                "user": self.identity,
                "authorization": True,
                "password": base64.b64encode(password).decode(),
            } | request
        asked = ConnectRequest(**({"peer": "192.0.2.1", "subprotocol": self.version} | request))
        envelope = Envelope(
            Kind.CONNECT,
            self.identity,
            account=account,
            unique_id="handshake",
            payload=Raw(msgspec.json.encode(asked)),
            reply_to=self.gateway,
            deadline=self.world.deadline,
        )
        replies = await self.world.bus.deliver(envelope)
        (reply,) = [one for one in replies if one.kind in (Kind.ACCEPT, Kind.REFUSE)]
        if reply.kind is Kind.ACCEPT:
            self.capsule = reply.session
        return reply

    async def disconnect(self) -> None:
        """The gateway says that the connection is gone."""
        await self.world.bus.deliver(Envelope(Kind.DISCONNECT, self.identity, session=self.capsule))

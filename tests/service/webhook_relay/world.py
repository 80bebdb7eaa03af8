"""A running relay, and the test in the places of the router and of the gateways."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from csms_platform.bus import BusSettings
from csms_platform.bus.memory import memory_doors, open_exchange
from csms_platform.envelope import Envelope
from csms_platform.ports import ROUTER, WEBHOOK, Address, Bus, Ports
from csms_platform.state import open_stores
from csms_webhook_relay.service import service
from csms_webhook_relay.settings import Settings
from tests.support.wiring import ports as wired
from tests.unit.webhook_relay.calls import call

GATEWAY = Address("ocpp.gateway.east")
IN_TIME = 5.0


@dataclass
class World:
    """`heard` is what came for the router and for the gateway, in order."""

    bus: Bus
    ports: Ports
    heard: dict[Address, list[Envelope]] = field(default_factory=lambda: {ROUTER: [], GATEWAY: []})
    deadline: float = 30.0

    def ask(self, *calls: Envelope) -> None:
        """Forward these to the relay, as the router does; a deadline is set where there is none."""
        latest = int((time.time() + self.deadline) * 1000)
        for one in calls:
            self.bus.send(WEBHOOK, one if one.deadline else msgspec.structs.replace(one, deadline=latest))

    async def hears(self, address: Address, count: int = 1, within: float = IN_TIME) -> list[Envelope]:
        """Wait until so many came for `address`; all of them."""
        async with asyncio.timeout(within):
            while len(self.heard[address]) < count:
                await asyncio.sleep(0.005)
        return self.heard[address]

    async def answer(self, asked: Envelope | None = None) -> Envelope:
        """The one answer that the gateway gets to this CALL."""
        self.ask(asked or call())
        (found,) = await self.hears(GATEWAY)
        assert self.heard[ROUTER] == []
        return found

    async def handed_back(self, asked: Envelope) -> Envelope:
        """What the router gets instead of an answer to this CALL."""
        self.ask(asked)
        (found,) = await self.hears(ROUTER)
        assert self.heard[GATEWAY] == []
        return found


@asynccontextmanager
async def open_world(
    url: str = "", *, settings: Settings | None = None, deadline: float = 30.0, **fields: Any
) -> AsyncIterator[World]:
    """A relay for the endpoint at `url`, with little patience: no retry unless `attempts` is given."""
    settings = settings or Settings(url=url, **({"attempts": 1, "retry_delay": 0.01} | fields))
    tasks: list[asyncio.Task[None]] = []
    async with (
        open_exchange() as exchange,
        open_stores("memory://") as stores,
        memory_doors(exchange, BusSettings()) as ours,
        memory_doors(exchange, BusSettings()) as theirs,
    ):
        world = World(theirs.bus, wired(ours, stores, tasks=tasks), deadline=deadline)
        for address in (ROUTER, GATEWAY):
            await theirs.bus.subscribe(address, _note(world.heard[address]))
        async with service(world.ports, settings):
            yield world
    await asyncio.gather(*tasks)


def _note(heard: list[Envelope]) -> Callable[[list[Envelope]], Any]:
    async def note(batch: list[Envelope]) -> None:
        heard.extend(batch)

    return note


async def until(true: Callable[[], bool], within: float = IN_TIME) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)

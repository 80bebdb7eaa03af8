"""The router on the real memory bus, between two gateways; and how it leaves."""

import asyncio
from typing import Any

from csms_platform.bus import BusSettings
from csms_platform.bus.memory import Exchange, memory_doors
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import ROUTER, Bus, GatewayId, Tag, gateway_address
from csms_platform.state import open_stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world
from tests.support.wiring import ports

BUS = BusSettings()


class Gateway:
    """Keeps what it hears, by station."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: list[tuple[str, str, str]] = []
        self.changed = asyncio.Event()

    async def hear(self, batch: list[Envelope]) -> None:
        self.heard += [(one.identity, one.unique_id, one.kind.value) for one in batch]
        self.changed.set()

    async def has_heard(self, count: int) -> None:
        while len(self.heard) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


async def test_each_gateway_gets_the_answers_of_its_stations_from_either_of_two_routers(world: World) -> None:
    exchange = Exchange()
    tasks: list[asyncio.Task[None]] = []

    async with (
        open_stores("memory://") as stores,
        memory_doors(exchange, BUS) as one,
        memory_doors(exchange, BUS) as two,
        memory_doors(exchange, BUS) as eastern,
        memory_doors(exchange, BUS) as western,
    ):
        east, west = Gateway(eastern.bus), Gateway(western.bus)
        for name, gateway in (("east", east), ("west", west)):
            await gateway.bus.subscribe(gateway_address(GatewayId(name)), gateway.hear)
        routers = (service(ports(doors, stores, tasks=tasks), Settings()) for doors in (one, two))
        async with next(routers), next(routers):
            for number in range(100):
                name, gateway = ("east", east) if number % 2 else ("west", west)
                station = ChargingStation(world, f"CS-{number}", gateway=name)
                action, payload = ("Authorize", {"idTag": "A1"}) if number % 3 else ("Heartbeat", {})
                gateway.bus.send(ROUTER, station.asks(action, payload, f"m-{number}", deadline=0))
                await asyncio.sleep(0)
            await east.has_heard(50)
            await west.has_heard(50)
        await asyncio.gather(*tasks)

    assert sorted(east.heard) == sorted((f"CS-{n}", f"m-{n}", "result") for n in range(1, 100, 2))
    assert sorted(west.heard) == sorted((f"CS-{n}", f"m-{n}", "result") for n in range(0, 100, 2))


class SlowTags:
    """Tags that are there when `found` is set."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.found = asyncio.Event()

    async def get(self, id: str) -> Tag | None:
        self.asked.set()
        await asyncio.wait_for(self.found.wait(), 30)
        return None


async def test_a_slow_store_holds_up_only_the_answers_that_need_it() -> None:
    tags: Any = SlowTags()
    async with open_world(tags=tags) as world:
        station = ChargingStation(world)
        batch = world.bus.deliver(station.asks("Authorize", {"idTag": "A1"}), station.asks("Heartbeat", {}))
        handling = asyncio.create_task(batch)
        await asyncio.wait_for(tags.asked.wait(), 10)
        early = [one.action for _, one in world.bus.sent]
        tags.found.set()
        replies = await handling

    assert early == ["Heartbeat"]
    assert [(one.action, one.kind) for one in replies] == [("Heartbeat", Kind.RESULT), ("Authorize", Kind.RESULT)]


async def test_a_router_that_leaves_hears_no_more_and_its_sweeper_ends(world: World) -> None:
    async with open_world() as other:
        listening = ROUTER in other.bus.handlers

    assert listening
    assert ROUTER not in other.bus.handlers

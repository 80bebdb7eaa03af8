"""Leaving: batches under way are finished, and those that cannot be hold nobody up."""

import asyncio

from csms_platform.bus import BusSettings, open_doors
from csms_platform.ports import ROUTER, Address
from csms_platform.state import open_stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.service.router.world import RecordingBus
from tests.support.wiring import ports


class SlowBus(RecordingBus):
    """A bus whose last batch takes `seconds` longer."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.finished = False

    async def unsubscribe(self, address: Address) -> None:
        assert address == ROUTER
        await asyncio.sleep(self.seconds)
        self.finished = True


async def leave(bus: SlowBus, settings: Settings) -> float:
    """How long leaving takes."""
    tasks: list[asyncio.Task[None]] = []
    async with open_stores("memory://") as stores, open_doors(BusSettings()) as doors:
        async with service(ports(doors, stores, tasks=tasks, bus=bus), settings):
            began = asyncio.get_running_loop().time()
        await asyncio.gather(*tasks)
        return asyncio.get_running_loop().time() - began


async def test_a_batch_under_way_is_finished() -> None:
    bus = SlowBus(seconds=0.05)
    await leave(bus, Settings(drain_seconds=30))

    assert bus.finished


async def test_a_batch_that_waits_for_an_absent_store_does_not_hold_up_leaving() -> None:
    """It is not acknowledged, so another router gets it."""
    bus = SlowBus(seconds=60)
    took = await leave(bus, Settings(drain_seconds=0.05))

    assert not bus.finished
    assert took < 10

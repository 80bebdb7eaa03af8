"""Leaving: batches under way are finished, and those that cannot be hold nobody up."""

import asyncio
from typing import Any

from csms_platform.ports import ROUTER, Address, Ports
from csms_platform.state import open_stores
from csms_router.service import service
from csms_router.settings import Settings
from tests.service.router.world import RecordingBus


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
    mount: Any = None
    async with open_stores("memory://") as stores:
        ports = Ports(
            bus,
            stores.sessions,
            stores.stations,
            stores.tags,
            stores.transactions,
            spawn=lambda work, name: tasks.append(asyncio.create_task(work, name=name)),
            mount=mount,
        )
        async with service(ports, settings):
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

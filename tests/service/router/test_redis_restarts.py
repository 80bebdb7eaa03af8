"""A Redis that stops and comes back while stations are asking: their transactions are stored, and they are answered."""

import asyncio
import time

from csms_ocpp.version import StationId
from tests.service.router.world import ChargingStation, Clock, open_world
from tests.support.brokers import Redis

START = {"connectorId": 1, "idTag": "A1", "meterStart": 100, "timestamp": "2026-01-01T12:00:00Z"}


class WallClock(Clock):
    """The real time: pauses are real here."""

    def __call__(self) -> float:
        self.now = time.time()
        return self.now


async def test_calls_wait_for_a_redis_that_restarts(private_redis: Redis) -> None:
    clock = WallClock()
    clock()
    async with open_world(url=private_redis.fresh_database(), clock=clock) as world:
        station = ChargingStation(world)
        before = await station.call("StartTransaction", START)
        private_redis.stop()

        asking = asyncio.create_task(station.call("StartTransaction", START | {"connectorId": 2}))
        await asyncio.sleep(0.2)
        waited = not asking.done()
        await asyncio.to_thread(private_redis.start)
        after = await asyncio.wait_for(asking, 20)

        stored = await world.ports.transactions.get(StationId("CS-1"), str(after["transactionId"]))
    assert waited
    assert after["transactionId"] != before["transactionId"]
    assert stored is not None
    assert stored.connector == 2

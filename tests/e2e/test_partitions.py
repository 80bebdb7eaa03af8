"""A system whose routers' address is several queues: stations notice nothing, nor when their number changes."""

import asyncio
from collections.abc import Callable

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import identity, raw_station
from tests.support.system import System

PARTITIONS = "CSMS_BUS_ROUTER_PARTITIONS"

Own = Callable[[System], System]

pytestmark = pytest.mark.timeout(120)


async def visit(url: str, number: int) -> bool:
    """A station boots, asks five times at once, and leaves; answers whether it was answered in order."""
    async with raw_station(url, identity(f"part-{number}")) as station:
        asked = [await station.send("Heartbeat", {}, f"beat-{number}") for number in range(5)]
        answers = [await station.receive() for _ in asked]
    return [answer[:2] for answer in answers] == [[3, message_id] for message_id in asked]


async def test_two_routers_and_four_partitions_answer_every_station(
    own: Own, rabbitmq: RabbitMQ, redis_server: Redis
) -> None:
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    running = own(system.distributed(*brokers, routers=2, env={PARTITIONS: "4"}))

    answered = await asyncio.gather(*(visit(running.urls[number % 2], number) for number in range(40)))

    assert answered == [True] * 40


@pytest.mark.parametrize(("before", "after"), [("1", "4"), ("4", "1")])
async def test_routers_first_and_gateways_later_may_have_another_number_of_partitions(
    own: Own, rabbitmq: RabbitMQ, redis_server: Redis, before: str, after: str
) -> None:
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    running = own(system.distributed(*brokers, gateways=1, env={PARTITIONS: before}))
    running.env[PARTITIONS] = after
    running.add_router()
    await asyncio.to_thread(running.wait_ready)
    running.routers.pop(0).process.close()
    running.add_gateway()
    await asyncio.to_thread(running.wait_ready)

    answered = await asyncio.gather(*(visit(running.urls[number % 2], number) for number in range(20)))

    assert answered == [True] * 20

"""Shared addresses that are several queues on RabbitMQ: which there are, who gets what, and what a change leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.exceptions import ChannelNotFoundEntity

from csms_platform.bus import BusSettings, open_doors
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import ROUTER, WEBHOOK, Address, Bus
from tests.contract.test_bus import Inbox

pytestmark = pytest.mark.timeout(60)

Connect = Callable[..., Coroutine[Any, Any, Bus]]


@pytest.fixture
def prefix() -> str:
    return f"test.{uuid4().hex[:8]}."


@pytest.fixture
async def connect(amqp_url: str, prefix: str) -> AsyncIterator[Connect]:
    """Opens a process's end with so many partitions."""
    async with AsyncExitStack() as stack:

        async def open_one(partitions: int) -> Bus:
            counts = {"router_partitions": partitions, "webhook_partitions": partitions}
            settings = BusSettings(url=amqp_url, prefix=prefix, **counts)
            return (await stack.enter_async_context(open_doors(settings))).bus

        yield open_one


async def waiting(url: str, prefix: str, address: Address) -> dict[str, int]:
    """The address's queues, and how many batches wait in each."""
    found: dict[str, int] = {}
    async with await aio_pika.connect(url) as connection:
        for number in range(300):
            name = f"{address.name}.{number}" if number else address.name
            try:
                queue = await (await connection.channel()).declare_queue(prefix + name, passive=True)
            except ChannelNotFoundEntity:
                break
            found[name] = queue.declaration_result.message_count or 0
    return found


def say(bus: Bus, station: int, number: int = 0, to: Address = ROUTER) -> None:
    bus.send(to, Envelope(Kind.CALL, f"CS-{station}", unique_id=f"{station}/{number}", action="Heartbeat"))


@pytest.mark.parametrize("address", [ROUTER, WEBHOOK])
async def test_every_partition_is_a_queue_and_gets_its_share(
    connect: Connect, amqp_url: str, prefix: str, address: Address
) -> None:
    sender = await connect(8)

    for station in range(200):
        say(sender, station, to=address)
    await sender.flush()

    queues = await waiting(amqp_url, prefix, address)
    assert list(queues) == [address.name, *(f"{address.name}.{number}" for number in range(1, 8))]
    assert set(queues.values()) == {1}


async def test_one_partition_is_one_queue(connect: Connect, amqp_url: str, prefix: str) -> None:
    receiver = await connect(1)

    await receiver.subscribe(ROUTER, Inbox())

    assert await waiting(amqp_url, prefix, ROUTER) == {"ocpp.router": 0}


async def test_all_partitions_arrive_and_each_station_s_envelopes_in_order(connect: Connect) -> None:
    sender, receiver, inbox = await connect(8), await connect(8), Inbox()
    await receiver.subscribe(ROUTER, inbox)

    for number in range(20):
        for station in range(50):
            say(sender, station, number)
        await asyncio.sleep(0)
    await inbox.wait_for(1000)

    for station in range(50):
        own = [one for one in inbox.ids if one.startswith(f"{station}/")]
        assert own == [f"{station}/{number}" for number in range(20)]


@pytest.mark.parametrize(("before", "after"), [(1, 4), (8, 4), (4, 1)])
async def test_what_waits_in_the_queues_of_another_number_of_partitions_arrives(
    connect: Connect, before: int, after: int
) -> None:
    sender, receiver, inbox = await connect(before), await connect(after), Inbox()
    for station in range(100):
        say(sender, station)
    await sender.flush()

    await receiver.subscribe(ROUTER, inbox)
    await inbox.wait_for(100)
    for station in range(100, 200):
        say(sender, station)
    await inbox.wait_for(200)

    assert sorted(inbox.ids) == sorted(f"{station}/0" for station in range(200))


async def test_whoever_unsubscribes_takes_nothing_more_from_any_partition(
    connect: Connect, amqp_url: str, prefix: str
) -> None:
    sender, receiver, inbox = await connect(4), await connect(4), Inbox()
    await receiver.subscribe(ROUTER, inbox)

    await receiver.unsubscribe(ROUTER)
    for station in range(100):
        say(sender, station)
    await sender.flush()

    assert sum((await waiting(amqp_url, prefix, ROUTER)).values()) == 4
    assert inbox.ids == []

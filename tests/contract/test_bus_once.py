"""What a bus promises of addresses whose envelopes are delivered at most once, on memory and on RabbitMQ."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.ports import SOAP, Bus
from tests.contract.cable import Cable, cable
from tests.contract.doors import Broker
from tests.contract.test_bus import Inbox, call

pytestmark = pytest.mark.timeout(60)

Connect = Callable[..., Awaitable[Bus]]


@pytest.fixture
def connect(broker: Broker) -> Connect:
    """Opens another process's end of the same bus, as often as asked."""

    async def open_one(**settings: object) -> Bus:
        return (await broker.connect(**settings)).bus

    return open_one


@pytest.fixture
def prefix() -> str:
    return f"test.{uuid4().hex[:8]}."


async def send(sender: Bus, *ids: object) -> None:
    """Each in a batch of its own."""
    for unique_id in ids:
        sender.send(SOAP, call(unique_id))
        await sender.flush()


async def all_in(count: int, *inboxes: Inbox) -> list[str]:
    """What came into all inboxes together, as soon as it is so many and a moment later, in order of the numbers."""
    async with asyncio.timeout(10):
        while sum(len(inbox.ids) for inbox in inboxes) < count:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    return sorted([unique_id for inbox in inboxes for unique_id in inbox.ids], key=int)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def test_two_subscribers_share_the_work_and_nothing_is_delivered_twice(connect: Connect) -> None:
    sender, one, two, inboxes = await connect(), await connect(), await connect(), (Inbox(), Inbox())
    await one.subscribe(SOAP, inboxes[0])
    await two.subscribe(SOAP, inboxes[1])

    await send(sender, *range(40))

    assert await all_in(40, *inboxes) == numbers(40)
    assert inboxes[0].ids
    assert inboxes[1].ids


async def test_what_is_sent_while_nobody_subscribes_waits(connect: Connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await send(sender, 0, 1)

    await receiver.subscribe(SOAP, inbox)

    assert await all_in(2, inbox) == ["0", "1"]


async def test_whoever_leaves_handles_first_what_was_delivered_to_him(connect: Connect) -> None:
    sender, leaver, stayer, inbox, other = await connect(), await connect(), await connect(), Inbox(), Inbox()
    await leaver.subscribe(SOAP, inbox)
    inbox.gate.clear()
    await send(sender, *range(100))
    await asyncio.sleep(0.2)

    leaving = asyncio.ensure_future(leaver.unsubscribe(SOAP))
    await asyncio.sleep(0.1)
    still_there = not leaving.done()
    inbox.gate.set()
    await asyncio.wait_for(leaving, 5)
    handled = list(inbox.ids)
    await stayer.subscribe(SOAP, other)

    assert still_there
    assert await all_in(100, inbox, other) == numbers(100)
    assert inbox.ids == handled


async def test_a_process_that_ends_takes_what_it_had_along(broker: Broker) -> None:
    sender, dying, other = await broker.connect(), await broker.connect(), await broker.connect()
    inbox, substitute = Inbox(), Inbox()
    inbox.gate.clear()
    await dying.bus.subscribe(SOAP, inbox)
    await send(sender.bus, 0)
    await asyncio.sleep(0.2)

    await broker.leave(dying)
    inbox.gate.set()
    await other.bus.subscribe(SOAP, substitute)
    await send(sender.bus, 1)

    assert await all_in(1, inbox, substitute) == ["1"]


async def test_a_failing_handler_loses_its_batch_and_not_the_subscription(connect: Connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(SOAP, inbox)
    inbox.failures = 1

    await send(sender, 0, 1)

    assert await all_in(1, inbox) == ["1"]


async def test_a_batch_whose_receiver_is_cut_off_is_finished_by_him_and_delivered_to_nobody_again(
    amqp_url: str, prefix: str
) -> None:
    inbox, substitute = Inbox(), Inbox()
    inbox.gate.clear()
    async with (
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as one,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as other,
    ):
        await one.bus.subscribe(SOAP, inbox)
        await send(other.bus, 0)
        await asyncio.sleep(0.2)

        line.cut()
        await _reconnected(one.bus)
        await other.bus.subscribe(SOAP, substitute)
        inbox.gate.set()
        await send(other.bus, 1, 2)
        handled = await all_in(3, inbox, substitute)

    assert handled == ["0", "1", "2"]
    assert inbox.ids[0] == "0"


async def test_a_batch_whose_confirm_is_lost_is_not_sent_again(amqp_url: str, prefix: str) -> None:
    inbox = Inbox()
    async with (
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as sender,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as receiver,
    ):
        await receiver.bus.subscribe(SOAP, inbox)
        await send(sender.bus, 0)
        await _arrives_and_loses_its_confirm(sender.bus, line, inbox)
        await send(sender.bus, 2)
        handled = await all_in(3, inbox)

    assert handled == ["0", "1", "2"]


async def test_what_is_sent_while_the_broker_is_away_arrives_once_it_is_back(amqp_url: str, prefix: str) -> None:
    inbox = Inbox()
    async with (
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as sender,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as receiver,
    ):
        await receiver.bus.subscribe(SOAP, inbox)
        line.severed = True
        line.cut()
        async with asyncio.timeout(5):
            while sender.bus.connected:
                await asyncio.sleep(0.005)
        sender.bus.send(SOAP, call(0))
        await asyncio.sleep(0.1)
        line.severed = False
        handled = await all_in(1, inbox)

    assert handled == ["0"]


async def _reconnected(bus: Bus) -> None:
    async with asyncio.timeout(10):
        while bus.connected:
            await asyncio.sleep(0.005)
        while not bus.connected:
            await asyncio.sleep(0.005)


async def _arrives_and_loses_its_confirm(sender: Bus, line: Cable, inbox: Inbox) -> None:
    line.deaf = True
    sender.send(SOAP, call(1))
    async with asyncio.timeout(10):
        while "1" not in inbox.ids:
            await asyncio.sleep(0.005)
    line.cut()
    line.deaf = False
    await _reconnected(sender)

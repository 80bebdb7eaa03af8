"""What only RabbitMQ can do to a bus: restart, run out of memory, and lose a gateway's queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.envelope import Raw
from csms_platform.ports import ROUTER, Bus
from tests.contract.test_bus import Inbox, call, gateway
from tests.support.brokers import RabbitMQ

pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def two(rabbitmq: RabbitMQ, **settings: object) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two processes' ends of one broker."""
    opened = BusSettings(url=rabbitmq.url, **settings)
    async with open_doors(opened) as sender, open_doors(opened) as receiver:
        yield sender.bus, receiver.bus


async def test_after_a_restart_of_the_broker_consumers_are_back_and_what_waited_arrives(
    private_rabbitmq: RabbitMQ,
) -> None:
    shared, private, address = Inbox(), Inbox(), gateway()
    async with two(private_rabbitmq) as (sender, receiver):
        await receiver.subscribe(ROUTER, shared)
        await receiver.subscribe(address, private)
        sender.send(ROUTER, call("before"))
        await shared.wait_for(1)

        await asyncio.to_thread(private_rabbitmq.stop)
        sender.send(ROUTER, call("while away"))
        sender.send(address, call("to the gateway"))
        away = sender.connected
        await asyncio.to_thread(private_rabbitmq.start)
        async with asyncio.timeout(30):
            while not {"while away"} <= set(shared.ids):
                await asyncio.sleep(0.05)
        # The gateway's own queue died with the broker; until it is there again its envelopes come back to the sender.
        async with asyncio.timeout(30):
            while not receiver.connected:
                await asyncio.sleep(0.05)
        sender.send(address, call("again"))
        async with asyncio.timeout(30):
            while "again" not in private.ids:
                await asyncio.sleep(0.05)

    assert not away
    assert shared.ids[0] == "before"


async def test_while_the_broker_is_away_outboxes_fill_up_to_their_limit_and_say_so(private_rabbitmq: RabbitMQ) -> None:
    states: list[bool] = []
    payload = Raw(b'"' + b"x" * 100_000 + b'"')
    inbox = Inbox()
    async with two(private_rabbitmq, outbox_mib=1) as (sender, receiver):
        await receiver.subscribe(ROUTER, inbox)
        sender.on_congestion(states.append)
        await asyncio.to_thread(private_rabbitmq.stop)

        for number in range(11):
            sender.send(ROUTER, call(number, payload=payload))
        full = sender.congested
        await asyncio.to_thread(private_rabbitmq.start)
        async with asyncio.timeout(30):
            while len(set(inbox.ids)) < 11:
                await asyncio.sleep(0.05)

        assert (full, sender.congested, states) == (True, False, [True, False])
        assert list(dict.fromkeys(inbox.ids)) == [str(number) for number in range(11)]


async def test_a_blocked_connection_publishes_nothing_consumes_on_and_loses_nothing(private_rabbitmq: RabbitMQ) -> None:
    """RabbitMQ's memory alarm: it tells publishers that they are blocked, and stops reading from them."""
    inbox, other = Inbox(), Inbox()
    async with two(private_rabbitmq) as (sender, receiver):
        await receiver.subscribe(ROUTER, inbox)
        other.gate.clear()
        address = gateway()
        await sender.subscribe(address, other)
        receiver.send(address, call("delivered before the alarm"))
        await receiver.flush()
        await asyncio.to_thread(private_rabbitmq.control, "set_vm_memory_high_watermark", "absolute", "1")
        try:
            sender.send(ROUTER, call("first into the alarm"))
            await asyncio.sleep(1)
            for number in range(5):
                sender.send(ROUTER, call(number))
            # What the broker had delivered is handled and acknowledged: over a connection that never publishes.
            other.gate.set()
            await other.wait_for(1)
            await asyncio.sleep(1)
            blocked = inbox.ids
            still_connected = sender.connected and receiver.connected
        finally:
            await asyncio.to_thread(private_rabbitmq.control, "set_vm_memory_high_watermark", "0.95")
        await inbox.wait_for(6)

    assert (blocked, still_connected) == ([], True)
    assert list(dict.fromkeys(inbox.ids)) == ["first into the alarm", "0", "1", "2", "3", "4"]


async def test_a_broker_that_is_not_there_at_start_is_one_sentence(free_port: int) -> None:
    with pytest.raises((ValueError, OSError), match=f"127.0.0.1:{free_port}"):
        async with open_doors(BusSettings(url=f"amqp://guest:secret@127.0.0.1:{free_port}/")):
            pass

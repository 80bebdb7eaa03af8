"""What only RabbitMQ can do to events: crash, refuse them, and hand them to programs of foreign make."""

import asyncio
import json
from itertools import pairwise
from uuid import uuid4

import aio_pika
import pytest
from pamqp import commands
from prometheus_client import Counter

from csms_platform.bus import BusSettings, open_doors
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_pipeline import OVERHEAD, Outgoing, Pipeline
from csms_platform.metrics import REGISTRY
from tests.contract.cable import cable
from tests.contract.test_events import Diary, event, until_unwanted
from tests.support.brokers import RabbitMQ

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def prefix() -> str:
    return f"test.{uuid4().hex[:8]}."


async def bound(
    operator: aio_pika.abc.AbstractConnection, prefix: str, **arguments: object
) -> aio_pika.abc.AbstractQueue:
    """A durable queue of the operator's, for all events."""
    channel = await operator.channel()
    exchange = await channel.declare_exchange(prefix + "ocpp.events", "topic", durable=True)
    queue = await channel.declare_queue(f"{prefix}op.events", durable=True, arguments=dict(arguments))
    await queue.bind(exchange, "#")
    return queue


async def drain(queue: aio_pika.abc.AbstractQueue, last: str) -> list[str]:
    """The ids of the events in the queue up to `last`."""
    ids: list[str] = []
    async with asyncio.timeout(20), queue.iterator(no_ack=True) as messages:
        async for message in messages:
            ids.append(json.loads(message.body)["id"])
            if ids[-1] == last:
                return ids
    return ids


async def test_an_operator_s_queue_gets_persistent_json_with_its_properties(amqp_url: str, prefix: str) -> None:
    async with (
        await aio_pika.connect(amqp_url) as operator,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors,
    ):
        queue = await bound(operator, prefix)

        doors.events.emit("ocpp1.6.Heartbeat", event("e1"))
        async with asyncio.timeout(5):
            while (message := await queue.get(fail=False, no_ack=True)) is None:
                await asyncio.sleep(0.01)

    told = (message.routing_key, message.content_type, message.message_id, message.type, message.delivery_mode)
    assert told == ("ocpp1.6.Heartbeat", "application/json", "e1", "call", aio_pika.DeliveryMode.PERSISTENT)
    assert message.timestamp is not None
    assert json.loads(message.body) == {
        "id": "e1", "time": "2024-01-01T00:00:00.000Z", "type": "call", "identity": "CP-1",
    }  # fmt: skip


async def test_events_reach_a_durable_queue_in_order_through_a_crash_of_the_broker(
    private_rabbitmq: RabbitMQ, prefix: str
) -> None:
    async with open_doors(BusSettings(url=private_rabbitmq.url, prefix=prefix)) as doors:
        async with await aio_pika.connect(private_rabbitmq.url) as operator:
            await bound(operator, prefix)

        for number in range(3000):
            doors.events.emit(f"ocpp1.6.{number % 5}", event(number))
            if number == 1000:
                await asyncio.sleep(0.05)
                await asyncio.to_thread(private_rabbitmq.kill)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await asyncio.to_thread(private_rabbitmq.start)
        async with await aio_pika.connect(private_rabbitmq.url) as operator:
            ids = await drain(await bound(operator, prefix), "2999")

    # Repeats begin again at an earlier event and go on from there: nothing is skipped, and first times are in order.
    assert list(dict.fromkeys(ids)) == [str(number) for number in range(3000)]
    assert all(int(after) <= int(before) + 1 for before, after in pairwise(ids))


async def test_a_follower_is_back_after_the_link_was_lost(amqp_url: str, prefix: str) -> None:
    diary = Diary()
    async with (
        open_doors(BusSettings(url=amqp_url, prefix=prefix, events="always")) as sender,
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as receiver,
    ):
        await receiver.events.follow(diary)
        line.cut()

        async with asyncio.timeout(10):
            while not diary.ids:
                sender.events.emit("ocpp1.6.connected", event("again"))
                await asyncio.sleep(0.05)

    assert set(diary.ids) == {"again"}


async def test_the_first_event_after_a_binding_appears_is_not_lost(amqp_url: str, prefix: str) -> None:
    """The event that asks whether somebody is bound by now is an event like any other."""
    async with (
        await aio_pika.connect(amqp_url) as operator,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors,
    ):
        await until_unwanted(doors.events, "ocpp1.6.connected")
        queue = await bound(operator, prefix)
        async with asyncio.timeout(5):
            while not doors.events.wanted("ocpp1.6.connected"):
                await asyncio.sleep(0.01)

        for number in range(3):
            doors.events.emit("ocpp1.6.connected", event(number))

        assert await drain(queue, "2") == ["0", "1", "2"]


async def test_what_a_full_queue_refuses_is_counted_and_holds_nothing_up(amqp_url: str, prefix: str) -> None:
    diary = Diary()
    async with (
        await aio_pika.connect(amqp_url) as operator,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors,
    ):
        await bound(operator, prefix, **{"x-max-length": 1, "x-overflow": "reject-publish"})
        await doors.events.follow(diary)
        before = REGISTRY.get_sample_value("csms_publishes_refused_total")

        for number in range(5):
            doors.events.emit("ocpp1.6.connected", event(number))
            await diary.wait_for(str(number))
        await asyncio.sleep(0.1)
        refused = REGISTRY.get_sample_value("csms_publishes_refused_total")

    assert (before, refused) != (None, None)
    assert (refused or 0) - (before or 0) == 4
    assert diary.ids == ["0", "1", "2", "3", "4"]


async def test_an_exchange_that_was_deleted_is_declared_again_and_the_bus_stays_up(amqp_url: str, prefix: str) -> None:
    async with (
        await aio_pika.connect(amqp_url) as operator,
        open_doors(BusSettings(url=amqp_url, prefix=prefix, events="always")) as doors,
    ):
        await bound(operator, prefix)
        doors.events.emit("ocpp1.6.connected", event("before"))
        await (await operator.channel()).exchange_delete(prefix + "ocpp.events")

        # The first one finds out; it is published again, like everything whose confirm did not come.
        doors.events.emit("ocpp1.6.connected", event("finds out"))
        await asyncio.sleep(1)
        queue = await bound(operator, prefix)
        doors.events.emit("ocpp1.6.connected", event("after"))

        assert (await drain(queue, "after"))[-1] == "after"
        assert doors.bus.connected


async def test_while_the_broker_is_away_the_oldest_messages_give_way(amqp_url: str, prefix: str) -> None:
    dropped, queue = Counter("test_dropped", "test", registry=None), f"{prefix}op.queue"
    async with cable(amqp_url) as line, await aio_pika.connect(amqp_url) as operator:
        channel = await operator.channel()
        kept = await channel.declare_queue(queue, exclusive=True)
        async with AmqpBus(BusSettings(url=line.url, prefix=prefix)) as bus:
            line.severed = True
            line.cut()
            async with asyncio.timeout(5):
                while bus.connected:
                    await asyncio.sleep(0.01)
            pipeline = Pipeline(bus, prepare=nothing, returned=print, dropped=dropped, mib=3.5 * OVERHEAD / 1024**2)
            for number in range(5):
                pipeline.put(Outgoing(queue, b"%d" % number, commands.Basic.Properties()))
            line.severed = False
            async with asyncio.timeout(10):
                while (await channel.declare_queue(queue, passive=True)).declaration_result.message_count != 3:
                    await asyncio.sleep(0.02)
            await pipeline.close()
        bodies = [(await kept.get(no_ack=True)).body for _ in range(3)]

    assert bodies == [b"2", b"3", b"4"]
    assert next(sample.value for metric in dropped.collect() for sample in metric.samples) == 2


async def nothing(_: object) -> None:
    """No topology."""


async def test_operators_may_bind_before_anything_has_happened(amqp_url: str, prefix: str) -> None:
    async with open_doors(BusSettings(amqp_url, prefix=prefix)), await aio_pika.connect(amqp_url) as operator:
        channel = await operator.channel()
        queue = await channel.declare_queue(exclusive=True)

        await queue.bind(prefix + "ocpp.events", "#")


async def test_of_a_flood_that_nobody_wants_one_message_is_tried(amqp_url: str) -> None:
    standing, returned = dict[str, bool](), list[bytes]()

    def came_back(message: Outgoing) -> None:
        standing[message.key] = False
        returned.append(message.body)

    async with AmqpBus(BusSettings(url=amqp_url)) as bus:
        dropped = Counter("test_flood_dropped", "test", registry=None)
        pipeline = Pipeline(bus, prepare=nothing, returned=came_back, dropped=dropped, mib=1, wanted=standing.get)
        for number in range(500):
            pipeline.put(Outgoing("nobody", b"%d" % number, commands.Basic.Properties()))
        await pipeline.close()

    assert returned == [b"0"]


async def test_what_waits_behind_a_trial_is_published_in_order_when_somebody_is_bound(
    amqp_url: str, prefix: str
) -> None:
    async with open_doors(BusSettings(amqp_url, prefix=prefix)) as doors, await aio_pika.connect(amqp_url) as operator:
        queue = await bound(operator, prefix)
        for number in range(100):
            doors.events.emit(f"ocpp1.6.{'Heartbeat' if number % 3 else 'MeterValues'}", event(str(number)))
        seen = await drain(queue, "99")

    assert seen == [str(number) for number in range(100)]

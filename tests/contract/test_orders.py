"""What every adapter of `ports.Orders` promises, tried on memory and on RabbitMQ."""

import asyncio

import msgspec
import pytest

from csms_platform.ports import Order
from tests.contract.doors import Broker


class Desk:
    """A handler that keeps what it gets, and can be told to dawdle or fail."""

    def __init__(self) -> None:
        self.batches: list[list[Order]] = []
        self.under_way = 0
        self.most_at_once = 0
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, batch: list[Order]) -> None:
        # The operator's client gives every message an id of its own.
        self.batches.append([msgspec.structs.replace(order, message_id="") for order in batch])
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await self.gate.wait()
            if self.failures:
                self.failures -= 1
                raise RuntimeError("told to")
        finally:
            self.under_way -= 1

    @property
    def orders(self) -> list[Order]:
        return [order for batch in self.batches for order in batch]

    @property
    def bodies(self) -> list[bytes]:
        return [order.body for order in self.orders]

    async def wait_for(self, count: int, within: float = 10) -> list[Order]:
        async with asyncio.timeout(within):
            while len(self.orders) < count:
                await asyncio.sleep(0.005)
        return self.orders


async def test_an_order_comes_as_it_was_published(broker: Broker) -> None:
    doors, desk = await broker.connect(), Desk()
    await doors.orders.subscribe(desk)

    await broker.order("CP-1", b'{"action": "Reset"}', reply_to="op.replies", correlation_id="c1", expiration=60_000)
    await broker.order("", b"\xff not JSON")

    assert await desk.wait_for(2) == [
        Order(b'{"action": "Reset"}', key="CP-1", reply_to="op.replies", correlation_id="c1", expiration=60_000),
        Order(b"\xff not JSON"),
    ]


async def test_orders_come_in_the_order_of_arrival_one_call_at_a_time(broker: Broker) -> None:
    doors, desk = await broker.connect(), Desk()
    await doors.orders.subscribe(desk)
    desk.gate.clear()

    for number in range(600):
        await broker.order("CP-1", b"%d" % number)
    await desk.wait_for(1)
    desk.gate.set()
    await desk.wait_for(600)

    assert desk.bodies == [b"%d" % number for number in range(600)]
    assert desk.most_at_once == 1
    assert len(desk.batches) < 300


async def test_only_one_process_is_called_and_when_it_goes_another_takes_its_place(broker: Broker) -> None:
    first, second = await broker.connect(), await broker.connect()
    desk, substitute = Desk(), Desk()
    await first.orders.subscribe(desk)
    await second.orders.subscribe(substitute)
    for number in range(5):
        await broker.order("CP-1", b"%d" % number)
    await desk.wait_for(5)

    await first.orders.unsubscribe()
    await broker.order("CP-1", b"5")
    await substitute.wait_for(1)

    assert (desk.bodies, substitute.bodies) == ([b"0", b"1", b"2", b"3", b"4"], [b"5"])


async def test_unsubscribe_waits_for_the_handler_and_leaves_the_others_to_the_next_process_in_order(
    broker: Broker,
) -> None:
    first, second = await broker.connect(), await broker.connect()
    desk, substitute = Desk(), Desk()
    desk.gate.clear()
    await first.orders.subscribe(desk)
    await second.orders.subscribe(substitute)
    await broker.order("CP-1", b"0")
    await desk.wait_for(1)
    for number in range(1, 6):
        await broker.order("CP-1", b"%d" % number)
    await asyncio.sleep(0.1)

    leaving = asyncio.ensure_future(first.orders.unsubscribe())
    await asyncio.sleep(0.1)
    left_early = leaving.done()
    desk.gate.set()
    await asyncio.wait_for(leaving, 5)
    await substitute.wait_for(5)

    assert not left_early
    assert (desk.bodies, substitute.bodies) == ([b"0"], [b"1", b"2", b"3", b"4", b"5"])


async def test_what_arrives_while_nobody_is_subscribed_waits(broker: Broker) -> None:
    doors, desk = await broker.connect(), Desk()
    await doors.orders.subscribe(Desk())
    await doors.orders.unsubscribe()

    await broker.order("CP-1", b"patient")
    await doors.orders.subscribe(desk)

    assert await desk.wait_for(1) == [Order(b"patient", key="CP-1")]


async def test_a_failing_handler_loses_its_orders_and_not_the_subscription(broker: Broker) -> None:
    doors, desk = await broker.connect(), Desk()
    await doors.orders.subscribe(desk)
    desk.failures = 1
    await broker.order("CP-1", b"1")
    async with asyncio.timeout(5):
        while desk.failures:
            await asyncio.sleep(0.005)

    await broker.order("CP-1", b"2")
    await desk.wait_for(2)
    await asyncio.sleep(0.1)

    assert desk.bodies == [b"1", b"2"]


async def test_an_order_that_waited_longer_than_its_expiration_comes_as_expired(broker: Broker) -> None:
    doors, desk = await broker.connect(), Desk()
    await doors.orders.subscribe(Desk())
    await doors.orders.unsubscribe()
    await broker.order("CP-1", b"short", expiration=20, reply_to="op.replies", correlation_id="c1")
    await broker.order("CP-2", b"long", expiration=60_000)
    await asyncio.sleep(0.2)

    await doors.orders.subscribe(desk)
    await desk.wait_for(2)

    assert sorted(desk.orders, key=lambda order: order.key) == [
        Order(b"short", key="CP-1", reply_to="op.replies", correlation_id="c1", expiration=20, expired=True),
        Order(b"long", key="CP-2", expiration=60_000),
    ]


async def test_a_reply_reaches_the_operator_s_queue_and_one_that_is_not_there_holds_nothing_up(broker: Broker) -> None:
    doors = await broker.connect()
    queue = f"op.{id(doors)}"
    await broker.declare(queue)

    doors.orders.reply("op.gone", "c1", b'{"outcome": "Timeout"}')
    doors.orders.reply(queue, "c2", b'{"outcome": "result"}')
    doors.orders.reply("x" * 300, "c3", b"{}")
    doors.orders.reply(queue, "", b'{"outcome": "error"}')

    assert [await broker.reply(queue) for _ in range(2)] == [
        ("c2", b'{"outcome": "result"}'),
        ("", b'{"outcome": "error"}'),
    ]


async def test_a_process_subscribes_once(broker: Broker) -> None:
    doors = await broker.connect()
    await doors.orders.subscribe(Desk())

    with pytest.raises(ValueError, match="subscribed already"):
        await doors.orders.subscribe(Desk())

"""What only RabbitMQ can do to orders: cut a router off, and let programs of foreign make give them."""

import asyncio
import json
from datetime import datetime
from uuid import uuid4

import pika
import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.metrics import REGISTRY
from csms_platform.ports import Order, Orders
from tests.contract.cable import cable
from tests.contract.test_orders import Desk

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def prefix() -> str:
    return f"test.{uuid4().hex[:8]}."


def publish(url: str, prefix: str, *bodies: bytes, **properties: object) -> None:
    """An operator's program with `pika`, which blocks."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish(
                prefix + "ocpp.commands", "CP-1", body, pika.BasicProperties(**properties), mandatory=True
            )


def ask(url: str, prefix: str, body: bytes) -> tuple[str, dict[str, object]]:
    """Give an order and wait for its outcome, by direct reply-to."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        answers = channel.consume("amq.rabbitmq.reply-to", auto_ack=True, inactivity_timeout=10)
        next(channel.consume("amq.rabbitmq.reply-to", auto_ack=True, inactivity_timeout=0.01))
        properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id="c-1", expiration="60000")
        channel.basic_publish(prefix + "ocpp.commands", "CP-1", body, properties)
        _, got, answer = next(answers)
        return str(got.correlation_id), json.loads(answer)


class Clerk(Desk):
    """Answers every order with its own body."""

    def __init__(self, orders: Orders) -> None:
        super().__init__()
        self._door = orders

    async def __call__(self, batch: list[Order]) -> None:
        await super().__call__(batch)
        for order in batch:
            self._door.reply(order.reply_to, order.correlation_id, order.body)


async def test_a_program_of_foreign_make_gets_its_outcome_by_direct_reply_to(amqp_url: str, prefix: str) -> None:
    async with open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors:
        clerk = Clerk(doors.orders)
        await doors.orders.subscribe(clerk)

        outcome = await asyncio.to_thread(ask, amqp_url, prefix, b'{"action": "Reset"}')

    assert outcome == ("c-1", {"action": "Reset"})
    assert [(order.key, order.expiration) for order in clerk.orders] == [("CP-1", 60_000)]


async def test_what_a_process_that_was_cut_off_had_not_acknowledged_comes_again_elsewhere_in_order(
    amqp_url: str, prefix: str
) -> None:
    desk, substitute = Desk(), Desk()
    desk.gate.clear()
    async with (
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as one,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as other,
    ):
        await one.orders.subscribe(desk)
        await other.orders.subscribe(substitute)
        await asyncio.to_thread(publish, amqp_url, prefix, b"0", b"1", b"2")
        await desk.wait_for(1)

        line.severed = True
        line.cut()
        await substitute.wait_for(3)
        desk.gate.set()

    assert [(order.body, order.redelivered) for order in substitute.orders] == [
        (b"0", True),
        (b"1", True),
        (b"2", True),
    ]


async def test_when_the_link_comes_back_orders_are_taken_again_one_call_at_a_time(amqp_url: str, prefix: str) -> None:
    desk = Desk()
    desk.gate.clear()
    async with cable(amqp_url) as line, open_doors(BusSettings(url=line.url, prefix=prefix)) as doors:
        await doors.orders.subscribe(desk)
        await asyncio.to_thread(publish, amqp_url, prefix, b"0")
        await desk.wait_for(1)

        line.cut()
        await asyncio.sleep(1)
        desk.gate.set()
        await asyncio.to_thread(publish, amqp_url, prefix, b"1")
        async with asyncio.timeout(10):
            while b"1" not in desk.bodies:
                await asyncio.sleep(0.01)

    # The first one's acknowledgement was lost with the link, so it comes twice: commands are recognised by their id.
    assert [(order.body, order.redelivered) for order in desk.orders] == [(b"0", False), (b"0", True), (b"1", False)]
    assert desk.most_at_once == 1


async def test_replies_wait_for_the_broker_and_those_for_nobody_are_counted(amqp_url: str, prefix: str) -> None:
    before = REGISTRY.get_sample_value("csms_order_replies_lost_total") or 0
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as operator:
        channel = operator.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        async with cable(amqp_url) as line, open_doors(BusSettings(url=line.url, prefix=prefix)) as doors:
            line.severed = True
            line.cut()
            async with asyncio.timeout(5):
                while doors.bus.connected:
                    await asyncio.sleep(0.01)
            doors.orders.reply("nobody." + prefix, "c1", b"{}")
            doors.orders.reply(queue, "c2", b'{"outcome": "result"}')
            line.severed = False
            async with asyncio.timeout(10):
                while (got := channel.basic_get(queue, auto_ack=True))[0] is None:
                    await asyncio.sleep(0.05)

    assert (got[1].correlation_id, got[1].delivery_mode, got[2]) == ("c2", 2, b'{"outcome": "result"}')
    assert (REGISTRY.get_sample_value("csms_order_replies_lost_total") or 0) - before == 1


@pytest.mark.parametrize(
    "properties",
    [
        {"correlation_id": "café".encode("latin-1")},
        {"timestamp": 10**18},
        {"headers": {"when": datetime.max}},
        {"headers": {"a": {"b" * 9: "café".encode("latin-1")}}},
        {"cluster_id": "x"},
        {"content_type": "x" * 255, "priority": 255, "app_id": "\U0001f600"},
    ],
    ids=["text", "timestamp", "header time", "header text", "cluster id", "extremes"],
)
async def test_properties_that_a_strict_client_would_choke_on_hold_nobody_up(
    amqp_url: str, prefix: str, properties: dict[str, object]
) -> None:
    desk = Desk()
    async with open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors:
        await doors.orders.subscribe(desk)

        await asyncio.to_thread(publish, amqp_url, prefix, b"odd", **properties)
        await asyncio.to_thread(publish, amqp_url, prefix, b"after it")
        await desk.wait_for(2, within=5)

    assert [(order.body, order.redelivered) for order in desk.orders] == [(b"odd", False), (b"after it", False)]

"""Orders on RabbitMQ: the public exchange and queue for commands, and the way back to the operator's queues."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiormq
from aiormq.abc import DeliveredMessage
from msgspec.structs import replace
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_consumer import Consumer
from csms_platform.bus.amqp_link import LOST
from csms_platform.bus.amqp_pipeline import Outgoing, Pipeline
from csms_platform.bus.amqp_topology import COMMANDS, EXPIRED, declare_commands
from csms_platform.bus.borders import replies_lost, take_orders
from csms_platform.coalesce import Coalescer
from csms_platform.ports import Order

Handler = Callable[[list[Order]], Awaitable[None]]

_PREFETCH = 256


class AmqpOrders:
    """`ports.Orders` on the link of an entered `AmqpBus`, which closes it."""

    def __init__(self, bus: AmqpBus, settings: BusSettings) -> None:
        self._bus = bus
        self._prefix = settings.prefix
        self._consumer: _Orders | None = None
        self._replies = Pipeline(bus, prepare=_nothing, returned=_lost, dropped=replies_lost, mib=settings.outbox_mib)
        bus.on_close(self.close)

    async def subscribe(self, handler: Handler) -> None:
        """See `ports.Orders.subscribe`. Raises `ValueError` when this process is subscribed."""
        if self._consumer:
            raise ValueError("orders are subscribed already")
        self._consumer = _Orders(self._bus, self._prefix, handler)
        await self._consumer.start()

    async def unsubscribe(self) -> None:
        """See `ports.Orders.unsubscribe`."""
        if self._consumer:
            consumer, self._consumer = self._consumer, None
            await consumer.leave()

    def reply(self, reply_to: str, correlation_id: str, body: bytes) -> None:
        """See `ports.Orders.reply`."""
        properties = commands.Basic.Properties(
            content_type="application/json", delivery_mode=2, correlation_id=correlation_id or None
        )
        self._replies.put(Outgoing(reply_to, body, properties))

    async def close(self) -> None:
        """Take nothing more, wait for the handler under way, and send the replies that wait."""
        await self.unsubscribe()
        await self._replies.close()


class _Orders(Consumer):
    """Both queues on one channel. What arrives in a tick is handled together, one batch after the other."""

    def __init__(self, bus: AmqpBus, prefix: str, handler: Handler) -> None:
        super().__init__(bus, prefix + COMMANDS)
        self._prefix = prefix
        self._handler = handler
        self._leaving = False
        self._arrived: Coalescer[tuple[DeliveredMessage, Order]] = Coalescer(self._handle)

    async def leave(self) -> None:
        """Wait for the handler under way; what is not handled goes back to the queue, in its place."""
        self._leaving = True
        await self._arrived.drained()
        await self.close()

    async def _consume(self, channel: aiormq.Channel, over: asyncio.Event) -> None:
        await declare_commands(channel, self._prefix)
        await channel.basic_qos(prefetch_count=_PREFETCH)
        await channel.basic_consume(self._prefix + COMMANDS, self._arrive)
        await channel.basic_consume(self._prefix + EXPIRED, self._arrive_expired)

    async def _arrive(self, message: DeliveredMessage) -> None:
        self._arrived.add((message, _order(message)))

    async def _arrive_expired(self, message: DeliveredMessage) -> None:
        self._arrived.add((message, _expired(message)))

    async def _handle(self, batch: list[tuple[DeliveredMessage, Order]]) -> None:
        # What came over a channel that is closed comes again, here or elsewhere.
        live = [(message, order) for message, order in batch if not message.channel.is_closed]
        if live and not self._leaving:
            await take_orders([order for _, order in live], self._handler)
            last = live[-1][0]
            with contextlib.suppress(*LOST):
                await last.channel.basic_ack(last.delivery_tag or 0, multiple=True, wait=False)


def _order(message: DeliveredMessage) -> Order:
    properties = message.header.properties
    return Order(
        body=message.body,
        key=message.routing_key or "",
        reply_to=properties.reply_to or "",
        correlation_id=properties.correlation_id or "",
        message_id=properties.message_id or "",
        expiration=_milliseconds(properties.expiration),
        redelivered=bool(message.redelivered),
    )


def _expired(message: DeliveredMessage) -> Order:
    """RabbitMQ moves the expiration and the routing key of a dead-lettered message into its `x-death` header."""
    death = _death(message.header.properties.headers or {})
    keys = death.get("routing-keys")
    order = _order(message)
    return replace(
        order,
        key=str(keys[0]) if isinstance(keys, list) and keys else order.key,
        expiration=_milliseconds(death.get("original-expiration")),
        expired=True,
    )


def _death(headers: dict[str, Any]) -> dict[str, Any]:
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    return first if isinstance(first, dict) else {}


def _milliseconds(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _lost(_: Outgoing) -> None:
    replies_lost.inc()


async def _nothing(_: aiormq.Channel) -> None:
    """Replies need no topology: their queues are the operators' own."""

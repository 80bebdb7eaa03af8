"""Events on RabbitMQ: published through a `Pipeline`, followed with queues of their own.

What is wanted is learned from the broker: a message that no queue took comes back, and its key is not published again
for a moment. The next event under it is published alone, and so finds out whether somebody is bound to it by now; those
behind it wait for that. (Publishing them meanwhile cost a busy gateway a third of its time, to have them all back.)
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import aiormq
import msgspec
from aiormq.abc import DeliveredMessage
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_consumer import Consumer
from csms_platform.bus.amqp_pipeline import Outgoing, Pipeline
from csms_platform.bus.amqp_topology import EVENTS, declare_events
from csms_platform.bus.borders import events_dropped, events_published, tell
from csms_platform.coalesce import Coalescer
from csms_platform.ports import Event

_UNWANTED = 0.8  # seconds; with the way to the broker and back a new binding is noticed within one
_MOST_KEY = 255  # bytes of a routing key, AMQP 0-9-1 §4.2.5.3

_encode = msgspec.json.Encoder().encode


class AmqpEvents:
    """`ports.Events` on the link of an entered `AmqpBus`, which closes it."""

    def __init__(self, bus: AmqpBus, settings: BusSettings) -> None:
        self._bus = bus
        self._prefix = settings.prefix
        self._never = settings.events == "never"
        self._always = settings.events == "always"
        self._standing: dict[str, bool] = {}  # whether a queue took the last event under this key; absent: to be tried
        self._followings: set[_Following] = set()
        prepare = partial(declare_events, prefix=self._prefix)
        self._pipeline = Pipeline(
            bus,
            prepare=prepare,
            returned=self._returned,
            taken=self._taken,
            wanted=self._standing.get,
            dropped=events_dropped,
            mib=settings.outbox_mib,
        )
        self._exchange = _Exchange(bus, self._prefix + EVENTS, self._prefix)
        bus.on_close(self.close)

    async def open(self) -> None:
        """Declare the exchange, now and on every new link: operators may bind before anything has happened."""
        await self._exchange.start()

    def wanted(self, key: str) -> bool:
        """See `ports.Events.wanted`."""
        return not self._never and self._standing.get(key, True)

    def emit(self, key: str, event: Event) -> None:
        """See `ports.Events.emit`."""
        if not self.wanted(key):
            return
        properties = commands.Basic.Properties(
            content_type="application/json",
            delivery_mode=2,
            message_id=event.id,
            message_type=event.type,
            timestamp=datetime.fromtimestamp(int(time.time()), UTC),
        )
        events_published.inc()
        exchange, mandatory = self._prefix + EVENTS, not self._always
        self._pipeline.put(Outgoing(_short(key), _encode(event), properties, exchange, mandatory))

    async def follow(self, handler: Callable[[list[bytes]], None], keys: Sequence[str] = ("#",)) -> "_Following":
        """See `ports.Events.follow`."""
        following = _Following(self._bus, self._prefix, handler, keys)
        self._followings = {one for one in self._followings if not one.stopped} | {following}
        await following.start()
        return following

    async def close(self) -> None:
        """Publish what waits, if the broker is there, and stop following."""
        for following in self._followings:
            await following.stop()
        await self._pipeline.close()
        await self._exchange.close()

    def _returned(self, message: Outgoing) -> None:
        if self._standing.get(message.key, True):
            self._standing[message.key] = False
            asyncio.get_running_loop().call_later(_UNWANTED, self._standing.pop, message.key, None)

    def _taken(self, message: Outgoing) -> None:
        self._standing[message.key] = True


class _Exchange(Consumer):
    """Only declares."""

    def __init__(self, bus: AmqpBus, name: str, prefix: str) -> None:
        super().__init__(bus, name)
        self._prefix = prefix

    async def _consume(self, channel: aiormq.Channel, over: asyncio.Event) -> None:
        await declare_events(channel, self._prefix)


class _Following(Consumer):
    """`ports.Following`: a queue that goes with its channel; nothing is acknowledged."""

    def __init__(self, bus: AmqpBus, prefix: str, handler: Callable[[list[bytes]], None], keys: Sequence[str]) -> None:
        super().__init__(bus, f"{prefix}{EVENTS} {' '.join(keys)}")
        self._prefix = prefix
        self._handler = handler
        self._keys = tuple(keys)
        self.stopped = False
        self._arrived: Coalescer[bytes] = Coalescer(self._tell)

    async def stop(self) -> None:
        """See `ports.Following.stop`."""
        self.stopped = True
        await self.close()
        self._arrived.cancel()

    async def _consume(self, channel: aiormq.Channel, over: asyncio.Event) -> None:
        await declare_events(channel, self._prefix)
        queue = str((await channel.queue_declare(exclusive=True, auto_delete=True)).queue)
        for key in self._keys:
            await channel.queue_bind(queue, self._prefix + EVENTS, key)
        await channel.basic_consume(queue, self._arrive, no_ack=True)

    async def _arrive(self, message: DeliveredMessage) -> None:
        self._arrived.add(message.body)

    async def _tell(self, batch: list[bytes]) -> None:
        tell(batch, self._handler)


def _short(key: str) -> str:
    return key if len(key) < _MOST_KEY // 4 else key.encode()[:_MOST_KEY].decode(errors="ignore")

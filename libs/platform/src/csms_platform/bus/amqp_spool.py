"""The spool on RabbitMQ: a durable quorum queue for each endpoint, with a single active consumer.

When that goes, whatever the reason, the next one gets its letters again in their old order.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

import aiormq
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import ChannelNotFoundEntity, PublishError
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_consumer import Consumer
from csms_platform.bus.amqp_link import LOST
from csms_platform.bus.amqp_publisher import Publisher
from csms_platform.bus.amqp_topology import SPOOL, declare_spool
from csms_platform.bus.borders import encode_letter, letters_stored, read_letter
from csms_platform.bus.hand import Hand
from csms_platform.bus.outbox import log
from csms_platform.coalesce import Coalescer
from csms_platform.ports import Letter, Unavailable

Handler = Callable[[Letter], Awaitable[None]]

# RabbitMQ closes a channel whose oldest delivery is not acknowledged for 30 minutes (`consumer_timeout`).
PATIENCE = 15 * 60.0

# The same for everybody. A quorum queue gives back what it delivered behind what it was given back before, so in order
# only to a consumer that takes at least as much as the one before.
PREFETCH = 512

_PROPERTIES = commands.Basic.Properties(content_type="application/json", delivery_mode=2)


class AmqpSpool:
    """`ports.Spool` on the link of an entered `AmqpBus`, which closes it."""

    def __init__(self, bus: AmqpBus, settings: BusSettings, patience: float = PATIENCE) -> None:
        self._bus = bus
        self._prefix = settings.prefix
        self._patience = patience
        self._publisher = Publisher(self._renewed)
        self._declared: set[str] = set()
        self._order = asyncio.Lock()
        self._deliveries: dict[str, _Delivery] = {}
        bus.on_close(self.close)

    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        """See `ports.Spool.store`."""
        try:
            async with asyncio.timeout(seconds):
                await self._put(self._queue(letter.endpoint), encode_letter(letter))
        except TimeoutError:
            raise Unavailable(f"RabbitMQ did not confirm the letter within {seconds:g} s.") from None
        letters_stored.inc()

    async def deliver(self, endpoint: str, handler: Handler, window: int) -> None:
        """See `ports.Spool.deliver`. Raises `ValueError` when this process delivers to the endpoint already."""
        if endpoint in self._deliveries:
            raise ValueError(f"letters for {endpoint} are delivered already")
        delivery = _Delivery(self._bus, self._queue(endpoint), handler, window, self._patience)
        self._deliveries[endpoint] = delivery
        await delivery.start()

    async def stop(self, endpoint: str) -> None:
        """See `ports.Spool.stop`."""
        if delivery := self._deliveries.pop(endpoint, None):
            await delivery.close()

    async def waiting(self, endpoint: str) -> int:
        """See `ports.Spool.waiting`: what is with nobody, and what is with this process."""
        if not self._bus.connected:
            raise Unavailable("RabbitMQ is not connected.")
        try:
            async with asyncio.timeout(5):
                with_nobody = await self._count(self._queue(endpoint))
        except LOST as error:
            raise Unavailable(f"RabbitMQ did not tell: {str(error) or type(error).__name__}.") from error
        delivery = self._deliveries.get(endpoint)
        return with_nobody + (delivery.in_hand if delivery else 0)

    async def close(self) -> None:
        """Stop every delivery."""
        for endpoint in list(self._deliveries):
            await self.stop(endpoint)

    def _queue(self, endpoint: str) -> str:
        return self._prefix + SPOOL + endpoint

    async def _renewed(self, _: aiormq.Channel) -> None:
        self._declared.clear()

    async def _put(self, queue: str, body: bytes) -> None:
        while True:
            link = await self._bus.link()
            try:
                # One after the other: who waits for the declaration is not overtaken by who comes after it.
                async with self._order:
                    channel = await self._publisher.open(link)
                    if queue not in self._declared:
                        await declare_spool(channel, queue)
                        self._declared.add(queue)
                return await link.publish(channel, queue, body, _PROPERTIES)
            except PublishError:
                self._declared.discard(queue)
            except LOST as error:
                log.warning("storing a letter failed", queue=queue, reason=str(error) or type(error).__name__)
            await asyncio.sleep(0.1)

    async def _count(self, queue: str) -> int:
        link = await self._bus.link()
        channel = await link.channel(link.consuming, confirms=False)
        try:
            return await declare_spool(channel, queue, passive=True)
        except ChannelNotFoundEntity:
            return 0  # nothing was ever stored
        finally:
            with contextlib.suppress(*LOST):
                await channel.close()


class _Delivery(Consumer):
    """One endpoint's letters, while this process is the one that delivers them."""

    def __init__(self, bus: AmqpBus, queue: str, handler: Handler, window: int, patience: float) -> None:
        super().__init__(bus, queue)
        self._handler = handler
        self._window = window
        self._patience = patience
        self._hand: Hand | None = None
        self._acks: Coalescer[int] | None = None

    @property
    def in_hand(self) -> int:
        """How many letters are with this process."""
        return len(self._hand) if self._hand else 0

    async def _consume(self, channel: aiormq.Channel, over: asyncio.Event) -> None:
        async def acknowledge(tags: list[int]) -> None:
            # On a dead channel there is nothing to acknowledge: the broker delivers the letters again.
            with contextlib.suppress(*LOST):
                for tag in tags:
                    await channel.basic_ack(tag, wait=False)

        acks = self._acks = Coalescer(acknowledge)
        hand = self._hand = Hand(self._handler, self._window, acks.add)
        await declare_spool(channel, self._name)
        await channel.basic_qos(prefetch_count=max(self._window, PREFETCH))
        await channel.basic_consume(self._name, partial(_arrive, hand, acks))
        self._watch(hand, over)

    async def _left(self) -> None:
        if self._hand is not None and self._acks is not None:
            await self._hand.drop()
            await self._acks.drained()

    def _watch(self, hand: Hand, over: asyncio.Event) -> None:
        """Begin anew before RabbitMQ runs out of patience; the letters come again, in order."""
        loop = asyncio.get_running_loop()
        if hand.oldest is not None and loop.time() - hand.oldest > self._patience:
            log.info("letters wait for their endpoint; consuming anew", queue=self._name)
            over.set()
        elif not over.is_set() and not hand.dropped:
            loop.call_later(self._patience / 10, self._watch, hand, over)


async def _arrive(hand: Hand, acks: Coalescer[int], message: DeliveredMessage) -> None:
    tag = message.delivery_tag or 0
    if letter := read_letter(message.body):
        hand.take(tag, letter)
    else:
        acks.add(tag)

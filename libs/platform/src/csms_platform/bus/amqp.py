"""The bus on RabbitMQ (3.10 to 4.x), with aio-pika.

Two connections: RabbitMQ stops reading from a connection that publishes while a resource alarm lasts
(`connection.blocked`), and acknowledgements must not be stuck behind that.

One task supervises: it connects, declares the topology, starts the consumers, and does so again after every loss.
Publishing waits for it: a batch whose confirm never came is published again (at least once), so handlers see repeats.
"""

import asyncio
import contextlib
import random
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiormq
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError, PublishError
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.outbox import Outboxes, Returned, log, take_in
from csms_platform.metrics import counter, gauge
from csms_platform.ports import Address, BatchHandler

_connected = gauge("bus_connected", "1 while RabbitMQ is connected")
_reconnects = counter("bus_reconnects", "Connections to RabbitMQ made again")
_republished = counter("bus_republished", "Batches published again because no confirm came")

# What a lost broker looks like, from whichever layer notices first.
LOST = (
    AMQPError,
    ChannelInvalidStateError,
    aio_pika.exceptions.AMQPException,
    ConnectionError,
    OSError,
    asyncio.TimeoutError,
)

_CONFIRM_DEADLINE = 10.0
_SHARED_EXPIRATION = "60000"  # ms; envelopes carry their own, finer deadlines


class AmqpBus(Outboxes):
    """`ports.Bus` over RabbitMQ.

    Entering waits for the first connection; raises `ConnectionError`, in one sentence, if there is none to be had.
    """

    def __init__(self, settings: BusSettings) -> None:
        super().__init__(settings)
        self._subscriptions: dict[Address, _Subscription] = {}
        self._declared: set[str] = set()
        self._link: _Link | None = None
        self._up = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "AmqpBus":
        try:
            link = await _Link.open(self._settings)
        except LOST as error:
            reason = str(error) or type(error).__name__
            raise ConnectionError(f"RabbitMQ at {_place(self._settings.url)} cannot be used: {reason}.") from error
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise(link))
        await self._up.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.connected:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.flush(), 5)
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._link:
            await self._link.close()
        for outbox in self._outboxes.values():
            outbox.cancel()

    @property
    def connected(self) -> bool:
        """See `ports.Bus.connected`."""
        return self._up.is_set()

    # --- the connection ---------------------------------------------------------------------------------------------

    async def _supervise(self, link: "_Link | None") -> None:
        delay = 0.2
        while True:
            try:
                link = link or await _Link.open(self._settings)
                await self._restore(link)
                delay = 0.2
                await link.lost.wait()
                log.warning("RabbitMQ connection lost", reason=str(link.reason))
            except LOST as error:
                log.warning("RabbitMQ is not reachable", reason=str(error) or type(error).__name__)
            except Exception:
                # A border: whatever the client library raises, the bus comes back; what it was is in the log.
                log.exception("the RabbitMQ link failed")
            self._up.clear()
            _connected.set(0)
            if link:
                await link.close()
            self._link = link = None
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            delay = min(delay * 2, 3.0)
            _reconnects.inc()

    async def _restore(self, link: "_Link") -> None:
        self._declared.clear()
        self._link = link
        for subscription in self._subscriptions.values():
            await subscription.start(link)
        self._up.set()
        _connected.set(1)
        log.info("RabbitMQ connected", broker=link.broker)

    # --- consuming --------------------------------------------------------------------------------------------------

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        """See `ports.Bus.subscribe`. While the broker is away it takes effect when it is back."""
        if address in self._subscriptions:
            raise ValueError(f"{address.name} is subscribed already")
        subscription = _Subscription(address, handler, self._settings)
        self._subscriptions[address] = subscription
        if self._link and self._up.is_set():
            try:
                await subscription.start(self._link)
            except LOST as error:
                log.warning("subscribing waits for RabbitMQ", address=address.name, reason=str(error))
                self._link.fail(error)

    async def unsubscribe(self, address: Address) -> None:
        """See `ports.Bus.unsubscribe`."""
        await self._subscriptions.pop(address).stop()

    # --- publishing -------------------------------------------------------------------------------------------------

    async def _publish(self, address: Address, body: bytes) -> None:
        while True:
            await self._up.wait()
            link = self._link
            if link is None:
                continue
            try:
                if address.shared and address.name not in self._declared:
                    await declare(link.publisher, address, self._settings.prefix)
                    self._declared.add(address.name)
                return await link.publish(self._settings.prefix + address.name, body, address.shared)
            except PublishError:
                if not address.shared:
                    raise Returned(address.name) from None
                self._declared.discard(address.name)
            except DeliveryError as error:
                log.warning("RabbitMQ refused a batch", address=address.name, reason=str(error))
            except TimeoutError:
                # A blocked connection's confirms wait for the end of the alarm; any other one is dead.
                if not await link.is_blocked():
                    link.fail("no confirm in time")
            except LOST as error:
                link.fail(error)
            _republished.inc()
            await asyncio.sleep(0.05)


class _Link:
    """The two connections, while they last. `lost` is set when either is gone, `reason` says why."""

    def __init__(self, publishing: Any, consuming: Any) -> None:
        self.publishing = publishing
        self.consuming = consuming
        self.publisher: aiormq.Channel
        self.lost = asyncio.Event()
        self.reason: BaseException | str | None = None

    @classmethod
    async def open(cls, settings: BusSettings) -> "_Link":
        publishing = await aio_pika.connect(settings.url, heartbeat=settings.heartbeat, timeout=10)
        try:
            consuming = await aio_pika.connect(settings.url, heartbeat=settings.heartbeat, timeout=10)
            link = cls(publishing, consuming)
            for connection in (publishing, consuming):
                connection.close_callbacks.add(link._closed)
            link.publisher = await link.channel(publishing, confirms=True)
            link.watch(link.publisher, "the publishing channel closed")
        except BaseException:
            await publishing.close()
            raise
        return link

    @property
    def broker(self) -> str:
        properties = self.publishing.transport.connection.server_properties
        return f"{properties.get('product')} {properties.get('version')}"

    @staticmethod
    async def channel(connection: Any, *, confirms: bool) -> aiormq.Channel:
        # aiormq's channel under aio-pika's: a Message object and its locks would cost more than the batch.
        channel: aiormq.Channel = await connection.transport.connection.channel(
            publisher_confirms=confirms, on_return_raises=True
        )
        return channel

    async def publish(self, queue: str, body: bytes, shared: bool) -> None:
        """Publish one batch and wait for its confirm. Raises `PublishError` when no queue took it."""
        await self.publishing.transport.connection.ready()  # waits while the broker says connection.blocked
        properties = commands.Basic.Properties(
            content_type="application/json", delivery_mode=1, expiration=_SHARED_EXPIRATION if shared else None
        )
        await self.publisher.basic_publish(
            body, routing_key=queue, properties=properties, mandatory=True, timeout=_CONFIRM_DEADLINE, wait=False
        )

    async def is_blocked(self) -> bool:
        """Whether the broker takes nothing from us now (`connection.blocked`)."""
        try:
            await asyncio.wait_for(self.publishing.transport.connection.ready(), 0.05)
        except TimeoutError:
            return True
        return False

    def _closed(self, _: object, reason: BaseException | None) -> None:
        self.fail(reason or "closed")

    def fail(self, reason: BaseException | str) -> None:
        """Declare the link dead; the supervisor makes a new one."""
        self.reason = self.reason or reason
        self.lost.set()

    def watch(self, channel: aiormq.Channel, reason: str) -> None:
        """A closed channel cannot be used again: it ends the link."""
        channel.closing.add_done_callback(lambda _: self.fail(reason))

    async def close(self) -> None:
        for connection in (self.publishing, self.consuming):
            connection.close_callbacks.discard(self._closed)
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(connection.close(), 2)


class _Subscription:
    """One address's consumer, started again on every new link."""

    def __init__(self, address: Address, handler: BatchHandler, settings: BusSettings) -> None:
        self._address = address
        self._handler = handler
        self._settings = settings
        self._channel: aiormq.Channel | None = None
        self._tag = ""
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self, link: _Link) -> None:
        channel = await link.channel(link.consuming, confirms=False)
        await declare(channel, self._address, self._settings.prefix)
        await channel.basic_qos(prefetch_count=self._settings.prefetch)
        queue = self._settings.prefix + self._address.name
        consumer = await channel.basic_consume(queue, self._deliver)
        channel.on_consumer_cancel_callbacks.add(lambda _: link.fail(f"the consumer of {queue} was cancelled"))
        link.watch(channel, f"the channel of {queue} closed")
        self._channel, self._tag = channel, str(consumer.consumer_tag)

    async def stop(self) -> None:
        if self._channel:
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(self._channel.basic_cancel(self._tag), 2)
        await self._idle.wait()

    async def _deliver(self, message: DeliveredMessage) -> None:
        self._busy += 1
        self._idle.clear()
        try:
            await take_in(message.body, self._handler)
            # On a dead channel there is nothing to acknowledge: the broker delivers the batch again.
            with contextlib.suppress(*LOST):
                await message.channel.basic_ack(message.delivery_tag or 0, wait=False)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()


def _place(url: str) -> str:
    """Host and port of a broker's URL: what may be told without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


async def declare(channel: aiormq.Channel, address: Address, prefix: str) -> None:
    """Make sure that the address's queue exists, the same way from whichever side comes first."""
    if address.shared:
        await channel.queue_declare(prefix + address.name, durable=True)
    else:
        # Exclusive and auto-delete: when its process is gone the address is gone, and senders get their messages back.
        await channel.queue_declare(prefix + address.name, exclusive=True, auto_delete=True)

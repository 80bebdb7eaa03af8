"""The bus on RabbitMQ (3.10 to 4.x), with aio-pika.

One task supervises: it connects, declares the topology, starts the consumers, and does so again after every loss.
Publishing waits for it: a batch whose confirm never came is published again (at least once), so handlers see repeats.
For an address with `once` it is given up instead, and nothing is acknowledged: the broker forgets what it delivers.
The public doors (`amqp_events`, `amqp_orders`, `amqp_spool`) stand on the same link, each with channels of its own.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable

import aiormq
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import DeliveryError, PublishError
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp_link import LOST, Link, place
from csms_platform.bus.amqp_queues import declare, leftovers, partitions
from csms_platform.bus.outbox import Outboxes, Returned, arrived, log, take_in
from csms_platform.metrics import counter, gauge
from csms_platform.ports import Address, BatchHandler

_connected = gauge("bus_connected", "1 while RabbitMQ is connected")
_reconnects = counter("bus_reconnects", "Connections to RabbitMQ made again")
_republished = counter("bus_republished", "Batches published again because no confirm came")
_given_up = counter("bus_given_up", "Batches not published again, as they may have arrived, and may only once")

SENT = "csms-sent"  # the header with the time, in milliseconds since 1970
_SHARED_EXPIRATION = "60000"  # ms; envelopes carry their own, finer deadlines


class AmqpBus(Outboxes):
    """`ports.Bus` over RabbitMQ.

    Entering waits for the first connection; raises `ConnectionError`, in one sentence, if there is none to be had.
    """

    def __init__(self, settings: BusSettings) -> None:
        super().__init__(settings)
        self._subscriptions: dict[Address, _Subscription] = {}
        self._declared: set[str] = set()
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._doors: list[Callable[[], Awaitable[None]]] = []

    async def __aenter__(self) -> "AmqpBus":
        try:
            link = await Link.open(self._settings)
        except LOST as error:
            reason = str(error) or type(error).__name__
            raise ConnectionError(f"RabbitMQ at {place(self._settings.url)} cannot be used: {reason}.") from error
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise(link))
        await self._up.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for close in self._doors:
            await close()
        if self.connected:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.flush(), 5)
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        self._up.clear()
        if self._link:
            await self._link.close()
        for subscription in self._subscriptions.values():
            subscription.kill()
        for outbox in self._outboxes.values():
            outbox.cancel()

    @property
    def connected(self) -> bool:
        """See `ports.Bus.connected`."""
        return self._up.is_set()

    def on_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call `close` before the bus leaves: a door that stands on its link."""
        self._doors.append(close)

    # --- the connection ---------------------------------------------------------------------------------------------

    async def _supervise(self, link: Link | None) -> None:
        delay = 0.2
        while True:
            try:
                link = link or await Link.open(self._settings)
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

    async def _restore(self, link: Link) -> None:
        self._declared.clear()
        self._link = link
        started: set[_Subscription] = set()
        # Another one may subscribe while these start.
        while waiting := [one for one in self._subscriptions.values() if one not in started]:
            await waiting[0].start(link)
            started.add(waiting[0])
        self._up.set()
        _connected.set(1)
        log.info("RabbitMQ connected", broker=link.broker)

    async def link(self) -> Link:
        """The link that is up; waits for one. It may be lost at any time after: `Link.lost`."""
        await self._up.wait()
        assert self._link
        return self._link

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
        while not await self._settled(address, body):
            _republished.inc()
            await asyncio.sleep(0.05)

    async def _settled(self, address: Address, body: bytes) -> bool:
        """Try once; answers whether nothing is left to do."""
        link, uncertain = await self.link(), False
        try:
            if address.shared and address.name not in self._declared:
                await declare(link.publisher, address, self._settings.prefix)
                self._declared.add(address.name)
            await link.ready()
            uncertain = True
            await link.publish(link.publisher, self._settings.prefix + address.name, body, _properties(address))
            return True
        except PublishError:
            if not address.shared:
                raise Returned(address.name) from None
            self._declared.discard(address.name)
            return False
        except DeliveryError as error:
            log.warning("RabbitMQ refused a batch", address=address.name, reason=str(error))
            return False
        except TimeoutError:
            # A blocked connection's confirms wait for the end of the alarm; any other one is dead.
            if not link.blocked:
                link.fail("no confirm in time")
        except LOST as error:
            link.fail(error)
        return address.once and uncertain and _give_up(address)


def _give_up(address: Address) -> bool:
    _given_up.inc()
    log.warning("no confirm came for a batch that may be delivered but once", address=address.name)
    return True


def _properties(address: Address) -> commands.Basic.Properties:
    expiration = _SHARED_EXPIRATION if address.shared else None
    return commands.Basic.Properties(
        content_type="application/json",
        headers={SENT: int(time.time() * 1000)},
        delivery_mode=1,
        expiration=expiration,
    )


class _Subscription:
    """One address's consumers, one for each of its queues, started again on every new link.

    Of an address with `once` the broker delivers all that it has: it counts only what is to be acknowledged (prefetch).
    """

    def __init__(self, address: Address, handler: BatchHandler, settings: BusSettings) -> None:
        self._address = address
        self._handler = handler
        self._settings = settings
        self._channel: aiormq.Channel | None = None
        self._tags: list[str] = []
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, link: Link) -> None:
        channel = await link.channel(link.consuming, confirms=False)
        await channel.basic_qos(prefetch_count=self._settings.prefetch)
        name = self._address.name
        channel.on_consumer_cancel_callbacks.add(lambda _: link.fail(f"a consumer of {name} was cancelled"))
        link.watch(channel, f"the channel of {name} closed")
        self._channel, self._tags = channel, []
        left = await leftovers(link, self._address, self._settings)
        for part in (*partitions(self._address, self._settings), *left):
            self._tags.append(await self._consume(channel, part))

    async def _consume(self, channel: aiormq.Channel, part: Address) -> str:
        await declare(channel, part, self._settings.prefix)
        queue, once = self._settings.prefix + part.name, part.once
        consumer = await channel.basic_consume(queue, self._deliver_once if once else self._deliver, no_ack=once)
        return str(consumer.consumer_tag)

    async def stop(self) -> None:
        if self._channel:
            with contextlib.suppress(*LOST):
                async with asyncio.timeout(2):
                    for tag in self._tags:
                        await self._channel.basic_cancel(tag)
        await self._idle.wait()

    def kill(self) -> None:
        """End the handlers under way that would outlive their link."""
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, message: DeliveredMessage) -> None:
        self._began(message)
        try:
            await take_in(message.body, self._handler)
            # On a dead channel there is nothing to acknowledge: the broker delivers the batch again.
            with contextlib.suppress(*LOST):
                await message.channel.basic_ack(message.delivery_tag or 0, wait=False)
        finally:
            self._ended()

    async def _deliver_once(self, message: DeliveredMessage) -> None:
        # In a task of ours: aiormq's is cancelled when its link is lost, and nobody gets this batch again.
        self._began(message)
        task = asyncio.get_running_loop().create_task(take_in(message.body, self._handler))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended()

    def _began(self, message: DeliveredMessage) -> None:
        arrived(self._address, (message.header.properties.headers or {}).get(SENT))
        self._busy += 1
        self._idle.clear()

    def _ended(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._idle.set()

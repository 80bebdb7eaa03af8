"""The bus inside one process. Bytes travel here too, so what cannot be serialised fails in the cheap tests as well.

An `Exchange` is the broker: several `memory_doors` on one exchange behave like several processes on RabbitMQ.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from csms_platform.bus import BusSettings, Doors
from csms_platform.bus.memory_events import MemoryEvents, Topic
from csms_platform.bus.memory_orders import MemoryOrders, OrderQueue, Reply
from csms_platform.bus.memory_spool import MemorySpool, Shelves
from csms_platform.bus.outbox import Outboxes, Returned, take_in
from csms_platform.ports import Address, BatchHandler, Order


class _Consumer:
    """One subscription: starts handlers in the order of arrival, at most `prefetch` at once."""

    def __init__(self, handler: BatchHandler, prefetch: int) -> None:
        self._handler = handler
        self._prefetch = prefetch
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < self._prefetch

    def start(self, queue: "_Queue", body: bytes) -> None:
        task = asyncio.get_running_loop().create_task(take_in(body, self._handler))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finished(queue, done))

    def _finished(self, queue: "_Queue", task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        queue.deliver()

    async def stop(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def kill(self) -> None:
        for task in self._tasks:
            task.cancel()


class _Queue:
    """What waits for the consumers of one address; they take turns."""

    def __init__(self) -> None:
        self.consumers: deque[_Consumer] = deque()
        self.bodies: deque[bytes] = deque()

    def deliver(self) -> None:
        while self.bodies and (consumer := next((c for c in self.consumers if c.has_room), None)):
            self.consumers.remove(consumer)
            self.consumers.append(consumer)
            consumer.start(self, self.bodies.popleft())


class Exchange:
    """The queues by name, and what the outside sees: events, orders, and the spool's shelves.

    `publish_order` and `replies` are the operator's side of the orders.
    """

    def __init__(self, shelves: Shelves | None = None) -> None:
        self._queues: dict[str, _Queue] = {}
        self.topic = Topic()
        self.orders = OrderQueue()
        self.shelves = shelves or Shelves()

    def publish_order(
        self, key: str, body: bytes, *, reply_to: str = "", correlation_id: str = "", expiration: int | None = None
    ) -> None:
        """Publish to `ocpp.commands` as an operator would; `expiration` in milliseconds."""
        self.orders.publish(
            Order(body, key=key, reply_to=reply_to, correlation_id=correlation_id, expiration=expiration)
        )

    def replies(self, queue: str) -> list[Reply]:
        """What came into the operator's queue so far; the queue exists from now on at the latest."""
        return self.orders.replies.setdefault(queue, [])

    def publish(self, address: Address, body: bytes) -> None:
        """Put `body` into the address's queue. Raises `Returned` for a private address without a consumer."""
        queue = self._queues.get(address.name)
        if queue is None:
            if not address.shared:
                raise Returned(address.name)
            queue = self._queues[address.name] = _Queue()
        queue.bodies.append(body)
        queue.deliver()

    def join(self, address: Address, consumer: _Consumer) -> None:
        """Add a consumer; what waited is delivered."""
        queue = self._queues.setdefault(address.name, _Queue())
        if queue.consumers and not address.shared:
            raise ValueError(f"{address.name} is served by somebody else")
        queue.consumers.append(consumer)
        queue.deliver()

    def leave(self, address: Address, consumer: _Consumer) -> None:
        """Remove a consumer; a private address goes with it."""
        queue = self._queues[address.name]
        queue.consumers.remove(consumer)
        if not address.shared:
            del self._queues[address.name]


class MemoryBus(Outboxes):
    """`ports.Bus` over an `Exchange`."""

    connected = True
    lingers = False

    def __init__(self, exchange: Exchange, settings: BusSettings) -> None:
        super().__init__(settings)
        self._exchange = exchange
        self._consumers: dict[Address, _Consumer] = {}

    async def __aenter__(self) -> "MemoryBus":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flush()
        for address, consumer in list(self._consumers.items()):
            self._exchange.leave(address, consumer)
            consumer.kill()
        self._consumers.clear()

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        """See `ports.Bus.subscribe`."""
        if address in self._consumers:
            raise ValueError(f"{address.name} is subscribed already")
        consumer = _Consumer(handler, self._settings.prefetch)
        self._exchange.join(address, consumer)
        self._consumers[address] = consumer

    async def unsubscribe(self, address: Address) -> None:
        """See `ports.Bus.unsubscribe`."""
        consumer = self._consumers.pop(address)
        self._exchange.leave(address, consumer)
        await consumer.stop()

    async def _publish(self, address: Address, body: bytes) -> None:
        self._exchange.publish(address, body)


@asynccontextmanager
async def open_exchange(data: Path | None = None) -> AsyncIterator[Exchange]:
    """A broker. With a data directory the letters in its spool survive; raises `ValueError` when that is not usable."""
    if data is None:
        yield Exchange()
        return
    from csms_platform.bus.spool_file import open_shelves

    async with open_shelves(data) as shelves:
        yield Exchange(shelves)


@asynccontextmanager
async def memory_doors(exchange: Exchange, settings: BusSettings) -> AsyncIterator[Doors]:
    """One process's ends of everything on the exchange, until the context is left."""
    async with (
        MemorySpool(exchange.shelves) as spool,
        MemoryOrders(exchange.orders) as orders,
        MemoryEvents(exchange.topic, settings) as events,
        MemoryBus(exchange, settings) as bus,
    ):
        yield Doors(bus, events, orders, spool)

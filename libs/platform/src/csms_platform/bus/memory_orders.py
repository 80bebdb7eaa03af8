"""Orders inside one process: the queue of commands, with a single active consumer, and queues for the replies."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from csms_platform.bus.borders import replies_lost, take_orders
from csms_platform.ports import Order

OrderHandler = Callable[[list[Order]], Awaitable[None]]
Arrival = tuple[float, Order]


class Reply(NamedTuple):
    """What an operator finds in a queue for replies."""

    correlation_id: str
    body: bytes


class OrderQueue:
    """What operators published and nobody has acknowledged; the first of the consumers is the active one."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._consumers: deque[_Consumer] = deque()
        self.replies: dict[str, list[Reply]] = {}

    def publish(self, order: Order) -> None:
        """Append an order; its expiration counts from now. Who names a queue for the reply has one."""
        if order.reply_to:
            self.replies.setdefault(order.reply_to, [])
        self._waiting.append((time.monotonic(), order))
        self.wake()

    def join(self, consumer: "_Consumer") -> None:
        """Add a consumer; the first one gets what waited."""
        self._consumers.append(consumer)
        self.wake()

    def leave(self, consumer: "_Consumer", unfinished: list[Arrival]) -> None:
        """Remove a consumer; what it did not finish is for the next one, before everything else."""
        self._consumers.remove(consumer)
        again = [(since, msgspec.structs.replace(order, redelivered=True)) for since, order in unfinished]
        self._waiting.extendleft(reversed(again))
        self.wake()

    def wake(self) -> None:
        """Give the active consumer all that waits, unless it is busy."""
        if self._waiting and self._consumers and not self._consumers[0].busy:
            arrived = list(self._waiting)
            self._waiting.clear()
            self._consumers[0].start(arrived)


class _Consumer:
    """One process that subscribed. It has one batch at a time in its handler."""

    def __init__(self, queue: OrderQueue, handler: OrderHandler) -> None:
        self._queue = queue
        self._handler = handler
        self._task: asyncio.Task[None] | None = None
        self._batch: list[Arrival] = []
        self._leaving = False
        queue.join(self)

    @property
    def busy(self) -> bool:
        """Whether it can take nothing now."""
        return self._task is not None or self._leaving

    def start(self, arrived: list[Arrival]) -> None:
        """Hand these over; they are its own until the handler returns."""
        now = time.monotonic()
        self._batch = arrived
        orders = [_aged(order, now - since) for since, order in arrived]
        self._task = asyncio.get_running_loop().create_task(take_orders(orders, self._handler))
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            self._batch = []
            self._queue.wake()

    async def stop(self) -> None:
        """Wait for the handler under way, and go."""
        self._leaving = True
        if self._task:
            await asyncio.wait([self._task])
        self._queue.leave(self, [])

    def kill(self) -> None:
        """Go at once, as when the process dies."""
        if self._task:
            self._task.cancel()
        self._queue.leave(self, self._batch)


class MemoryOrders:
    """`ports.Orders` on an `OrderQueue`."""

    def __init__(self, queue: OrderQueue) -> None:
        self._queue = queue
        self._consumer: _Consumer | None = None

    async def __aenter__(self) -> "MemoryOrders":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer:
            self._consumer.kill()

    async def subscribe(self, handler: OrderHandler) -> None:
        """See `ports.Orders.subscribe`. Raises `ValueError` when this process is subscribed."""
        if self._consumer:
            raise ValueError("orders are subscribed already")
        self._consumer = _Consumer(self._queue, handler)

    async def unsubscribe(self) -> None:
        """See `ports.Orders.unsubscribe`."""
        if self._consumer:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()

    def reply(self, reply_to: str, correlation_id: str, body: bytes) -> None:
        """See `ports.Orders.reply`."""
        if (queue := self._queue.replies.get(reply_to)) is None:
            replies_lost.inc()
        else:
            queue.append(Reply(correlation_id, body))


def _aged(order: Order, seconds: float) -> Order:
    late = order.expiration is not None and seconds * 1000 > order.expiration
    return msgspec.structs.replace(order, expired=True) if late else order

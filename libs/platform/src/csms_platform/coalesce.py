"""Gather items until the end of the loop's tick, then flush them together.

The AMQP publisher and the Redis pipeline both stand on this: what one broker round trip costs is then shared by
everything that happened in a tick. While a flush is under way the next batch grows, so batches adapt to the load by
themselves: one item when idle, hundreds when busy, and no timer anywhere.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Coalescer(Generic[T]):
    """Calls `flush(batch)` with up to `most` items at a time, at most `at_once` calls at the same time.

    `flush` must not raise; it owns what becomes of its batch. `linger()` (seconds) is asked how long a batch that
    begins now should wait for company; 0, the default, waits for the end of the tick only. Not thread-safe.
    """

    __slots__ = ("_at_once", "_flush", "_idle", "_items", "_linger", "_most", "_scheduled", "_tasks")

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[None]],
        *,
        most: int = 512,
        at_once: int = 1,
        linger: Callable[[], float] | None = None,
    ) -> None:
        self._flush = flush
        self._most = most
        self._at_once = at_once
        self._linger = linger
        self._items: deque[T] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """How many items wait, without those being flushed."""
        return len(self._items)

    @property
    def under_way(self) -> int:
        """How many flushes are under way."""
        return len(self._tasks)

    def add(self, item: T) -> None:
        """Put `item` into the next batch. Needs a running loop; never waits."""
        self._items.append(item)
        if not self._scheduled and len(self._tasks) < self._at_once:
            self._schedule()

    def put_back(self, items: list[T]) -> None:
        """Return a batch that could not be flushed to the front, in order; for use inside `flush`."""
        self._items.extendleft(reversed(items))

    async def drained(self) -> None:
        """Wait until nothing waits and no flush is under way."""
        await self._idle.wait()

    def cancel(self) -> None:
        """Give up: what waits is forgotten, and flushes under way are cancelled."""
        self._items.clear()
        for task in self._tasks:
            task.cancel()

    def _schedule(self) -> None:
        self._scheduled = True
        self._idle.clear()
        loop = asyncio.get_running_loop()
        if self._linger and len(self._items) < self._most and (pause := self._linger()):
            loop.call_later(pause, self._start)
        else:
            loop.call_soon(self._start)

    def _start(self) -> None:
        self._scheduled = False
        if self._items and len(self._tasks) < self._at_once:
            batch = self._take()
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._tasks.add(task)
            task.add_done_callback(self._finished)
            if self._items and len(self._tasks) < self._at_once:
                self._schedule()

    def _take(self) -> list[T]:
        if len(self._items) <= self._most:
            batch = list(self._items)
            self._items.clear()
            return batch
        return [self._items.popleft() for _ in range(self._most)]

    async def _run(self, batch: list[T]) -> None:
        await self._flush(batch)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._items:
            if not self._scheduled:
                self._schedule()
        elif not self._tasks and not self._scheduled:
            self._idle.set()
        if not task.cancelled() and (error := task.exception()):
            raise error


class Pace:
    """How long an outbox should linger, from the rate and the batches of the last tenth of a second, about.

    Nothing while less than one item would come in `longest` seconds: waiting would only cost latency. Nothing either
    while batches hold `enough` items without it: they already share their cost. In between `longest`.
    """

    __slots__ = ("_enough", "_longest", "_rate", "_since", "_size")

    _MEMORY = 0.1

    def __init__(self, longest: float, now: float, enough: float = 4.0) -> None:
        self._longest = longest
        self._enough = enough
        self._rate = 0.0
        self._size = 0.0
        self._since = now

    def flushed(self, items: int, now: float) -> None:
        """A batch of `items` leaves now."""
        elapsed = max(now - self._since, 1e-6)
        self._since = now
        weight = min(1.0, elapsed / self._MEMORY)
        self._rate += (items / elapsed - self._rate) * weight
        self._size += (items - self._size) * weight

    def linger(self) -> float:
        """How long a batch that begins now should wait for company, in seconds."""
        return self._longest if self._rate * self._longest >= 1 and self._size < self._enough else 0.0

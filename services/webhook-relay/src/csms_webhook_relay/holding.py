"""Keeps a batch from being acknowledged until its work is done, as long as there are few such batches.

What is not acknowledged goes to another relay if this one dies. But the bus delivers only so many batches at once, and
those that wait for a slow endpoint must not keep the others out: then the oldest is let go, and its work goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any


class _Batch:
    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def let_go(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Holding:
    """`most` batches are held. `failed(error)` is told of work that raised: a bug of ours."""

    def __init__(self, most: int, failed: Callable[[BaseException], None]) -> None:
        self._most = most
        self._failed = failed
        self._held: deque[_Batch] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def until_done(self, work: list[Coroutine[Any, Any, None]]) -> None:
        """Do all of it at once; return when it is done, or when others need the room. Needs at least one."""
        batch = _Batch(len(work))
        for one in work:
            task = asyncio.get_running_loop().create_task(one)
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._ended(batch, done))
        self._held.append(batch)
        while len(self._held) > self._most:
            self._held.popleft().let_go()
        await batch.done

    def _ended(self, batch: _Batch, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return  # not done: what is still held goes to another relay
        batch.left -= 1
        if not batch.left and not batch.done.done():
            self._held.remove(batch)
            batch.let_go()
        if error := task.exception():
            self._failed(error)

    async def drain(self, seconds: float) -> None:
        """Wait for what is under way, `seconds` at most; what is left then is cancelled."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

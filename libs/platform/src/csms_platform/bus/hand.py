"""The letters in one process's hand: which handlers run, and in which order they begin. Knows no broker.

Rule 1. Handlers begin in the order of arrival, up to `window` at once.
Rule 2. When one fails, its letter and the later ones of its station are put aside: those under way are cancelled.
        After a pause they begin again, in order. So a failure lets nothing overtake, and holds up no other station.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from csms_platform.bus.borders import PAUSE, try_letter
from csms_platform.ports import Letter


class InHand(NamedTuple):
    """A letter that has not been delivered. `number` grows with every arrival; `since` is the loop's time of it."""

    number: int
    letter: Letter
    since: float

    @property
    def station(self) -> str:
        """Whose letter it is: the order matters within a station."""
        return self.letter.envelope.identity


class Hand:
    """Calls `handler` for every letter taken, and `delivered(number)` when it has returned."""

    def __init__(
        self,
        handler: Callable[[Letter], Awaitable[None]],
        window: int,
        delivered: Callable[[int], None],
        pause: float = PAUSE,
    ) -> None:
        self._handler = handler
        self._window = window
        self._delivered = delivered
        self._pause = pause
        self._letters: dict[int, InHand] = {}
        self._next: list[int] = []  # a heap
        self._aside: dict[str, list[int]] = {}
        self._running: dict[asyncio.Task[bool], InHand] = {}
        self._lanes: defaultdict[str, dict[int, asyncio.Task[bool]]] = defaultdict(dict)
        self.dropped = False

    def __len__(self) -> int:
        """How many letters are in hand."""
        return len(self._letters)

    @property
    def oldest(self) -> float | None:
        """Since when the letter that is in hand for longest has been there."""
        return next((item.since for item in self._letters.values()), None)

    def take(self, number: int, letter: Letter) -> None:
        """A letter arrived; `number` is higher than all before."""
        self._letters[number] = InHand(number, letter, asyncio.get_running_loop().time())
        heapq.heappush(self._next, number)
        self._begin()

    async def drop(self) -> None:
        """Cancel all handlers and wait until they have ended; nothing begins any more."""
        self.dropped = True
        for task in self._running:
            task.cancel()
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self) -> None:
        while self._next and len(self._running) < self._window and not self.dropped:
            item = self._letters[heapq.heappop(self._next)]
            if (aside := self._aside.get(item.station)) is not None:
                aside.append(item.number)
            else:
                task = asyncio.get_running_loop().create_task(try_letter(item.letter, self._handler))
                self._running[task] = item
                self._lanes[item.station][item.number] = task
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[bool]) -> None:
        item = self._running.pop(task)
        lane = self._lanes[item.station]
        del lane[item.number]
        if not lane:
            del self._lanes[item.station]
        if not task.cancelled() and task.result():
            del self._letters[item.number]
            self._delivered(item.number)
        elif not self.dropped:
            self._put_aside(item)
        self._begin()

    def _put_aside(self, failed: InHand) -> None:
        if failed.station not in self._aside:
            self._aside[failed.station] = []
            asyncio.get_running_loop().call_later(self._pause, self._again, failed.station)
        self._aside[failed.station].append(failed.number)
        for number, task in self._lanes.get(failed.station, {}).items():
            if number > failed.number:
                task.cancel()

    def _again(self, station: str) -> None:
        first = min(self._aside[station])
        if any(number > first for number in self._lanes.get(station, {})):
            # One that was cancelled has not ended yet: it must not begin after its followers.
            asyncio.get_running_loop().call_later(0.05, self._again, station)
            return
        for number in self._aside.pop(station):
            heapq.heappush(self._next, number)
        self._begin()

"""The stations of one process: who is connected, who calls when, and what came of it.

Nothing here ends because of what the central system does: it is counted, and stations that were lost come back after a
pause. A run ends by the clock, or when `stop` is set.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import Any

from csms_emulator.load.dialler import Dialler, pause
from csms_emulator.load.errors import Errors
from csms_emulator.load.histogram import Histogram
from csms_emulator.load.pace import ClosedLoop, OpenLoop, Pace, Silence
from csms_emulator.load.sample import Sample, own_cpu, own_rss
from csms_emulator.load.scripts import IDLE, PROFILES, Play
from csms_emulator.load.settings import Settings
from csms_emulator.load.station import Station, next_id, unheard

DIALLING = 500  # stations that may be dialled at the same time
GRACE = 5.0  # seconds for the answers that are out at the end
FAREWELLS = 100  # stations that hang up between two breaths
TICK = 0.002  # seconds between two looks at the clock
EVERY = 1.0  # seconds of a sample


class Crowd:
    """One part of a load. `tell(sample)` is called every second, and once more at the end."""

    def __init__(self, settings: Settings, tell: Callable[[Sample], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._stop = asyncio.Event()
        self._errors = Errors()
        self._dialler = Dialler(settings)
        self._random = Random(settings.first)
        self._pace = _pace(settings)
        self._at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._stations: list[Station] = []
        self._online: set[Station] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue: deque[Station] = deque()  # to be dialled
        self._marks: deque[int] = deque(maxlen=int(settings.timeout))
        self._running = True
        self._attempted = 0  # stations whose first attempt is over
        self._answered_by = self._answered  # one bound method for all stations
        self._lost_by = self._lost
        self._base = own_rss()
        self._began = self._sampled = perf_counter()
        self._due, self._until = self._began + EVERY, math.inf
        self._cpu = own_cpu()
        self._begin()

    def stop(self) -> None:
        """End the run now, in good order."""
        self._stop.set()

    async def run(self) -> None:
        """Ramp up, call for the duration, wait for the last answers, and hang up."""
        self._began = self._sampled = perf_counter()
        self._due = self._began + EVERY
        load = asyncio.create_task(self._load())
        clock = asyncio.create_task(self._clock())
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait((load, clock, stop), return_when=asyncio.FIRST_COMPLETED)
        self._running = False
        tasks: tuple[asyncio.Task[Any], ...] = (load, clock, stop, *self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        _raise(*tasks)
        await self._settle()
        self._report()
        await self._leave()

    # --- connecting ---------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        await self._ramp()
        until = perf_counter() + self._settings.timeout
        while self._attempted < len(self._stations) and perf_counter() < until:  # noqa: ASYNC110 - not worth an event
            await asyncio.sleep(0.02)
        now = perf_counter()
        self._until = now + self._settings.duration
        self._pace.begin(now)
        await asyncio.sleep(self._settings.duration)

    async def _ramp(self) -> None:
        settings, address = self._settings, self._settings.address
        for at, identity in enumerate(settings.identities()):
            due = self._began + (settings.first - 1 + at * settings.step) / settings.ramp
            if (early := due - perf_counter()) > 0:
                await asyncio.sleep(early)
            station = Station(identity, address, self._errors)
            self._stations.append(station)
            self._enqueue(station)

    def _enqueue(self, station: Station) -> None:
        self._queue.append(station)
        self._dial_next()

    def _dial_next(self, done: "asyncio.Task[None] | None" = None) -> None:
        """Dial as many as may be dialled at the same time; `done` is one that needs its place no longer."""
        if done is not None and not done.cancelled() and done.exception():
            self.stop()  # a bug of ours: `run` raises it
            return
        if done is not None:
            self._tasks.discard(done)
        while self._running and self._queue and len(self._tasks) < DIALLING:
            task = asyncio.create_task(self._connect(self._queue.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._dial_next)

    async def _connect(self, station: Station) -> None:
        """One attempt."""
        first, again = station.tries == 0, station.tries > 0
        if reason := await self._dialler.dial(station):
            self._errors.add(reason)
            self._come_back(station)
        else:
            self._reconnected += again
            self._welcome(station)
        self._attempted += first

    def _welcome(self, station: Station) -> None:
        self._online.add(station)
        station.answered, station.lost = self._answered_by, self._lost_by
        if self._settings.profile == IDLE:
            return
        if station.plays is None:
            station.play = Play(PROFILES[self._settings.profile](station.identity, self._at))
            station.plays = {self._settings.profile: station.play}
        self._pace.free(station, perf_counter())

    def _come_back(self, station: Station) -> None:
        if self._running:
            asyncio.get_running_loop().call_later(pause(station, self._random), self._enqueue, station)

    def _lost(self, station: Station) -> None:
        unheard(station)
        self._online.discard(station)
        self._lost_count += 1
        self._pace.gone(station)
        if station.waiting:
            station.give_up()
            self._unanswered += 1
            self._errors.call_failed("lost with its connection")
        self._come_back(station)

    # --- calling ------------------------------------------------------------------------------------------------------

    def _answered(self, station: Station, now: float, text: bytes) -> None:
        self._latencies.add(now - station.sent_at)
        station.play.advance(text)
        if now >= self._due:
            # With more than a thousand sockets ready, libuv comes to its timers only after tens of thousands of events.
            self._second(now)
        if self._running:
            self._pace.free(station, now)

    async def _clock(self) -> None:
        while True:
            self._pace.tick(now := perf_counter())
            if now >= self._due:
                self._second(now)
            await asyncio.sleep(TICK if isinstance(self._pace, OpenLoop) else max(0.0, self._due - perf_counter()))

    def _second(self, now: float) -> None:
        """A second is over; the load may be, too."""
        self._due += EVERY
        self._running = now < self._until
        self._overdue(now)
        self._report()

    def _overdue(self, now: float) -> None:
        """Give up the calls that are older than the time-out: those with a number from before the oldest mark."""
        if self._running and len(self._marks) == self._marks.maxlen:
            for station in [s for s in self._online if s.waiting and s.asked < self._marks[0]]:
                self._give_up(station)
                self._pace.free(station, now)
        self._marks.append(next_id())

    def _give_up(self, station: Station) -> None:
        station.give_up()
        self._unanswered += 1
        self._errors.call_failed(f"not answered within {self._settings.timeout:g} s")

    # --- reporting ----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._latencies = Histogram()
        self._lost_count = self._reconnected = self._unanswered = 0
        self._errors.clear()
        self._errors.failed = 0

    def _report(self) -> None:
        now, cpu = perf_counter(), own_cpu()
        sample = Sample(
            now - self._began, now - self._sampled, len(self._stations), len(self._online), self._latencies,
            self._errors.failed, self._unanswered, Errors(self._errors), self._lost_count, self._reconnected,
            cpu - self._cpu, own_rss(), self._base,
        )  # fmt: skip
        self._sampled, self._cpu = now, cpu
        self._begin()
        self._tell(sample)

    # --- leaving ------------------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        until = perf_counter() + min(GRACE, self._settings.timeout)
        while any(station.waiting for station in self._online) and perf_counter() < until:  # noqa: ASYNC110 - not worth an event
            await asyncio.sleep(0.02)
        for station in [s for s in self._online if s.waiting]:
            station.give_up()
            self._unanswered += 1
            self._errors.call_failed("not answered at the end")

    async def _leave(self) -> None:
        for at, station in enumerate(self._online):
            station.hang_up()
            if at % FAREWELLS == 0:
                await asyncio.sleep(TICK)
        await asyncio.sleep(0.05)  # the last closing frames


def _pace(settings: Settings) -> Pace:
    if settings.profile == IDLE:
        return Silence()
    return OpenLoop(settings.rate) if settings.rate else ClosedLoop()


def _raise(*tasks: "asyncio.Task[Any]") -> None:
    """A task that ended by itself with an error did so because of a bug."""
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error

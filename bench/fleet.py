"""Many stations as one load: closed loop (each calls again when answered) or open loop (calls leave by the clock).

Knows windows and rates, not systems. Every run ends by itself: the window is a timer, and what is unanswered when the
last grace is over is counted as an error.
"""

import asyncio
from array import array
from collections import deque
from collections.abc import Callable
from time import perf_counter
from urllib.parse import urlsplit

from bench.latency import summarise
from bench.outcome import Outcome, Run
from bench.requests import Commands, own_cpu
from bench.scenarios import COMMANDS, SCENARIOS, SOAP
from bench.soap import Stations
from csms_emulator.load.errors import Errors
from csms_emulator.load.scripts import BOOT, Play
from csms_emulator.load.station import CALL, CALL_RESULT, Address, Station

AT_ONCE = 50  # handshakes under way, or farewells
PATIENCE = 30.0  # seconds for a handshake and a boot
GRACE = 5.0  # seconds for the answers that are out when a window closes
COMMANDED = 500  # stations that get commands
TICK = 0.001  # seconds between two looks at the clock in the open loop


class Fleet:
    """Stations of one system. `window(is_open)` is called as a window opens and closes, between two events.

    `api` is where its REST API is, `soap` where SOAP stations call; "" when it has none.
    """

    def __init__(
        self, url: str, window: Callable[[bool], None], *, echo: bool = False, api: str = "", soap: str = ""
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 0, parts.path
        self._window = window
        self._echo = echo
        self._api = api
        self._soap = soap
        self._stations: list[Station] = []
        self._errors = Errors()
        self._latencies = array("d")
        self._measuring = self._running = False
        self._idle: deque[Station] = deque()
        self._due: deque[float] = deque()

    async def connect(self, count: int) -> None:
        """Add `count` stations and boot each. Raises ConnectionError when one is refused."""
        gate = asyncio.Semaphore(AT_ONCE)
        first = len(self._stations)

        async def one(number: int) -> Station:
            async with gate, asyncio.timeout(PATIENCE):
                return await self._connect_one(f"BENCH-{number:06d}")

        self._stations += await asyncio.gather(*(one(first + i) for i in range(count)))

    async def disconnect(self, count: int) -> None:
        """Hang up the `count` stations that came last."""
        leaving = self._stations[-count:]
        del self._stations[-count:]
        for at, station in enumerate(leaving):
            station.hang_up()
            if at % AT_ONCE == 0:
                await asyncio.sleep(10 * TICK)

    async def run(self, run: Run) -> Outcome:
        if run.scenario == COMMANDS:
            asked = [station.identity for station in self._stations[:COMMANDED]]
            return await Commands(self._api, asked, self._window).run(run)
        if run.scenario == SOAP:
            return await Stations(self._soap, self._window).run(run)
        self._begin(run)
        clock = asyncio.create_task(self._call_by_the_clock(run.rate)) if run.rate else None
        await asyncio.sleep(run.warm_up)
        del self._latencies[:]
        opened, cpu = perf_counter(), own_cpu()
        self._measuring = True
        self._window(True)
        await asyncio.sleep(run.window)
        self._measuring = False
        seconds, cpu = perf_counter() - opened, own_cpu() - cpu
        self._window(False)
        if clock is not None:
            clock.cancel()
        await self._settle(run.active)
        return Outcome(len(self._latencies), seconds, summarise(self._latencies), dict(self._errors), cpu)

    async def _connect_one(self, identity: str) -> Station:
        address, reply_type = Address(f"{self._host}:{self._port}", self._path), CALL if self._echo else CALL_RESULT
        _, station = await asyncio.get_running_loop().create_connection(
            lambda: Station(identity, address, self._errors, reply_type), self._host, self._port
        )
        await station.open
        booted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        station.answered = lambda station, now, text: booted.set_result(text)
        station.call(BOOT, perf_counter())
        if b"Accepted" not in (answer := await booted) and not self._echo:
            raise ConnectionError(f"{identity} was not accepted: {answer.decode(errors='replace')}")
        station.answered = _unmeasured
        return station

    def _begin(self, run: Run) -> None:
        self._errors.clear()
        self._due.clear()
        self._running = True
        stations = self._stations[: run.active]
        for station in stations:
            station.plays = station.plays or {}
            if run.scenario not in station.plays:
                station.plays[run.scenario] = Play(SCENARIOS[run.scenario](station.identity))
            station.play = station.plays[run.scenario]
            station.answered = self._answered_open if run.rate else self._answered_closed
        if run.rate:
            self._idle = deque(stations)
            return
        now = perf_counter()
        for station in stations:
            station.call(station.play.upcoming, now)

    async def _settle(self, active: int) -> None:
        self._running = False
        self._due.clear()
        stations = self._stations[:active]
        until = perf_counter() + GRACE
        while any(station.waiting for station in stations) and perf_counter() < until:  # noqa: ASYNC110 - not worth an event
            await asyncio.sleep(0.02)
        if unanswered := sum(station.waiting for station in stations):
            self._errors["unanswered"] += unanswered

    # --- closed loop ------------------------------------------------------------------------------------------------

    def _answered_closed(self, station: Station, now: float, text: bytes) -> None:
        if self._measuring:
            self._latencies.append(now - station.sent_at)
        play = station.play
        play.advance(text)
        if self._running:
            station.call(play.upcoming, now)

    # --- open loop --------------------------------------------------------------------------------------------------

    def _answered_open(self, station: Station, now: float, text: bytes) -> None:
        if self._measuring:
            self._latencies.append(now - station.sent_at)
        station.play.advance(text)
        if self._due:
            station.call(station.play.upcoming, self._due.popleft())
        else:
            self._idle.append(station)

    async def _call_by_the_clock(self, rate: float) -> None:
        """Latency counts from when a CALL was meant to leave: a stall cannot hide in a slower load."""
        began, issued = perf_counter(), 0
        while True:
            elapsed = perf_counter() - began
            while issued < elapsed * rate:
                meant = began + issued / rate
                issued += 1
                if self._idle:
                    station = self._idle.popleft()
                    station.call(station.play.upcoming, meant)
                else:
                    self._due.append(meant)
            await asyncio.sleep(TICK)


def _unmeasured(station: Station, now: float, text: bytes) -> None:
    """Where answers go between two runs."""

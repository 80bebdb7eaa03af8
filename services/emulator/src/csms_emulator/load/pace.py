"""When stations call: again as soon as they are answered (closed loop), or by the clock (open loop).

In the open loop a latency counts from when the CALL was meant to leave, so that a stall of the central system cannot
hide in a slower load. What is behind is two numbers, however far it is behind.
"""

from collections import deque

from csms_emulator.load.station import Station

SLACK = 0.005  # seconds between two looks at the clock, at most, while this process is not overloaded


class ClosedLoop:
    """Every station has a CALL under way from `begin` on."""

    def __init__(self) -> None:
        self._began = False
        self._free: set[Station] = set()

    def begin(self, now: float) -> None:
        """The stations are there: let them call."""
        self._began = True
        while self._free:
            self.free(self._free.pop(), now)

    def free(self, station: Station, now: float) -> None:
        """The station is connected and waits for nothing."""
        if self._began:
            station.call(station.play.upcoming, now)
        else:
            self._free.add(station)

    def gone(self, station: Station) -> None:
        """The station lost its connection."""
        self._free.discard(station)

    def tick(self, now: float) -> None:
        """Time has passed."""


class OpenLoop:
    """`rate` CALLs a second from `begin` on, by whichever station has been free longest."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._began: float | None = None
        self._issued = 0
        self._free: deque[Station] = deque()
        self._away: set[Station] = set()  # in `_free`, but not connected

    def begin(self, now: float) -> None:
        self._began = now

    def free(self, station: Station, now: float) -> None:
        if station in self._away:
            self._away.discard(station)  # it kept its place
        else:
            self._free.append(station)
        if len(self._free) == 1:
            self._issue(now, 0.0)  # what is due has waited for a station

    def gone(self, station: Station) -> None:
        if not station.waiting:
            self._away.add(station)

    def tick(self, now: float) -> None:
        self._issue(now, SLACK)

    def _issue(self, now: float, slack: float) -> None:
        """Send what is due. Up to `slack` seconds of delay are our own, and no latency of the central system."""
        if self._began is None:
            return
        due = (now - self._began) * self._rate
        while self._issued < due and self._free:
            station = self._free.popleft()
            if station in self._away:
                self._away.discard(station)  # it comes back by `free`
                continue
            meant = self._began + self._issued / self._rate
            self._issued += 1
            station.call(station.play.upcoming, now if now - meant <= slack else meant)


class Silence:
    """Nobody calls."""

    def begin(self, now: float) -> None: ...

    def free(self, station: Station, now: float) -> None: ...

    def gone(self, station: Station) -> None: ...

    def tick(self, now: float) -> None: ...


Pace = ClosedLoop | OpenLoop | Silence

"""What one process, or all of them together, saw in one stretch of time."""

import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path

from csms_emulator.load.errors import Errors
from csms_emulator.load.histogram import Histogram


@dataclass(slots=True)
class Sample:
    """Counts are of `seconds` that ended `at` seconds after the start, but for what is so at that moment.

    At that moment: `dialled` stations of which `connected` have booted, and `rss` bytes in memory, of which `base` were
    there before the stations. `failed` CALLs got no CALLRESULT; `unanswered` of them got nothing at all. `reconnected`
    connections took more than a first attempt. `cpu` is in seconds.
    """

    at: float = 0.0
    seconds: float = 0.0
    dialled: int = 0
    connected: int = 0
    latencies: Histogram = field(default_factory=Histogram)
    failed: int = 0
    unanswered: int = 0
    errors: Errors = field(default_factory=Errors)
    lost: int = 0
    reconnected: int = 0
    cpu: float = 0.0
    rss: int = 0
    base: int = 0

    @property
    def answered(self) -> int:
        return self.latencies.count

    def beside(self, other: "Sample") -> None:
        """Add what another process saw in the same time."""
        self.dialled += other.dialled
        self.connected += other.connected
        self.rss += other.rss
        self.base += other.base
        self._add(other)
        self.at, self.seconds = max(self.at, other.at), max(self.seconds, other.seconds)

    def then(self, later: "Sample") -> None:
        """Add what was seen right after."""
        self.dialled, self.connected = later.dialled, later.connected
        self.rss, self.base = later.rss, later.base
        self._add(later)
        self.at, self.seconds = later.at, self.seconds + later.seconds

    def _add(self, other: "Sample") -> None:
        self.latencies.merge(other.latencies)
        for kind, count in other.errors.items():
            self.errors.add(kind, count)
        self.failed += other.failed
        self.unanswered += other.unanswered
        self.lost += other.lost
        self.reconnected += other.reconnected
        self.cpu += other.cpu


MOST_ROWS = 600
LEAST = 0.5  # seconds of a row: the last answers of a run, come at once, are no throughput


class Timeline:
    """Samples in order, in bounded memory: when there are too many, each two neighbours become one. `total` is all."""

    def __init__(self) -> None:
        self.rows: list[Sample] = []
        self.total = Sample()
        self._each = 1  # samples in a row
        self._in_last = 0

    def add(self, sample: Sample) -> None:
        self.total.then(sample)
        if self.rows and (self._in_last < self._each or sample.seconds < LEAST):
            self.rows[-1].then(sample)
            self._in_last += 1
            return
        self.rows.append(Sample())  # never the sample itself: rows grow, and it is the caller's
        self.rows[-1].then(sample)
        self._in_last = 1
        if len(self.rows) > MOST_ROWS:
            self._thin()

    def _thin(self) -> None:
        for first, second in zip(self.rows[::2], self.rows[1::2], strict=False):
            first.then(second)
        odd = len(self.rows) % 2
        self.rows = self.rows[::2]
        self._in_last = self._in_last if odd else self._each + self._in_last
        self._each *= 2


def own_cpu() -> float:
    """CPU seconds of this process, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def own_rss() -> int:
    """Resident bytes of this process; where the system does not tell, the most that they ever were."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024

"""Latencies in buckets of 1 % width: as much memory for a billion of them as for none.

Bucket n holds what is at least LEAST × 1.01ⁿ seconds and less than the next; the first and the last also hold what lies
beyond. A quantile is the middle of its bucket, so it is off by half a per cent at most.
"""

import math
from array import array

WIDTH = 1.01
LEAST = 1e-6  # seconds
MOST = 1000.0  # seconds

_SCALE = 1 / math.log(WIDTH)
_SHIFT = -math.log(LEAST) * _SCALE
BUCKETS = int(math.log(MOST) * _SCALE + _SHIFT) + 1
_LAST = BUCKETS - 1

_log = math.log


class Histogram:
    """How many latencies were how long. Seconds in, seconds out. Can be sent to another process."""

    __slots__ = ("_counts", "count", "worst")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * BUCKETS))
        self.count = 0
        self.worst = 0.0

    def add(self, seconds: float) -> None:
        bucket = int(_log(seconds) * _SCALE + _SHIFT) if seconds > LEAST else 0
        self._counts[bucket if bucket < _LAST else _LAST] += 1  # noqa: FURB136 - min() would be a call
        self.count += 1
        if seconds > self.worst:
            self.worst = seconds

    def merge(self, other: "Histogram") -> None:
        """Add all that `other` holds."""
        if other.count:
            self._counts = array("Q", map(int.__add__, self._counts, other._counts))
            self.count += other.count
            self.worst = max(self.worst, other.worst)

    def quantile(self, share: float) -> float | None:
        """The nearest-rank quantile in seconds; None when there are no latencies."""
        if not self.count:
            return None
        rank, seen = max(1, math.ceil(share * self.count)), 0
        for bucket, held in enumerate(self._counts):
            seen += held
            if seen >= rank:
                return min(LEAST * float(WIDTH ** (bucket + 0.5)), self.worst)
        raise AssertionError("the buckets hold fewer than were counted")

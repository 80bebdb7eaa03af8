"""Token buckets by name: how often each client may ask. Pure; `now` is passed in, in seconds."""

from collections import OrderedDict


class Buckets:
    """A bucket of `burst` tokens for every key, filled with `rate` tokens a second; `rate` 0 grants everything.

    At most `most` keys are remembered, those that asked last: a forgotten one begins with a full bucket.
    """

    def __init__(self, rate: float, burst: int, most: int = 10_000) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until `take` grants a token, 0.0: at once. Takes none."""
        missing = 1.0 - self._level(key, now)
        return missing / self._rate if self._rate and missing > 0 else 0.0

    def take(self, key: str, now: float) -> float:
        """Take a token; answers 0.0, or without taking one how many seconds are left until there is one."""
        if not self._rate:
            return 0.0
        level = self._level(key, now)
        granted = level >= 1.0
        self._buckets[key] = (level - 1.0 if granted else level, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1.0 - level) / self._rate

    def _level(self, key: str, now: float) -> float:
        known = self._buckets.get(key)
        if known is None:
            return self._burst
        level, at = known
        return min(self._burst, level + max(0.0, now - at) * self._rate)

"""Limits on what one peer may do: messages a second, failed handshakes a minute. Pure; `now` is passed in."""

from collections import OrderedDict


class TokenBucket:
    """`rate` tokens a second, at most `burst` of them. `take` answers how long to wait: 0.0 when there was a token."""

    __slots__ = ("_burst", "_rate", "_since", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._since = now

    def take(self, now: float) -> float:
        """Take a token, on credit when there is none, and answer the seconds until the debt is paid."""
        tokens = min(self._burst, self._tokens + (now - self._since) * self._rate) - 1.0
        self._tokens = tokens
        self._since = now
        return 0.0 if tokens >= 0 else -tokens / self._rate

    def debt(self, now: float) -> float:
        """The seconds until the debt is paid; takes nothing."""
        tokens = self._tokens + (now - self._since) * self._rate
        return 0.0 if tokens >= 0 else -tokens / self._rate


class FailureLimit:
    """How often each of `who` may fail within a minute. Remembers at most `most` of them, the latest."""

    def __init__(self, per_minute: int, most: int = 10_000) -> None:
        self._per_minute = per_minute
        self._most = most
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def failed(self, who: str, now: float) -> None:
        """Count a failure."""
        since, count = self._failures.pop(who, (now, 0))
        self._failures[who] = (since, count + 1) if now - since < 60 else (now, 1)
        if len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def wait(self, who: str, now: float) -> int:
        """Seconds that `who` has to stay away; 0: it may try."""
        since, count = self._failures.get(who, (now, 0))
        if not self._per_minute or count < self._per_minute or now - since >= 60:
            return 0
        return int(60 - (now - since)) + 1

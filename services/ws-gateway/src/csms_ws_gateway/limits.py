"""Limits on what one station may do: messages a second. Pure; `now` is passed in."""


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

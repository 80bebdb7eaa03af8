"""Limits on how often a peer may fail before nobody looks at what it brings. Pure; `now` is passed in."""

from collections import OrderedDict


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

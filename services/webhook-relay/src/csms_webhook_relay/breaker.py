"""Leaves an endpoint alone that fails, and finds out when it is back.

    CLOSED      everything passes; `failures` in a row open it
    OPEN        nothing passes until its time is over
    HALF_OPEN   one request passes: it closes the breaker, or opens it again

Pure: `now` is passed in, in seconds, and jitter too.
"""

from enum import IntEnum


class State(IntEnum):
    """The number is what the metric shows."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class Breaker:
    """Ask `wait` before every request; if it answers 0 make it, and tell `succeeded`, `failed` or `abandoned`."""

    __slots__ = ("_failures", "_most", "_seconds", "_until", "state")

    def __init__(self, failures: int, seconds: float) -> None:
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._until = 0.0
        self.state = State.CLOSED

    def wait(self, now: float) -> float:
        """0: go ahead (after `OPEN` it is you who tries). Otherwise how many seconds nobody should."""
        if self.state is State.CLOSED:
            return 0.0
        if now < self._until:
            return self._until - now
        # A probe that is never told about must not keep the breaker shut for ever: then another one may try.
        self.state = State.HALF_OPEN
        self._until = now + self._seconds
        return 0.0

    def succeeded(self) -> None:
        """The endpoint answered. While it is to be left alone only the word of an earlier request comes, and waits."""
        self._failures = 0
        if self.state is State.HALF_OPEN:
            self.state = State.CLOSED

    def failed(self, now: float, jitter: float, pause: float = 0.0) -> None:
        """It did not. `jitter` in [0, 1) spreads the probes of many relays over another half of the time.

        `pause`: the endpoint asked to be left alone for so long, and no longer; that opens the breaker at once.
        """
        self._failures += 1
        if pause or self.state is not State.CLOSED or self._failures >= self._most:
            # A request from before it opened may end now; it neither ends nor shortens the time.
            until = now + (pause or self._seconds * (1 + jitter / 2))
            self._until = max(self._until, until) if self.state is State.OPEN else until
            self.state = State.OPEN

    def abandoned(self, now: float) -> None:
        """The request was given up before anything was learned: if it was the probe, the next one may try."""
        if self.state is State.HALF_OPEN:
            self.state, self._until = State.OPEN, now

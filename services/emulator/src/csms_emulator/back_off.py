"""How long a station waits before it connects again."""

from random import Random

LEAST, MOST = 1.0, 60.0  # seconds


class BackOff:
    """Twice as long each time, up to a limit, and never in step with other stations (OCPP-J §5.3)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def next(self) -> float:
        """The seconds until the next attempt."""
        longest = min(MOST, LEAST * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return longest * self._random.uniform(0.5, 1.0)

    def over(self) -> None:
        """The central system has answered."""
        self._failures = 0

"""How long a station waits before it connects again."""

from random import Random

from csms_emulator.station import BACK_OFF, MOST_BACK_OFF


class BackOff:
    """Twice as long each time, up to a limit, and never in step with other stations: OCPP-J 2.0.1 §5.3."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def next(self) -> float:
        """The seconds until the next attempt."""
        longest = min(MOST_BACK_OFF, BACK_OFF * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return longest * self._random.uniform(0.5, 1.0)

    def over(self) -> None:
        """The central system has answered."""
        self._failures = 0

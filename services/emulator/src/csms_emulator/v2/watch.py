"""What a monitor has seen so far."""

import math

import msgspec

from csms_emulator.actions import Payload

THRESHOLDS = ("UpperThreshold", "LowerThreshold")
PERIODIC = ("Periodic", "PeriodicClockAligned")
DELTAS = ("Delta", "TargetDelta", "TargetDeltaRelative")
SHORTEST, LONGEST = 1, 366 * 86400  # seconds between two events of a periodic monitor


class Watch(msgspec.Struct):
    """`value` was told last, or there when the monitor was set; `due` is the next instant of a periodic one.

    Until `rest` a number's change is not told again; one that waits for that is `late`.
    """

    value: str
    exceeded: bool = False
    due: float | None = None
    rest: float = -math.inf
    late: bool = False

    @property
    def next(self) -> float | None:
        """When it has to look again, whatever happens."""
        return self.rest if self.late else self.due


def watch(monitor: Payload, value: str, now: float, since_1970: float) -> Watch:
    """A new monitor's; both times are now, on the station's clock and on everybody's."""
    period = monitor["value"]
    match monitor["type"]:
        case "Periodic":
            return Watch(value, due=now + period)
        case "PeriodicClockAligned":
            # OCPP 2.0.1 MonitorEnumType: the intervals are counted from midnight, as those since 1970 are.
            return Watch(value, due=now + (math.floor(since_1970 / period) + 1) * period - since_1970)
    return Watch(value)

"""Charging profiles (OCPP 1.6 §3.13): what one says, and which are installed. Pure; `schedule` says what follows.

All times are on the caller's clock, and real seconds: a schedule is made for the grid, not for the drivers' pace.
"""

from collections.abc import Callable, Iterator
from math import inf

import msgspec

from csms_emulator.actions import Payload

STATION_MAX, DEFAULT, TRANSACTION = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"
RECURS = {"Daily": 86_400.0, "Weekly": 604_800.0}
PHASES = 3  # OCPP 1.6 §7.14: "numberPhases=3 will be assumed unless another number is given"

LARGEST = 2**53

MOST_STACK_LEVEL = 9
MOST_PERIODS = 48
MOST_PROFILES = 20


class Period(msgspec.Struct, frozen=True):
    """From `start` seconds after its schedule's own start no more than `limit`, in its profile's unit."""

    start: float
    limit: float
    phases: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """`start` is None where the schedule counts from the transaction's start; `recurs` is in seconds."""

    id: int
    stack_level: int
    purpose: str
    unit: str
    periods: tuple[Period, ...]
    transaction: int | str | None = None
    start: float | None = None
    duration: float = inf
    recurs: float | None = None
    valid_from: float = -inf
    valid_to: float = inf


class Profiles:
    """Those of one station, by the connector they are for; 0 is the station. They survive restarts."""

    def __init__(self) -> None:
        self._installed: list[tuple[int, Profile]] = []

    def __len__(self) -> int:
        """How many are installed."""
        return len(self._installed)

    def __iter__(self) -> Iterator[tuple[int, Profile]]:
        """The connectors and their profiles."""
        return iter(self._installed)

    def install(self, connector: int, profile: Profile) -> bool:
        """Install it in the place of those that it replaces; False when there is no room."""
        left = [one for one in self._installed if not _replaces(connector, profile, *one)]
        if len(left) >= MOST_PROFILES:
            return False
        self._installed = [*left, (connector, profile)]
        return True

    def clear(self, matches: Callable[[int, Profile], bool]) -> bool:
        """Remove those that match; answers whether there were any."""
        left = [one for one in self._installed if not matches(*one)]
        cleared = len(left) < len(self._installed)
        self._installed = left
        return cleared

    def transaction_ended(self, connector: int) -> None:
        """OCPP 1.6 §3.13.1: a TxProfile does not outlive its transaction."""
        self.clear(lambda at, profile: at == connector and profile.purpose == TRANSACTION)

    def ranked(self, connector: int, purpose: str) -> list[Profile]:
        """Those for exactly this connector, the highest stackLevel first: it prevails while it is valid."""
        found = [profile for at, profile in self._installed if at == connector and profile.purpose == purpose]
        return sorted(found, key=lambda profile: -profile.stack_level)


def _replaces(connector: int, new: Profile, at: int, old: Profile) -> bool:
    # OCPP 1.6 §5.16.4: the same chargingProfileId, or the same stackLevel and purpose, replaces the one before.
    like = (at, old.stack_level, old.purpose) == (connector, new.stack_level, new.purpose)
    return like or old.id == new.id


def read(payload: Payload, instant: Callable[[str], float]) -> Profile | None:
    """The profile of a valid `csChargingProfiles` payload; None for one that makes no sense, or is too much."""
    schedule = payload["chargingSchedule"]
    relative = payload["chargingProfileKind"] == "Relative"
    starts = None if relative or "startSchedule" not in schedule else instant(schedule["startSchedule"])
    recurs = RECURS.get(payload.get("recurrencyKind", "")) if payload["chargingProfileKind"] == "Recurring" else None
    profile = Profile(
        id=payload["chargingProfileId"],
        stack_level=payload["stackLevel"],
        purpose=payload["chargingProfilePurpose"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(_period(period) for period in schedule["chargingSchedulePeriod"]),
        transaction=payload.get("transactionId"),
        start=starts,
        duration=finite(schedule["duration"]) if "duration" in schedule else inf,
        recurs=recurs,
        valid_from=instant(payload["validFrom"]) if "validFrom" in payload else -inf,
        valid_to=instant(payload["validTo"]) if "validTo" in payload else inf,
    )
    return profile if _makes_sense(profile, payload["chargingProfileKind"]) else None


def _period(payload: Payload) -> Period:
    start, limit = finite(payload["startPeriod"]), finite(payload["limit"])
    return Period(start, limit, payload.get("numberPhases", PHASES))


def finite(number: float) -> float:
    """`number` as a float."""
    # JSON knows integers that are too large for any float.
    return float(min(max(number, -LARGEST), LARGEST))


def _makes_sense(profile: Profile, kind: str) -> bool:
    starts = [period.start for period in profile.periods]
    # OCPP 1.6 §7.14: "The value of StartPeriod of the first period SHALL be 0" (errata), and each follows the other.
    ordered = starts[:1] == [0.0] and starts == sorted(set(starts))
    numbers = all(period.limit >= 0 and 1 <= period.phases <= 3 for period in profile.periods)
    anchored = kind != "Recurring" or (profile.recurs is not None and profile.start is not None)
    # OCPP 1.6 §3.13.1: there is no transaction for which a ChargePointMaxProfile could be relative.
    fits = profile.purpose != STATION_MAX or profile.start is not None or kind == "Absolute"
    owned = profile.transaction is None or profile.purpose == TRANSACTION
    small = 0 <= profile.stack_level <= MOST_STACK_LEVEL and len(profile.periods) <= MOST_PERIODS
    lasts = profile.valid_from < profile.valid_to and profile.duration > 0
    return ordered and numbers and anchored and fits and owned and small and lasts

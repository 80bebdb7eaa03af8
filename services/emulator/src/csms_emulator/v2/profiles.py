"""Charging profiles of 2.x (functional block K): what one says, whether it makes sense, and which are installed.

Pure; `limits` says what follows. All times are on the caller's clock, as in `csms_emulator.profiles`.
"""

from collections.abc import Callable, Iterator
from math import inf

import msgspec

from csms_emulator import profiles
from csms_emulator.actions import Payload
from csms_emulator.profiles import DEFAULT, PHASES, RECURS, TRANSACTION, Period, Profile, finite

STATION_MAX, EXTERNAL = "ChargingStationMaxProfile", "ChargingStationExternalConstraints"
PRIORITY, GENERATION = "PriorityCharging", "LocalGeneration"
DYNAMIC = "Dynamic"
WHOLE = (STATION_MAX, GENERATION)  # purposes that concern the station, not its EVSEs

MOST_STACK_LEVEL = 10
MOST_PERIODS = 24
MOST_PROFILES = 100

# What a period of 2.1 may say besides: this station neither feeds back, nor sees the phases apart.
BEYOND = (
    *("limit_L2", "limit_L3", "dischargeLimit", "dischargeLimit_L2", "dischargeLimit_L3"),
    *("setpoint", "setpoint_L2", "setpoint_L3", "setpointReactive", "setpointReactive_L2", "setpointReactive_L3"),
)


class UnfitError(Exception):
    """The profile is refused; `str` of it is the reasonCode."""


class Entry(msgspec.Struct, frozen=True):
    """A profile at its EVSE (0: the station), and the wire's form of it."""

    evse: int
    profile: Profile
    payload: Payload


class Profiles(profiles.Profiles):
    """Those of one station. Unlike in 1.6, only the same id replaces.

    `prior` are transactions with priority; `asked` when the dynamic profiles were updated, or an update asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._payloads: dict[int, Payload] = {}
        self.prior: set[str] = set()
        self.asked: dict[int, float] = {}

    def entries(self) -> Iterator[Entry]:
        """All of them, in the order in which they came."""
        return (Entry(evse, profile, self._payloads[profile.id]) for evse, profile in self._installed)

    def keep(self, evse: int, profile: Profile, payload: Payload) -> None:
        """Install it, in the place of the one with its id. Raises `UnfitError` when there is no room for it."""
        # OCPP 2.0.1 K01.FR.05: the same id replaces.
        left = [one for one in self._installed if one[1].id != profile.id]
        if len(left) >= MOST_PROFILES:
            raise UnfitError("TooManyElements")
        self._installed = [*left, (evse, profile)]
        self._payloads[profile.id] = payload
        self.asked.pop(profile.id, None)

    def doubles(self, evse: int, profile: Profile) -> bool:
        """Whether another one, of the same purpose and stack level, is valid at the same time at the same place."""
        # OCPP 2.0.1 K01.FR.39. A TxDefaultProfile for the station is one for each of its EVSEs.
        return any(
            at == evse or (profile.purpose == DEFAULT and 0 in (at, evse))
            for at, one in self._installed
            if one.id != profile.id
            and (one.purpose, one.stack_level) == (profile.purpose, profile.stack_level)
            and one.valid_from < profile.valid_to
            and profile.valid_from < one.valid_to
        )

    def remain(self, running: set[str]) -> None:
        """Those of transactions that no longer run are over, and so is their priority."""
        self.prior &= running
        self.clear(lambda _, profile: profile.purpose == TRANSACTION and profile.transaction not in running)


def read(payload: Payload, now: float, instant: Callable[[str], float], units: list[str]) -> Profile:
    """The profile of a valid ChargingProfileType. Raises `UnfitError` for one that makes no sense, or is too much.

    A TxProfile may have several schedules, for a car that chooses by ISO 15118; those here take the first.
    """
    schedule, kind = payload["chargingSchedule"][0], payload["chargingProfileKind"]
    _check_extent(payload, schedule, units)
    _check_start(payload, schedule)
    profile = Profile(
        id=payload["id"],
        stack_level=payload["stackLevel"],
        purpose=payload["chargingProfilePurpose"],
        unit=schedule["chargingRateUnit"],
        periods=tuple(_period(period, dynamic=kind == DYNAMIC) for period in schedule["chargingSchedulePeriod"]),
        transaction=payload.get("transactionId"),
        start=_start(schedule, kind, now, instant),
        duration=finite(schedule["duration"]) if "duration" in schedule else inf,
        recurs=RECURS[payload["recurrencyKind"]] if kind == "Recurring" else None,
        valid_from=instant(payload["validFrom"]) if "validFrom" in payload else -inf,
        valid_to=instant(payload["validTo"]) if "validTo" in payload else inf,
    )
    _check_sense(profile, kind)
    return profile


def _start(schedule: Payload, kind: str, now: float, instant: Callable[[str], float]) -> float | None:
    if "startSchedule" in schedule:
        return instant(schedule["startSchedule"])
    return now if kind == DYNAMIC else None


def _check_extent(payload: Payload, schedule: Payload, units: list[str]) -> None:
    if not 0 <= payload["stackLevel"] <= MOST_STACK_LEVEL:
        raise UnfitError("InvalidStackLevel")
    if len(payload["chargingSchedule"]) > 1 and payload["chargingProfilePurpose"] != TRANSACTION:
        raise UnfitError("InvalidSchedule")
    if len(schedule["chargingSchedulePeriod"]) > MOST_PERIODS:
        raise UnfitError("TooManyElements")
    # OCPP 2.0.1 K01.FR.26
    if schedule["chargingRateUnit"] not in units:
        raise UnfitError("UnsupportedRateUnit")
    if "maxOfflineDuration" in payload or "limitAtSoC" in schedule:
        raise UnfitError("UnsupportedParam")


def _check_start(payload: Payload, schedule: Payload) -> None:
    kind = payload["chargingProfileKind"]
    # OCPP 2.0.1 K01.FR.40, K01.FR.41: Absolute and Recurring have a startSchedule, Relative has none.
    needed = {"Absolute": True, "Recurring": True, "Relative": False}.get(kind)
    if needed is not None and needed != ("startSchedule" in schedule):
        raise UnfitError("InvalidSchedule")
    if kind == "Recurring" and "recurrencyKind" not in payload:
        raise UnfitError("InvalidProfile")


def _period(payload: Payload, *, dynamic: bool) -> Period:
    if any(name in payload for name in BEYOND) or payload.get("operationMode", "ChargingOnly") != "ChargingOnly":
        raise UnfitError("UnsupportedParam")
    # OCPP 2.0.1 K01.FR.19, K01.FR.20: phaseToUse is for stations that can switch phases.
    if "phaseToUse" in payload:
        raise UnfitError("PhaseConflict")
    if "limit" not in payload and not dynamic:
        raise UnfitError("InvalidSchedule")
    # Before its first update a dynamic schedule limits nothing.
    limit = finite(payload["limit"]) if "limit" in payload else inf
    return Period(finite(payload["startPeriod"]), limit, payload.get("numberPhases", PHASES))


def _check_sense(profile: Profile, kind: str) -> None:
    starts = [period.start for period in profile.periods]
    # OCPP 2.0.1 K01.FR.31, K01.FR.35: the first period begins at 0, and each follows the other.
    ordered = starts[0] == 0.0 and starts == sorted(set(starts))
    numbers = all(period.limit >= 0 and 1 <= period.phases <= 3 for period in profile.periods)
    if not (ordered and numbers and profile.duration > 0) or (kind == DYNAMIC and len(starts) > 1):
        raise UnfitError("InvalidSchedule")
    # OCPP 2.0.1 K01.FR.38: there is no transaction for which a ChargingStationMaxProfile could be relative.
    whole = profile.purpose in WHOLE and kind == "Relative"
    owned = profile.transaction is None or profile.purpose == TRANSACTION
    if whole or not owned or profile.valid_from >= profile.valid_to:
        raise UnfitError("InvalidProfile")

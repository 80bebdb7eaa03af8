"""What the installed charging profiles allow at an instant, and when that changes: pure functions of time.

`began` is when the transaction began, for schedules that count from there; the caller's clock throughout.
"""

from collections.abc import Callable, Iterator
from math import floor, inf

import msgspec

from csms_emulator.charging import NOMINAL_VOLTAGE
from csms_emulator.profiles import DEFAULT, STATION_MAX, TRANSACTION, Period, Profile, Profiles

MOST_LOOKS = 2000  # at limits that may have changed

Step = tuple[float, "Limit"]


class Limit(msgspec.Struct, frozen=True):
    """No more than `watts`, over this many phases."""

    watts: float
    phases: int

    def rate(self, unit: str) -> float:
        """In A per phase, or in W; with the one decimal that the wire has."""
        amperes = self.watts / NOMINAL_VOLTAGE / self.phases
        return round(amperes if unit == "A" else self.watts, 1)


def transaction_limit(profiles: Profiles, connector: int, at: float, began: float, phases: int) -> Limit | None:
    """What a transaction on the connector may take; None: as much as it likes.

    OCPP 1.6 §3.13.1: a TxProfile overrules the TxDefaultProfiles, and of these one for the connector those for all.
    """
    ranked = [*profiles.ranked(connector, TRANSACTION), *profiles.ranked(connector, DEFAULT)]
    return prevailing([*ranked, *profiles.ranked(0, DEFAULT)], at, began, phases)


def station_limit(profiles: Profiles, at: float, began: float, phases: int) -> Limit | None:
    """What all connectors may take together."""
    return prevailing(profiles.ranked(0, STATION_MAX), at, began, phases)


def next_change(profiles: Profiles, at: float, began: float) -> float:
    """The first instant after `at` when a limit may be another one; infinite when there is none."""
    instants = (instant for _, profile in profiles for instant in _instants(profile, at, began))
    return min((instant for instant in instants if instant > at), default=inf)


def compose(
    limit: Callable[[float], Limit], following: Callable[[float], float], start: float, duration: float, most: int
) -> tuple[list[Step], float]:
    """The limits from `start` on: (seconds from there, limit), equal ones merged; and how many seconds they cover.

    That is `duration`, unless there are more than `most` of them, or very many that are equal.
    """
    steps: list[Step] = []
    at = start
    for _ in range(MOST_LOOKS):
        if at >= start + duration:
            return steps, duration
        now = limit(at)
        if not steps or steps[-1][1] != now:
            if len(steps) == most:
                return steps, at - start
            steps.append((at - start, now))
        at = following(at)
    return steps, at - start


def period_at(profile: Profile, at: float, began: float) -> Period | None:
    """The period of the profile that holds now; None while it says nothing."""
    start = _start(profile, at, began)
    if not profile.valid_from <= at < profile.valid_to or not start <= at < start + profile.duration:
        return None
    # Compared as sums, as `_instants` makes them: a difference might miss the very instant by a rounding.
    return [period for period in profile.periods if start + period.start <= at][-1]


def prevailing(ranked: list[Profile], at: float, began: float, phases: int) -> Limit | None:
    """The limit of the first of these profiles that says something now; None when none does."""
    for profile in ranked:
        if period := period_at(profile, at, began):
            used = min(period.phases, phases)
            watts = period.limit if profile.unit == "W" else period.limit * NOMINAL_VOLTAGE * used
            return Limit(watts, used)
    return None


def _start(profile: Profile, at: float, began: float) -> float:
    """When the schedule began; of one that recurs, the last time."""
    if profile.start is None:
        return began
    if profile.recurs is None or at < profile.start:
        return profile.start
    times = floor((at - profile.start) / profile.recurs)
    following = profile.start + (times + 1) * profile.recurs
    return following if following <= at else profile.start + times * profile.recurs


def _instants(profile: Profile, at: float, began: float) -> Iterator[float]:
    start = _start(profile, at, began)
    yield from (profile.valid_from, profile.valid_to, start + profile.duration)
    yield from (start + period.start for period in profile.periods)
    if profile.recurs:
        yield start + profile.recurs

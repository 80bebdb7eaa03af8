"""Schedules as functions of time: what is planned is what holds, second by second."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from csms_emulator import schedule
from csms_emulator.profiles import DEFAULT, STATION_MAX, TRANSACTION, Profiles, read
from csms_emulator.schedule import Limit

MADE = Limit(22_080.0, 3)

periods = st.lists(st.integers(1, 90), max_size=5, unique=True).flatmap(
    lambda starts: st.tuples(
        *(
            st.builds(
                lambda limit, phases, at=start: {"startPeriod": at, "limit": limit, "numberPhases": phases},
                st.sampled_from([0, 6, 10.5, 16, 32]),
                st.sampled_from([1, 3]),
            )
            for start in (0, *sorted(starts))
        )
    )
)


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Absolute", "Relative"]))
    plan: dict[str, Any] = {"chargingRateUnit": draw(st.sampled_from("AW")), "chargingSchedulePeriod": draw(periods)}
    if duration := draw(st.none() | st.integers(1, 200)):
        plan["duration"] = duration
    if kind == "Absolute" and draw(st.booleans()):
        plan["startSchedule"] = str(draw(st.integers(-100, 300)))
    payload = {
        "chargingProfileId": draw(st.integers(0, 9)),
        "stackLevel": draw(st.integers(0, 3)),
        "chargingProfilePurpose": draw(st.sampled_from([DEFAULT, TRANSACTION])),
        "chargingProfileKind": kind,
        "chargingSchedule": plan,
    }
    if draw(st.booleans()):
        payload |= {"validFrom": str(draw(st.integers(-50, 100))), "validTo": str(draw(st.integers(101, 300)))}
    return payload


@given(st.lists(st.tuples(st.integers(0, 1), payloads()), max_size=6), st.integers(-60, 0))
@settings(deadline=None)
def test_a_composition_says_what_holds_at_every_second(given_: list[tuple[int, dict[str, Any]]], began: int) -> None:
    profiles = Profiles()
    for connector, payload in given_:
        profile = read(payload, float)
        assert profile
        profiles.install(connector, profile)

    def limit(at: float) -> Limit:
        found = schedule.transaction_limit(profiles, 1, at, began, 3)
        return min(found, MADE, key=lambda one: one.watts) if found else MADE

    steps, covered = schedule.compose(limit, lambda at: schedule.next_change(profiles, at, began), 0.0, 250, 1000)

    planned = [[one for start, one in steps if start <= second][-1] for second in range(250)]
    assert covered == 250
    assert planned == [limit(float(second)) for second in range(250)]
    assert all(one != other for (_, one), (_, other) in pairwise(steps))


def test_a_recurring_schedule_misses_none_of_its_beginnings() -> None:
    profiles = Profiles()
    plan = {"chargingRateUnit": "W", "startSchedule": "0.1", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}
    profile = read(
        {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": STATION_MAX,
            "chargingProfileKind": "Recurring",
            "recurrencyKind": "Daily",
            "chargingSchedule": {**plan, "duration": 3600},
        },
        float,
    )
    assert profile
    profiles.install(0, profile)
    at, held = 0.0, []

    for _ in range(2000):
        at = schedule.next_change(profiles, at, 0.0)
        held.append(schedule.station_limit(profiles, at, 0.0, 3) is not None)

    assert held == [True, False] * 1000

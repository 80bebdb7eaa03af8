"""Smart charging: profiles are installed, told and obeyed."""

from typing import Any

import pytest

from csms_emulator.charging import Outlet
from csms_emulator.profiles import MOST_PERIODS, MOST_PROFILES
from tests.unit.emulator.driving import Central, Payload, booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
UNKNOWN = {"status": "Unknown"}
AT = "2023-11-14T22:15:00Z"  # when a central system of `booted` begins to count

MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"


def schedule(*periods: tuple[float, ...], unit: str = "A", **more: Any) -> Payload:
    names = ("startPeriod", "limit", "numberPhases")
    listed = [dict(zip(names, period, strict=False)) for period in periods]
    return {"chargingRateUnit": unit, "chargingSchedulePeriod": listed, **more}


def profile(purpose: str, plan: Payload, number: int = 1, level: int = 0, **more: Any) -> Payload:
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": plan,
        **more,
    }


def install(central: Central, connector: int, wanted: Payload) -> Any:
    return central.command("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": wanted})


def composite(central: Central, connector: int = 1, duration: int = 600, **more: Any) -> list[tuple[float, ...]]:
    """(startPeriod, limit) of what the station answers."""
    answer: Any = central.command("GetCompositeSchedule", {"connectorId": connector, "duration": duration, **more})
    return [(p["startPeriod"], p["limit"]) for p in answer["chargingSchedule"]["chargingSchedulePeriod"]]


def hungry(**options: Any) -> Central:
    """As `charging`, with a car of three phases that is far from full."""
    central = charging(**options)
    for connector in central.station.connectors.values():
        if connector.car:
            connector.car.capacity, connector.car.phases, connector.car.limit = 1e9, 3, 32.0
            connector.car.soc, connector.car.wanted, connector.car.most = 0.3, 1.0, 22_080.0
    return central


def power(central: Central, connector: int = 1) -> float:
    car = central.station.connectors[connector].car
    assert car
    central.station.connectors[connector].measure(central.now)
    return round(car.power)


def test_a_composite_schedule_without_profiles_is_what_the_connector_can() -> None:
    central = booted()

    answer = central.command("GetCompositeSchedule", {"connectorId": 1, "duration": 60})

    assert answer == {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2023-11-14T22:15:00.000Z",
        "chargingSchedule": {
            "duration": 60,
            "startSchedule": "2023-11-14T22:15:00.000Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32.0, "numberPhases": 3}],
        },
    }


@pytest.mark.parametrize(
    ("connector", "purpose", "plan", "more"),
    [
        (1, MAX, schedule((0, 16)), {}),
        (0, MAX, schedule((0, 16)), {"chargingProfileKind": "Relative"}),
        (0, TX, schedule((0, 16)), {}),
        (1, TX, schedule((0, 16)), {}),
        (9, DEFAULT, schedule((0, 16)), {}),
        (1, DEFAULT, schedule((0, 16)), {"stackLevel": 10}),
        (1, DEFAULT, schedule((0, 16)), {"transactionId": 1}),
        (1, DEFAULT, schedule((5, 16)), {}),
        (1, DEFAULT, schedule((0, 16), (20, 8), (10, 6)), {}),
        (1, DEFAULT, schedule(*((n, 6 + n % 2) for n in range(MOST_PERIODS + 1))), {}),
        (1, DEFAULT, schedule((0, 16), startSchedule=AT), {"chargingProfileKind": "Recurring"}),
        (1, DEFAULT, schedule((0, 16)), {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}),
        (1, DEFAULT, schedule((0, 16)), {"validFrom": AT, "validTo": AT}),
    ],
)
def test_a_profile_that_fits_nowhere_is_rejected(connector: int, purpose: str, plan: Payload, more: Payload) -> None:
    central = booted()

    assert install(central, connector, profile(purpose, plan, **more)) == REJECTED
    assert composite(central) == [(0, 32.0)]


def test_a_transaction_profile_needs_its_transaction() -> None:
    central = charging()

    answers = [install(central, 1, profile(TX, schedule((0, 10)), transactionId=number)) for number in (2, 1)]

    assert answers == [REJECTED, ACCEPTED]
    assert composite(central) == [(0, 10.0)]


def test_a_transaction_profile_ends_with_its_transaction() -> None:
    central = charging()
    install(central, 1, profile(TX, schedule((0, 10)), transactionId=1))

    central.command("RemoteStopTransaction", {"transactionId": 1})

    assert composite(central) == [(0, 32.0)]


def test_there_is_room_for_so_many_profiles_only() -> None:
    central = booted(connectors=3)
    places = [(connector, level) for connector in range(4) for level in range(10)]

    answers = [
        install(central, connector, profile(DEFAULT, schedule((0, 16)), number, level))
        for number, (connector, level) in enumerate(places)
    ]

    assert answers == [ACCEPTED] * MOST_PROFILES + [REJECTED] * (len(places) - MOST_PROFILES)


def test_the_same_level_and_purpose_and_the_same_id_replace() -> None:
    central = booted()
    install(central, 1, profile(DEFAULT, schedule((0, 16)), number=1, level=3))
    install(central, 1, profile(DEFAULT, schedule((0, 12)), number=2, level=3))
    install(central, 1, profile(DEFAULT, schedule((0, 10)), number=2, level=1))

    assert composite(central) == [(0, 10.0)]
    assert len(central.station.board.profiles) == 1


def test_the_highest_valid_level_prevails_and_one_for_the_connector_over_one_for_all() -> None:
    central = booted(connectors=2)
    install(central, 0, profile(DEFAULT, schedule((0, 8)), number=1, level=9))
    install(central, 1, profile(DEFAULT, schedule((0, 20)), number=2, level=1))
    install(central, 1, profile(DEFAULT, schedule((0, 24), duration=100, startSchedule=AT), number=3, level=2))

    assert composite(central, 1) == [(0, 24.0), (100, 20.0)]
    assert composite(central, 2) == [(0, 8.0)]


def test_a_profile_counts_only_while_it_is_valid() -> None:
    central = booted()
    valid = {"validFrom": "2023-11-14T22:16:00Z", "validTo": "2023-11-14T22:18:00Z"}
    install(central, 1, profile(DEFAULT, schedule((0, 8)), **valid))

    assert composite(central) == [(0, 32.0), (60, 8.0), (180, 32.0)]


def test_a_daily_schedule_begins_again_every_day_and_a_weekly_one_every_week() -> None:
    central = booted()
    plan = schedule((0, 8), (3600, 20), startSchedule="2023-11-07T22:15:00Z", duration=7200)
    daily = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    install(central, 1, profile(DEFAULT, plan, **daily))
    every_day = composite(central, duration=2 * 86_400)
    install(central, 1, profile(DEFAULT, plan, **{**daily, "recurrencyKind": "Weekly"}))

    day = [(0, 8.0), (3600, 20.0), (7200, 32.0)]
    assert every_day == [*day, *((start + 86_400, limit) for start, limit in day)]
    assert composite(central, duration=2 * 86_400) == day


def test_a_relative_schedule_counts_from_the_start_of_the_transaction() -> None:
    central = charging()
    transaction = central.station.connectors[1].transaction
    assert transaction
    gone = central.now - transaction.started
    central.run(100 - gone)

    install(central, 1, profile(TX, schedule((0, 8), (160, 20)), chargingProfileKind="Relative", transactionId=1))

    assert composite(central) == [(0, 8.0), (60, 20.0)]


def test_the_station_limits_what_its_connectors_may_take_together() -> None:
    central = booted(connectors=2)
    install(central, 0, profile(MAX, schedule((0, 11_040), (60, 60_000), startSchedule=AT, unit="W")))

    assert composite(central, 0, chargingRateUnit="W") == [(0, 11_040.0), (60, 44_160.0)]
    assert composite(central, 1) == [(0, 16.0), (60, 32.0)]


def test_rates_are_converted_by_their_phases() -> None:
    central = booted()
    install(central, 1, profile(DEFAULT, schedule((0, 16, 1), (60, 16, 3), startSchedule=AT)))

    assert composite(central, chargingRateUnit="W") == [(0, 3680.0), (60, 11_040.0)]
    assert composite(central) == [(0, 16.0), (60, 16.0)]


def test_a_schedule_with_too_many_periods_is_told_as_far_as_it_goes() -> None:
    central = booted()
    plan = schedule((0, 8), (1, 9), startSchedule=AT)
    install(central, 1, profile(DEFAULT, plan, chargingProfileKind="Recurring", recurrencyKind="Daily"))

    answer: Any = central.command("GetCompositeSchedule", {"connectorId": 1, "duration": 100 * 86_400})

    told = answer["chargingSchedule"]
    assert (len(told["chargingSchedulePeriod"]), told["duration"]) == (MOST_PERIODS, MOST_PERIODS // 2 * 86_400)


def test_numbers_beyond_all_measure_are_borne() -> None:
    central = booted()
    plan = schedule((0, 10**400), (10**400, 6), duration=10**400)

    answer = install(central, 1, profile(DEFAULT, plan))

    assert answer == ACCEPTED
    assert composite(central, duration=10**400) == [(0, 32.0)]


def test_a_schedule_that_changes_nothing_very_often_is_told_as_far_as_it_goes() -> None:
    central = booted()
    plan = schedule(*((n, 8) for n in range(40)), startSchedule=AT)
    install(central, 1, profile(DEFAULT, plan, chargingProfileKind="Recurring", recurrencyKind="Daily"))

    assert composite(central, duration=10**9) == [(0, 8.0)]


def test_an_unknown_connector_has_no_composite_schedule() -> None:
    assert booted().command("GetCompositeSchedule", {"connectorId": 9, "duration": 60}) == REJECTED


def test_direct_current_is_planned_in_watts() -> None:
    central = booted(outlets=(Outlet("DC", 150_000.0),))

    assert composite(central) == [(0, 150_000.0)]


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, []),
        ({"id": 2}, [1, 3]),
        ({"connectorId": 1}, [1]),
        ({"connectorId": 0}, [2, 3]),
        ({"stackLevel": 1}, [1, 2]),
        ({"connectorId": 1, "chargingProfilePurpose": DEFAULT, "stackLevel": 0}, [1, 3]),
    ],
)
def test_profiles_are_cleared_by_id_or_by_criteria(criteria: Payload, left: list[int]) -> None:
    central = booted()
    install(central, 0, profile(MAX, schedule((0, 16)), number=1))
    install(central, 1, profile(DEFAULT, schedule((0, 16)), number=2))
    install(central, 1, profile(DEFAULT, schedule((0, 16)), number=3, level=1))

    answers = [central.command("ClearChargingProfile", criteria) for _ in range(2)]

    assert answers == [ACCEPTED, UNKNOWN]
    assert [one.id for _, one in central.station.board.profiles] == left


def test_the_car_obeys_the_periods_as_they_come() -> None:
    central = hungry()
    central.run(60)
    plan = schedule((0, 10), (60, 0), (120, 6))

    install(central, 1, profile(TX, plan, chargingProfileKind="Relative", transactionId=1))
    start = central.station.connectors[1].began(central.now)
    seen = []
    for offset in (75, 130):
        central.run(start + offset - central.now)
        seen.append(power(central))
    central.command("ClearChargingProfile", {"id": 1})
    seen.append(power(central))

    assert seen == [0, 4140, 22_080]
    assert central.statuses() == ["SuspendedEVSE", "Charging"]


def test_no_energy_flows_while_the_limit_is_zero() -> None:
    central = hungry()
    install(central, 1, profile(DEFAULT, schedule((0, 0))))
    before = central.station.connectors[1].register

    central.run(300)
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.settle()

    assert central.station.connectors[1].register == before
    assert central.statuses() == ["SuspendedEVSE", "Finishing"]


def test_the_stations_limit_is_shared_by_those_who_charge() -> None:
    central = hungry(connectors=2)
    install(central, 0, profile(MAX, schedule((0, 9000), unit="W")))
    central.run(60)
    alone = power(central)

    central.command("RemoteStartTransaction", {"connectorId": 2, "idTag": "OTHER"})
    central.run_until(lambda: central.station.connectors[2].transaction is not None, 60)
    central.settle()
    together = power(central)
    central.command("RemoteStopTransaction", {"transactionId": 2})

    assert (alone, together, power(central)) == (9000, 4500, 9000)


def test_a_remote_start_brings_its_profile() -> None:
    central = booted()
    plan = schedule((0, 12))

    wanted = {"connectorId": 1, "idTag": "TAG", "chargingProfile": profile(TX, plan, chargingProfileKind="Relative")}
    answer = central.command("RemoteStartTransaction", wanted)
    central.run(15)

    assert answer == ACCEPTED
    assert composite(central) == [(0, 12.0)]


@pytest.mark.parametrize("wrong", [profile(DEFAULT, schedule((0, 6))), profile(TX, schedule((0, 6)), transactionId=1)])
def test_a_remote_start_with_a_profile_for_something_else_is_rejected(wrong: Payload) -> None:
    central = booted()

    assert central.command("RemoteStartTransaction", {"idTag": "TAG", "chargingProfile": wrong}) == REJECTED


def test_profiles_survive_a_reset() -> None:
    central = booted()
    install(central, 1, profile(DEFAULT, schedule((0, 16))))
    central.command("Reset", {"type": "Hard"})
    central.disconnect()
    central.connect()
    central.settle()

    assert composite(central) == [(0, 16.0)]


def test_a_station_with_a_schedule_has_something_to_wait_for_only_while_somebody_charges() -> None:
    central = booted(drivers=False)
    install(central, 1, profile(DEFAULT, schedule((0, 16), (60, 8), startSchedule=AT)))

    central.run(120)

    assert central.payloads("StatusNotification") == []

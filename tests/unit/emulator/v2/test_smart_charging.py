"""Smart charging of 2.x: profiles are installed, told, composed and obeyed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_emulator.charging import Outlet
from csms_emulator.v2.profiles import MOST_PERIODS, MOST_PROFILES, MOST_STACK_LEVEL
from csms_ocpp.version import Version
from tests.unit.emulator.v2.driving import ACCEPTED, OTHER, TOKEN, Central, booted, charging

Payload = dict[str, Any]

AT = "2023-11-14T22:15:00Z"  # when a central system of `booted` begins to count
MIDNIGHT = "2023-11-01T00:00:00Z"
MAX, DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
PRIORITY, GENERATION = "PriorityCharging", "LocalGeneration"


def plan(*periods: tuple[float, ...], unit: str = "A", **more: Any) -> Payload:
    names = ("startPeriod", "limit", "numberPhases")
    listed = [dict(zip(names, period, strict=False)) for period in periods]
    return {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": listed, **more}


def absolute(*periods: tuple[float, ...], unit: str = "A", **more: Any) -> Payload:
    return plan(*periods, unit=unit, **{"startSchedule": AT, **more})


def profile(purpose: str, schedule: Payload, number: int = 1, level: int = 0, **more: Any) -> Payload:
    kind = "Absolute" if "startSchedule" in schedule else "Relative"
    return {
        "id": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
        **more,
    }


def install(central: Central, evse: int, wanted: Payload) -> Any:
    return central.command("SetChargingProfile", {"evseId": evse, "chargingProfile": wanted})


def rejected(reason: str) -> Payload:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}


def composite(central: Central, evse: int = 1, duration: int = 600, **more: Any) -> list[tuple[float, ...]]:
    """(startPeriod, limit) of what the station answers."""
    answer: Any = central.command("GetCompositeSchedule", {"evseId": evse, "duration": duration, **more})
    return [(p["startPeriod"], p["limit"]) for p in answer["schedule"]["chargingSchedulePeriod"]]


def feed(central: Central) -> Central:
    """Every car is one of three phases that is far from full."""
    for evse in central.station.evses.values():
        if evse.car:
            evse.car.capacity, evse.car.phases, evse.car.limit, evse.car.most = 1e9, 3, 32.0, 22_080.0
            evse.car.soc, evse.car.wanted, evse.car.plugged = 0.3, 1.0, 3600.0
    return central


def hungry(**options: Any) -> Central:
    """As `charging`, with such a car, whose driver stays."""
    central = feed(charging(**options))
    central.station.board.agenda.cancel("driver", 1)
    return central


def power(central: Central, evse: int = 1) -> float:
    """What flows now."""
    view = central.station.view(central.now)
    return round(view.connectors[evse - 1].power)


def state(central: Central) -> str:
    transaction = central.station.evses[1].transaction
    assert transaction
    return transaction.state.value


# --- SetChargingProfile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evse", "wanted", "reason"),
    [
        (9, profile(DEFAULT, plan((0, 16))), "UnknownEvse"),
        (1, profile(MAX, absolute((0, 16))), "InvalidProfile"),
        (0, profile(MAX, plan((0, 16))), "InvalidProfile"),
        (0, profile("ChargingStationExternalConstraints", absolute((0, 16))), "InvalidProfile"),
        (0, profile(TX, plan((0, 16)), transactionId="T"), "InvalidProfile"),
        (1, profile(TX, plan((0, 16))), "InvalidProfile"),
        (1, profile(TX, plan((0, 16)), transactionId="T"), "TxNotFound"),
        (1, profile(DEFAULT, plan((0, 16)), transactionId="T"), "InvalidProfile"),
        (1, profile(DEFAULT, plan((0, 16)), level=11), "InvalidStackLevel"),
        (1, profile(DEFAULT, plan((5, 16))), "InvalidSchedule"),
        (1, profile(DEFAULT, plan((0, 16), (20, 8), (10, 6))), "InvalidSchedule"),
        (1, profile(DEFAULT, plan((0, -1))), "InvalidSchedule"),
        (1, profile(DEFAULT, plan((0, 16), duration=0)), "InvalidSchedule"),
        (1, profile(DEFAULT, plan((0, 16)), chargingProfileKind="Absolute"), "InvalidSchedule"),
        (1, profile(DEFAULT, absolute((0, 16)), chargingProfileKind="Relative"), "InvalidSchedule"),
        (1, profile(DEFAULT, absolute((0, 16)), chargingProfileKind="Recurring"), "InvalidProfile"),
        (1, profile(DEFAULT, plan((0, 16)), validFrom=AT, validTo=AT), "InvalidProfile"),
        (1, profile(DEFAULT, plan((0, 16)), chargingSchedule=[plan((0, 16))] * 2), "InvalidSchedule"),
        (1, profile(DEFAULT, plan(*((n, 6) for n in range(MOST_PERIODS + 1)))), "TooManyElements"),
    ],
)
@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_a_profile_that_fits_nowhere_is_rejected_with_the_reason(
    version: Version, evse: int, wanted: Payload, reason: str
) -> None:
    central = booted(version=version)

    assert install(central, evse, wanted) == rejected(reason)
    assert composite(central) == [(0, 32.0)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"setpoint": 5}, "UnsupportedParam"),
        ({"dischargeLimit": -5}, "UnsupportedParam"),
        ({"limit_L2": 5}, "UnsupportedParam"),
        ({"operationMode": "CentralSetpoint"}, "UnsupportedParam"),
        ({"numberPhases": 1, "phaseToUse": 2}, "PhaseConflict"),
        ({"numberPhases": 0}, "InvalidSchedule"),
    ],
)
def test_what_the_station_is_not_made_for_is_rejected_and_not_passed_over(more: Payload, reason: str) -> None:
    central = booted()
    schedule = plan((0, 16))
    schedule["chargingSchedulePeriod"][0] |= more

    assert install(central, 1, profile(DEFAULT, schedule)) == rejected(reason)


def test_a_rate_unit_that_the_device_model_does_not_name_is_rejected() -> None:
    central = booted()
    central.station.device.set("SmartChargingCtrlr", "RateUnit", "A")

    assert install(central, 1, profile(DEFAULT, plan((0, 5000), unit="W"))) == rejected("UnsupportedRateUnit")
    asked = central.command("GetCompositeSchedule", {"evseId": 1, "duration": 60, "chargingRateUnit": "W"})
    assert asked == rejected("UnsupportedRateUnit")


def test_two_that_would_be_valid_at_once_are_one_too_many_and_the_same_id_replaces() -> None:
    central = booted(connectors=2)

    answers = [
        install(central, 1, profile(DEFAULT, plan((0, 16)), number=1, level=3)),
        install(central, 1, profile(DEFAULT, plan((0, 12)), number=2, level=3)),
        install(central, 0, profile(DEFAULT, plan((0, 12)), number=2, level=3)),
        install(central, 2, profile(DEFAULT, plan((0, 12)), number=2, level=3)),
        install(central, 1, profile(DEFAULT, plan((0, 10)), number=1, level=3)),
    ]

    assert answers == [ACCEPTED, rejected("DuplicateProfile"), rejected("DuplicateProfile"), ACCEPTED, ACCEPTED]
    assert (composite(central, 1), composite(central, 2)) == ([(0, 10.0)], [(0, 12.0)])


def test_one_after_the_other_may_have_the_same_level() -> None:
    central = booted()
    later = "2023-11-14T22:16:40Z"
    install(central, 1, profile(DEFAULT, plan((0, 16)), number=1, validTo=later))

    assert install(central, 1, profile(DEFAULT, plan((0, 10)), number=2, validFrom=later)) == ACCEPTED
    assert composite(central) == [(0, 16.0), (100, 10.0)]


def test_there_is_room_for_so_many_and_the_device_model_counts_them() -> None:
    central = booted(connectors=10)
    places = [(evse, level) for evse in range(1, 11) for level in range(11)]

    answers = [
        install(central, evse, profile(DEFAULT, plan((0, 16)), number, level))
        for number, (evse, level) in enumerate(places)
    ]

    assert answers == [ACCEPTED] * MOST_PROFILES + [rejected("TooManyElements")] * (len(places) - MOST_PROFILES)
    assert central.station.device.number("SmartChargingCtrlr", "Entries", instance="ChargingProfiles") == MOST_PROFILES


def test_the_device_model_tells_how_much_there_is_room_for() -> None:
    station = booted().station
    entries = station.device.find({"name": "SmartChargingCtrlr"})

    told = [station.device.number("SmartChargingCtrlr", name) for name in ("PeriodsPerSchedule", "ProfileStackLevel")]

    assert told == [MOST_PERIODS, MOST_STACK_LEVEL]
    assert entries
    assert entries.variables["entries", "chargingprofiles"].max == MOST_PROFILES


# --- the composite schedule -------------------------------------------------------------------------------------------


def test_a_composite_schedule_without_profiles_is_what_the_evse_can() -> None:
    central = booted()

    answer = central.command("GetCompositeSchedule", {"evseId": 1, "duration": 60})

    period = {"startPeriod": 0, "limit": 32.0, "numberPhases": 3}
    planned = {
        "evseId": 1,
        "duration": 60,
        "scheduleStart": "2023-11-14T22:15:00.000Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [period],
    }
    assert answer == {"status": "Accepted", "schedule": planned}


def test_there_is_none_for_an_evse_that_is_not_there() -> None:
    assert booted().command("GetCompositeSchedule", {"evseId": 2, "duration": 60}) == rejected("UnknownEvse")


def test_an_absolute_schedule_counts_from_its_start_and_ends_with_its_duration() -> None:
    central = booted()
    started = "2023-11-14T22:14:00Z"
    install(central, 1, profile(DEFAULT, absolute((0, 6), (90, 10), startSchedule=started, duration=360)))

    assert composite(central) == [(0, 6.0), (30, 10.0), (300, 32.0)]
    assert composite(central, chargingRateUnit="W") == [(0, 4140.0), (30, 6900.0), (300, 22_080.0)]


def test_a_daily_schedule_comes_again_every_day() -> None:
    central = booted()
    daily = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    schedule = plan((0, 10), (23 * 3600, 20), startSchedule=MIDNIGHT)
    install(central, 1, profile(DEFAULT, schedule, **daily))

    # It is 22:15.
    assert composite(central, duration=86_400) == [(0, 10.0), (2700, 20.0), (6300, 10.0)]


def test_a_relative_schedule_counts_from_the_start_of_the_transaction() -> None:
    central = hungry()
    began = central.station.evses[1].began(central.now)
    install(central, 1, profile(DEFAULT, plan((0, 6), (300, 12))))

    central.now = began + 100

    assert composite(central) == [(0, 6.0), (200, 12.0)]


def test_the_highest_valid_level_prevails_wherever_it_was_set() -> None:
    central = booted(connectors=2)
    install(central, 0, profile(DEFAULT, plan((0, 8)), number=1, level=1))
    install(central, 1, profile(DEFAULT, absolute((0, 24), duration=100), number=2, level=2))

    assert composite(central, 1) == [(0, 24.0), (100, 8.0)]
    assert composite(central, 2) == [(0, 8.0)]


def test_a_transaction_profile_overrules_the_default_and_the_station_limits_both() -> None:
    central = hungry()
    install(central, 1, profile(DEFAULT, plan((0, 6)), number=1, level=9))
    install(central, 1, profile(TX, plan((0, 20)), number=2, transactionId=central.uuid()))
    now = central.station.board.timestamp(central.now)
    install(central, 0, profile(MAX, absolute((0, 30), (200, 10), startSchedule=now), number=3))

    assert composite(central) == [(0, 20.0), (200, 10.0)]


def test_the_station_is_all_evses_together() -> None:
    central = booted(connectors=3)
    install(central, 1, profile(DEFAULT, plan((0, 10)), number=1))
    install(central, 0, profile(MAX, absolute((0, 100), (60, 50)), number=2))

    assert composite(central, 0) == [(0, 74.0), (60, 50.0)]


def test_local_generation_comes_on_top_of_the_grid() -> None:
    central = booted()
    install(central, 0, profile(MAX, absolute((0, 10)), number=1))
    install(central, 0, profile(GENERATION, absolute((0, 5), duration=60), number=2))

    assert composite(central) == [(0, 15.0), (60, 10.0)]


# --- told and cleared -------------------------------------------------------------------------------------------------


def test_installed_profiles_are_reported_by_evse_as_they_came() -> None:
    central = booted(connectors=2)
    own = [profile(DEFAULT, plan((0, 16)), number, level=number) for number in (2, 1)]
    whole = profile(MAX, absolute((0, 60)), number=3)
    for evse, one in ((2, own[0]), (2, own[1]), (0, whole)):
        install(central, evse, one)

    answer = central.command("GetChargingProfiles", {"requestId": 4, "chargingProfile": {}})
    central.settle()

    common = {"requestId": 4, "chargingLimitSource": "CSO"}
    assert answer == ACCEPTED
    assert central.payloads("ReportChargingProfiles") == [
        {**common, "evseId": 0, "chargingProfile": [whole], "tbc": True},
        {**common, "evseId": 2, "chargingProfile": own, "tbc": False},
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"chargingProfile": {"chargingProfileId": [2, 7]}}, [2]),
        ({"chargingProfile": {"chargingProfilePurpose": DEFAULT}}, [1, 2]),
        ({"chargingProfile": {"stackLevel": 0}}, [1]),
        ({"chargingProfile": {}, "evseId": 0}, [2]),
        ({"chargingProfile": {"chargingLimitSource": ["EMS"]}}, []),
        ({"chargingProfile": {"chargingProfilePurpose": MAX}}, []),
    ],
)
def test_those_are_reported_that_meet_every_criterion(wanted: Payload, found: list[int]) -> None:
    central = booted()
    install(central, 1, profile(DEFAULT, plan((0, 16)), number=1))
    install(central, 0, profile(DEFAULT, plan((0, 16)), number=2, level=1))

    answer = central.command("GetChargingProfiles", {"requestId": 4, **wanted})
    central.settle()

    told = [one["id"] for report in central.payloads("ReportChargingProfiles") for one in report["chargingProfile"]]
    assert sorted(told) == found
    assert answer == {"status": "Accepted" if found else "NoProfiles"}


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ({"chargingProfileId": 1}, [2, 3]),
        ({"chargingProfileCriteria": {"evseId": 0}}, [1]),
        ({"chargingProfileCriteria": {"chargingProfilePurpose": DEFAULT, "stackLevel": 1}}, [1, 3]),
        ({}, []),
    ],
)
def test_those_are_cleared_that_meet_every_criterion(request_: Payload, left: list[int]) -> None:
    central = booted()
    install(central, 1, profile(DEFAULT, plan((0, 16)), number=1))
    install(central, 0, profile(DEFAULT, plan((0, 16)), number=2, level=1))
    install(central, 0, profile(MAX, absolute((0, 16)), number=3))

    answers = [central.command("ClearChargingProfile", request_) for _ in range(2)]

    assert answers == [ACCEPTED, {"status": "Unknown"}]
    assert [one.id for _, one in central.station.board.profiles] == left


# --- obeyed -----------------------------------------------------------------------------------------------------------


def test_a_car_takes_what_it_may_and_the_central_system_is_told() -> None:
    central = hungry()
    before = power(central)

    install(central, 1, profile(TX, plan((0, 10), (60, 16)), transactionId=central.uuid()))
    limited = power(central)
    central.run(70)

    assert (before, limited, power(central)) == (22_080, 6900, 11_040)
    assert central.events().count(("Updated", "ChargingRateChanged")) == 2


def test_a_change_below_the_significance_is_not_told() -> None:
    central = hungry()
    central.station.device.set("SmartChargingCtrlr", "LimitChangeSignificance", "50")

    install(central, 1, profile(TX, plan((0, 20)), transactionId=central.uuid()))
    central.settle()

    assert power(central) == 13_800
    assert central.events() == []


def test_a_limit_of_nothing_suspends_and_the_next_one_lets_it_go_on() -> None:
    central = hungry()
    start = central.station.board.timestamp(central.now)

    install(central, 0, profile(MAX, absolute((0, 0), (60, 16), startSchedule=start)))
    central.settle()
    suspended = (state(central), power(central))
    central.run(61)

    assert suspended == ("SuspendedEVSE", 0)
    assert (state(central), power(central)) == ("Charging", 11_040)
    told = [p["transactionInfo"].get("chargingState") for p in central.payloads("TransactionEvent")]
    assert [one for one in told if one] == ["SuspendedEVSE", "Charging"]


def test_a_limit_that_is_lifted_lets_nobody_charge_whose_token_was_refused() -> None:
    central = booted()
    central.station.device.set("TxCtrlr", "StopTxOnInvalidId", "false")
    central.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    install(central, 0, profile(MAX, absolute((0, 0))))

    central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1})
    central.run_until(lambda: len(central.events()) == 3, 60)
    central.settle()
    central.command("ClearChargingProfile")

    assert (state(central), power(central)) == ("SuspendedEVSE", 0)


def test_the_station_limit_is_shared_by_those_who_charge() -> None:
    central = hungry(connectors=2)
    central.command("RequestStartTransaction", {"evseId": 2, "idToken": OTHER, "remoteStartId": 6})
    central.run_until(lambda: central.station.evses[2].transaction is not None, 60)
    feed(central)

    install(central, 0, profile(MAX, absolute((0, 22_000), unit="W")))

    assert [power(central, evse) for evse in (1, 2)] == [11_000, 11_000]


def test_profiles_survive_a_restart_but_those_of_transactions_do_not() -> None:
    central = hungry()
    install(central, 1, profile(DEFAULT, plan((0, 16)), number=1))
    install(central, 1, profile(TX, plan((0, 10)), number=2, transactionId=central.uuid()))

    central.command("Reset", {"type": "ImmediateAndResume"})
    central.settle()
    central.disconnect()
    central.now += 20
    central.connect()
    central.settle()

    assert [one.id for _, one in central.station.board.profiles] == [1]
    assert power(central) == 11_040


def test_a_transaction_profile_ends_with_its_transaction() -> None:
    central = hungry()
    install(central, 1, profile(TX, plan((0, 10)), transactionId=central.uuid()))

    central.command("RequestStopTransaction", {"transactionId": central.uuid()})

    assert composite(central) == [(0, 32.0)]
    assert central.station.device.number("SmartChargingCtrlr", "Entries", instance="ChargingProfiles") == 0


def test_an_outlet_of_direct_current_is_told_in_watts() -> None:
    central = booted()
    central.station.evses[1].outlet = Outlet("DC", 150_000.0)
    install(central, 1, profile(DEFAULT, plan((0, 50_000), unit="W")))

    assert composite(central) == [(0, 50_000.0)]


# --- remote starts ----------------------------------------------------------------------------------------------------


def test_a_remote_start_brings_the_profile_of_its_transaction() -> None:
    central = booted()
    wanted = profile(TX, plan((0, 10)))
    request = {"evseId": 1, "idToken": TOKEN, "remoteStartId": 5, "chargingProfile": wanted}

    answer = central.command("RequestStartTransaction", request)
    central.run_until(lambda: len(central.station.board.profiles) > 0, 60)
    feed(central)

    (installed,) = central.station.board.profiles
    assert answer == ACCEPTED
    assert composite(central) == [(0, 10.0)]
    assert (installed[0], installed[1].transaction, power(central)) == (1, central.uuid(), 6900)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (profile(DEFAULT, plan((0, 10))), "InvalidProfile"),
        (profile(TX, plan((0, 10)), transactionId="T"), "InvalidProfile"),
        (profile(TX, plan((1, 10))), "InvalidSchedule"),
    ],
)
def test_a_remote_start_with_a_profile_for_something_else_is_rejected(wanted: Payload, reason: str) -> None:
    central = booted()
    request = {"evseId": 1, "idToken": TOKEN, "remoteStartId": 5, "chargingProfile": wanted}

    assert central.command("RequestStartTransaction", request) == rejected(reason)
    assert central.station.evses[1].car is None


# --- 2.1 --------------------------------------------------------------------------------------------------------------


def dynamic(**more: Any) -> Payload:
    schedule = plan((0, 16))
    return profile(DEFAULT, schedule, number=7, chargingProfileKind="Dynamic", **more)


def update(central: Central, number: int, **values: float) -> Any:
    return central.command("UpdateDynamicSchedule", {"chargingProfileId": number, "scheduleUpdate": values})


def test_a_dynamic_schedule_is_updated_by_the_central_system() -> None:
    central = hungry()
    install(central, 1, dynamic())
    install(central, 1, profile(DEFAULT, plan((0, 6)), number=8, level=1))
    central.command("ClearChargingProfile", {"chargingProfileId": 8})

    answers = [update(central, 7, limit=10), update(central, 7, setpoint=3), update(central, 7), update(central, 8)]

    reasons = ["UnsupportedParam", "InvalidSchedule", "InvalidProfileId"]
    assert answers == [ACCEPTED, *map(rejected, reasons)]
    assert power(central) == 6900


def test_a_dynamic_schedule_is_pulled_again_and_again() -> None:
    central = hungry()
    central.replies["PullDynamicScheduleUpdate"] = {"status": "Accepted", "scheduleUpdate": {"limit": 10}}
    install(central, 1, dynamic(dynUpdateInterval=30))

    central.run(95)

    assert central.payloads("PullDynamicScheduleUpdate") == [{"chargingProfileId": 7}] * 3
    assert power(central) == 6900


def test_a_driver_with_priority_charges_by_the_profile_for_that() -> None:
    central = hungry()
    ask = {"transactionId": central.uuid(), "activate": True}
    install(central, 1, profile(DEFAULT, plan((0, 10)), number=1))
    without = central.command("UsePriorityCharging", ask)
    install(central, 0, profile(PRIORITY, plan((0, 20)), number=2))

    before = power(central)
    answers = [central.command("UsePriorityCharging", ask), power(central)]
    central.command("UsePriorityCharging", ask | {"activate": False})

    assert (without, before) == ({"status": "NoProfile"}, 6900)
    assert answers == [ACCEPTED, 13_800]
    assert power(central) == 6900
    assert central.command("UsePriorityCharging", ask | {"transactionId": "X"}) == rejected("TxNotFound")


# --- whatever comes ---------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(-5, 40), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
TIMES = st.sampled_from([AT, MIDNIGHT, "2016-12-31T23:59:60Z", "9999-12-31T23:59:59Z", "2023-11-14T23:00:00+01:00"])
PERIODS = st.fixed_dictionaries(
    {"startPeriod": st.one_of(st.just(0), st.integers(-5, 500), st.integers(0, 2**70)), "limit": NUMBERS},
    optional={"numberPhases": st.integers(0, 3), "phaseToUse": st.integers(1, 3)},
)
SCHEDULES = st.fixed_dictionaries(
    {
        "id": st.integers(),
        "chargingRateUnit": st.sampled_from(["A", "W"]),
        "chargingSchedulePeriod": st.lists(PERIODS, min_size=1, max_size=4),
    },
    optional={"startSchedule": TIMES, "duration": st.integers(-5, 2**70)},
)
PROFILES = st.fixed_dictionaries(
    {
        "id": st.integers(1, 5),
        "stackLevel": st.integers(0, 12),
        "chargingProfilePurpose": st.sampled_from([MAX, DEFAULT, TX, PRIORITY, GENERATION]),
        "chargingProfileKind": st.sampled_from(["Absolute", "Recurring", "Relative", "Dynamic"]),
        "chargingSchedule": st.lists(SCHEDULES, min_size=1, max_size=2),
    },
    optional={
        "recurrencyKind": st.sampled_from(["Daily", "Weekly"]),
        "validFrom": TIMES,
        "validTo": TIMES,
        "dynUpdateInterval": st.integers(-5, 2**70),
    },
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), PROFILES), min_size=1, max_size=6))
def test_no_profile_breaks_the_station_and_every_answer_is_valid(wanted: list[tuple[int, Payload]]) -> None:
    central = hungry(connectors=2)
    central.replies["PullDynamicScheduleUpdate"] = {"status": "Rejected"}

    for evse, one in wanted:
        owned = {"transactionId": central.uuid()} if one["chargingProfilePurpose"] == TX else {}
        install(central, evse, one | owned)
        for number in (0, 1, 2):
            central.command("GetCompositeSchedule", {"evseId": number, "duration": 100_000})
    central.command("GetChargingProfiles", {"requestId": 1, "chargingProfile": {}})
    central.run(30)

    assert central.station.timer is not None

"""Clock-aligned meter values of 2.x, and the readings that the end of a transaction tells."""

from typing import Any

import pytest

from csms_emulator.deeds import Plug, Skew, Swipe
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.driving import Central, booted

PLUG, SWIPE = Plug(1), Swipe(1, "TAG")
REGISTER = "Energy.Active.Import.Register"


def aligned(**options: Any) -> Central:
    """A station that measures every quarter of an hour, and knows no other samples."""
    central = booted(drivers=False, **options)
    central.variable("SampledDataCtrlr", "TxUpdatedInterval", "0")
    central.variable("AlignedDataCtrlr", "Enabled", "true")
    return central


def contexts(values: list[Payload]) -> list[str]:
    return [value["sampledValue"][0]["context"] for value in values]


def told(central: Central) -> list[tuple[str, str]]:
    """When (hours and minutes) something was measured by the clock, and by which message that was told."""
    return [
        (value["timestamp"][11:16], action)
        for action, payload in central.asked
        for value in payload.get("meterValue", [])
        if contexts([value]) == ["Sample.Clock"] and payload.get("eventType") != "Ended"
    ]


def last(central: Central) -> list[Payload]:
    """The meterValue of the end."""
    values: list[Payload] = central.payloads("TransactionEvent")[-1]["meterValue"]
    return values


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_what_is_measured_by_the_clock_is_measured_at_quarters_of_the_hour(version: Version) -> None:
    central = aligned(version=version)

    central.run(1800)
    central.by_hand(PLUG, SWIPE)
    central.run(1800)

    assert told(central) == [
        ("22:30", "MeterValues"),
        ("22:45", "MeterValues"),
        ("23:00", "TransactionEvent"),
        ("23:15", "TransactionEvent"),
    ]
    assert ("Updated", "MeterValueClock") in central.events()


def test_nothing_is_measured_by_the_clock_where_it_is_not_wanted() -> None:
    central = booted(drivers=False)
    central.by_hand(PLUG, SWIPE)

    central.run(7200)

    assert told(central) == []


def test_only_idle_evses_are_measured_where_the_variable_says_so() -> None:
    central = aligned(connectors=2)
    central.variable("AlignedDataCtrlr", "SendDuringIdle", "true")
    central.by_hand(PLUG, SWIPE)

    central.run(900)

    assert [p["evseId"] for p in central.payloads("MeterValues")] == [2]
    assert ("Updated", "MeterValueClock") not in central.events()


def test_while_offline_transactions_are_measured_and_idle_evses_are_not() -> None:
    central = aligned(connectors=2)
    central.by_hand(PLUG, SWIPE)
    central.disconnect()
    central.run(900)

    central.connect()
    central.settle()

    assert central.payloads("MeterValues") == []
    assert [p["offline"] for p in central.payloads("TransactionEvent")[2:]] == [True]


def test_another_interval_counts_at_once() -> None:
    central = aligned()

    central.variable("AlignedDataCtrlr", "Interval", "600")
    central.run(1200)

    assert [time for time, _ in told(central)] == ["22:20", "22:30"]


def test_the_stations_own_clock_counts_even_when_it_is_wrong() -> None:
    central = aligned()

    central.by_hand(Skew(600))
    central.run(300)
    early = told(central)
    central.run(600)

    # The heartbeat after 300 seconds has set the clock.
    assert (early, told(central)) == ([("22:30", "MeterValues")], [("22:30", "MeterValues")] * 2)


def test_the_measurands_of_the_clock_are_its_own() -> None:
    central = aligned()
    central.variable("AlignedDataCtrlr", "Measurands", f"{REGISTER},Energy.Active.Import.Interval,Frequency")
    central.by_hand(PLUG, SWIPE)

    central.run(1800)

    first, second = [p["meterValue"][0]["sampledValue"] for p in central.payloads("TransactionEvent")[2:]]
    assert [value["measurand"] for value in first] == [REGISTER, "Energy.Active.Import.Interval", "Frequency"]
    assert second[1]["value"] == pytest.approx(second[0]["value"] - first[0]["value"], abs=1)
    assert first[2]["unitOfMeasure"] == {"unit": "Hertz"}


def test_the_end_tells_one_reading_where_nothing_else_is_wanted() -> None:
    central = aligned()
    central.by_hand(PLUG, SWIPE)
    central.run(1800)

    central.by_hand(SWIPE)

    assert contexts(last(central)) == ["Transaction.End"]


def test_the_end_tells_the_samples_that_were_kept_for_it() -> None:
    central = booted(drivers=False)
    central.variable("SampledDataCtrlr", "TxEndedInterval", "300")
    central.variable("SampledDataCtrlr", "TxEndedMeasurands", f"{REGISTER},SoC")
    central.by_hand(PLUG, SWIPE)
    central.run(601)

    central.by_hand(SWIPE)

    assert contexts(last(central)) == ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"]
    assert [value["measurand"] for value in last(central)[1]["sampledValue"]] == [REGISTER, "SoC"]


def test_the_end_tells_what_the_clock_kept_for_it() -> None:
    central = aligned()
    central.variable("AlignedDataCtrlr", "TxEndedInterval", "600")
    central.variable("AlignedDataCtrlr", "TxEndedMeasurands", REGISTER)
    central.variable("AlignedDataCtrlr", "Interval", "0")
    central.by_hand(PLUG, SWIPE)
    central.run(1200)

    central.by_hand(SWIPE)

    assert [
        (value["timestamp"][11:16], context)
        for value, context in zip(last(central), contexts(last(central)), strict=True)
    ] == [
        ("22:20", "Sample.Clock"),
        ("22:30", "Sample.Clock"),
        ("22:35", "Transaction.End"),
    ]


def test_a_long_transaction_keeps_its_first_reading_and_the_newest() -> None:
    central = booted(drivers=False)
    central.variable("SampledDataCtrlr", "TxUpdatedInterval", "0")
    central.variable("SampledDataCtrlr", "TxEndedInterval", "60")
    central.by_hand(PLUG, SWIPE)
    central.run(60 * 600)

    central.by_hand(SWIPE)

    found = contexts(last(central))
    assert (len(found), found[0], found[-1]) == (501, "Transaction.Begin", "Transaction.End")


def test_where_no_samples_are_wanted_events_tell_none() -> None:
    central = booted(drivers=False)
    central.variable("SampledDataCtrlr", "Enabled", "false")
    central.by_hand(PLUG, SWIPE)
    central.run(600)

    central.by_hand(SWIPE)

    assert central.events() == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert not any("meterValue" in p for p in central.payloads("TransactionEvent"))


def test_samples_resume_when_they_are_wanted_again() -> None:
    central = booted(drivers=False)
    central.variable("SampledDataCtrlr", "Enabled", "false")
    central.by_hand(PLUG, SWIPE)

    central.variable("SampledDataCtrlr", "Enabled", "true")
    central.run(61)

    assert central.events()[-1] == ("Updated", "MeterValuePeriodic")

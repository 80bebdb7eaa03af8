"""Monitors are kept, cleared and reported."""

import pytest

from csms_emulator.v2.device import Device
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.asking import ACCEPTED, EMPTY, ISO_NOW, ask, device, named

POWER = named("EVSE", "Power", id=1)
UPPER = {**POWER, "type": "UpperThreshold", "value": 11000, "severity": 4}
LOWER = {**POWER, "type": "LowerThreshold", "value": 100, "severity": 4}
PERIODIC = {**named("ChargingStation", "Temperature"), "type": "Periodic", "value": 60, "severity": 8}


def put(station: Device, *items: Payload) -> list[Payload]:
    results: list[Payload] = ask(station, "SetVariableMonitoring", {"setMonitoringData": [*items]})[0][
        "setMonitoringResult"
    ]
    return results


def status(station: Device, item: Payload) -> tuple[str, str]:
    (result,) = put(station, item)
    return result["status"], result.get("statusInfo", {}).get("reasonCode", "")


def reported(station: Device, **criteria: object) -> list[int]:
    answer, calls = ask(station, "GetMonitoringReport", {"requestId": 3, **criteria})

    assert answer == (ACCEPTED if calls else EMPTY)
    return [m["id"] for _, body in calls for item in body["monitor"] for m in item["variableMonitoring"]]


def test_a_new_monitor_gets_a_number() -> None:
    assert put(device(), UPPER, LOWER) == [
        {**POWER, "type": "UpperThreshold", "severity": 4, "status": "Accepted", "id": 1},
        {**POWER, "type": "LowerThreshold", "severity": 4, "status": "Accepted", "id": 2},
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (named("NoSuch", "Power"), ("UnknownComponent", "")),
        (named("EVSE", "NoSuch", id=1), ("UnknownVariable", "")),
        (named("EVSE", "SupplyPhases", id=1), ("UnsupportedMonitorType", "")),
        (named("EVSE", "Available", id=1), ("UnsupportedMonitorType", "")),
        ({"severity": 10}, ("Rejected", "ValueOutOfRange")),
        ({"value": 30000}, ("Rejected", "ValueOutOfRange")),
        ({"type": "Delta", "value": -1}, ("Rejected", "ValueOutOfRange")),
        ({"type": "Periodic", "value": 0}, ("Rejected", "ValueOutOfRange")),
        ({"type": "PeriodicClockAligned", "value": 1e300}, ("Rejected", "ValueOutOfRange")),
        ({"type": "TargetDelta", "value": 1}, ("UnsupportedMonitorType", "")),
        ({"periodicEventStream": {"interval": 9}}, ("Rejected", "UnsupportedParam")),
        ({"type": "Delta", "periodicEventStream": {"interval": 10**9}}, ("Rejected", "ValueOutOfRange")),
        ({"id": 8}, ("Rejected", "NotFound")),
    ],
)
def test_a_monitor_that_cannot_be_is_refused(change: Payload, expected: tuple[str, str]) -> None:
    station = device()

    assert status(station, {**UPPER, **change}) == expected
    assert station.memory.monitors == {}


def test_a_second_monitor_of_the_same_kind_and_severity_is_a_duplicate() -> None:
    station = device()
    put(station, UPPER)

    assert status(station, {**UPPER, "value": 5}) == ("Duplicate", "")
    assert status(station, {**UPPER, "value": 5, "severity": 3}) == ("Accepted", "")


def test_a_monitor_is_replaced_by_its_number_on_its_own_variable_only() -> None:
    station = device()
    put(station, UPPER)

    assert status(station, {**UPPER, "id": 1, "value": 9000}) == ("Accepted", "")
    assert status(station, {**PERIODIC, "id": 1}) == ("Rejected", "NotFound")
    assert station.memory.monitors == {1: {**UPPER, "id": 1, "value": 9000}}


@pytest.mark.parametrize(
    ("version", "origin"),
    [(Version.V2_0_1, {}), (Version.V2_1, {"eventNotificationType": "CustomMonitor"})],
)
def test_the_report_gathers_monitors_by_their_variable(version: Version, origin: Payload) -> None:
    station = device(version)
    put(station, UPPER, PERIODIC, {**LOWER, "transaction": True})

    answer, calls = ask(station, "GetMonitoringReport", {"requestId": 3})

    upper = {"id": 1, "type": "UpperThreshold", "value": 11000, "severity": 4, "transaction": False, **origin}
    lower = {"id": 3, "type": "LowerThreshold", "value": 100, "severity": 4, "transaction": True, **origin}
    periodic = {"id": 2, "type": "Periodic", "value": 60, "severity": 8, "transaction": False, **origin}
    monitor = [
        {**POWER, "variableMonitoring": [upper, lower]},
        {**named("ChargingStation", "Temperature"), "variableMonitoring": [periodic]},
    ]
    body = {"requestId": 3, "generatedAt": ISO_NOW, "seqNo": 0, "tbc": False, "monitor": monitor}
    assert (answer, calls) == (ACCEPTED, [("NotifyMonitoringReport", body)])


def test_the_report_keeps_to_criteria_and_names() -> None:
    station = device()
    put(station, UPPER, PERIODIC)

    assert reported(station, monitoringCriteria=["ThresholdMonitoring"]) == [1]
    assert reported(station, monitoringCriteria=["DeltaMonitoring"]) == []
    assert reported(station, componentVariable=[{"component": {"name": "chargingstation"}}]) == [2]
    assert reported(station, componentVariable=[named("EVSE", "Power", id=2)]) == []


def test_a_cleared_monitor_is_gone() -> None:
    station = device()
    put(station, UPPER, LOWER)

    answer, _ = ask(station, "ClearVariableMonitoring", {"id": [1, 9]})

    results = [{"id": 1, "status": "Accepted"}, {"id": 9, "status": "NotFound"}]
    assert answer == {"clearMonitoringResult": results}
    assert reported(station) == [2]


def test_more_monitors_than_the_limit_are_rejected() -> None:
    cleared = ask(device(), "ClearVariableMonitoring", {"id": [*range(51)]})[0]["clearMonitoringResult"]

    assert cleared[-1] == {"id": 50, "status": "Rejected", "statusInfo": {"reasonCode": "TooManyElements"}}
    assert put(device(), *[UPPER] * 51)[-1]["statusInfo"] == {"reasonCode": "TooManyElements"}


def test_the_factory_base_takes_custom_monitors_away() -> None:
    station = device()
    put(station, UPPER)

    assert ask(station, "SetMonitoringBase", {"monitoringBase": "All"}) == (ACCEPTED, [])
    assert reported(station) == [1]
    assert ask(station, "SetMonitoringBase", {"monitoringBase": "FactoryDefault"}) == (ACCEPTED, [])
    assert reported(station) == []


def test_a_level_is_a_severity() -> None:
    station = device()

    assert ask(station, "SetMonitoringLevel", {"severity": 4}) == (ACCEPTED, [])
    assert ask(station, "SetMonitoringLevel", {"severity": 10})[0]["status"] == "Rejected"
    assert station.number("MonitoringCtrlr", "ActiveMonitoringLevel") == 4

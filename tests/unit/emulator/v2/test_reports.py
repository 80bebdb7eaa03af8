"""GetBaseReport and GetReport: which variables are told, and in how many parts."""

import pytest

from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.reports import entries
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.asking import ACCEPTED, EMPTY, ISO_NOW, ask, device, named

Name = tuple[str, str, int]  # component, variable, EVSE


def told(calls: Calls) -> list[Name]:
    items = [item for _, body in calls for item in body["reportData"]]
    return [
        (item["component"]["name"], item["variable"]["name"], item["component"].get("evse", {}).get("id", 0))
        for item in items
    ]


def base(station: Device, kind: str) -> list[Name]:
    answer, calls = ask(station, "GetBaseReport", {"requestId": 5, "reportBase": kind})

    assert answer == ACCEPTED
    return told(calls)


def report(station: Device, **criteria: object) -> list[Name]:
    answer, calls = ask(station, "GetReport", {"requestId": 5, **criteria})

    assert answer == (ACCEPTED if calls else EMPTY)
    return told(calls)


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_the_full_inventory_tells_every_variable_once_in_numbered_parts(version: Version) -> None:
    station = device(version)

    answer, calls = ask(station, "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})

    assert answer == ACCEPTED
    assert told(calls) == [(c.name, v.name, c.evse) for c, v in entries(station)]
    heads = [(a, b["requestId"], b["generatedAt"], b["seqNo"], b["tbc"]) for a, b in calls]
    assert heads == [("NotifyReport", 5, ISO_NOW, n, n < len(calls) - 1) for n in range(len(calls))]
    assert len(calls) > 1


def test_the_configuration_inventory_tells_what_can_be_set() -> None:
    found = base(device(), "ConfigurationInventory")

    assert ("OCPPCommCtrlr", "HeartbeatInterval", 0) in found
    assert ("SecurityCtrlr", "BasicAuthPassword", 0) in found
    assert [name for name in found if name[0] in ("ChargingStation", "EVSE", "Connector")] == []


def test_a_summary_tells_availability_and_what_is_the_matter() -> None:
    station = device(evses=1)
    station.set("EVSE", "Problem", "true", evse=1)

    assert base(station, "SummaryInventory") == [
        ("ChargingStation", "AvailabilityState", 0),
        ("EVSE", "AvailabilityState", 1),
        ("EVSE", "Problem", 1),
        ("Connector", "AvailabilityState", 1),
    ]


def test_an_entry_tells_value_limits_and_mutability() -> None:
    request = {"requestId": 1, "componentVariable": [named("evse", "power", id=2)]}

    _, calls = ask(device(), "GetReport", request)

    assert calls[0][1]["reportData"] == [
        {
            **named("EVSE", "Power", id=2),
            "variableAttribute": [
                {"type": "Actual", "value": "0.0", "mutability": "ReadOnly", "constant": False},
                {"type": "MaxSet", "value": "22080.0", "mutability": "ReadOnly", "constant": False},
            ],
            "variableCharacteristics": {
                "dataType": "decimal",
                "unit": "W",
                "minLimit": 0,
                "maxLimit": 22080,
                "supportsMonitoring": True,
            },
        }
    ]


def test_a_password_is_reported_without_its_value() -> None:
    station = device()
    station.set("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef")

    _, calls = ask(
        station, "GetReport", {"requestId": 1, "componentVariable": [named("SecurityCtrlr", "BasicAuthPassword")]}
    )

    (attribute,) = calls[0][1]["reportData"][0]["variableAttribute"]
    assert attribute == {"type": "Actual", "mutability": "WriteOnly", "constant": False}


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (named("EVSE", "Available"), [("EVSE", "Available", 1), ("EVSE", "Available", 2)]),
        (named("Connector", "Available", id=2, connectorId=1), [("Connector", "Available", 2)]),
        (named("OCPPCommCtrlr", "MessageAttempts"), [("OCPPCommCtrlr", "MessageAttempts", 0)]),
        (named("DeviceDataCtrlr", "ItemsPerMessage"), [("DeviceDataCtrlr", "ItemsPerMessage", 0)] * 3),
        (named("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"), [("DeviceDataCtrlr", "ItemsPerMessage", 0)]),
        ({"component": {"name": "CustomizationCtrlr"}}, [("CustomizationCtrlr", "CustomImplementationEnabled", 0)]),
        (named("EVSE", "Available", id=3), []),
        (named("NoSuchCtrlr", "Available"), []),
    ],
)
def test_what_a_question_leaves_out_may_be_anything(item: Payload, found: list[Name]) -> None:
    assert report(device(), componentVariable=[item]) == found


def test_criteria_are_alternatives_and_narrow_what_is_named() -> None:
    station = device(evses=2)
    station.set("EVSE", "Available", "false", evse=1)
    station.set("EVSE", "Problem", "true", evse=1)
    named_ones = [named("EVSE", "SupplyPhases")]

    assert report(station, componentVariable=named_ones, componentCriteria=["Available"]) == [
        ("EVSE", "SupplyPhases", 2)
    ]
    assert report(station, componentVariable=named_ones, componentCriteria=["Problem"]) == [("EVSE", "SupplyPhases", 1)]
    both = report(station, componentVariable=named_ones, componentCriteria=["Available", "Problem"])
    assert both == [("EVSE", "SupplyPhases", 1), ("EVSE", "SupplyPhases", 2)]
    assert report(station, componentVariable=named_ones, componentCriteria=["Active"]) == []


def test_more_items_than_the_limit_are_rejected() -> None:
    answer, calls = ask(device(), "GetReport", {"requestId": 1, "componentVariable": [named("EVSE", "Available")] * 51})

    assert (answer, calls) == ({"status": "Rejected", "statusInfo": {"reasonCode": "TooManyElements"}}, [])

"""Every command that is not about charging: answered validly, kept where it is to be, followed by what it demands."""

import pytest

from csms_emulator.v2.device import Device
from csms_emulator.v2.other_commands import COMMANDS
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from tests.service.router.samples import fullest, smallest
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.asking import ACCEPTED, AFTER, BEFORE, ask, device

VERSIONS = [Version.V2_0_1, Version.V2_1]
# What concerns charging, files or drivers is answered by the station itself.
CHARGING = {
    "CancelReservation",
    "ChangeAvailability",
    "ClearCache",
    "ClearChargingProfile",
    "CustomerInformation",
    "GetChargingProfiles",
    "GetCompositeSchedule",
    "GetLocalListVersion",
    "GetLog",
    "GetTransactionStatus",
    "PublishFirmware",
    "RequestStartTransaction",
    "RequestStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "TriggerMessage",
    "UnlockConnector",
    "UnpublishFirmware",
    "UpdateDynamicSchedule",
    "UpdateFirmware",
    "UsePriorityCharging",
}
ASKED = [(version, action) for version in VERSIONS for action in asked_by(Role.CSMS, version) if action not in CHARGING]


# --- all of them ------------------------------------------------------------------------------------------------------


def test_every_command_that_is_not_about_charging_has_an_entry_and_no_other() -> None:
    assert set(COMMANDS) == {action for _, action in ASKED}


@pytest.mark.parametrize(("version", "action"), ASKED)
def test_the_smallest_and_the_fullest_request_are_answered_validly(version: Version, action: str) -> None:
    station = device(version)

    ask(station, action, smallest(version, action))
    ask(station, action, fullest(version, action))
    ask(station, action, fullest(version, action))


@pytest.mark.parametrize("version", VERSIONS)
def test_one_station_is_asked_everything_in_turn(version: Version) -> None:
    station = device(version)

    for _ in range(2):
        for asked, action in ASKED:
            if asked is version:
                ask(station, action, fullest(version, action))
                ask(station, action, smallest(version, action))


# --- displays ---------------------------------------------------------------------------------------------------------


def message(number: int, priority: str = "NormalCycle", **fields: object) -> Payload:
    return {"id": number, "priority": priority, "message": {"format": "UTF8", "content": "Guten Tag"}, **fields}


def show(station: Device, shown: Payload) -> str:
    status: str = ask(station, "SetDisplayMessage", {"message": shown})[0]["status"]
    return status


def test_display_messages_are_told_until_they_are_cleared() -> None:
    station = device()
    for number in range(1, 7):
        show(station, message(number))
    ask(station, "ClearDisplayMessage", {"id": 3})

    answer, calls = ask(station, "GetDisplayMessages", {"requestId": 9})

    assert answer == ACCEPTED
    assert calls == [
        (
            "NotifyDisplayMessages",
            {"requestId": 9, "tbc": False, "messageInfo": [message(number) for number in (1, 2, 4, 5, 6)]},
        )
    ]
    assert station.number("DisplayMessageCtrlr", "DisplayMessages") == 5


def test_display_messages_are_chosen_by_number_priority_and_state() -> None:
    station = device()
    for shown in (message(1), message(2, "InFront"), message(3, state="Charging")):
        show(station, shown)

    chosen = [
        ask(station, "GetDisplayMessages", {"requestId": 9, **criteria})
        for criteria in ({"id": [1, 7]}, {"priority": "InFront"}, {"state": "Charging"}, {"state": "Idle"})
    ]

    numbers = [[m["id"] for _, body in calls for m in body["messageInfo"]] for _, calls in chosen]
    assert numbers == [[1], [2], [3], []]
    assert [answer["status"] for answer, _ in chosen] == ["Accepted", "Accepted", "Accepted", "Unknown"]


def test_many_display_messages_are_told_in_parts() -> None:
    station = device()
    for number in range(6):
        show(station, message(number))

    _, calls = ask(station, "GetDisplayMessages", {"requestId": 9})

    assert [(len(body["messageInfo"]), body["tbc"]) for _, body in calls] == [(5, True), (1, False)]


def test_one_message_is_always_in_front() -> None:
    station = device()

    show(station, message(1, "AlwaysFront"))
    show(station, message(2, "AlwaysFront"))

    assert [*station.memory.displays] == [2]


def test_a_message_whose_time_is_over_is_forgotten() -> None:
    station = device()
    show(station, message(1, endDateTime=BEFORE))
    show(station, message(2, endDateTime=AFTER))

    assert ask(station, "ClearDisplayMessage", {"id": 1})[0] == {"status": "Unknown"}
    assert ask(station, "ClearDisplayMessage", {"id": 2})[0] == ACCEPTED


def test_what_the_display_cannot_show_is_refused() -> None:
    station = device()
    picture = {**message(1), "message": {"format": "HTML", "content": "<b>"}}

    assert show(station, picture) == "NotSupportedMessageFormat"
    assert [show(station, message(number)) for number in range(21)] == ["Accepted"] * 20 + ["Rejected"]
    assert show(station, message(19)) == "Accepted"


# --- the driver, the network ------------------------------------------------------------------------------------------


def test_no_vendor_has_an_implementation() -> None:
    assert ask(device(), "DataTransfer", {"vendorId": "x"}) == ({"status": "UnknownVendorId"}, [])


@pytest.mark.parametrize(
    ("slot", "change", "reason"),
    [
        (1, {}, None),
        (1, {"securityProfile": 2, "ocppCsmsUrl": "wss://example.com"}, None),
        (10, {}, "InvalidConfSlot"),
        (1, {"securityProfile": 0}, "NoSecurityDowngrade"),
        (1, {"securityProfile": 2}, "InvalidNetworkConf"),
        (1, {"ocppTransport": "SOAP"}, "InvalidNetworkConf"),
        (1, {"ocppCsmsUrl": "ws://["}, "InvalidNetworkConf"),
        (1, {"ocppCsmsUrl": "https://example.com"}, "InvalidNetworkConf"),
    ],
)
def test_a_network_profile_is_kept_where_it_can_be_used(slot: int, change: Payload, reason: str | None) -> None:
    station = device()
    profile = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://example.com",
        "messageTimeout": 30,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
        **change,
    }

    answer, _ = ask(station, "SetNetworkProfile", {"configurationSlot": slot, "connectionData": profile})

    refused = {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
    assert answer == (refused if reason else ACCEPTED)
    assert station.memory.profiles == ({} if reason else {slot: profile})


# --- 2.1 --------------------------------------------------------------------------------------------------------------


def tariff(name: str, prices: int = 1) -> Payload:
    return {"tariffId": name, "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.5}] * prices}}


def test_a_default_tariff_is_told_by_its_evses_until_it_is_cleared() -> None:
    station = device(evses=2)
    ask(station, "SetDefaultTariff", {"evseId": 0, "tariff": tariff("all")})
    ask(station, "SetDefaultTariff", {"evseId": 2, "tariff": tariff("two")})

    told, _ = ask(station, "GetTariffs", {"evseId": 0})
    cleared, _ = ask(station, "ClearTariffs", {"tariffIds": ["two", "three"]})
    left, _ = ask(station, "GetTariffs", {"evseId": 2})

    assert told["tariffAssignments"] == [
        {"tariffId": "all", "tariffKind": "DefaultTariff", "evseIds": [1]},
        {"tariffId": "two", "tariffKind": "DefaultTariff", "evseIds": [2]},
    ]
    results = [{"tariffId": "two", "status": "Accepted"}, {"tariffId": "three", "status": "NoTariff"}]
    assert cleared == {"clearTariffsResult": results}
    assert left == {"status": "NoTariff"}


def test_a_tariff_that_cannot_be_is_refused() -> None:
    station = device(evses=1)

    answers = [
        ask(station, "SetDefaultTariff", {"evseId": 2, "tariff": tariff("x")})[0]["status"],
        ask(station, "SetDefaultTariff", {"evseId": 1, "tariff": tariff("x", 101)})[0]["status"],
        ask(station, "GetTariffs", {"evseId": 2})[0]["status"],
    ]

    assert answers == ["Rejected", "TooManyElements", "Rejected"]
    assert station.memory.tariffs == {}


def control(name: str, kind: str, field: str, value: Payload, *, default: bool = True) -> Payload:
    return {"isDefault": default, "controlId": name, "controlType": kind, field: value}


FIXED = {"priority": 1, "displacement": 0.9, "excitation": True}
CURVE = {"curveData": [{"x": 1, "y": 2}], "priority": 1, "yUnit": "PctMaxW"}
GRADIENT = {"priority": 1, "gradient": 5, "softGradient": 5}


def test_der_controls_are_told_by_their_kind_until_they_are_cleared() -> None:
    station = device()
    for one in (
        control("a", "FixedPFAbsorb", "fixedPFAbsorb", FIXED),
        control("b", "VoltWatt", "curve", CURVE, default=False),
        control("c", "Gradients", "gradient", GRADIENT),
    ):
        assert ask(station, "SetDERControl", one) == (ACCEPTED, [])

    told, calls = ask(station, "GetDERControl", {"requestId": 1})
    cleared, _ = ask(station, "ClearDERControl", {"isDefault": True})
    again, _ = ask(station, "ClearDERControl", {"isDefault": True})
    _, left = ask(station, "GetDERControl", {"requestId": 2})

    curve = {"id": "b", "curve": CURVE, "curveType": "VoltWatt", "isDefault": False, "isSuperseded": False}
    body = {
        "requestId": 1,
        "tbc": False,
        "fixedPFAbsorb": [{"id": "a", "fixedPF": FIXED, "isDefault": True, "isSuperseded": False}],
        "curve": [curve],
        "gradient": [{"id": "c", "gradient": GRADIENT}],
    }
    assert (told, calls) == (ACCEPTED, [("ReportDERControl", body)])
    assert (cleared, again) == (ACCEPTED, {"status": "NotFound"})
    assert left == [("ReportDERControl", {"requestId": 2, "tbc": False, "curve": [curve]})]


def test_a_der_control_without_its_settings_is_refused() -> None:
    answer, _ = ask(device(), "SetDERControl", control("a", "FreqDroop", "curve", CURVE))

    assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": "MissingParam"}}

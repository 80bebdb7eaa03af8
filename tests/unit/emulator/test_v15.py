"""A 1.5 station: a 1.6 one whose words are translated. The driver holds every word to the schemas of 1.5."""

from typing import Any

import pytest

from csms_emulator import v15_words
from csms_emulator.actions import Transferred
from csms_emulator.commands import COMMANDS
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.session import Outcome
from csms_ocpp.version import Version
from tests.unit.emulator.driving import TIME, Central, Payload, booted, charging

V = Version.V1_5
ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
AT = "2023-11-14T22:15:00.000Z"

COMMANDS_OF_1_5: dict[str, Payload] = {
    "CancelReservation": {"reservationId": 1},
    "ChangeAvailability": {"connectorId": 1, "type": "Operative"},
    "ChangeConfiguration": {"key": "HeartBeatInterval", "value": "60"},
    "ClearCache": {},
    "DataTransfer": {"vendorId": "Acme"},
    "GetConfiguration": {"key": ["HeartBeatInterval", "Colour"]},
    "GetDiagnostics": {"location": "ftp://example.org/"},
    "GetLocalListVersion": {},
    "RemoteStartTransaction": {"idTag": "TAG"},
    "RemoteStopTransaction": {"transactionId": 5},
    "ReserveNow": {"connectorId": 1, "expiryDate": "2030-01-01T00:00:00Z", "idTag": "T", "reservationId": 1},
    "Reset": {"type": "Hard"},
    "SendLocalList": {
        "updateType": "Full",
        "listVersion": 3,
        "localAuthorisationList": [{"idTag": "TAG", "idTagInfo": {"status": "Accepted"}}],
        "hash": "0123",
    },
    "UnlockConnector": {"connectorId": 1},
    "UpdateFirmware": {"location": "ftp://example.org/", "retrieveDate": TIME},
}

ANSWERS: dict[str, Payload] = dict.fromkeys(COMMANDS_OF_1_5, ACCEPTED) | {
    "CancelReservation": REJECTED,
    "DataTransfer": {"status": "UnknownVendorId"},
    "GetConfiguration": {
        "configurationKey": [{"key": "HeartBeatInterval", "readonly": False, "value": "300"}],
        "unknownKey": ["Colour"],
    },
    "GetDiagnostics": {"fileName": "EMU-00001-diagnostics-20231114T221500Z.log"},
    "GetLocalListVersion": {"listVersion": 0},
    "RemoteStopTransaction": REJECTED,
    "UpdateFirmware": {},
}


def test_every_command_of_1_5_is_known() -> None:
    commands = set(asked_by(Role.CSMS, V))

    assert commands == COMMANDS_OF_1_5.keys()
    assert commands <= COMMANDS.keys()


@pytest.mark.parametrize("action", sorted(COMMANDS_OF_1_5))
def test_every_command_of_1_5_is_answered_in_its_words(action: str) -> None:
    assert booted(version=V).command(action, COMMANDS_OF_1_5[action]) == ANSWERS[action]


def test_a_local_list_is_understood() -> None:
    central = booted(version=V)

    central.command("SendLocalList", COMMANDS_OF_1_5["SendLocalList"])

    assert central.command("GetLocalListVersion") == {"listVersion": 3}
    assert central.station.board.local_list.status("TAG") == "Accepted"


def test_a_connector_that_is_not_there_cannot_be_unlocked() -> None:
    assert booted(version=V).command("UnlockConnector", {"connectorId": 9}) == REJECTED


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_day_in_the_words_of_1_5(seed: int) -> None:
    central = booted(version=V, seed=seed, connectors=2)

    central.run(86_400)

    said = {action for action, _ in central.asked}
    assert said == {
        "Authorize",
        "Heartbeat",
        "MeterValues",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
    assert set(central.statuses()) == {"Available", "Occupied"}


def test_the_heartbeat_interval_of_1_5_is_obeyed() -> None:
    central = Central(version=V, seed=3)
    central.replies["BootNotification"] = {"status": "Accepted", "currentTime": TIME, "heartbeatInterval": 7}
    central.connect()

    central.run(15)

    assert central.payloads("Heartbeat") == [{}, {}]


def test_meter_values_tell_what_1_5_can_measure() -> None:
    central = charging(version=V)

    central.run_until(lambda: bool(central.payloads("MeterValues")))

    (told,) = central.payloads("MeterValues")
    (reading,) = told["values"]
    assert (told["connectorId"], told["transactionId"], sorted(reading)) == (1, 1, ["timestamp", "value"])
    assert [(v["measurand"], v["unit"], v["location"], v["context"]) for v in reading["value"]] == [
        ("Energy.Active.Import.Register", "Wh", "Outlet", "Sample.Periodic"),
        ("Power.Active.Import", "W", "Outlet", "Sample.Periodic"),
        ("Current.Import", "Amp", "Outlet", "Sample.Periodic"),
        ("Voltage", "Volt", "Outlet", "Sample.Periodic"),
    ]


def test_a_stop_gives_no_reason() -> None:
    central = charging(version=V)

    central.command("RemoteStopTransaction", {"transactionId": 1})

    (stop,) = central.payloads("StopTransaction")
    assert sorted(stop) == ["meterStop", "timestamp", "transactionId"]


def test_an_update_of_the_firmware_tells_only_what_1_5_knows() -> None:
    central = booted(version=V)

    central.command("UpdateFirmware", COMMANDS_OF_1_5["UpdateFirmware"])
    central.run(1)
    central.transferred(Transferred(b"firmware"))
    central.run(240)

    assert [p["status"] for p in central.payloads("FirmwareStatusNotification")] == ["Downloaded", "Installed"]


def test_what_is_left_unsaid_holds_nothing_up() -> None:
    central = booted(version=V)
    central.replies["FirmwareStatusNotification"] = None

    central.command("UpdateFirmware", COMMANDS_OF_1_5["UpdateFirmware"])
    central.run(1)
    central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    central.settle()

    assert central.statuses() == ["Unavailable"]


def test_a_forgotten_station_boots_again() -> None:
    central = booted(version=V)
    central.replies["Heartbeat"] = None
    central.run_until_asked("Heartbeat")

    central.fail(Outcome.ERROR, "SecurityError")
    central.run(3)

    assert [action for action, _ in central.take()][-3:] == [
        "BootNotification",
        "StatusNotification",
        "StatusNotification",
    ]


@pytest.mark.parametrize(
    ("action", "request_of_1_6", "request_of_1_5"),
    [
        (
            "StatusNotification",
            {"connectorId": 1, "status": "SuspendedEVSE", "errorCode": "EVCommunicationError"},
            {"connectorId": 1, "status": "Occupied", "errorCode": "Mode3Error"},
        ),
        (
            "StatusNotification",
            {"connectorId": 1, "status": "Faulted", "errorCode": "OverVoltage"},
            {"connectorId": 1, "status": "Faulted", "errorCode": "OtherError"},
        ),
        ("DiagnosticsStatusNotification", {"status": "Idle"}, None),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}, {"status": "Uploaded"}),
        (
            "StopTransaction",
            {
                "transactionId": 1,
                "timestamp": AT,
                "meterStop": 2,
                "reason": "Local",
                "transactionData": [{"timestamp": AT, "sampledValue": [{"value": "1", "context": "Trigger"}]}],
            },
            {
                "transactionId": 1,
                "timestamp": AT,
                "meterStop": 2,
                "transactionData": [{"values": [{"timestamp": AT, "value": [{"value": "1", "unit": "Wh"}]}]}],
            },
        ),
        (
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [
                    {
                        "timestamp": AT,
                        "sampledValue": [
                            {"value": "1", "measurand": "Voltage", "unit": "V", "phase": "L1-N", "location": "EV"},
                            {"value": "2", "measurand": "Voltage", "unit": "V", "phase": "L2-N"},
                            {"value": "3", "measurand": "Temperature", "unit": "K"},
                            {"value": "4", "measurand": "SoC", "unit": "Percent"},
                        ],
                    },
                    {"timestamp": AT, "sampledValue": [{"value": "5", "measurand": "SoC", "unit": "Percent"}]},
                ],
            },
            {
                "connectorId": 1,
                "values": [{"timestamp": AT, "value": [{"value": "1", "measurand": "Voltage", "unit": "Volt"}]}],
            },
        ),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "5", "unit": "Percent"}]}]},
            None,
        ),
    ],
)
def test_requests_are_translated(action: str, request_of_1_6: Any, request_of_1_5: Any) -> None:
    assert v15_words.REQUESTS[action](request_of_1_6) == request_of_1_5


def test_a_change_that_needs_a_reboot_is_accepted() -> None:
    assert v15_words.ANSWERS["ChangeConfiguration"]({"status": "RebootRequired"}) == ACCEPTED

"""TriggerMessage, for each message and each connector."""

import pytest

from tests.unit.emulator.driving import Central, booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("Heartbeat", {}),
        ("FirmwareStatusNotification", {"status": "Idle"}),
        ("DiagnosticsStatusNotification", {"status": "Idle"}),
        (
            "BootNotification",
            {
                "chargePointVendor": "CSMS",
                "chargePointModel": "Emulator",
                "firmwareVersion": "1.0",
                "meterType": "Arithmetic",
                "chargePointSerialNumber": "EMU-00001",
            },
        ),
    ],
)
def test_a_triggered_message_follows_the_answer(message: str, body: dict[str, object]) -> None:
    central = booted()

    answer = central.command("TriggerMessage", {"requestedMessage": message})

    assert answer == ACCEPTED
    assert central.take() == [(message, body)]


def test_triggered_meter_values_belong_to_the_transaction() -> None:
    central = charging()

    answer = central.command("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})

    (values,) = central.payloads("MeterValues")
    assert answer == ACCEPTED
    assert (values["connectorId"], values["transactionId"]) == (1, 1)
    assert {v["context"] for v in values["meterValue"][0]["sampledValue"]} == {"Trigger"}


def test_triggers_without_a_connector_mean_all_of_them() -> None:
    central = booted(connectors=2)

    central.command("TriggerMessage", {"requestedMessage": "StatusNotification"})
    central.command("TriggerMessage", {"requestedMessage": "MeterValues"})
    central.settle()

    assert [(action, p["connectorId"]) for action, p in central.take()] == [
        ("StatusNotification", 0),
        ("StatusNotification", 1),
        ("StatusNotification", 2),
        ("MeterValues", 1),
        ("MeterValues", 2),
    ]


def test_connector_zero_means_the_station_and_its_main_meter() -> None:
    central = booted(connectors=2)

    central.command("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 0})
    central.command("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 0})
    central.settle()

    (_, status), (_, values) = central.take()
    total = sum(int(c.register) for c in central.station.connectors.values())
    assert (status["connectorId"], status["status"]) == (0, "Available")
    assert [v["value"] for v in values["meterValue"][0]["sampledValue"]] == [str(total)]


def test_a_trigger_for_an_unknown_connector_is_rejected() -> None:
    central = booted()

    answer = central.command("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 9})

    assert (answer, central.take()) == (REJECTED, [])


def test_triggers_are_obeyed_while_pending_and_not_while_rejected() -> None:
    central = Central()
    answers = []

    for status in ("Pending", "Rejected"):
        central.replies["BootNotification"] = {"status": status, "currentTime": "2024-01-01T00:00:00Z", "interval": 60}
        central.disconnect()
        central.run(60)
        central.connect()
        central.settle()
        central.take()
        answers.append((central.command("TriggerMessage", {"requestedMessage": "Heartbeat"}), central.take()))
        central.settle()

    assert answers == [(ACCEPTED, [("Heartbeat", {})]), (REJECTED, [])]

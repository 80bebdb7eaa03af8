"""Boot, heartbeat, reset and leaving of a 2.x station."""

import pytest

from csms_emulator.actions import Refuse
from csms_ocpp.session import Outcome
from csms_ocpp.version import Version
from tests.unit.emulator.driving import TIME
from tests.unit.emulator.v2.driving import ACCEPTED, REJECTED, TOKEN, Central, booted, charging

MODEL = {"vendorName": "CSMS", "model": "Emulator", "firmwareVersion": "1.0", "serialNumber": "EMU-00001"}


def boot(status: str, interval: int = 5) -> dict[str, object]:
    return {"status": status, "currentTime": TIME, "interval": interval}


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_a_station_boots_and_tells_all_its_statuses(version: Version) -> None:
    central = Central(version=version, connectors=2)

    central.connect()
    central.settle()

    (first, body), *others, last = central.take()
    assert (first, body) == ("BootNotification", {"reason": "PowerUp", "chargingStation": MODEL})
    assert [(action, p["evseId"], p["connectorId"], p["connectorStatus"]) for action, p in others] == [
        ("StatusNotification", 1, 1, "Available"),
        ("StatusNotification", 2, 1, "Available"),
    ]
    startup = {"type": "StartupOfTheDevice", "timestamp": "2023-11-14T22:15:00.000Z"}
    assert last == ("SecurityEventNotification", startup)


def test_heartbeats_come_at_the_interval_of_the_boot() -> None:
    central = Central(pace=0.0001)
    central.replies["BootNotification"] = boot("Accepted", 60)

    central.connect()
    central.run(190)

    assert central.payloads("Heartbeat") == [{}] * 3
    assert central.station.device.get("OCPPCommCtrlr", "HeartbeatInterval") == "60"


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_a_station_that_is_not_accepted_says_nothing_but_boot(status: str) -> None:
    central = Central()
    central.replies["BootNotification"] = boot(status, 50)

    central.connect()
    central.run(160)

    assert [action for action, _ in central.take()] == ["BootNotification"] * 4


def test_while_pending_messages_are_triggered_and_nothing_starts() -> None:
    central = Central()
    central.replies["BootNotification"] = boot("Pending", 50)
    central.connect()
    central.settle()
    central.take()

    start = central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1})
    triggered = [
        central.command("TriggerMessage", {"requestedMessage": message})
        for message in ("Heartbeat", "BootNotification")
    ]
    central.settle()

    assert (start, triggered) == (REJECTED, [ACCEPTED, ACCEPTED])
    assert [(action, p.get("reason")) for action, p in central.take()] == [
        ("Heartbeat", None),
        ("BootNotification", "Triggered"),
    ]


def test_while_rejected_commands_are_refused() -> None:
    central = Central()
    central.replies["BootNotification"] = boot("Rejected", 50)
    central.connect()
    central.settle()

    answer = central.command("ClearCache")

    assert isinstance(answer, Refuse)
    assert answer.code == "SecurityError"


def test_a_security_error_makes_the_station_boot_again_and_loses_no_event() -> None:
    central = charging()
    central.replies["TransactionEvent"] = None
    central.command("RequestStopTransaction", {"transactionId": central.uuid()})
    central.fail(Outcome.ERROR, "SecurityError")
    del central.replies["TransactionEvent"]
    central.take()

    central.run(5)

    actions = [action for action, _ in central.take()]
    assert actions[0] == "BootNotification"
    assert actions.count("TransactionEvent") == 1


# --- Reset ------------------------------------------------------------------------------------------------------------


def test_an_immediate_reset_ends_the_transaction_and_the_station_boots_again() -> None:
    central = charging()

    answer = central.command("Reset", {"type": "Immediate"})
    central.settle()
    told = central.payloads("TransactionEvent")
    left = central.leaving
    central.disconnect()
    central.connect()
    central.settle()

    assert (answer, left) == (ACCEPTED, True)
    assert [e["transactionInfo"]["stoppedReason"] for e in told] == ["ImmediateReset"]
    assert [p["reason"] for p in central.payloads("BootNotification")] == ["RemoteReset"]
    assert central.statuses() == ["Available"]


def test_a_reset_on_idle_waits_for_the_transaction_and_lets_none_begin() -> None:
    central = charging(connectors=2)

    answer = central.command("Reset", {"type": "OnIdle"})
    start = central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 2})
    central.settle()
    waiting = central.leaving
    central.command("RequestStopTransaction", {"transactionId": central.uuid()})
    central.settle()

    assert (answer, start, waiting) == ({"status": "Scheduled"}, REJECTED, False)
    assert central.statuses(2) == ["Unavailable"]
    assert central.leaving
    central.disconnect()
    central.connect()
    central.settle()
    assert [p["reason"] for p in central.payloads("BootNotification")] == ["ScheduledReset"]
    assert central.statuses(2) == ["Unavailable", "Available"]


def test_a_reset_of_one_evse_leaves_the_others_alone() -> None:
    central = charging(connectors=2, pace=0.5)

    answers = [central.command("Reset", {"type": "Immediate", "evseId": evse}) for evse in (1, 2, 3)]
    central.run(45)

    assert answers == [ACCEPTED, ACCEPTED, REJECTED]
    assert central.events() == [("Ended", "ResetCommand")]
    assert not central.leaving
    assert central.statuses(2)[:2] == ["Unavailable", "Available"]


def test_a_reset_of_an_evse_sends_a_driver_away_whose_card_is_being_looked_at() -> None:
    central = booted(seed=4)
    central.replies["Authorize"] = None
    central.run_until_asked("Authorize")

    answer = central.command("Reset", {"type": "Immediate", "evseId": 1})
    del central.replies["Authorize"]
    central.run(60)

    assert answer == ACCEPTED
    assert central.events() == []
    assert central.statuses()[0] == "Occupied"
    assert "Available" in central.statuses()


def test_a_transaction_goes_on_after_a_reset_that_resumes_it() -> None:
    central = charging()
    uuid, register = central.uuid(), central.station.evses[1].register

    answer = central.command("Reset", {"type": "ImmediateAndResume"})
    one = central.command("Reset", {"type": "ImmediateAndResume", "evseId": 1})
    central.disconnect()
    central.now += 1000
    central.connect()
    central.settle()
    (resumed,) = central.payloads("TransactionEvent")
    central.run(70)

    assert (answer, one) == (ACCEPTED, REJECTED)
    assert (resumed["eventType"], resumed["triggerReason"]) == ("Updated", "TxResumed")
    assert resumed["transactionInfo"] == {"transactionId": uuid, "chargingState": "Charging"}
    assert central.statuses() == ["Occupied"]
    assert central.events()[-1] == ("Updated", "MeterValuePeriodic")
    assert 0 < central.station.evses[1].register - register < 700


def test_reservations_survive_a_reset() -> None:
    central = booted(pace=0.001)
    expiry = "2023-11-14T22:40:00Z"
    central.command("ReserveNow", {"id": 7, "expiryDateTime": expiry, "idToken": TOKEN, "evseId": 1})

    central.command("Reset", {"type": "Immediate"})
    central.settle()
    central.disconnect()
    central.connect()
    central.run(3600)

    assert central.statuses() == ["Reserved", "Reserved", "Available"]
    assert len(central.payloads("ReservationStatusUpdate")) == 1


# --- connections ------------------------------------------------------------------------------------------------------


def test_leaving_ends_the_transaction_and_then_the_connection() -> None:
    central = charging()

    central.shut_down(3.0)
    before = central.leaving
    central.settle()
    central.disconnect()

    (ended,) = central.payloads("TransactionEvent")
    assert (ended["eventType"], ended["transactionInfo"]["stoppedReason"]) == ("Ended", "Other")
    assert (before, central.leaving, central.reconnect) == (False, True, None)


def test_a_reconnect_without_news_says_nothing() -> None:
    central = booted()

    central.disconnect()
    central.connect()
    central.settle()

    assert central.take() == []


def test_reconnects_back_off_with_jitter_up_to_a_minute() -> None:
    central = Central()
    waits = []

    for _ in range(8):
        central.disconnect()
        waits.append(central.reconnect or 0.0)

    longest = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))

"""A charging session as TransactionEvents tell it."""

import pytest

from csms_ocpp.session import Outcome
from csms_ocpp.version import Version
from tests.unit.emulator.v2.driving import TOKEN, Central, booted, charging


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_a_driver_plugs_in_charges_and_leaves(version: Version) -> None:
    central = booted(version=version, seed=4)

    central.run_until(lambda: central.statuses()[-2:] == ["Occupied", "Available"])

    events = central.payloads("TransactionEvent")
    assert central.statuses() == ["Occupied", "Available"]
    assert [e["eventType"] for e in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]
    assert [e["seqNo"] for e in events] == list(range(len(events)))
    assert len({e["transactionInfo"]["transactionId"] for e in events}) == 1
    assert events[0]["evse"] == {"id": 1, "connectorId": 1}
    assert all("evse" not in e and "offline" not in e for e in events[1:])
    assert central.payloads("Authorize") == [{"idToken": events[0]["idToken"]}]


def test_the_energy_of_a_transaction_never_runs_back() -> None:
    central = booted(seed=4)

    central.run_until(lambda: bool(central.events()) and central.events()[-1][0] == "Ended")

    values = [e["meterValue"][0]["sampledValue"] for e in central.payloads("TransactionEvent") if "meterValue" in e]
    energies = [v["value"] for sampled in values for v in sampled if v["measurand"] == "Energy.Active.Import.Register"]
    assert energies == sorted(energies)
    assert energies[0] < energies[-1]


def test_a_remote_start_is_told_with_its_id_and_its_token() -> None:
    central = booted()

    central.command("RequestStartTransaction", {"evseId": 1, "idToken": TOKEN, "remoteStartId": 0})
    central.run_until(lambda: len(central.events()) == 2, 60)

    started, updated = central.payloads("TransactionEvent")
    assert (started["triggerReason"], started["idToken"]) == ("RemoteStart", TOKEN)
    assert started["transactionInfo"] == {
        "transactionId": central.uuid(),
        "chargingState": "EVConnected",
        "remoteStartId": 0,
    }
    assert updated["triggerReason"] == "ChargingStateChanged"
    assert updated["transactionInfo"]["chargingState"] == "Charging"


def test_a_remote_start_is_taken_once_an_evse() -> None:
    central = booted(connectors=2)
    request = {"idToken": TOKEN, "remoteStartId": 1}

    answers = [central.command("RequestStartTransaction", request) for _ in range(3)]

    assert answers == [{"status": "Accepted"}, {"status": "Accepted"}, {"status": "Rejected"}]


def test_a_remote_stop_ends_the_transaction_and_no_other_does() -> None:
    central = charging()

    answers = [
        central.command("RequestStopTransaction", {"transactionId": uuid}) for uuid in ("x", central.uuid(), "x")
    ]
    central.settle()

    (ended,) = central.payloads("TransactionEvent")
    assert answers == [{"status": "Rejected"}, {"status": "Accepted"}, {"status": "Rejected"}]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "RemoteStop")
    assert ended["transactionInfo"]["stoppedReason"] == "Remote"


def test_a_token_that_is_refused_does_not_charge() -> None:
    central = booted(seed=4)
    central.replies["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}

    central.run_until(lambda: central.statuses() == ["Occupied", "Available"])

    assert central.events() == []


def test_a_token_that_the_first_event_refuses_stops_charging() -> None:
    central = booted()
    central.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}

    central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1})
    central.run_until(lambda: ("Ended", "Deauthorized") in central.events(), 60)

    assert central.payloads("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"


def test_where_a_refused_token_stops_nothing_the_energy_does() -> None:
    central = booted()
    central.station.device.set("TxCtrlr", "StopTxOnInvalidId", "false")
    central.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}

    central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1})
    central.run_until(lambda: len(central.events()) == 3, 60)

    states = [e["transactionInfo"]["chargingState"] for e in central.payloads("TransactionEvent")]
    assert states == ["EVConnected", "Charging", "SuspendedEVSE"]


def test_a_transaction_begins_with_the_cable_where_the_variable_says_so() -> None:
    central = booted(seed=4)
    central.station.device.set("TxCtrlr", "TxStartPoint", "EVConnected,Authorized")

    central.run_until(lambda: len(central.events()) == 3)

    events = central.payloads("TransactionEvent")
    assert central.events() == [
        ("Started", "CablePluggedIn"),
        ("Updated", "Authorized"),
        ("Updated", "ChargingStateChanged"),
    ]
    assert ["idToken" in event for event in events] == [False, True, False]


def test_a_remote_start_at_a_cable_names_the_transaction_that_has_begun() -> None:
    central = booted(seed=4)
    central.station.device.set("TxCtrlr", "TxStartPoint", "EVConnected")
    central.run_until(lambda: len(central.events()) == 1)

    answer = central.command("RequestStartTransaction", {"evseId": 1, "idToken": TOKEN, "remoteStartId": 9})
    central.run_until(lambda: len(central.events()) == 2)

    updated = central.payloads("TransactionEvent")[1]
    assert answer == {"status": "Accepted", "transactionId": central.uuid()}
    assert (updated["triggerReason"], updated["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 9)


def test_offline_events_are_told_in_order_after_the_reconnect() -> None:
    central = charging()

    central.disconnect()
    central.run(300)
    central.connect()
    central.settle()

    events = central.payloads("TransactionEvent")
    numbers = [event["seqNo"] for event in events]
    assert len(events) >= 2
    assert all(event["offline"] for event in events)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_card_waiting_for_its_answer_is_decided_locally_when_the_connection_goes() -> None:
    central = booted(seed=4)
    central.station.device.set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true")
    central.replies["Authorize"] = None
    central.run_until_asked("Authorize")

    central.disconnect()

    assert central.station.evses[1].transaction is not None


def test_offline_drivers_whom_nobody_knows_are_turned_away() -> None:
    central = booted(seed=4)
    central.station.device.set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "false")

    central.disconnect()
    central.run(3600)
    central.connect()
    central.settle()

    assert central.events() == []


def test_a_failed_event_is_repeated_after_a_growing_pause_and_then_given_up() -> None:
    central = charging()
    central.station.device.set("OCPPCommCtrlr", "MessageAttempts", "3", instance="TransactionEvent")
    central.station.device.set("OCPPCommCtrlr", "MessageAttemptInterval", "10", instance="TransactionEvent")
    central.replies["TransactionEvent"] = None
    central.command("RequestStopTransaction", {"transactionId": central.uuid()})
    times: list[float] = []

    for _ in range(3):
        central.run_until_asked("TransactionEvent")
        times.append(central.now)
        central.fail(Outcome.ERROR, "InternalError")

    assert [round(time - times[0], 6) for time in times] == [0.0, 10.0, 30.0]
    assert [e.fields["action"] for e in central.logged if e.event == "not delivered"] == ["TransactionEvent"]


def test_the_status_of_a_transaction_is_told_while_it_runs_and_while_it_is_to_be_told() -> None:
    central = charging()
    uuid = central.uuid()
    running = central.command("GetTransactionStatus", {"transactionId": uuid})
    central.replies["TransactionEvent"] = None
    central.command("RequestStopTransaction", {"transactionId": uuid})

    waiting = central.command("GetTransactionStatus", {"transactionId": uuid})
    anything = central.command("GetTransactionStatus", {})
    unknown = central.command("GetTransactionStatus", {"transactionId": "x"})

    assert running == {"ongoingIndicator": True, "messagesInQueue": False}
    assert waiting == {"ongoingIndicator": False, "messagesInQueue": True}
    assert anything == {"messagesInQueue": True}
    assert unknown == {"ongoingIndicator": False, "messagesInQueue": False}


def test_the_same_seed_gives_the_same_life() -> None:
    lives: list[Central] = [booted(seed=9), booted(seed=9)]

    for central in lives:
        central.run(7200)

    assert lives[0].asked == lives[1].asked

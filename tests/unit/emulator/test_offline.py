"""Without an answer, without a connection: nothing that matters is lost."""

from itertools import pairwise

from csms_ocpp.session import Outcome
from tests.unit.emulator.driving import Central, booted, charging


def test_a_transaction_goes_on_offline_and_is_told_in_order_after_the_reconnect() -> None:
    central = charging()

    central.disconnect()
    central.run(300)
    central.connect()
    central.settle()

    told = [(action, p["meterValue"][0]["timestamp"]) for action, p in central.take() if action == "MeterValues"]
    assert len(told) == 5
    assert told == sorted(told)


def test_a_whole_transaction_offline_gets_its_id_when_the_start_is_delivered() -> None:
    central = booted(seed=4)
    central.disconnect()
    connector = central.station.connectors[1]
    central.run_until(lambda: connector.transaction is not None)
    central.run_until(lambda: connector.transaction is None)

    central.connect()
    central.replies["StartTransaction"] = {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}
    central.settle()

    kept = [(a, p.get("transactionId")) for a, p in central.asked if a in ("StartTransaction", "StopTransaction")]
    assert kept == [("StartTransaction", None), ("StopTransaction", 77)]
    assert {p["transactionId"] for p in central.payloads("MeterValues")} == {77}


def test_offline_drivers_are_turned_away_when_unknown_ids_may_not_charge() -> None:
    central = booted(seed=4)
    central.command("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": "false"})

    central.disconnect()
    central.run(3600)
    central.connect()
    central.settle()

    assert central.payloads("StartTransaction") == []


def test_offline_drivers_whom_the_cache_knows_may_charge() -> None:
    central = booted(seed=4, id_tags=("KNOWN",))
    central.run_until(lambda: bool(central.payloads("StopTransaction")))
    central.take()
    central.command("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": "false"})

    central.disconnect()
    central.run(600)
    central.connect()
    central.settle()

    assert [p["idTag"] for p in central.payloads("StartTransaction")] == ["KNOWN"]


def test_a_card_waiting_for_its_answer_is_decided_locally_when_the_connection_goes() -> None:
    central = booted(seed=4)
    central.replies["Authorize"] = None
    central.run_until_asked("Authorize")

    central.disconnect()

    assert central.station.connectors[1].transaction is not None


def test_a_reconnect_without_news_says_nothing() -> None:
    central = booted()

    central.disconnect()
    central.connect()
    central.settle()

    assert central.take() == []


def test_a_status_that_was_lost_is_told_again() -> None:
    central = booted(seed=4)
    central.replies["StatusNotification"] = None
    central.run_until_asked("StatusNotification")

    central.disconnect()
    central.connect()

    assert central.statuses() == ["Preparing", "Preparing"]


def test_reconnects_back_off_with_jitter_up_to_a_minute() -> None:
    central = Central()
    waits = []

    for _ in range(12):
        central.disconnect()
        waits.append(central.reconnect)

    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True) if wait is not None)
    assert len(set(waits)) == 12


def test_an_answer_ends_the_back_off() -> None:
    central = Central()
    for _ in range(6):
        central.disconnect()
    central.connect()
    central.settle()

    central.disconnect()

    assert central.reconnect is not None
    assert central.reconnect <= 1


def test_a_failed_transaction_message_is_repeated_after_a_growing_pause_and_then_given_up() -> None:
    central = charging()
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.replies["StopTransaction"] = None
    times = []

    for _ in range(3):
        central.run_until_asked("StopTransaction")
        times.append(central.now)
        central.fail(Outcome.ERROR, "InternalError")
    central.run(100)

    assert [round(later - sooner, 6) for sooner, later in pairwise(times)] == [10.0, 20.0]
    assert len(central.payloads("StopTransaction")) == 3


def test_the_stop_of_a_transaction_whose_start_was_never_answered_names_minus_one() -> None:
    central = booted()
    central.replies["StartTransaction"] = None
    central.command("RemoteStartTransaction", {"idTag": "TAG"})

    for _ in range(3):
        central.run_until_asked("StartTransaction")
        central.fail(Outcome.ERROR, "InternalError")
    central.command("UnlockConnector", {"connectorId": 1})
    central.settle()

    assert [p["transactionId"] for p in central.payloads("StopTransaction")] == [-1]
    assert [e.fields["action"] for e in central.logged if e.event == "not delivered"] == ["StartTransaction"]


def test_heartbeats_go_on_while_a_transaction_message_waits_for_its_repetition() -> None:
    central = charging()
    central.command("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "2"})
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.replies["StopTransaction"] = None
    central.run_until_asked("StopTransaction")
    central.fail(Outcome.ERROR, "InternalError")
    central.take()

    central.run(9)

    assert central.payloads("Heartbeat") == [{}] * 4


def test_a_security_error_makes_the_station_boot_again_and_loses_no_transaction_message() -> None:
    central = charging()
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.replies["StopTransaction"] = None
    central.run_until_asked("StopTransaction")
    central.fail(Outcome.ERROR, "SecurityError")
    del central.replies["StopTransaction"]
    central.take()

    central.run(5)

    actions = [action for action, _ in central.take()]
    assert actions[0] == "BootNotification"
    assert actions.count("StopTransaction") == 1

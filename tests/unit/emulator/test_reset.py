"""Reset, soft and hard."""

from tests.unit.emulator.driving import booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def test_a_soft_reset_tells_the_stop_first_and_then_boots_again() -> None:
    central = charging()

    answer = central.command("Reset", {"type": "Soft"})
    central.run_until(lambda: central.leaving, 10)
    before = [action for action, _ in central.take()]
    central.disconnect()
    central.now += central.reconnect or 0
    central.connect()
    central.settle()

    assert answer == ACCEPTED
    assert before[:1] == ["StopTransaction"]
    assert [action for action, _ in central.asked] == [
        "BootNotification",
        "StatusNotification",
        "StatusNotification",
        "SecurityEventNotification",
    ]
    assert central.statuses() == ["Available"]


def test_the_stop_of_a_soft_reset_says_so() -> None:
    central = charging()

    central.command("Reset", {"type": "Soft"})

    assert [p["reason"] for p in central.payloads("StopTransaction")] == ["SoftReset"]


def test_a_soft_reset_does_not_wait_for_ever_for_an_answer() -> None:
    central = charging()
    central.replies["StopTransaction"] = None

    central.command("Reset", {"type": "Soft"})
    central.run(30)

    assert central.leaving


def test_a_hard_reset_leaves_at_once_and_tells_the_stop_after_the_boot() -> None:
    central = charging()

    answer = central.command("Reset", {"type": "Hard"})
    leaving, before = central.leaving, central.take()
    central.disconnect()
    central.connect()
    central.settle()

    assert (answer, leaving, before) == (ACCEPTED, True, [])
    assert next(action for action, _ in central.asked) == "BootNotification"
    assert [(p["reason"], p["transactionId"]) for p in central.payloads("StopTransaction")] == [("HardReset", 1)]


def test_commands_during_a_reset_start_nothing() -> None:
    central = charging(connectors=2)
    central.replies["StopTransaction"] = None
    central.command("Reset", {"type": "Soft"})

    start = central.command("RemoteStartTransaction", {"connectorId": 2, "idTag": "TAG"})
    trigger = central.command("TriggerMessage", {"requestedMessage": "Heartbeat"})

    assert (start, trigger) == (REJECTED, REJECTED)


def test_a_card_that_waits_for_its_answer_does_not_charge_once_a_reset_has_begun() -> None:
    central = booted(seed=4)
    central.replies["Authorize"] = None
    central.run_until_asked("Authorize")

    central.command("Reset", {"type": "Soft"})
    central.reply({"idTagInfo": {"status": "Accepted"}})

    assert central.payloads("StartTransaction") == []

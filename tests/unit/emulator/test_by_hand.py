"""A station operated by hand, without drivers of its own; and cards that come before the cable."""

import pytest

from csms_emulator.deeds import Clear, Fault, Plug, Swipe, Unplug
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Central, booted

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}

PLUG = Plug(1)
UNPLUG = Unplug(1)
SWIPE = Swipe(1, "TAG")
OTHER_CARD = Swipe(1, "OTHER")
FAULT = Fault(1, "GroundFailure")
CLEAR = Clear(1)


def quiet(**options: int) -> Central:
    return booted(drivers=False, **options)


def reasons(central: Central) -> list[str]:
    return [p["reason"] for p in central.payloads("StopTransaction")]


def refusals(central: Central) -> list[str]:
    return [entry.fields["reason"] for entry in central.logged if entry.event == "refused"]


def test_nobody_comes_by_himself() -> None:
    central = quiet()

    central.run(86_400)

    assert {action for action, _ in central.asked} == {"Heartbeat"}


def test_cable_card_card_cable() -> None:
    central = quiet()

    for deed in (PLUG, SWIPE, SWIPE, UNPLUG):
        central.by_hand(deed)
        central.run(10)

    assert central.payloads("Authorize") == [{"idTag": "TAG"}]
    assert [(p["idTag"], p["reason"]) for p in central.payloads("StopTransaction")] == [("TAG", "Local")]
    assert central.statuses() == ["Preparing", "Charging", "Finishing", "Available"]


def test_the_card_may_come_before_the_cable() -> None:
    central = quiet()

    central.by_hand(SWIPE)
    central.run(30)
    before = len(central.payloads("StartTransaction"))
    central.by_hand(PLUG)

    assert (before, [p["idTag"] for p in central.payloads("StartTransaction")]) == (0, ["TAG"])
    assert central.statuses() == ["Preparing", "Charging"]


def test_a_card_without_a_cable_is_forgotten_after_the_connection_timeout() -> None:
    central = quiet()
    central.command("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "20"})

    central.by_hand(SWIPE)
    central.run(21)
    central.by_hand(PLUG)

    assert central.payloads("StartTransaction") == []
    assert central.statuses() == ["Preparing", "Available", "Preparing"]


def test_a_timeout_of_zero_waits_for_ever() -> None:
    central = quiet()
    central.command("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "0"})

    central.by_hand(SWIPE)
    central.run(86_400)
    central.by_hand(PLUG)

    assert len(central.payloads("StartTransaction")) == 1


def test_a_remote_start_waits_for_the_cable() -> None:
    central = quiet(connectors=2)
    wanted = [{"connectorId": n, "idTag": "TAG"} for n in (1, 2)]

    answers = [central.command("RemoteStartTransaction", one) for one in wanted]
    central.by_hand(PLUG)
    central.run(61)

    assert answers == [ACCEPTED, ACCEPTED]
    assert [p["connectorId"] for p in central.payloads("StartTransaction")] == [1]
    assert (central.statuses(1), central.statuses(2)) == (["Preparing", "Charging"], ["Preparing", "Available"])


def test_drivers_who_come_by_themselves_may_show_the_card_first_and_forget_to_plug_in() -> None:
    central = booted(seed=2, connectors=4, pace=30)

    central.run(1800)

    forgotten = [entry for entry in central.logged if entry.event == "not plugged in"]
    assert len(forgotten) > 1
    assert len(central.payloads("Authorize")) == len(central.payloads("StartTransaction")) + len(forgotten)


def test_a_refused_card_leaves_the_cable_in() -> None:
    central = quiet()
    central.replies["Authorize"] = {"idTagInfo": {"status": "Blocked"}}

    central.by_hand(PLUG)
    central.by_hand(SWIPE)
    central.run(600)

    assert central.statuses() == ["Preparing"]
    assert refusals(central) == ["Blocked"]


def test_a_refused_card_without_a_cable_frees_the_connector() -> None:
    central = quiet()
    central.replies["Authorize"] = {"idTagInfo": {"status": "Expired"}}

    central.by_hand(SWIPE)

    assert central.statuses() == ["Preparing", "Available"]


def test_another_card_stops_nothing() -> None:
    central = quiet()
    for deed in (PLUG, SWIPE, OTHER_CARD):
        central.by_hand(deed)

    assert (reasons(central), refusals(central)) == ([], ["another driver charges"])


def test_pulling_the_cable_ends_the_transaction() -> None:
    central = quiet()
    for deed in (PLUG, SWIPE, UNPLUG):
        central.by_hand(deed)

    assert reasons(central) == ["EVDisconnected"]
    assert central.statuses() == ["Preparing", "Charging", "Finishing", "Available"]


def test_the_next_card_may_charge_the_same_car() -> None:
    central = quiet()
    for deed in (PLUG, SWIPE, SWIPE, OTHER_CARD):
        central.by_hand(deed)

    assert [p["idTag"] for p in central.payloads("StartTransaction")] == ["TAG", "OTHER"]
    assert central.statuses() == ["Preparing", "Charging", "Finishing", "Preparing", "Charging"]


def test_a_fault_ends_the_transaction_and_lasts_until_it_is_mended() -> None:
    central = quiet()
    for deed in (PLUG, SWIPE, FAULT, SWIPE, CLEAR, UNPLUG):
        central.by_hand(deed)

    told = [(p["status"], p["errorCode"]) for p in central.payloads("StatusNotification")]
    assert reasons(central) == ["Other"]
    assert told == [
        ("Preparing", "NoError"),
        ("Charging", "NoError"),
        ("Faulted", "GroundFailure"),
        ("Preparing", "NoError"),
        ("Available", "NoError"),
    ]


def test_a_broken_connector_serves_nobody_even_after_a_reset() -> None:
    central = quiet()
    central.by_hand(FAULT)
    central.command("Reset", {"type": "Hard"})
    central.disconnect()
    central.connect()
    central.settle()

    start = central.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})

    assert (start, central.statuses()[-1]) == (REJECTED, "Faulted")


def test_a_mended_connector_is_as_available_as_it_was_to_be() -> None:
    central = quiet()
    central.by_hand(FAULT)
    central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})

    central.by_hand(CLEAR)

    assert central.statuses() == ["Faulted", "Unavailable"]


def test_drivers_come_again_when_a_fault_is_mended() -> None:
    central = booted()
    central.by_hand(FAULT)
    central.run(3600)
    central.by_hand(CLEAR)
    central.run(600)

    assert central.statuses()[:3] == ["Faulted", "Available", "Preparing"]


def test_nothing_can_be_done_while_the_station_restarts() -> None:
    central = quiet()
    central.command("Reset", {"type": "Hard"})

    for deed in (PLUG, SWIPE):
        central.by_hand(deed)

    assert central.statuses() == []
    assert [entry.event for entry in central.logged][-2:] == ["impossible", "impossible"]


@pytest.mark.parametrize("deeds", [(UNPLUG,), (CLEAR,), (PLUG, PLUG), (SWIPE, SWIPE), (FAULT, PLUG)])
def test_what_cannot_be_done_changes_nothing_but_the_log(deeds: tuple[object, ...]) -> None:
    central = quiet()
    *before, last = deeds
    for deed in before:
        central.by_hand(deed)  # type: ignore[arg-type]
    central.take()

    central.by_hand(last)  # type: ignore[arg-type]

    assert central.take() == []
    assert [entry.event for entry in central.logged][-1] == "impossible"


def test_a_connector_that_is_not_there_and_an_unknown_error_are_mistakes() -> None:
    station = quiet().station

    with pytest.raises(ValueError, match=r"There is no connector 9\."):
        station.by_hand(Plug(9), 100.0)
    with pytest.raises(ValueError, match="'Smoke' is no errorCode"):
        station.by_hand(Fault(1, "Smoke"), 100.0)


def test_a_1_5_station_says_it_in_its_own_words() -> None:
    central = booted(drivers=False, version=Version.V1_5)
    for deed in (PLUG, SWIPE, FAULT):
        central.by_hand(deed)

    assert [(p["status"], p["errorCode"]) for p in central.payloads("StatusNotification")] == [
        ("Occupied", "NoError"),
        ("Occupied", "NoError"),
        ("Faulted", "GroundFailure"),
    ]


def test_whom_the_list_knows_does_not_wait_for_the_central_system() -> None:
    central = quiet()
    entry = {"idTag": "TAG", "idTagInfo": {"status": "Accepted"}}
    central.command("SendLocalList", {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]})
    central.command("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})

    central.by_hand(PLUG)
    central.by_hand(SWIPE)

    assert central.payloads("Authorize") == []
    assert len(central.payloads("StartTransaction")) == 1


def test_an_invalid_id_gets_no_more_energy_where_its_transaction_is_not_to_stop() -> None:
    central = quiet()
    central.command("ChangeConfiguration", {"key": "StopTransactionOnInvalidId", "value": "false"})
    central.replies["StartTransaction"] = {"transactionId": 5, "idTagInfo": {"status": "Invalid"}}

    central.by_hand(PLUG)
    central.by_hand(SWIPE)
    central.run(600)
    central.by_hand(SWIPE)

    (start,), (stop,) = central.payloads("StartTransaction"), central.payloads("StopTransaction")
    assert stop["meterStop"] == start["meterStart"]
    assert central.statuses() == ["Preparing", "Charging", "SuspendedEVSE", "Finishing"]


def test_an_invalid_id_gets_the_energy_that_is_allowed() -> None:
    central = quiet()
    central.command("ChangeConfiguration", {"key": "StopTransactionOnInvalidId", "value": "false"})
    central.command("ChangeConfiguration", {"key": "MaxEnergyOnInvalidId", "value": "500"})
    central.replies["StartTransaction"] = {"transactionId": 5, "idTagInfo": {"status": "Invalid"}}

    central.by_hand(PLUG)
    central.by_hand(SWIPE)
    central.run(7200)
    central.by_hand(SWIPE)

    (start,), (stop,) = central.payloads("StartTransaction"), central.payloads("StopTransaction")
    assert 495 <= stop["meterStop"] - start["meterStart"] <= 505
    assert central.statuses()[-2:] == ["SuspendedEVSE", "Finishing"]

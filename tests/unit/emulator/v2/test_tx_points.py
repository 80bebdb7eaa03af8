"""TxStartPoint and TxStopPoint: a transaction is made of exactly what they name."""

import pytest

from csms_emulator.deeds import Deed, Depart, Park, Plug, Swipe, Unplug
from tests.unit.emulator.v2.driving import ACCEPTED, OTHER, REJECTED, TOKEN, Central, booted

PARK, DEPART, PLUG, UNPLUG = Park(1), Depart(1), Plug(1), Unplug(1)
SWIPE, OTHER_CARD = Swipe(1, "TAG"), Swipe(1, "OTHER")
DAY = (PARK, PLUG, SWIPE, SWIPE, UNPLUG, DEPART)
REMOTE_START = {"evseId": 1, "idToken": TOKEN, "remoteStartId": 7}


def made(start: str = "", stop: str = "", **variables: str) -> Central:
    central = booted(drivers=False)
    central.variable("TxCtrlr", "TxStartPoint", start or "PowerPathClosed")
    central.variable("TxCtrlr", "TxStopPoint", stop or "EVConnected,Authorized")
    for name, value in variables.items():
        central.variable("TxCtrlr", name, value)
    return central


def told(central: Central) -> list[tuple[str, str, str]]:
    """Of each TransactionEvent what it is, why, and the chargingState."""
    events = central.payloads("TransactionEvent")
    return [(e["eventType"], e["triggerReason"], e["transactionInfo"].get("chargingState", "")) for e in events]


def reasons(central: Central) -> list[str]:
    infos = [p["transactionInfo"] for p in central.payloads("TransactionEvent")]
    return [info["stoppedReason"] for info in infos if "stoppedReason" in info]


@pytest.mark.parametrize(
    ("point", "deed", "trigger", "state"),
    [
        ("ParkingBayOccupancy", PARK, "EVDetected", "Idle"),
        ("EVConnected", PLUG, "CablePluggedIn", "EVConnected"),
        ("Authorized", SWIPE, "Authorized", "EVConnected"),
        ("PowerPathClosed", SWIPE, "Authorized", "EVConnected"),
        ("EnergyTransfer", SWIPE, "ChargingStateChanged", "Charging"),
        ("DataSigned", SWIPE, "Authorized", "EVConnected"),
        ("DataSigned,EVConnected", PLUG, "CablePluggedIn", "EVConnected"),
    ],
)
def test_a_transaction_starts_with_its_start_point(point: str, deed: Deed, trigger: str, state: str) -> None:
    central = made(start=point)

    for each in DAY[: DAY.index(deed)]:
        central.by_hand(each)
    before = told(central)
    central.by_hand(deed)

    assert (before, told(central)[0]) == ([], ("Started", trigger, state))


@pytest.mark.parametrize(
    ("point", "deed", "trigger", "reason"),
    [
        ("Authorized", 3, "StopAuthorized", "Local"),
        ("PowerPathClosed", 3, "StopAuthorized", "Local"),
        ("EnergyTransfer", 3, "StopAuthorized", "Local"),
        ("EVConnected", 4, "EVCommunicationLost", "Local"),
        ("ParkingBayOccupancy", 5, "EVDeparted", "Local"),
        ("ParkingBayOccupancy,EVConnected", 4, "EVCommunicationLost", "Local"),
        ("DataSigned", 3, "StopAuthorized", "Local"),
    ],
)
def test_a_transaction_ends_with_its_stop_point_and_for_what_came_first(
    point: str, deed: int, trigger: str, reason: str
) -> None:
    central = made(stop=point)

    central.by_hand(*DAY[:deed])
    before = [kind for kind, _, _ in told(central)]
    central.by_hand(DAY[deed])

    assert "Ended" not in before
    assert (told(central)[-1][:2], reasons(central)) == (("Ended", trigger), [reason])


def test_what_happens_before_the_stop_point_is_told_and_no_energy_flows_any_more() -> None:
    central = made(start="ParkingBayOccupancy", stop="ParkingBayOccupancy")

    central.by_hand(*DAY)

    assert told(central) == [
        ("Started", "EVDetected", "Idle"),
        ("Updated", "CablePluggedIn", "EVConnected"),
        ("Updated", "Authorized", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "StopAuthorized", "EVConnected"),
        ("Updated", "EVCommunicationLost", "Idle"),
        ("Ended", "EVDeparted", "Idle"),
    ]


def test_the_token_is_told_once_when_it_begins_to_charge() -> None:
    central = made(start="EVConnected", stop="EVConnected")

    central.by_hand(PLUG, SWIPE)
    central.run(200)

    assert [p["idToken"] for p in central.payloads("TransactionEvent") if "idToken" in p] == [TOKEN]


def test_a_transaction_that_starts_with_the_card_waits_for_the_cable() -> None:
    central = made(start="Authorized")

    central.by_hand(SWIPE, PLUG)

    assert told(central) == [
        ("Started", "Authorized", "Idle"),
        ("Updated", "CablePluggedIn", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
    ]


def test_a_transaction_without_a_cable_ends_after_the_connection_timeout() -> None:
    central = made(start="Authorized", EVConnectionTimeOut="20")

    central.by_hand(SWIPE)
    central.run(21)

    assert told(central)[-1] == ("Ended", "EVConnectTimeout", "Idle")
    assert (reasons(central), central.statuses()) == (["Timeout"], ["Occupied", "Available"])


def test_a_remote_start_may_begin_the_transaction_before_the_cable() -> None:
    central = made(start="Authorized")

    central.command("RequestStartTransaction", REMOTE_START)
    central.settle()
    again = central.command("RequestStartTransaction", REMOTE_START)

    (started,) = central.payloads("TransactionEvent")
    assert (started["triggerReason"], started["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 7)
    assert again == REJECTED


def test_a_second_car_of_the_same_cable_needs_the_cable_where_that_starts_transactions() -> None:
    central = made(start="EVConnected")

    central.by_hand(PLUG, SWIPE, SWIPE, OTHER_CARD)
    answer = central.command("RequestStartTransaction", REMOTE_START)

    refused = [entry.fields["reason"] for entry in central.logged if entry.event == "refused"]
    assert (answer, refused) == (REJECTED, ["no transaction begins before the cable is pulled"])
    assert [kind for kind, _, _ in told(central)].count("Started") == 1


def test_energy_that_ceases_ends_a_transaction_that_is_made_of_it() -> None:
    central = made(start="EnergyTransfer", stop="EnergyTransfer")

    central.by_hand(PLUG, SWIPE)
    central.run(86_400)

    assert told(central)[0] == ("Started", "ChargingStateChanged", "Charging")
    assert told(central)[-1] == ("Ended", "ChargingStateChanged", "EVConnected")
    assert reasons(central) == ["StoppedByEV"]


def test_without_stop_on_disconnect_the_same_car_may_come_back() -> None:
    central = made(stop="Authorized", StopTxOnEVSideDisconnect="false")

    central.by_hand(PLUG, SWIPE, UNPLUG)
    away = told(central)[-1]
    central.by_hand(PLUG, SWIPE)

    assert away == ("Updated", "EVCommunicationLost", "Idle")
    assert told(central)[3:] == [
        ("Updated", "CablePluggedIn", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Ended", "StopAuthorized", "EVConnected"),
    ]


def test_with_stop_on_disconnect_the_pulled_cable_ends_the_authorization() -> None:
    central = made(stop="Authorized")

    central.by_hand(PLUG, SWIPE, UNPLUG)

    assert (told(central)[-1][:2], reasons(central)) == (("Ended", "EVCommunicationLost"), ["EVDisconnected"])


def test_a_transaction_that_nothing_could_end_any_more_ends() -> None:
    central = made(start="EVConnected", stop="Authorized")

    central.by_hand(PLUG, UNPLUG)

    assert [event[:2] for event in told(central)] == [("Started", "CablePluggedIn"), ("Ended", "EVCommunicationLost")]


def test_a_remote_stop_ends_only_the_energy_where_the_cable_is_the_stop_point() -> None:
    central = made(stop="EVConnected")
    central.by_hand(PLUG, SWIPE)

    answer = central.command("RequestStopTransaction", {"transactionId": central.uuid()})
    central.settle()
    stopped = told(central)[-1]
    central.by_hand(OTHER_CARD, UNPLUG)

    assert (answer, stopped) == (ACCEPTED, ("Updated", "RemoteStop", "EVConnected"))
    assert (told(central)[-1][:2], reasons(central)) == (("Ended", "EVCommunicationLost"), ["Remote"])


def test_points_that_change_hold_at_once() -> None:
    central = made()
    central.by_hand(PLUG, SWIPE)

    central.variable("TxCtrlr", "TxStopPoint", "ParkingBayOccupancy")
    central.by_hand(SWIPE, UNPLUG)
    before = reasons(central)
    central.by_hand(DEPART)

    assert (before, reasons(central)) == ([], ["Local"])


@pytest.mark.parametrize("points", ["ParkingBayOccupancy", "EVConnected", "Authorized", "EnergyTransfer", "DataSigned"])
def test_drivers_who_come_by_themselves_leave_nothing_behind_whatever_the_points_are(points: str) -> None:
    central = booted(seed=4)
    for name in ("TxStartPoint", "TxStopPoint"):
        central.variable("TxCtrlr", name, points)
    central.variable("TxCtrlr", "StopTxOnEVSideDisconnect", "false")

    central.run(86_400)

    kinds = [kind for kind, _, _ in told(central)]
    assert kinds.count("Started") > 5
    assert kinds.count("Started") - kinds.count("Ended") in (0, 1)


def test_whoever_is_refused_afterwards_loses_the_energy_and_the_transaction_waits_for_its_stop_point() -> None:
    central = made(stop="EVConnected")
    central.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}

    central.by_hand(PLUG, SWIPE)
    refused = told(central)[-1]
    central.by_hand(UNPLUG)

    assert refused == ("Updated", "Deauthorized", "EVConnected")
    assert reasons(central) == ["DeAuthorized"]


def test_an_invalid_id_gets_the_energy_that_is_allowed() -> None:
    central = made(StopTxOnInvalidId="false", MaxEnergyOnInvalidId="500")
    central.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}

    central.by_hand(PLUG, SWIPE)
    started = central.station.evses[1].register
    central.run(3600)

    assert 500 <= central.station.evses[1].register - started < 510
    assert central.station.view(central.now).connector(1).state == "SuspendedEVSE"
    assert reasons(central) == []


def test_where_nobody_has_to_be_authorized_the_cable_is_enough() -> None:
    central = made()
    central.variable("AuthCtrlr", "Enabled", "false")

    central.by_hand(PLUG)

    assert central.payloads("Authorize") == []
    assert central.payloads("TransactionEvent")[0]["idToken"] == {"idToken": "", "type": "NoAuthorization"}


def test_whom_the_list_knows_does_not_wait_for_the_central_system() -> None:
    central = made()
    entry = {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}
    central.command("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]})
    central.variable("AuthCtrlr", "LocalPreAuthorize", "true")

    central.by_hand(PLUG, SWIPE)

    assert (central.payloads("Authorize"), told(central)[0][0]) == ([], "Started")


def test_whom_the_list_refuses_is_asked_about_unless_the_list_is_final() -> None:
    central = made()
    entry = {"idToken": TOKEN, "idTokenInfo": {"status": "Blocked"}}
    central.command("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]})
    central.variable("AuthCtrlr", "LocalPreAuthorize", "true")
    central.variable("LocalAuthListCtrlr", "DisablePostAuthorize", "true")

    central.by_hand(PLUG, SWIPE)
    final = central.payloads("Authorize")
    central.variable("LocalAuthListCtrlr", "DisablePostAuthorize", "false")
    central.by_hand(SWIPE)

    assert (final, central.payloads("Authorize")) == ([], [{"idToken": TOKEN}])


def test_whom_the_cache_knows_may_charge_offline_and_nobody_else() -> None:
    central = made()
    central.variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "false")
    central.by_hand(PLUG, SWIPE, SWIPE)
    central.disconnect()

    central.by_hand(OTHER_CARD, SWIPE)
    central.connect()
    central.settle()

    started = [p for p in central.payloads("TransactionEvent") if p["eventType"] == "Started"]
    assert [(p["idToken"], p.get("offline", False)) for p in started] == [(TOKEN, False), (TOKEN, True)]


def test_a_remote_start_is_authorized_where_the_variable_says_so() -> None:
    central = made()
    central.variable("AuthCtrlr", "AuthorizeRemoteStart", "true")
    central.replies["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}

    central.by_hand(PLUG)
    central.command("RequestStartTransaction", REMOTE_START)
    central.settle()

    assert (central.payloads("Authorize"), told(central)) == ([{"idToken": TOKEN}], [])


@pytest.mark.parametrize(("group", "reason"), [("FAMILY", "Local"), ("MASTER", "MasterPass"), ("STRANGERS", "")])
def test_a_card_of_the_same_group_ends_a_transaction_and_so_does_a_masters(group: str, reason: str) -> None:
    central = made()
    central.variable("AuthCtrlr", "MasterPassGroupId", "MASTER")
    family = {"idToken": "FAMILY", "type": "Central"}
    central.replies["Authorize"] = {"idTokenInfo": {"status": "Accepted", "groupIdToken": family}}
    central.by_hand(PLUG, SWIPE)

    central.replies["Authorize"] = {
        "idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": group, "type": "Central"}}
    }
    central.by_hand(OTHER_CARD)

    ended = [p for p in central.payloads("TransactionEvent") if p["eventType"] == "Ended"]
    assert [(p["transactionInfo"]["stoppedReason"], p["idToken"]) for p in ended] == (
        [(reason, OTHER)] if reason else []
    )

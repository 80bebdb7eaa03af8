"""Commands that concern charging, and what follows from them."""

from typing import Any

import pytest

from csms_emulator.actions import Refuse
from csms_ocpp.frames import EMPTY
from csms_ocpp.session import CallReceived
from csms_ocpp.version import MessageId, Version
from tests.unit.emulator.v2.driving import ACCEPTED, OTHER, REJECTED, TOKEN, booted, charging

LATER = "2023-11-14T22:40:00Z"  # in less than half an hour


def reservation(**more: Any) -> dict[str, Any]:
    return {"id": 7, "expiryDateTime": LATER, "idToken": TOKEN, **more}


# --- ChangeAvailability -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [{}, {"evse": {"id": 1}}, {"evse": {"id": 1, "connectorId": 1}}])
def test_availability_is_told_and_comes_back(target: dict[str, Any]) -> None:
    central = booted()

    answers = [
        central.command("ChangeAvailability", {**target, "operationalStatus": wanted})
        for wanted in ("Inoperative", "Operative")
    ]
    central.settle()

    assert answers == [ACCEPTED, ACCEPTED]
    assert central.statuses() == ["Unavailable", "Available"]


def test_an_evse_stays_out_of_service_when_the_station_comes_back() -> None:
    central = booted(connectors=2)
    central.command("ChangeAvailability", {"evse": {"id": 1}, "operationalStatus": "Inoperative"})
    central.command("ChangeAvailability", {"operationalStatus": "Inoperative"})

    central.command("ChangeAvailability", {"operationalStatus": "Operative"})
    central.settle()

    assert (central.statuses(1), central.statuses(2)) == (["Unavailable"], ["Unavailable", "Available"])


def test_an_evse_in_use_leaves_service_when_its_driver_has_left() -> None:
    central = charging()

    answer = central.command("ChangeAvailability", {"evse": {"id": 1}, "operationalStatus": "Inoperative"})
    central.run_until(lambda: bool(central.statuses()))

    assert answer == {"status": "Scheduled"}
    assert central.statuses() == ["Unavailable"]


@pytest.mark.parametrize("evse", [{"id": 2}, {"id": 1, "connectorId": 2}])
def test_the_availability_of_what_is_not_there_is_rejected(evse: dict[str, int]) -> None:
    assert booted().command("ChangeAvailability", {"evse": evse, "operationalStatus": "Operative"}) == REJECTED


# --- UnlockConnector --------------------------------------------------------------------------------------------------


def test_only_a_connector_without_an_authorized_transaction_is_unlocked() -> None:
    central = charging(connectors=2)

    answers = [
        central.command("UnlockConnector", {"evseId": evse, "connectorId": connector})
        for evse, connector in ((1, 1), (2, 1), (2, 2), (3, 1))
    ]

    assert answers == [
        {"status": status}
        for status in ("OngoingAuthorizedTransaction", "Unlocked", "UnknownConnector", "UnknownConnector")
    ]


# --- reservations -----------------------------------------------------------------------------------------------------


def test_a_reserved_evse_takes_its_driver_only_and_tells_the_reservation() -> None:
    central = booted()
    reserved = central.command("ReserveNow", reservation(evseId=1))

    other = central.command("RequestStartTransaction", {"idToken": OTHER, "remoteStartId": 1})
    own = central.command("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 2})
    central.run_until(lambda: len(central.events()) == 1, 60)

    assert (reserved, other, own) == (ACCEPTED, REJECTED, ACCEPTED)
    assert central.statuses() == ["Reserved", "Occupied"]
    assert central.payloads("TransactionEvent")[0]["reservationId"] == 7


def test_a_member_of_the_group_may_use_the_reservation() -> None:
    central = booted()
    central.command("ReserveNow", reservation(groupIdToken={"idToken": "FAMILY", "type": "Central"}))

    group = {"idToken": "family", "type": "Central"}
    answer = central.command("RequestStartTransaction", {"idToken": OTHER, "groupIdToken": group, "remoteStartId": 1})

    assert answer == ACCEPTED


def test_a_reservation_that_nobody_uses_expires() -> None:
    central = booted(pace=0.001)
    central.command("ReserveNow", reservation())

    central.run(3600)

    assert central.statuses() == ["Reserved", "Available"]
    assert central.payloads("ReservationStatusUpdate") == [{"reservationId": 7, "reservationUpdateStatus": "Expired"}]


def test_a_reservation_is_removed_with_its_evse() -> None:
    central = booted(pace=0.001)
    central.command("ReserveNow", reservation())

    central.command("ChangeAvailability", {"operationalStatus": "Inoperative"})
    central.settle()

    assert central.statuses() == ["Reserved", "Unavailable"]
    assert central.payloads("ReservationStatusUpdate") == [{"reservationId": 7, "reservationUpdateStatus": "Removed"}]


def test_a_reservation_is_cancelled_once() -> None:
    central = booted()
    central.command("ReserveNow", reservation())

    answers = [central.command("CancelReservation", {"reservationId": 7}) for _ in range(2)]
    central.settle()

    assert answers == [ACCEPTED, REJECTED]
    assert central.statuses() == ["Reserved", "Available"]


def test_a_reservation_of_the_same_id_moves() -> None:
    central = booted(connectors=2)

    answers = [central.command("ReserveNow", reservation(evseId=evse)) for evse in (1, 2)]
    central.settle()

    assert answers == [ACCEPTED, ACCEPTED]
    assert (central.statuses(1), central.statuses(2)) == (["Reserved", "Available"], ["Reserved"])


def test_what_cannot_be_reserved_is_named() -> None:
    central = charging(connectors=3)
    central.command("ChangeAvailability", {"evse": {"id": 3}, "operationalStatus": "Inoperative"})

    answers = [
        central.command("ReserveNow", reservation(**more))
        for more in ({"evseId": 1}, {"evseId": 3}, {"evseId": 4}, {"expiryDateTime": "2020-01-01T00:00:00Z"})
    ]

    assert answers == [{"status": status} for status in ("Occupied", "Unavailable", "Rejected", "Rejected")]


# --- TriggerMessage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "PublishFirmwareStatusNotification",
        "StatusNotification",
        "TransactionEvent",
    ],
)
@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_every_message_can_be_triggered(version: Version, message: str) -> None:
    central = charging(version=version)

    answer = central.command("TriggerMessage", {"requestedMessage": message, "evse": {"id": 1, "connectorId": 1}})
    central.settle()

    assert answer == ACCEPTED
    assert [action for action, _ in central.take()] == [message]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("SignChargingStationCertificate", "ChargingStationCertificate"),
        ("SignV2GCertificate", "V2GCertificate"),
    ],
)
def test_a_certificate_is_asked_for_when_it_is_wanted(message: str, kind: str) -> None:
    central = booted()

    answer = central.command("TriggerMessage", {"requestedMessage": message})
    central.settle()

    (asked,) = central.payloads("SignCertificate")
    assert (answer, asked["certificateType"]) == (ACCEPTED, kind)
    assert asked["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"requestedMessage": "BootNotification"}, "Rejected"),
        ({"requestedMessage": "StatusNotification"}, "Rejected"),
        ({"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}}, "Rejected"),
        ({"requestedMessage": "TransactionEvent"}, "Rejected"),
        ({"requestedMessage": "SignCombinedCertificate"}, "NotImplemented"),
        ({"requestedMessage": "CustomTrigger", "customTrigger": "x"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_triggered_is_named(request_: dict[str, Any], status: str) -> None:
    central = booted()

    answer = central.command("TriggerMessage", request_)

    assert answer == {"status": status}
    assert central.take() == []


# --- idTokens ---------------------------------------------------------------------------------------------------------


def test_the_local_list_is_kept_under_its_version() -> None:
    central = booted()
    entry = {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}
    central.station.device.set("LocalAuthListCtrlr", "Enabled", "true")

    answers = [
        central.command("SendLocalList", {"versionNumber": number, "updateType": kind, "localAuthorizationList": [e]})
        for number, kind, e in ((3, "Full", entry), (3, "Differential", entry), (4, "Differential", {"idToken": OTHER}))
    ]
    version = central.command("GetLocalListVersion")
    entries = central.station.device.get("LocalAuthListCtrlr", "Entries")
    emptied = central.command("SendLocalList", {"versionNumber": 5, "updateType": "Full"})

    assert [*answers, emptied] == [ACCEPTED, {"status": "VersionMismatch"}, ACCEPTED, ACCEPTED]
    assert (version, entries) == ({"versionNumber": 4}, "1")
    assert central.command("GetLocalListVersion") == {"versionNumber": 0}


def test_the_list_decides_while_offline() -> None:
    central = booted(seed=4, id_tags=("TAG",))
    for name in ("LocalAuthorizeOffline", "OfflineTxForUnknownIdEnabled"):
        central.station.device.set("AuthCtrlr", name, "true")
    central.station.device.set("LocalAuthListCtrlr", "Enabled", "true")
    blocked = [{"idToken": TOKEN, "idTokenInfo": {"status": "Blocked"}}]
    central.command("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": blocked})

    central.disconnect()
    central.run(3600)

    assert central.station.evses[1].transaction is None
    assert "charging started" not in [entry.event for entry in central.logged]


@pytest.mark.parametrize(("enabled", "answer"), [("true", ACCEPTED), ("false", REJECTED)])
def test_the_cache_is_cleared_where_there_is_one(enabled: str, answer: dict[str, str]) -> None:
    central = booted()
    central.station.device.set("AuthCacheCtrlr", "Enabled", enabled)

    assert central.command("ClearCache") == answer


def test_a_command_that_nobody_knows_is_refused() -> None:
    central = booted()
    call = CallReceived(MessageId("1"), "MakeCoffee", EMPTY)

    actions = central.station.session_event(call, central.now)

    assert actions == [Refuse("1", "NotSupported", "This station has no MakeCoffee.")]

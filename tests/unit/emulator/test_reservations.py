"""ReserveNow and CancelReservation."""

from typing import Any

import pytest

from csms_emulator.deeds import Fault, Plug, Swipe, Unplug
from tests.unit.emulator.driving import Central, booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
OCCUPIED = {"status": "Occupied"}
LATE = "2023-11-15T22:13:20Z"


def reserve(central: Central, number: int = 7, connector: int = 1, id_tag: str = "MINE", until: str = LATE) -> Any:
    return central.command(
        "ReserveNow", {"connectorId": connector, "expiryDate": until, "idTag": id_tag, "reservationId": number}
    )


def test_a_reserved_connector_waits_for_its_driver_who_names_the_reservation() -> None:
    central = booted()

    answer = reserve(central)
    central.run_until(lambda: bool(central.payloads("StartTransaction")))

    assert answer == ACCEPTED
    assert central.statuses()[:2] == ["Reserved", "Preparing"]
    assert [(p["idTag"], p["reservationId"]) for p in central.payloads("StartTransaction")] == [("MINE", 7)]


def test_the_next_driver_names_no_reservation() -> None:
    central = booted()
    reserve(central)

    central.run_until(lambda: len(central.payloads("StartTransaction")) == 2)

    assert "reservationId" not in central.payloads("StartTransaction")[1]


def test_only_the_driver_of_the_reservation_can_be_started_by_remote() -> None:
    central = booted()
    reserve(central)

    answers = [central.command("RemoteStartTransaction", {"connectorId": 1, "idTag": tag}) for tag in ("OTHER", "MINE")]
    central.run(15)

    assert answers == [REJECTED, ACCEPTED]
    assert [(p["idTag"], p["reservationId"]) for p in central.payloads("StartTransaction")] == [("MINE", 7)]


def test_a_reservation_ends_when_its_time_is_up() -> None:
    central = booted()

    reserve(central, until="2023-11-14T22:15:05Z")
    central.run(6)

    assert central.statuses() == ["Reserved", "Available"]


def test_a_reservation_can_be_cancelled_once() -> None:
    central = booted()
    reserve(central)

    answers = [central.command("CancelReservation", {"reservationId": number}) for number in (8, 7, 7)]
    central.settle()

    assert answers == [REJECTED, ACCEPTED, REJECTED]
    assert central.statuses() == ["Reserved", "Available"]


def test_a_reservation_with_the_same_id_replaces_the_other() -> None:
    central = booted(connectors=2)
    reserve(central)

    answers = [reserve(central, id_tag="YOURS"), reserve(central, connector=2)]
    central.settle()

    assert answers == [ACCEPTED, ACCEPTED]
    assert (central.statuses(1), central.statuses(2)) == (["Reserved", "Available"], ["Reserved"])


def test_a_reserved_connector_cannot_be_reserved_for_somebody_else() -> None:
    central = booted()
    reserve(central)

    assert reserve(central, number=8) == OCCUPIED


def test_a_busy_connector_is_occupied() -> None:
    assert reserve(charging()) == OCCUPIED


def test_a_connector_out_of_service_is_unavailable() -> None:
    central = booted()
    central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})

    assert reserve(central) == {"status": "Unavailable"}


@pytest.mark.parametrize("what", [{"connector": 9}, {"until": "2023-11-14T22:13:00Z"}])
def test_what_cannot_be_reserved_is_rejected(what: dict[str, Any]) -> None:
    """A connector that is not there, and a time that is over."""
    assert reserve(booted(), **what) == REJECTED


def test_a_reservation_of_any_connector_keeps_the_last_one_free() -> None:
    central = booted(connectors=2, drivers=False)

    answer = reserve(central, connector=0)
    for connector, tag in ((1, "OTHER"), (2, "THIRD"), (2, "MINE")):
        central.by_hand(Swipe(connector, tag))
        central.by_hand(Plug(connector))

    starts = [(p["connectorId"], p["idTag"], p.get("reservationId")) for p in central.payloads("StartTransaction")]
    assert answer == ACCEPTED
    assert starts == [(1, "OTHER", None), (2, "MINE", 7)]


def test_a_remote_start_for_another_leaves_what_is_reserved_free() -> None:
    central = booted()
    reserve(central, connector=0)

    answers = [central.command("RemoteStartTransaction", {"idTag": tag}) for tag in ("OTHER", "MINE")]

    assert answers == [REJECTED, ACCEPTED]


def test_as_many_can_be_reserved_as_are_available() -> None:
    central = booted(connectors=2)
    central.command("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})

    answers = [reserve(central, connector=0), reserve(central, number=8, connector=0), reserve(central, number=9)]

    assert answers == [ACCEPTED, OCCUPIED, OCCUPIED]


def test_a_reservation_of_any_connector_can_be_cancelled_once_and_ends_with_its_time() -> None:
    central = booted()
    reserve(central, connector=0)
    cancelled = [central.command("CancelReservation", {"reservationId": 7}) for _ in range(2)]
    reserve(central, connector=0, until="2023-11-14T22:15:05Z")
    central.run(6)

    over = central.command("CancelReservation", {"reservationId": 7})

    assert (cancelled, over) == ([ACCEPTED, REJECTED], REJECTED)


def test_nothing_can_be_reserved_where_nothing_is_in_service() -> None:
    central = booted()
    central.command("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})

    assert reserve(central, connector=0) == {"status": "Unavailable"}


def test_a_broken_connector_cannot_be_reserved() -> None:
    central = booted(drivers=False)
    central.by_hand(Fault(1, "OtherError"))

    assert [reserve(central), reserve(central, connector=0)] == [{"status": "Faulted"}] * 2


def test_a_stranger_does_not_end_a_reservation() -> None:
    central = booted(drivers=False)
    reserve(central)

    for deed in (
        Plug(1),
        Swipe(1, "OTHER"),
        Unplug(1),
        Swipe(1, "MINE"),
        Plug(1),
    ):
        central.by_hand(deed)

    assert [(p["idTag"], p["reservationId"]) for p in central.payloads("StartTransaction")] == [("MINE", 7)]
    assert central.statuses() == ["Reserved", "Preparing", "Available", "Reserved", "Preparing", "Charging"]


def test_taking_a_reserved_connector_out_of_service_ends_the_reservation() -> None:
    central = booted()
    reserve(central)

    answer = central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    central.run(3600)

    assert answer == ACCEPTED
    assert central.statuses() == ["Reserved", "Unavailable"]
    assert central.command("CancelReservation", {"reservationId": 7}) == REJECTED

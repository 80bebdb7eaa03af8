"""Rows of lists: stations may have told anything, and nothing of it breaks a list."""

from typing import Any

import msgspec
import pytest

from csms_api import listing
from csms_ocpp.version import StationId
from csms_platform.ports import GatewayId, SessionRecord, Station, Transaction

BROKEN = {
    "boot": b"[1]",
    "seen": b"{",
    "status/1": b"7",
    "status/2": b'{"status":"Available"}',
    "status/x": b'{"connectorStatus":"Faulted"}',
    "reservation/7": b"null",
    "reservation/x": b'{"idToken":{"idToken":"A1"},"evseId":2}',
}


def test_notes_that_cannot_be_read_are_left_out() -> None:
    row = listing.station("CS-1", None, None, BROKEN, 0.0)

    assert (row["bootNotification"], row["lastSeen"]) == ([1], None)
    assert row["connectors"] == [{"id": 0, "status": "Faulted"}, {"id": 2, "status": "Available"}]


def test_reservations_are_read_in_the_words_of_both_families() -> None:
    (row,) = listing.reservations("CS-1", BROKEN)

    assert {key: value for key, value in row.items() if value is not None} == {
        "id": "x",
        "idTag": "A1",
        "identity": "CS-1",
        "connectorId": 2,
    }


ID = StationId("CS-1")
SOAP = SessionRecord(ID, GatewayId("soap/CS-1"), 1, transport="soap")
RECORD = Station(ID, callback="http://record.example")
NOTES = {"callback": b'"http://note.example"'}


@pytest.mark.parametrize(
    ("session", "record", "notes", "callback"),
    [
        (msgspec.structs.replace(SOAP, callback="http://now.example"), RECORD, NOTES, "http://now.example"),
        (SOAP, RECORD, NOTES, "http://note.example"),
        (SOAP, RECORD, {}, "http://record.example"),
        (SOAP, Station(ID), {}, None),
        (SOAP, None, {}, None),
        (None, RECORD, NOTES, "http://note.example"),
        (None, RECORD, {}, "http://record.example"),
        (None, None, NOTES, "http://note.example"),
        (None, None, {"callback": b"7"}, None),
        (None, None, {"callback": b"{"}, None),
        (SessionRecord(ID, GatewayId("east"), 1, peer="192.0.2.7"), RECORD, NOTES, None),
    ],
)
def test_the_address_is_where_a_soap_station_is_called(
    session: SessionRecord | None, record: Station | None, notes: dict[str, bytes], callback: str | None
) -> None:
    assert listing.station("CS-1", session, record, notes, 0.0)["address"] == callback


@pytest.mark.parametrize(
    ("boot", "serial"),
    [
        ({"chargePointSerialNumber": "A", "chargeBoxSerialNumber": "B"}, "A"),
        ({"chargeBoxSerialNumber": "B"}, "B"),
        ({"chargingStation": {"serialNumber": "C"}}, "C"),
        ({"chargingStation": {}}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_serial_number_is_the_one_told_at_boot(boot: Any, serial: str | None) -> None:
    assert listing.serial_number({"boot": msgspec.json.encode(boot)}) == serial


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:01+01:00", 1000),
        ("1970-01-01T00:00:01.5", 1500),
        ("1970-01-02", 86_400_000),
    ],
)
def test_times_without_a_zone_are_utc(text: str, milliseconds: int) -> None:
    assert listing.milliseconds(text) == milliseconds


def test_a_transaction_id_is_an_integer_only_where_the_version_says_so() -> None:
    record = Transaction(StationId("CS-1"), "42", version="ocpp1.6")
    modern = msgspec.structs.replace(record, version="ocpp2.0.1")

    assert [listing.transaction(one, None)["id"] for one in (record, modern)] == [42, "42"]

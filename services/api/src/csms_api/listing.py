"""What the lists of `/api/v1` say about stations, transactions and reservations. Pure: notes and records in, rows out.

Notes are what stations told, as they told it: nothing in them is believed to be there.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from csms_api.operations import SOAP
from csms_ocpp.version import DIALECTS, Version
from csms_platform.ports import SessionRecord, Station, Transaction
from csms_platform.times import iso_8601, seconds

Notes = Mapping[str, bytes]
Row = dict[str, Any]

_STATUS, _RESERVATION = "status/", "reservation/"


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time; without a zone it is UTC. Raises `ValueError`."""
    return int(seconds(text) * 1000)


def noted(notes: Notes, field: str) -> Any:
    """The value noted under `field`, None when there is none that can be read."""
    try:
        return msgspec.json.decode(notes[field]) if field in notes else None
    except (ValueError, RecursionError):
        return None


def callback(session: SessionRecord | None, record: Station | None, notes: Notes) -> str:
    """Where a SOAP station is called: as its session says, else as it said itself last, else as its record says.

    "" when that is not known, and for a station with a connection.
    """
    if session and session.transport != SOAP:
        return ""
    known = (session.callback if session else "") or _text(noted(notes, "callback"))
    return known or (record.callback if record else "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def station(identity: str, session: SessionRecord | None, record: Station | None, notes: Notes, now: float) -> Row:
    """A row of ChargePointList."""
    connectors = statuses(notes)
    return {
        "identity": identity,
        "address": callback(session, record, notes) or None,
        "connection": _connection(session),
        "bootNotification": noted(notes, "boot"),
        "statusNotification": _last(connectors),
        "account": session.account if session else "",
        "protocol": session.version if session else "",
        "ocppVersion": _number(session.version if session else ""),
        "online": session is not None,
        "lastSeen": last_seen(session, notes, now),
        "connectors": [_connector(field, told) for field, told in connectors],
    }


def statuses(notes: Notes) -> list[tuple[str, Row]]:
    """The last StatusNotification of each connector, in the order of their numbers; the field tells which."""
    found = [(field, noted(notes, field)) for field in notes if field.startswith(_STATUS)]
    return sorted(((field, told) for field, told in found if isinstance(told, dict)), key=lambda one: _place(one[0]))


def _place(field: str) -> tuple[int, ...]:
    return tuple(int(part) for part in field.removeprefix(_STATUS).split("/") if part.isdecimal())


def _last(connectors: list[tuple[str, Row]]) -> Row | None:
    # Without a timestamp (1.6 may leave it out) a status counts as older than those that have one.
    return max((told for _, told in connectors), key=lambda told: str(told.get("timestamp", "")), default=None)


def _connector(field: str, told: Row) -> Row:
    place = _place(field)
    named = {"evseId": place[0], "id": place[1]} if len(place) == 2 else {"id": place[0] if place else 0}
    known = ("errorCode", "info", "timestamp", "vendorId", "vendorErrorCode")
    status = told.get("status", told.get("connectorStatus"))
    return {**named, "status": status, **{key: told[key] for key in known if key in told}}


def _connection(session: SessionRecord | None) -> Row | None:
    # The reference shows the number of a socket; ours, which no other process could use, is the connection's epoch.
    # A SOAP station holds none.
    if session is None or session.transport == SOAP:
        return None
    return {"socket": session.epoch, "ip": session.peer, "port": None}


def _number(version: str) -> str:
    return DIALECTS[Version(version)].number if version in DIALECTS else ""


def last_seen(session: SessionRecord | None, notes: Notes, now: float) -> str | None:
    """When a station was heard of last: a connection is there at this moment, without one the last call counts."""
    if session is not None and session.transport == "json":
        return iso_8601(now)
    seen = noted(notes, "seen")
    if isinstance(seen, int | float):
        return iso_8601(seen / 1000)
    return seen if isinstance(seen, str) else None


def serial_number(notes: Notes) -> str | None:
    """The station's serial number as it told at boot."""
    boot = noted(notes, "boot")
    if not isinstance(boot, dict):
        return None
    modern = boot.get("chargingStation")
    if isinstance(modern, dict):
        return modern.get("serialNumber")
    return boot.get("chargePointSerialNumber") or boot.get("chargeBoxSerialNumber")


def transaction(record: Transaction, serial: str | None) -> Row:
    """A row of TransactionList. Ids are integers where the version's are; `value` is what was charged, in Wh."""
    value = None if record.meter_stop is None else record.meter_stop - record.meter_start
    return {
        "id": int(record.id) if record.id.isdecimal() and _integer_ids(record.version) else record.id,
        "idTag": record.tag,
        "identity": record.identity,
        "serialNumber": serial,
        "connectorId": record.connector,
        "evseId": record.evse or None,
        "meterStart": record.meter_start,
        "meterStop": record.meter_stop,
        "value": value,
        "reservationId": record.reservation,
        "reason": record.reason or None,
        "data": None,
        "dateStart": record.started,
        "dateStop": record.stopped or None,
    }


def _integer_ids(version: str) -> bool:
    return version in DIALECTS and DIALECTS[Version(version)].integer_transaction_ids


def reservations(identity: str, notes: Notes) -> list[Row]:
    """Rows of ReservationList: the ReserveNow payloads noted under `reservation/<id>`, 1.x and 2.x alike."""
    serial = serial_number(notes)
    found = [(field, noted(notes, field)) for field in sorted(notes) if field.startswith(_RESERVATION)]
    return [_reservation(identity, serial, field, told) for field, told in found if isinstance(told, dict)]


def _reservation(identity: str, serial: str | None, field: str, told: Row) -> Row:
    number, token = field.removeprefix(_RESERVATION), told.get("idToken")
    return {
        "id": int(number) if number.isdecimal() else number,
        "idTag": token.get("idToken") if isinstance(token, dict) else told.get("idTag"),
        "identity": identity,
        "serialNumber": serial,
        "connectorId": told.get("connectorId", told.get("evseId")),
        "expiryDate": told.get("expiryDate", told.get("expiryDateTime")),
        "dateStart": told.get("dateStart"),
        "dateStop": told.get("dateStop"),
    }


def expires_within(reservation: Row, since: int | None, until: int | None) -> bool:
    """Whether a row of ReservationList expires in [`since`, `until`); one whose date cannot be read always does."""
    try:
        expires = milliseconds(reservation["expiryDate"])
    except (TypeError, ValueError, OverflowError):
        return True
    return (since is None or since <= expires) and (until is None or expires < until)

"""What `/api/v2` shows of records, sessions and notes. Pure: what the stores hold in, shapes out.

Notes are what stations told, as they told it: nothing in them is believed to be there.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from csms_api.listing import Notes, callback, last_seen, noted, statuses
from csms_api.outcomes import SENTENCES
from csms_api.v2 import orders, shapes
from csms_ocpp.confidential import hidden
from csms_ocpp.events import Outcome
from csms_ocpp.version import StationId
from csms_platform import ports
from csms_platform.times import iso_8601

_NOBODY = ports.SessionRecord(StationId(""), ports.GatewayId(""), 0)
_decode_letter = msgspec.json.Decoder(ports.Letter).decode


def moment(milliseconds: int) -> str:
    """ISO 8601 of milliseconds since 1970."""
    return iso_8601(milliseconds / 1000)


def station(
    identity: StationId,
    record: ports.Station | None,
    session: ports.SessionRecord | None,
    notes: Notes,
    now: float,
) -> shapes.Station:
    """A station; `now` in seconds since 1970."""
    known, live = (
        record or ports.Station(identity, registration=_word(noted(notes, "registration"))),
        session or _NOBODY,
    )
    return shapes.Station(
        identity=identity,
        account=known.account or live.account,
        registered=record is not None,
        disabled=known.disabled,
        security_profile=known.security_profile,
        has_password=bool(known.password),
        quirks=known.quirks.split(),
        registration=known.registration,
        online=session is not None,
        version=live.version,
        transport=session.transport if session else "",
        peer=live.peer,
        callback=callback(session, record, notes) or known.callback,
        since=moment(live.since) if session else None,
        last_seen=last_seen(session, notes, now),
        gateway="" if live.gateway == ports.without_connection(identity) else live.gateway,
        epoch=live.epoch,
        boot=noted(notes, "boot"),
        connectors=[_connector(field, told) for field, told in statuses(notes)],
    )


def _connector(field: str, told: dict[str, Any]) -> shapes.Connector:
    place = [int(part) for part in field.split("/")[1:] if part.isdecimal()]
    return shapes.Connector(
        connector_id=place[-1] if place else 0,
        status=_word(told.get("status", told.get("connectorStatus"))) or None,
        evse_id=place[0] if len(place) == 2 else UNSET,
        error_code=_word(told.get("errorCode")) or UNSET,
        timestamp=_word(told.get("timestamp")) or UNSET,
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def tag(record: ports.Tag) -> shapes.Tag:
    """A tag."""
    return msgspec.convert(record, shapes.Tag, from_attributes=True)


def transaction(record: ports.Transaction) -> shapes.Transaction:
    """A transaction."""
    return shapes.Transaction(
        id=record.id,
        identity=record.identity,
        version=record.version,
        connector_id=record.connector or None,
        evse_id=record.evse or None,
        id_tag=record.tag,
        meter_start=record.meter_start,
        meter_stop=record.meter_stop,
        started=record.started or None,
        stopped=record.stopped or None,
        reason=record.reason or None,
        reservation_id=record.reservation,
        authorized=record.authorized,
        superseded=record.superseded,
        active=is_active(record),
    )


def is_active(record: ports.Transaction) -> bool:
    """Whether the transaction is under way."""
    return not (record.stopped or record.superseded)


def dead_letter(dead: ports.DeadLetter, *, opened: bool = False) -> shapes.DeadLetter:
    """A dead letter; `opened` with the message in it."""
    shown = shapes.DeadLetter(
        id=dead.id,
        identity=dead.identity,
        account=dead.account,
        version=dead.version,
        action=dead.action,
        endpoint=dead.endpoint,
        reason=dead.reason,
        attempts=dead.attempts,
        stored=moment(dead.stored),
        died=moment(dead.died),
    )
    if not opened:
        return shown
    letter = letter_in(dead)
    about = letter.envelope
    return msgspec.structs.replace(shown, unique_id=about.unique_id, payload=about.payload, answered=letter.answered)


def letter_in(dead: ports.DeadLetter) -> ports.Letter:
    """The letter itself."""
    return _decode_letter(dead.letter)


def command(record: ports.Command) -> orders.CommandRecord:
    """A command."""
    shown = orders.CommandRecord(
        identity=record.identity,
        unique_id=record.id,
        action=record.action,
        status=_STATUS[record.status],
        created=moment(record.created),
        request=hidden(record.action, record.payload),
        version=record.version or UNSET,
    )
    if record.status != "ended":
        return shown
    fields = outcome_fields(record.outcome, record.answer, record.error_code, record.error_description)
    return msgspec.structs.replace(shown, ended=moment(record.ended), outcome=record.outcome, **fields)


_STATUS: dict[str, Any] = {status: status for status in ("waiting", "queued", "sent", "ended")}
_SENTENCES: dict[str, str] = {
    **{kind: SENTENCES[kind] for kind in (Outcome.NOT_CONNECTED, Outcome.TIMEOUT, Outcome.EXPIRED)},
    Outcome.REFUSED: "Too many commands wait for the charging station already.",
}


def outcome_fields(outcome: str, payload: msgspec.Raw, code: str, description: str) -> dict[str, Any]:
    """What is told beside an outcome: the station's answer, or the error's fields."""
    answer: msgspec.Raw | UnsetType = payload if bytes(payload) else UNSET
    if outcome == "result":
        return {"payload": answer}
    return {
        "error_code": code or UNSET,
        "error_description": description or _SENTENCES.get(outcome, ""),
        "error_details": {} if answer is UNSET else answer,
    }

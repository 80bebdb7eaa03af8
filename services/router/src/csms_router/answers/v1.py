"""Answers of 1.5 and 1.6, the security extension included.

A transaction's start always gets an id, and its stop is always accepted: a station that gets an error keeps the
message at the head of its queue, and everything behind it waits.
"""

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Envelope
from csms_platform.logging import get_logger
from csms_platform.ports import Transaction
from csms_router.answers import Table
from csms_router.answers.common import boot, fixed, heartbeat, is_place, noted, unknown_vendor
from csms_router.answers.repeats import fingerprint, judge, judge_start, repeatable
from csms_router.authorize import Decision, id_tag_info
from csms_router.desk import Answer, Desk
from csms_router.replies import json

_log = get_logger("router")


class _Place(Struct, rename="camel", gc=False):
    connector_id: int


class _Tagged(Struct, rename="camel", gc=False):
    id_tag: str


class _Start(Struct, rename="camel", gc=False):
    connector_id: int
    id_tag: str
    meter_start: int
    timestamp: str
    reservation_id: int | None = None


class _Stop(Struct, rename="camel", gc=False):
    transaction_id: int
    meter_stop: int
    timestamp: str
    id_tag: str | None = None
    reason: str = "Local"  # OCPP 1.6 §6.49: "MAY only be omitted when the Reason is Local"


_place = msgspec.json.Decoder(_Place).decode
_tagged = msgspec.json.Decoder(_Tagged).decode
_start = msgspec.json.Decoder(_Start).decode
_stop = msgspec.json.Decoder(_Stop).decode


def status(envelope: Envelope, desk: Desk) -> Raw:
    """The last status of each connector; 0 is the charging station's own."""
    place = _place(envelope.payload).connector_id
    if is_place(place):
        desk.note(envelope, f"status/{place}")
    return EMPTY


def meter_values(envelope: Envelope, desk: Desk) -> Raw:
    """The last meter values of each connector."""
    place = _place(envelope.payload).connector_id
    if is_place(place):
        desk.note(envelope, f"meter/{place}")
    return EMPTY


async def authorize(envelope: Envelope, desk: Desk) -> Answer:
    """What the tag list says."""
    decision = await judge(_tagged(envelope.payload).id_tag, desk)
    return Answer(json({"idTagInfo": id_tag_info(decision)}))


async def start(envelope: Envelope, desk: Desk) -> Raw:
    """A transaction with a new id, whatever the tag; the same one when the same start comes under a new message id."""
    told = _start(envelope.payload)
    decision, limit = await judge_start(told.id_tag, desk)
    number = await desk.transactions.new_id()
    transaction = _begun(envelope, told, number, decision, _started(decision, number))
    over = replace(transaction, authorized=False, reply=_started(decision.concurrent, number))
    stored, new = await desk.transactions.begin(transaction, limit=limit, over=over)
    if not new and stored.stopped:
        # A station without a clock or meter starts every transaction alike; one that ended is not started again.
        key = fingerprint(transaction.key, envelope.unique_id, stored.id)
        transaction, over = replace(transaction, key=key), replace(over, key=key)
        stored, new = await desk.transactions.begin(transaction, limit=limit, over=over)
    return Raw(stored.reply)


async def record_start(envelope: Envelope, number: int, decision: Decision, reply: Raw, desk: Desk) -> None:
    """Store the transaction of a StartTransaction that somebody else has answered `reply`."""
    transaction = _begun(envelope, _start(envelope.payload), number, decision, bytes(reply))
    stored, new = await desk.transactions.begin(transaction)
    if not new and stored.id != transaction.id:
        # The same start again, and this time it was given another id: the station will stop that one.
        key = fingerprint(transaction.key, envelope.unique_id, transaction.id)
        await desk.transactions.begin(replace(transaction, key=key))


def _begun(envelope: Envelope, told: _Start, number: int, decision: Decision, reply: bytes) -> Transaction:
    return Transaction(
        StationId(envelope.identity),
        str(number),
        key=fingerprint(told.connector_id, told.id_tag, told.timestamp, told.meter_start),
        version=envelope.version,
        connector=told.connector_id,
        tag=told.id_tag,
        meter_start=told.meter_start,
        started=told.timestamp,
        reservation=told.reservation_id,
        authorized=decision.accepted,
        reply=reply,
    )


def _started(decision: Decision, number: int) -> bytes:
    # OCPP 1.6 §4.8: the answer "MUST include a transaction id and an authorization status value", whatever the status.
    return bytes(json({"idTagInfo": id_tag_info(decision), "transactionId": number}))


async def stop(envelope: Envelope, desk: Desk) -> Raw:
    """Always accepted: also for transactions that nobody knows (-1 or 0 after an offline start) or that have ended."""
    told = _stop(envelope.payload)
    await _end(envelope, told, desk)
    if told.id_tag is None or desk.rejects:
        return EMPTY
    return json({"idTagInfo": id_tag_info(await judge(told.id_tag, desk))})


async def record_stop(envelope: Envelope, desk: Desk) -> None:
    """End the transaction of a StopTransaction that somebody else has answered."""
    await _end(envelope, _stop(envelope.payload), desk)


async def _end(envelope: Envelope, told: _Stop, desk: Desk) -> None:
    transaction = await desk.transactions.get(StationId(envelope.identity), str(told.transaction_id))
    if transaction is None:
        _log.warning("unknown transaction stopped", station=envelope.identity, transaction=told.transaction_id)
    elif not transaction.stopped:
        ended = replace(transaction, meter_stop=told.meter_stop, stopped=told.timestamp, reason=told.reason)
        await desk.transactions.update(ended)


ANSWERS = Table(
    {
        "Authorize": authorize,
        "BootNotification": boot,
        "DataTransfer": unknown_vendor,
        "DiagnosticsStatusNotification": noted("diagnostics"),
        "FirmwareStatusNotification": noted("firmware"),
        "Heartbeat": heartbeat,
        "LogStatusNotification": noted("log"),
        "MeterValues": meter_values,
        "SecurityEventNotification": noted("security"),
        # There is no certificate authority to sign with.
        "SignCertificate": fixed(b'{"status":"Rejected"}'),
        "SignedFirmwareStatusNotification": noted("firmware"),
        "StartTransaction": repeatable(start),
        "StatusNotification": status,
        "StopTransaction": repeatable(stop),
    }
)

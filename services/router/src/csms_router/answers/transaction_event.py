"""TransactionEvent (2.x): a transaction is one row that its events complete, in whatever order they come.

Stations number the events of a transaction (`seqNo`) and send those of an offline time later; an older one fills in
what is missing and never undoes what a newer one told.
"""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Envelope
from csms_platform.ports import Note, Transaction
from csms_router.answers.common import is_place
from csms_router.answers.repeats import judge, judge_late, judge_start
from csms_router.authorize import ALLOWED, Decision, id_token_info
from csms_router.desk import Desk
from csms_router.energy import MeterValue, first, last
from csms_router.replies import json

STARTED = "Started"
# OCPP 2.0.1 IdTokenEnumType: started "without a token being presented" (a button, a key switch).
_NO_AUTHORIZATION = "NoAuthorization"
ENDED = "Ended"


class IdToken(Struct, rename="camel"):
    """2.x IdTokenType, as far as it is read."""

    id_token: str
    type: str = ""


class _Info(Struct, rename="camel"):
    transaction_id: str
    stopped_reason: str = "Local"  # OCPP 2.0.1 TransactionType: "MAY only be omitted when Reason is Local"


class _Evse(Struct, rename="camel"):
    id: int
    connector_id: int = 0


class _Event(Struct, rename="camel"):
    event_type: str
    timestamp: str
    seq_no: int
    transaction_info: _Info
    id_token: IdToken | None = None
    evse: _Evse | None = None
    reservation_id: int | None = None
    meter_value: list[MeterValue] = []


_event = msgspec.json.Decoder(_Event).decode

_Judge = Callable[[str, Desk], Awaitable[Decision]]


async def judge_token(token: IdToken, desk: Desk, judge: _Judge) -> Decision:
    """What `judge` says about the token's id; without an id, yes unless the desk has a verdict."""
    free = token.type == _NO_AUTHORIZATION and desk.verdict is None
    return ALLOWED if free else await judge(token.id_token, desk)


async def transaction_event(envelope: Envelope, desk: Desk) -> Raw:
    """Recorded; with idTokenInfo when an idToken came."""
    event = _event(envelope.payload)
    known = await _find(envelope, event, desk)
    decision, limit = await _decide(event, known, desk)
    decision = await _record(envelope, event, known, decision, limit, desk)
    return EMPTY if decision is None else json({"idTokenInfo": id_token_info(decision)})


async def record_event(envelope: Envelope, decision: Decision | None, desk: Desk) -> None:
    """Record a TransactionEvent that somebody else has answered; None: nothing was said about an idToken."""
    event = _event(envelope.payload)
    await _record(envelope, event, await _find(envelope, event, desk), decision, 0, desk)


async def _find(envelope: Envelope, event: _Event, desk: Desk) -> Transaction | None:
    return await desk.transactions.get(StationId(envelope.identity), event.transaction_info.transaction_id)


async def _record(
    envelope: Envelope, event: _Event, known: Transaction | None, decision: Decision | None, limit: int, desk: Desk
) -> Decision | None:
    """The decision, or ConcurrentTx instead when `limit` transactions of the tag are under way already."""
    new = False
    if known is None:
        # Not only at Started: the event that began it may still wait in the station's queue, or be lost.
        identity = StationId(envelope.identity)
        fresh = Transaction(identity, event.transaction_info.transaction_id, version=envelope.version)
        over = completed(fresh, event, decision and decision.concurrent)
        known, new = await desk.transactions.begin(completed(fresh, event, decision), limit=limit, over=over)
        if new and decision and decision.accepted and event.event_type != ENDED and not known.authorized:
            decision = decision.concurrent
    if not new:
        await desk.transactions.update(completed(known, event, decision))
    if event.meter_value and event.evse is not None and is_place(event.evse.id):
        await desk.stations.note([Note(envelope.identity, f"meter/{event.evse.id}", bytes(envelope.payload))])
    return decision


async def _decide(event: _Event, known: Transaction | None, desk: Desk) -> tuple[Decision | None, int]:
    """What the event's idToken is told, and the limit that a transaction which it begins must keep."""
    token = event.id_token
    if token is None:
        return None, 0
    if event.event_type == ENDED or (known is not None and known.authorized):
        return await judge_token(token, desk, judge), 0
    if known is not None or token.type == _NO_AUTHORIZATION:
        return await judge_token(token, desk, judge_late), 0
    return await judge_start(token.id_token, desk)


def completed(known: Transaction, event: _Event, decision: Decision | None) -> Transaction:
    """`known` with what `event` adds to it."""
    changed = replace(known, last_seq=max(known.last_seq, event.seq_no))
    if event.evse is not None and not changed.evse:
        changed = replace(changed, evse=event.evse.id, connector=event.evse.connector_id)
    if event.reservation_id is not None:
        changed = replace(changed, reservation=event.reservation_id)
    if event.id_token is not None and event.event_type != ENDED and not changed.authorized:
        allowed = decision is not None and decision.accepted
        changed = replace(changed, tag=event.id_token.id_token, authorized=allowed)
    if event.event_type == STARTED or not changed.started:
        meter_start = first(event.meter_value)
        changed = replace(
            changed,
            started=event.timestamp,
            meter_start=changed.meter_start if meter_start is None else meter_start,
        )
    if event.event_type == ENDED:
        reason = event.transaction_info.stopped_reason
        meter_stop = last(event.meter_value)
        changed = replace(changed, stopped=event.timestamp, reason=reason, meter_stop=meter_stop)
    return changed

"""Envelopes that the router sends: built from the one that asked, so that the gateway finds who waits.

An answer carries the capsule of its question (or a newer one): its epoch tells the connection that asked from a later
one of the same station, whose message ids may be the same again.
"""

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from csms_platform.envelope import EMPTY, Capsule, Envelope, Kind, Refusal
from csms_platform.ports import GatewayId, SessionRecord, address_of, gateway_address
from csms_router.desk import Answer

_GATEWAYS = gateway_address(GatewayId("")).name
_encode = msgspec.json.Encoder().encode


address = lru_cache(maxsize=1024)(address_of)
"""The address behind an envelope's `reply_to`."""


def gateway_of(envelope: Envelope) -> GatewayId | None:
    """The gateway that sent `envelope`; None: no gateway did."""
    name = envelope.reply_to
    return (
        GatewayId(name.removeprefix(_GATEWAYS)) if len(name) > len(_GATEWAYS) and name.startswith(_GATEWAYS) else None
    )


def json(value: object) -> msgspec.Raw:
    """`value` as the payload of an envelope."""
    return msgspec.Raw(_encode(value))


def result(call: Envelope, payload: msgspec.Raw, session: Capsule | None = None) -> Envelope:
    """CALLRESULT to `call`; `session` only when it changed."""
    return Envelope(
        Kind.RESULT,
        call.identity,
        call.account,
        call.version,
        call.transport,
        call.unique_id,
        call.action,
        payload,
        session=session or call.session,
        deadline=call.deadline,
    )


def error(call: Envelope, code: str, description: str) -> Envelope:
    """CALLERROR to `call`."""
    return Envelope(
        Kind.ERROR,
        call.identity,
        call.account,
        call.version,
        call.transport,
        call.unique_id,
        call.action,
        error_code=code,
        error_description=description[:255],
        session=call.session,
        deadline=call.deadline,
    )


def refuse(call: Envelope, refusal: Refusal) -> Envelope:
    """REFUSE to a `call` with an arrival, nothing of which goes back."""
    return Envelope(
        Kind.REFUSE,
        call.identity,
        call.account,
        call.version,
        call.transport,
        call.unique_id,
        call.action,
        json(refusal),
        deadline=call.deadline,
    )


def eviction(old: SessionRecord) -> Envelope:
    """EVICT to the gateway whose session was replaced."""
    return Envelope(
        Kind.EVICT,
        old.identity,
        account=old.account,
        version=old.version,
        session=Capsule(epoch=old.epoch, account=old.account),
    )


def passed_on(reply: Envelope, answer: Answer) -> Envelope:
    """The operator's `reply`, which came to be settled, as the gateway gets it."""
    return replace(
        reply,
        payload=answer.payload,
        session=answer.session or reply.session,
        reply_to="",
        backend="",
        settle=False,
        request=EMPTY,
    )


def told(call: Envelope, answer: Envelope) -> Envelope:
    """To the webhook relay: what the station was answered without the operator's endpoint. It has no deadline."""
    return replace(
        result(call, answer.payload, answer.session),
        deadline=0,
        traceparent=call.traceparent,
        backend=call.backend,
        settle=True,
        request=call.payload,
    )

"""What the relay sends over the bus: answers to stations, and CALLs back to the router. Pure."""

from functools import lru_cache

import msgspec

from csms_ocpp.errors import ErrorCode
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import ROUTER, Address, address_of
from csms_webhook_relay.reply import Answered, Refused

_replace = msgspec.structs.replace
_address = lru_cache(maxsize=1024)(address_of)

UNAVAILABLE = Refused(ErrorCode.INTERNAL_ERROR, "The operator's endpoint does not answer.")


def to_station(call: Envelope, answer: Answered | Refused) -> tuple[Address, Envelope]:
    """CALLRESULT or CALLERROR, and where it goes: to whoever waits, or past the router when it keeps what is said.

    The router gets the CALL's payload beside the answer's; `reply_to` still names who waits.
    """
    refused = answer if isinstance(answer, Refused) else None
    settle = call.settle
    envelope = Envelope(
        Kind.ERROR if refused else Kind.RESULT,
        call.identity,
        call.account,
        call.version,
        call.transport,
        call.unique_id,
        call.action,
        answer.details if isinstance(answer, Refused) else answer.payload,
        error_code=refused.code if refused else "",
        error_description=refused.description if refused else "",
        reply_to=call.reply_to if settle else "",
        session=call.session,
        deadline=call.deadline,
        traceparent=call.traceparent,
        settle=settle,
    )
    if settle:
        return ROUTER, _replace(envelope, request=call.payload)
    return _address(call.reply_to), envelope


def to_router(call: Envelope, backend: str, *, tell: bool = False) -> Envelope:
    """The CALL for the router to answer by its own tables. `tell`: it says afterwards what it answered."""
    return _replace(call, backend=backend, settle=tell)


def with_backlog(call: Envelope, backlog: bool) -> Envelope:
    """The same CALL, whose answer's capsule says whether letters of the station wait."""
    session = call.session
    if session is None or session.backlog is backlog:
        return call
    return _replace(call, session=_with_backlog(session, backlog))


def _with_backlog(session: Capsule, backlog: bool) -> Capsule:
    return _replace(session, backlog=backlog)

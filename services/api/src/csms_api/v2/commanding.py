"""Sends commands for `/api/v2`, and tells how they ended: the path that many requests a second take.

The outcome is a resource, whatever it is: 200. Where it never reached the station, or nobody knows, the status says so
too, and the outcome's fields are beside the error.
"""

import asyncio
from typing import NamedTuple
from uuid import uuid4

import msgspec
from starlette.responses import Response

from csms_api.context import Context
from csms_api.errors import ApiError
from csms_api.operations import Speech, names, refuse_invalid, spoken
from csms_api.outcomes import is_full
from csms_api.v2 import orders
from csms_api.v2.resource import answer, location
from csms_api.v2.views import outcome_fields
from csms_ocpp.events import Outcome
from csms_platform.envelope import Envelope

LONGEST_WAIT = 300.0
_SWEPT = 3.0  # seconds after its time within which a command that waited is told to have expired


class Wish(NamedTuple):
    """A command, checked. `wait`: how long the client waits, 0: not at all; `timeout` until when it may be sent, and
    `offline` until when it may wait for its station. All in seconds."""

    identity: str
    action: str
    payload: bytes
    wait: float
    timeout: float
    offline: float = 0.0
    id: str = ""
    who: str = ""


def refuse(action: str, payload: bytes, speech: Speech | None) -> None:
    """Raises `ApiError` 400 for an action or payload that what the station speaks (None: not known) does not have."""
    if action not in (spoken(speech) if speech else names()):
        who = f"stations of {speech}" if speech else "stations"
        raise ApiError(400, f"There is no action {action[:50]} that {who} are asked.", field="action")
    if speech:
        refuse_invalid(payload, action, speech.version)


async def send(context: Context, wish: Wish) -> Response:
    """Give the command, wait for its outcome as long as the client wants to, and tell it."""
    if not wish.id:
        wish = wish._replace(id=uuid4().hex)
    if not wish.wait:
        return _send(context, wish)
    outcome = await _ask(context, wish)
    return _accepted(wish) if outcome is None else _told(wish, outcome)


def _send(context: Context, wish: Wish) -> Response:
    until, asking = _offline_until(context, wish), context.asking
    asking.tell(
        wish.identity,
        wish.action,
        wish.payload,
        id=wish.id,
        wait=wish.timeout,
        offline_until=until,
        who=wish.who,
    )
    return _accepted(wish)


async def _ask(context: Context, wish: Wish) -> Envelope | None:
    """The outcome; None when there may be one later than the client waits for it."""
    patience = max(wish.timeout, wish.offline + _SWEPT if wish.offline else 0.0)
    asked = context.asking.ask(
        wish.identity,
        wish.action,
        wish.payload,
        id=wish.id,
        wait=patience,
        offline_until=_offline_until(context, wish),
        who=wish.who,
    )
    if patience <= wish.wait:
        return await asked
    try:
        return await asyncio.wait_for(asked, wish.wait)
    except TimeoutError:
        return None


def _offline_until(context: Context, wish: Wish) -> int:
    return int((context.now() + wish.offline) * 1000) if wish.offline else 0


def _accepted(wish: Wish) -> Response:
    where = location("stations", wish.identity, "commands", wish.id)
    return answer(orders.Accepted(wish.identity, wish.id, wish.action), 202, {"Location": where})


def _told(wish: Wish, outcome: Envelope) -> Response:
    fields = outcome_fields(outcome.outcome, outcome.payload, outcome.error_code, outcome.error_description)
    told = orders.Outcome(wish.identity, wish.id, wish.action, outcome.outcome, **fields)  # type: ignore[arg-type]
    status = _status(outcome, waited=bool(wish.offline))
    if status == 200:
        return answer(told)
    headers = {"Retry-After": "5"} if status == 429 else {}
    failed = orders.FailedOutcome(
        **msgspec.structs.asdict(told), error=orders.Problem(status, str(told.error_description))
    )
    return answer(failed, status, headers)


def _status(outcome: Envelope, *, waited: bool) -> int:
    match outcome.outcome:
        case Outcome.TIMEOUT:
            return 504
        case Outcome.INVALID:
            return 400
        case Outcome.NOT_CONNECTED:
            return 200 if waited else 503
        case Outcome.REFUSED:
            return 429 if is_full(outcome) else 200
        case _:
            return 200

"""Orders from the public exchange, read: which commands each asks for. Pure; what is wrong becomes an ended command.

    {"identity": "CS-1", "action": "Reset", "payload": {"type": "Soft"}, "uniqueId": "r-1", "timeout": 30}

or an array of such objects. docs/commands.md is this file in words.
"""

from functools import cache
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from csms_ocpp.catalog import actions
from csms_ocpp.errors import UNREADABLE
from csms_ocpp.events import Outcome
from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY
from csms_platform.ports import Command, Order, Waiter
from csms_router.settings import Settings

ENDED = "ended"
MOST_COMMANDS = 1000
_LONGEST_IDENTITY = 255
_LONGEST_ID = 36  # OCPP-J: messageId is a string[36]


class _Fields(Struct, rename="camel"):
    """One order. What is not named here is ignored."""

    action: Annotated[str, Meta(min_length=1)]
    identity: Annotated[str, Meta(min_length=1, max_length=_LONGEST_IDENTITY)] | None = None
    unique_id: Annotated[str, Meta(min_length=1, max_length=_LONGEST_ID)] | None = None
    payload: Raw = EMPTY
    timeout: Annotated[float, Meta(gt=0, le=86400)] | None = None


class _Context(NamedTuple):
    """What the orders of one message share. Times are in milliseconds."""

    order: Order
    waiters: tuple[Waiter, ...]
    now: int
    patience: int
    grace: int


_fields = msgspec.json.Decoder(_Fields).decode
_items = msgspec.json.Decoder(list[Raw]).decode
_anything = msgspec.json.Decoder(dict[str, Any]).decode


def read(order: Order, now: float, settings: Settings) -> list[Command]:
    """The commands that `order` asks for, in its order; `now` is in seconds since 1970.

    A command with status "ended" cannot be given: its outcome is Invalid, and its description says why. One without an
    id got none from its sender: see `named`.
    """
    waiters = (Waiter(order.reply_to, order.correlation_id, public=True),) if order.reply_to else ()
    at, patience, grace = (
        round(seconds * 1000) for seconds in (now, settings.command_patience, settings.command_grace)
    )
    context = _Context(order, waiters, at, patience, grace)
    if order.body.lstrip()[:1] != b"[":
        return [_identified(_read(Raw(order.body), context), order.message_id)]
    try:
        items = _items(order.body)
    except UNREADABLE as error:
        return [_invalid(context, _sentence(error))]
    if not 0 < len(items) <= MOST_COMMANDS:
        return [_invalid(context, f"An order must hold between 1 and {MOST_COMMANDS} commands.")]
    return [_read(item, context) for item in items]


def refused(command: Command, outcome: Outcome, description: str) -> Command:
    """`command`, which ended before it began."""
    return replace(command, status=ENDED, outcome=outcome.value, error_description=description, ended=command.created)


def why_invalid(identity: str, id: str, action: str, payload: Raw) -> str:
    """Why nothing can be asked of a station like this, in a sentence that names the field; "" when it can."""
    if not 0 < len(identity) <= _LONGEST_IDENTITY:
        return f"`identity` must have between 1 and {_LONGEST_IDENTITY} characters."
    if len(id) > _LONGEST_ID:
        return f"`uniqueId` must have at most {_LONGEST_ID} characters."
    if action not in askable():
        return f"`action` must be one that a central system asks, not {action[:50]!r}."
    try:
        _anything(payload)
    except UNREADABLE:
        return "`payload` must be a JSON object."
    return ""


@cache
def askable() -> frozenset[str]:
    """The actions that a central system asks in any version."""
    return frozenset(name for name, action in actions().items() if action.csms)


def _read(item: Raw, context: _Context) -> Command:
    try:
        fields = _fields(item)
    except UNREADABLE as error:
        return _invalid(context, _sentence(error), _glimpse(item))
    order = context.order
    command = _command(fields, context)
    if order.key and fields.identity not in (None, order.key):
        return refused(command, Outcome.INVALID, "`identity` differs from the message's routing key.")
    reason = why_invalid(command.identity, command.id, command.action, command.payload)
    return refused(command, Outcome.INVALID, reason) if reason else command


def _command(fields: _Fields, context: _Context) -> Command:
    now, expiration = context.now, context.order.expiration or 0
    offline_until = now + expiration if expiration > 0 else 0
    timeout = context.patience if fields.timeout is None else round(fields.timeout * 1000)
    deadline = max(now + timeout, offline_until)
    return Command(
        StationId(fields.identity or context.order.key),
        fields.unique_id or "",
        fields.action,
        fields.payload,
        created=now,
        deadline=deadline,
        overdue=deadline + context.grace,
        offline_until=offline_until,
        waiters=context.waiters,
    )


def _identified(command: Command, message_id: str) -> Command:
    """A message that holds one command names it by its own id, if the command has none."""
    usable = 0 < len(message_id) <= _LONGEST_ID
    return replace(command, id=message_id) if usable and not command.id else command


def _invalid(context: _Context, reason: str, glimpse: _Fields | None = None) -> Command:
    command = _command(glimpse or _Fields(""), context)
    return refused(replace(command, payload=EMPTY), Outcome.INVALID, reason)


def _glimpse(item: Raw) -> _Fields | None:
    """What can still be told about an unreadable order, so that its sender recognises it."""
    try:
        found = {key: value for key, value in _anything(item).items() if isinstance(value, str)}
    except UNREADABLE:
        return None
    return _Fields(found.get("action", ""), found.get("identity"), found.get("uniqueId"))


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "The order's JSON is nested too deeply."
    return f"The order cannot be read: {error}."

"""Keeps messages that the operator's endpoint never took, and says so: an event, a number, a line in the log.

They are in the store, where they can be listed, looked at, replayed and discarded one by one; see docs/webhook.md.
"""

import uuid
from collections.abc import Callable

import msgspec

from csms_ocpp.version import StationId
from csms_platform.logging import get_logger
from csms_platform.ports import DeadLetter, Deliveries, Event, Events, Letter, event_key
from csms_platform.times import iso_8601

_log = get_logger("webhook-relay")
_encode = msgspec.json.Encoder().encode


class DeadLetters:
    """`now` is in seconds since 1970."""

    def __init__(self, deliveries: Deliveries, events: Events, now: Callable[[], float]) -> None:
        self._deliveries = deliveries
        self._events = events
        self._now = now
        self._last = 0

    async def keep(self, letter: Letter, reason: str, attempts: int) -> None:
        """Keep it; repeating this changes nothing but its time. Raises `Unavailable`: then nothing is known."""
        # Equal times are listed in no order, and `replay --all` would mix the letters of a station up.
        self._last = max(self._last + 1, int(self._now() * 1000))
        dead = describe(letter, reason, attempts, self._last)
        await self._deliveries.bury(dead)
        self._tell(dead)
        _log.warning(
            "dead letter",
            reason=reason,
            station=dead.identity,
            action=dead.action,
            delivery=dead.id,
            endpoint=dead.endpoint,
            attempts=attempts,
        )

    def _tell(self, dead: DeadLetter) -> None:
        if self._events.wanted(key := event_key(dead.version, "deadLetter")):
            self._events.emit(key, event(dead, uuid.uuid4().hex))


def describe(letter: Letter, reason: str, attempts: int, died: int) -> DeadLetter:
    """The dead letter of `letter`; `died` in milliseconds since 1970. Pure."""
    about = letter.envelope
    return DeadLetter(
        id=letter.id,
        endpoint=letter.endpoint,
        identity=StationId(about.identity),
        action=about.action,
        reason=reason,
        attempts=attempts,
        stored=letter.stored,
        died=died,
        letter=msgspec.Raw(_encode(letter)),
        account=about.account,
        version=about.version,
    )


def event(dead: DeadLetter, id: str) -> Event:
    """What the outside is told. Pure."""
    return Event(
        id=id,
        time=iso_8601(dead.died / 1000),
        type="deadLetter",
        identity=dead.identity,
        account=dead.account,
        version=dead.version,
        action=dead.action,
        reason=dead.reason,
        delivery_id=dead.id,
        endpoint=dead.endpoint,
    )

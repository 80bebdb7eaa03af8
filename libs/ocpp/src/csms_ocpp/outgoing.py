"""Our own CALLs of one conversation: at most one under way, the rest in order behind it, each with its deadline.

Knows neither frames nor schemas. Every call that is added ends exactly once: in one `CallEnded` of this file, or taken
out by `finish` and ended by the caller.
"""

from collections import deque
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.events import QUEUE_FULL, CallEnded, Outcome
from csms_ocpp.frames import EMPTY
from csms_ocpp.version import MessageId


class OwnCall(msgspec.Struct, eq=False):
    """A CALL of ours. `deadline` ends the wait for its turn until it is sent, then the wait for its answer."""

    unique_id: MessageId
    action: str
    payload: Raw
    deadline: float
    timeout: float
    context: Any

    def ended(self, outcome: Outcome, payload: Raw = EMPTY, code: str = "", description: str = "") -> CallEnded:
        """The event that this call is over."""
        return CallEnded(self.unique_id, self.action, outcome, self.context, payload, code, description)


class OwnCalls:
    """Rule: while any call waits, one is under way (OCPP-J 1.6 §4.1.1 allows no second one)."""

    __slots__ = ("_waiting", "max_waiting", "under_way")

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self.under_way: OwnCall | None = None
        self._waiting: deque[OwnCall] | None = None  # made only for connections that need it

    @property
    def timer(self) -> float | None:
        """When the next deadline passes; None when no call is alive."""
        if self.under_way is None:
            return None
        return min([self.under_way.deadline, *(call.deadline for call in self._waiting or ())])

    def add(self, call: OwnCall, now: float) -> list[CallEnded]:
        """Put `call` at the end of the queue; ended at once when it is overdue or the queue is full."""
        ended = self.expire(now)
        if call.deadline <= now:
            return [*ended, call.ended(Outcome.EXPIRED, description="Its deadline had passed.")]
        if self._waiting is None:
            self._waiting = deque()
        if self.under_way and len(self._waiting) >= self.max_waiting:
            reason = f"{self.max_waiting} calls are waiting already."
            return [*ended, call.ended(Outcome.REFUSED, code=QUEUE_FULL, description=reason)]
        self._waiting.append(call)
        return ended

    def begin(self, now: float) -> OwnCall | None:
        """The call whose turn it is, from now on under way; None while one is, or none waits."""
        if self.under_way or not self._waiting:
            return None
        call = self._waiting.popleft()
        call.deadline = now + call.timeout
        self.under_way = call
        return call

    def finish(self, unique_id: str | None) -> OwnCall | None:
        """The call under way, no longer so, if `unique_id` is its id."""
        call = self.under_way
        if call is None or call.unique_id != unique_id:
            return None
        self.under_way = None
        return call

    def expire(self, now: float) -> list[CallEnded]:
        """End the waiting calls whose deadline has passed."""
        if not self._waiting:
            return []
        overdue = [call for call in self._waiting if call.deadline <= now]
        if overdue:
            self._waiting = deque(call for call in self._waiting if call.deadline > now)
        return [call.ended(Outcome.EXPIRED, description="It waited too long for its turn.") for call in overdue]

    def time_out(self, now: float) -> list[CallEnded]:
        """End the waiting calls whose deadline has passed, and the one under way if nobody answered it in time."""
        ended = self.expire(now)
        if self.under_way and self.under_way.deadline <= now:
            ended.append(self.under_way.ended(Outcome.TIMEOUT, description="The peer did not answer in time."))
            self.under_way = None
        return ended

    def close(self) -> list[CallEnded]:
        """End every call: the connection is gone."""
        ended = []
        if self.under_way:
            reason = "The connection closed before the peer answered."
            ended.append(self.under_way.ended(Outcome.TIMEOUT, description=reason))
        for call in self._waiting or ():
            ended.append(call.ended(Outcome.NOT_CONNECTED, description="The connection closed."))
        self.under_way = self._waiting = None
        return ended

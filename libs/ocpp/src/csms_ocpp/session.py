"""One OCPP-J conversation, for either end, without I/O.

Inputs: `receive` (a text message), `answer` / `refuse` / `abandon` (what to say to the peer's CALL), `call` / `send`
(our own), `handle_timer` (the time has come), `close` (the connection is gone). Each returns the events that follow, in
order; frames to transmit gather in the outbox until `take_output`.

Rule 1: at most one CALL is under way per direction (OCPP-J 1.6 §4.1.1); the rest wait their turn, in order.
Rule 2: what the peer sends is never an exception, only an event, and never ends the session.
Rule 3: the caller owns the clock. `timer` is the next instant at which `handle_timer` has work; None: never.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, assert_never
from uuid import uuid4

import msgspec
from msgspec import Raw

from csms_ocpp import catalog, frames, schemas
from csms_ocpp.catalog import Role
from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.frames import Call, CallError, CallResult, CallResultError, Malformed, Send
from csms_ocpp.version import Dialect, MessageId, MessageType


class Validation(StrEnum):
    """What a schema violation does: STRICT refuses, WARN reports and passes, OFF does not look."""

    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


class Outcome(StrEnum):
    """How a CALL of ours ended."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "Timeout"
    EXPIRED = "Expired"
    NOT_CONNECTED = "NotConnected"
    INVALID = "Invalid"
    REFUSED = "Refused"


# --- events ---------------------------------------------------------------------------------------------------------


class CallReceived(msgspec.Struct, frozen=True, gc=False):
    """The peer asks. Answer with `answer`, `refuse` or `abandon`; its next CALL comes after that."""

    unique_id: MessageId
    action: str
    payload: Raw


class SendReceived(msgspec.Struct, frozen=True, gc=False):
    """The peer tells (2.1 SEND). Nothing is answered."""

    unique_id: MessageId
    action: str
    payload: Raw


class CallEnded(msgspec.Struct, frozen=True):
    """A CALL of ours is over. `context` is what `call` was given.

    TIMEOUT: it was sent and nobody answered in time, or the connection went: whether the peer acted is unknown.
    EXPIRED, NOT_CONNECTED, INVALID and REFUSED: it was never sent.
    """

    unique_id: MessageId
    action: str
    outcome: Outcome
    context: Any = None
    payload: Raw = frames.EMPTY
    code: str = ""
    description: str = ""


class AnswerRefused(msgspec.Struct, frozen=True, gc=False):
    """The peer could not understand our answer (2.1 CALLRESULTERROR)."""

    unique_id: MessageId
    code: str
    description: str
    details: Raw


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """Something is wrong with a message and has been dealt with; for logs and counters.

    `kind` is one of: malformed, ignored, unknown-action, wrong-direction, violation, unexpected-answer, repeated-id.
    """

    kind: str
    reason: str
    unique_id: str = ""
    action: str = ""


Event = CallReceived | SendReceived | CallEnded | AnswerRefused | Complaint


class _Pending(msgspec.Struct, gc=False):
    unique_id: MessageId
    action: str
    payload: Raw
    deadline: float
    timeout: float
    context: Any


class Session:
    """One end of one connection.

    `role` is our end. `max_waiting` bounds our own CALLs behind the one under way. Not thread-safe. Times are seconds
    on any monotonic clock, always the same one.
    """

    __slots__ = (
        "_answered",
        "_asked",
        "_inbound",
        "_new_id",
        "_outbox",
        "_pending",
        "_schemas",
        "_waiting",
        "closed",
        "dialect",
        "max_waiting",
        "role",
        "validation",
    )

    def __init__(
        self,
        dialect: Dialect,
        role: Role,
        *,
        validation: Validation = Validation.STRICT,
        max_waiting: int = 32,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self.dialect = dialect
        self.role = role
        self.validation = validation
        self.max_waiting = max_waiting
        self.closed = False
        self._new_id = new_id
        self._schemas = schemas.table(dialect.version)
        self._outbox: list[bytes] = []
        self._asked: Call | None = None  # the peer's CALL that waits for our answer
        self._inbound: deque[Call] | None = None  # the peer's CALLs behind it; made only for peers that pipeline
        self._pending: _Pending | None = None  # our CALL that is on the wire
        self._waiting: deque[_Pending] | None = None  # our CALLs behind it
        self._answered: tuple[MessageId, str] | None = None

    # --- what the shell does ----------------------------------------------------------------------------------------

    def take_output(self) -> list[bytes]:
        """The messages to transmit, in order; the outbox is empty afterwards."""
        output, self._outbox = self._outbox, []
        return output

    @property
    def backlog(self) -> int:
        """How many of the peer's CALLs wait behind the one being answered. Stop reading when this grows."""
        return len(self._inbound) if self._inbound else 0

    @property
    def asked(self) -> MessageId | None:
        """The id of the peer's CALL that waits for our answer."""
        return self._asked.unique_id if self._asked else None

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None when nothing is waiting."""
        deadlines = [call.deadline for call in self._waiting or ()]
        if self._pending:
            deadlines.append(self._pending.deadline)
        return min(deadlines, default=None)

    def handle_timer(self, now: float) -> list[Event]:
        """End the CALLs whose time is up, and send the next one."""
        events: list[Event] = []
        if self._waiting:
            for call in [call for call in self._waiting if call.deadline <= now]:
                self._waiting.remove(call)
                events.append(_ended(call, Outcome.EXPIRED, description="It waited too long for its turn."))
        if self._pending and self._pending.deadline <= now:
            events.append(_ended(self._pending, Outcome.TIMEOUT, description="The peer did not answer in time."))
            self._pending = None
            self._send_next(now)
        return events

    def close(self) -> list[Event]:
        """The connection is gone: every CALL of ours ends now, and nothing more is transmitted."""
        self.closed = True
        events: list[Event] = []
        if self._pending:
            reason = "The connection closed before the peer answered."
            events.append(_ended(self._pending, Outcome.TIMEOUT, description=reason))
        for call in self._waiting or ():
            events.append(_ended(call, Outcome.NOT_CONNECTED, description="The connection closed."))
        self._pending = self._waiting = self._asked = self._inbound = None
        self._outbox.clear()
        return events

    # --- our own calls ----------------------------------------------------------------------------------------------

    def call(
        self,
        action: str,
        payload: Raw | bytes,
        *,
        now: float,
        timeout: float,
        deadline: float | None = None,
        unique_id: str | None = None,
        context: Any = None,
    ) -> list[Event]:
        """Ask the peer; exactly one `CallEnded` with `context` follows, at once or later.

        `timeout` (seconds) bounds the wait for the answer once sent; `deadline` the wait for its turn (default: the
        same length of time from now). Without `unique_id` one is made.
        """
        unique = MessageId(unique_id or self._new_id())
        turn = now + timeout if deadline is None else deadline
        call = _Pending(unique, action, Raw(payload), turn, timeout, context)
        if self.closed:
            return [_ended(call, Outcome.NOT_CONNECTED, description="The connection is closed.")]
        if refusal := self._refusal(call):
            return [refusal]
        if self._pending is None:
            self._transmit(call, now)
            return []
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= self.max_waiting:
            return [_ended(call, Outcome.REFUSED, description=f"{self.max_waiting} calls are waiting already.")]
        self._waiting.append(call)
        return []

    def send(self, action: str, payload: Raw | bytes, *, unique_id: str | None = None) -> Violation | None:
        """Tell the peer without an answer (2.1). A violation means it was not sent."""
        if MessageType.SEND not in self.dialect.frame_types:
            return Violation(ErrorCode.NOT_SUPPORTED, f"{self.dialect.version} has no SEND.")
        if not (known := self._known(action, self.role)) or not known.send:
            return Violation(ErrorCode.NOT_IMPLEMENTED, f"{action} is not a SEND of the {self.role}.")
        if violation := self._check(action, schemas.REQUEST, Raw(payload)):
            return violation
        self._outbox.append(frames.encode(Send(MessageId(unique_id or self._new_id()), action, Raw(payload))))
        return None

    def _refusal(self, call: _Pending) -> CallEnded | None:
        if len(call.unique_id) > frames.MAX_MESSAGE_ID:
            return _ended(call, Outcome.INVALID, description=f"uniqueId is longer than {frames.MAX_MESSAGE_ID}.")
        known = self._known(call.action, self.role)
        if known is None or known.send:
            sentence = f"{call.action} is not a CALL of the {self.role} in {self.dialect.version}."
            return _ended(call, Outcome.INVALID, code=ErrorCode.NOT_IMPLEMENTED, description=sentence)
        if violation := self._check(call.action, schemas.REQUEST, call.payload):
            return _ended(call, Outcome.INVALID, code=violation.code, description=violation.description)
        return None

    def _transmit(self, call: _Pending, now: float) -> None:
        call.deadline = now + call.timeout
        self._pending = call
        self._outbox.append(frames.encode(Call(call.unique_id, call.action, call.payload)))

    def _send_next(self, now: float) -> None:
        if self._waiting and self._pending is None:
            self._transmit(self._waiting.popleft(), now)

    # --- answers to the peer ----------------------------------------------------------------------------------------

    def answer(self, unique_id: str, payload: Raw | bytes) -> list[Event]:
        """CALLRESULT to the peer's CALL under way; ignored when `unique_id` is not that CALL.

        A payload that its schema refuses never reaches the peer: it gets InternalError instead, and a Complaint comes.
        """
        call = self._asked
        if call is None or call.unique_id != unique_id:
            return [Complaint("unexpected-answer", "Nobody waits for this answer any more.", unique_id)]
        result = Raw(payload)
        events: list[Event] = []
        if violation := self._check(call.action, schemas.RESPONSE, result):
            events.append(Complaint("violation", violation.description, unique_id, call.action))
            if self.validation is Validation.STRICT:
                return events + self.refuse(unique_id, ErrorCode.INTERNAL_ERROR, "The answer was not valid.")
        self._outbox.append(frames.encode(CallResult(call.unique_id, result)))
        self._answered = (call.unique_id, call.action)
        return events + self._next_inbound()

    def refuse(self, unique_id: str, code: str, description: str = "", details: Raw = frames.EMPTY) -> list[Event]:
        """CALLERROR to the peer's CALL under way; ignored when `unique_id` is not that CALL."""
        call = self._asked
        if call is None or call.unique_id != unique_id:
            return [Complaint("unexpected-answer", "Nobody waits for this answer any more.", unique_id)]
        self._outbox.append(frames.encode(CallError(call.unique_id, code, description, details)))
        return self._next_inbound()

    def abandon(self, unique_id: str) -> list[Event]:
        """Leave the peer's CALL without an answer and go on with its next one."""
        if self._asked is None or self._asked.unique_id != unique_id:
            return []
        return self._next_inbound()

    def _next_inbound(self) -> list[Event]:
        self._asked = None
        events: list[Event] = []
        while self._inbound and self._asked is None:
            events += self._ask(self._inbound.popleft())
        if not self._inbound:
            self._inbound = None
        return events

    # --- what the peer sends ----------------------------------------------------------------------------------------

    def receive(self, text: bytes | str, now: float) -> list[Event]:
        """One text message came. Never raises, whatever it holds."""
        if self.closed:
            return []
        frame = frames.decode(text, self.dialect)
        match frame:
            case Call():
                if self._asked is None:
                    return self._ask(frame)
                return self._queue(frame)
            case CallResult():
                return self._result(frame, now)
            case CallError():
                return self._error(frame, now)
            case Send():
                return self._told(frame)
            case CallResultError():
                if self._answered is None or self._answered[0] != frame.unique_id:
                    return [Complaint("unexpected-answer", "CALLRESULTERROR for no answer of ours", frame.unique_id)]
                return [AnswerRefused(frame.unique_id, frame.code, frame.description, frame.details)]
            case Malformed():
                return self._malformed(frame, now)
            case _:
                assert_never(frame)

    def _queue(self, call: Call) -> list[Event]:
        under_way = self._asked
        if (under_way and under_way.unique_id == call.unique_id) or any(
            call.unique_id == other.unique_id for other in self._inbound or ()
        ):
            # The peer repeats itself before we answered: one answer serves both.
            return [Complaint("repeated-id", "A CALL with this id is under way.", call.unique_id, call.action)]
        if self._inbound is None:
            self._inbound = deque()
        self._inbound.append(call)
        return []

    def _ask(self, call: Call) -> list[Event]:
        known = self._known(call.action, self.role.peer)
        if known is None or known.send:
            return [self._unknown(call)]
        violation = self._check(call.action, schemas.REQUEST, call.payload)
        if violation is None:
            self._asked = call
            return [CallReceived(call.unique_id, call.action, call.payload)]
        complaint = Complaint("violation", violation.description, call.unique_id, call.action)
        if self.validation is Validation.STRICT:
            self._outbox.append(frames.encode(CallError(call.unique_id, violation.code, violation.description)))
            return [complaint]
        self._asked = call
        return [complaint, CallReceived(call.unique_id, call.action, call.payload)]

    def _unknown(self, call: Call) -> Complaint:
        if self._known(call.action, self.role):
            # OCPP-J 1.6 §4.2.3: NotSupported, "Requested Action is recognized but not supported by the receiver".
            kind, code, sentence = (
                "wrong-direction",
                ErrorCode.NOT_SUPPORTED,
                f"Only the {self.role} sends {call.action}.",
            )
        else:
            # OCPP-J 1.6 §4.2.3: NotImplemented, "Requested Action is not known by receiver".
            kind, code = "unknown-action", ErrorCode.NOT_IMPLEMENTED
            sentence = f"{self.dialect.version} has no action {call.action[:50]}."
        self._outbox.append(frames.encode(CallError(call.unique_id, code, sentence)))
        return Complaint(kind, sentence, call.unique_id, call.action)

    def _told(self, send: Send) -> list[Event]:
        known = self._known(send.action, self.role.peer)
        if known is None or not known.send:
            return [Complaint("unknown-action", f"{send.action[:50]} is not a SEND.", send.unique_id, send.action)]
        violation = self._check(send.action, schemas.REQUEST, send.payload)
        if violation is None:
            return [SendReceived(send.unique_id, send.action, send.payload)]
        complaint = Complaint("violation", violation.description, send.unique_id, send.action)
        if self.validation is Validation.STRICT:
            return [complaint]
        return [complaint, SendReceived(send.unique_id, send.action, send.payload)]

    def _result(self, result: CallResult, now: float) -> list[Event]:
        call = self._pending
        if call is None or call.unique_id != result.unique_id:
            return [Complaint("unexpected-answer", "CALLRESULT for no CALL of ours", result.unique_id)]
        self._pending = None
        events: list[Event] = []
        if violation := self._check(call.action, schemas.RESPONSE, result.payload):
            events.append(Complaint("violation", violation.description, result.unique_id, call.action))
        if violation and self.validation is Validation.STRICT:
            if MessageType.CALL_RESULT_ERROR in self.dialect.frame_types:
                error = CallResultError(call.unique_id, violation.code, violation.description)
                self._outbox.append(frames.encode(error))
            events.append(_ended(call, Outcome.ERROR, result.payload, violation.code, violation.description))
        else:
            events.append(_ended(call, Outcome.RESULT, result.payload))
        self._send_next(now)
        return events

    def _error(self, error: CallError, now: float) -> list[Event]:
        call = self._pending
        if call is None or call.unique_id != error.unique_id:
            return [Complaint("unexpected-answer", f"CALLERROR {error.code} for no CALL of ours", error.unique_id)]
        self._pending = None
        self._send_next(now)
        return [_ended(call, Outcome.ERROR, error.details, error.code, error.description)]

    def _malformed(self, frame: Malformed, now: float) -> list[Event]:
        if frame.ignorable:
            return [Complaint("ignored", frame.reason)]
        complaint = Complaint("malformed", frame.reason, frame.unique_id or "")
        match frame.kind:
            case MessageType.CALL_RESULT | MessageType.CALL_ERROR:
                # An answer that cannot be read is never answered; if it is the one we wait for, that CALL is over.
                if self._pending and self._pending.unique_id == frame.unique_id:
                    call, self._pending = self._pending, None
                    self._send_next(now)
                    code = self.dialect.formation_violation
                    return [complaint, _ended(call, Outcome.ERROR, code=code, description=frame.reason)]
            case MessageType.SEND | MessageType.CALL_RESULT_ERROR:
                pass  # OCPP-J 2.1 §4.2.4, §4.2.5: neither is ever answered
            case _:
                self._complain(frame)
        return [complaint]

    def _complain(self, frame: Malformed) -> None:
        if frame.unique_id is not None and len(frame.unique_id) <= frames.MAX_MESSAGE_ID:
            error = CallError(frame.unique_id, self.dialect.malformed_call, frame.reason)
        elif frame.unique_id is not None:
            # An answer may not carry an id that is too long either: cut, so that a log of the peer's still shows whose.
            cut = MessageId(frame.unique_id[: frames.MAX_MESSAGE_ID])
            error = CallError(cut, self.dialect.formation_violation, frame.reason)
        elif self.dialect.unreadable_id is not None:
            unreadable = MessageId(self.dialect.unreadable_id)
            error = CallError(unreadable, ErrorCode.RPC_FRAMEWORK_ERROR, frame.reason)
        else:
            return
        self._outbox.append(frames.encode(error))

    # --- small questions --------------------------------------------------------------------------------------------

    def _known(self, action: str, asker: Role) -> catalog.Action | None:
        return catalog.asked_by(asker, self.dialect.version).get(action)

    def _check(self, action: str, part: str, payload: Raw) -> Violation | None:
        if self.validation is Validation.OFF:
            return None
        return self._schemas[action, part].check(payload)


def _ended(
    call: _Pending, outcome: Outcome, payload: Raw = frames.EMPTY, code: str = "", description: str = ""
) -> CallEnded:
    return CallEnded(call.unique_id, call.action, outcome, call.context, payload, code, description)

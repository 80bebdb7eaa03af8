"""One OCPP-J conversation, for either end, without I/O.

Inputs: `receive` (a text message), `answer` / `refuse` / `abandon` (what to say to the peer's CALL), `call` / `send`
(our own), `handle_timer` (the time has come), `close` (the connection is gone). Each returns the events that follow, in
order; frames to transmit gather in the outbox until `take_output`.

Rule 1: at most one CALL is under way per direction (OCPP-J 1.6 §4.1.1); the rest wait their turn, in order.
Rule 2: what the peer sends is never an exception, only an event, and never ends the session.
Rule 3: the caller owns the clock. `timer` is the next instant at which `handle_timer` has work; None: never.
"""

from collections.abc import Callable
from typing import Any, assert_never
from uuid import uuid4

from msgspec import Raw

from csms_ocpp import frames, refusals
from csms_ocpp.answering import Answering
from csms_ocpp.asking import Asking
from csms_ocpp.catalog import Role
from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.events import AnswerRefused, CallEnded, CallReceived, Complaint, Event, Outcome, SendReceived
from csms_ocpp.frames import Call, CallError, CallResult, CallResultError, Malformed, Send
from csms_ocpp.outgoing import OwnCall
from csms_ocpp.rules import Validation, rules_for
from csms_ocpp.version import Dialect, MessageId, MessageType

__all__ = [
    "AnswerRefused",
    "CallEnded",
    "CallReceived",
    "Complaint",
    "Event",
    "Outcome",
    "SendReceived",
    "Session",
    "Validation",
]


class Session:
    """One end of one connection.

    `role` is our end. `max_waiting` bounds our own CALLs behind the one under way. Not thread-safe. Times are seconds
    on any monotonic clock, always the same one.
    """

    __slots__ = ("_answering", "_asking", "_new_id", "_outbox", "_rules", "closed", "dialect")

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
        self.closed = False
        self._new_id = new_id
        self._rules = rules_for(dialect, role, validation)
        self._outbox: list[bytes] = []
        self._asking = Asking(self._rules, self._outbox, max_waiting)
        self._answering = Answering(self._rules, self._outbox)

    @property
    def role(self) -> Role:
        """Our end."""
        return self._rules.role

    @property
    def validation(self) -> Validation:
        """What a schema violation does."""
        return self._rules.validation

    @property
    def max_waiting(self) -> int:
        """How many CALLs of ours may wait behind the one under way."""
        return self._asking.calls.max_waiting

    # --- what the shell does ----------------------------------------------------------------------------------------

    def take_output(self) -> list[bytes]:
        """The messages to transmit, in order; the outbox is empty afterwards."""
        output = self._outbox[:]
        self._outbox.clear()
        return output

    @property
    def backlog(self) -> int:
        """How many of the peer's CALLs wait behind the one being answered. Stop reading when this grows."""
        return self._answering.backlog

    @property
    def asked(self) -> MessageId | None:
        """The id of the peer's CALL that waits for our answer."""
        call = self._answering.asked
        return call.unique_id if call else None

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None when nothing is waiting."""
        return self._asking.calls.timer

    def handle_timer(self, now: float) -> list[Event]:
        """End the CALLs whose time is up, and send the next one."""
        return self._asking.handle_timer(now)

    def close(self) -> list[Event]:
        """The connection is gone: every CALL of ours ends now, and nothing more is transmitted."""
        self.closed = True
        self._outbox.clear()
        self._answering.close()
        return [*self._asking.calls.close()]

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
        call = OwnCall(unique, action, Raw(payload), turn, timeout, context)
        if self.closed:
            return [call.ended(Outcome.NOT_CONNECTED, description="The connection is closed.")]
        return self._asking.call(call, now)

    def send(self, action: str, payload: Raw | bytes, *, unique_id: str | None = None) -> Violation | None:
        """Tell the peer without an answer (2.1). A violation means it was not sent."""
        if self.closed:
            return Violation(ErrorCode.GENERIC_ERROR, "The connection is closed.")
        if MessageType.SEND not in self.dialect.frame_types:
            return Violation(ErrorCode.NOT_SUPPORTED, f"{self.dialect.version} has no SEND.")
        return self._asking.send(Send(MessageId(unique_id or self._new_id()), action, Raw(payload)))

    # --- answers to the peer ----------------------------------------------------------------------------------------

    def answer(self, unique_id: str, payload: Raw | bytes) -> list[Event]:
        """CALLRESULT to the peer's CALL under way; ignored when `unique_id` is not that CALL.

        A payload that its schema refuses never reaches the peer: it gets InternalError instead, and a Complaint comes.
        """
        return self._answering.answer(unique_id, Raw(payload))

    def refuse(self, unique_id: str, code: str, description: str = "", details: Raw = frames.EMPTY) -> list[Event]:
        """CALLERROR to the peer's CALL under way; ignored when `unique_id` is not that CALL.

        A description over 255 characters is cut; details that are not a JSON object are left out.
        """
        return self._answering.refuse(unique_id, code, description, details)

    def abandon(self, unique_id: str) -> list[Event]:
        """Leave the peer's CALL without an answer and go on with its next one."""
        return self._answering.abandon(unique_id)

    # --- what the peer sends ----------------------------------------------------------------------------------------

    def receive(self, text: bytes | str, now: float) -> list[Event]:
        """One text message came. Never raises, whatever it holds."""
        if self.closed:
            return []
        frame = frames.decode(text, self.dialect)
        match frame:
            case Call():
                return self._answering.call(frame)
            case CallResult():
                return self._asking.result(frame, now)
            case CallError():
                return self._asking.error(frame, now)
            case Send():
                return self._answering.send(frame)
            case CallResultError():
                return self._answering.answer_refused(frame)
            case Malformed():
                return self._malformed(frame, now)
            case _:
                assert_never(frame)

    def _malformed(self, frame: Malformed, now: float) -> list[Event]:
        complaint = Complaint("ignored" if frame.ignorable else "malformed", frame.reason, frame.unique_id or "")
        if refusal := refusals.of_malformed(frame, self.dialect):
            self._outbox.append(frames.encode(refusal))
        if frame.kind in (MessageType.CALL_RESULT, MessageType.CALL_ERROR):
            return [complaint, *self._asking.malformed(frame, now)]
        return [complaint]

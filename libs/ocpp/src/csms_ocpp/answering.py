"""The peer's half of one conversation: the CALLs and SENDs that it makes, and what we answer.

Each method returns the events that follow, in order, and appends what must be transmitted to the outbox it was given.
"""

from collections import OrderedDict

from msgspec import Raw

from csms_ocpp import frames, refusals, schemas
from csms_ocpp.errors import ErrorCode
from csms_ocpp.events import AnswerRefused, CallReceived, Complaint, Event, SendReceived, violated
from csms_ocpp.frames import Call, CallError, CallResult, CallResultError, Send
from csms_ocpp.rules import Rules
from csms_ocpp.version import MessageId


class Answering:
    """The peer's CALLs: `asked` waits for our answer, the rest behind it, in order."""

    __slots__ = ("_answered", "_outbox", "_rules", "_waiting", "asked")

    def __init__(self, rules: Rules, outbox: list[bytes]) -> None:
        self._rules = rules
        self._outbox = outbox
        self.asked: Call | None = None
        self._waiting: OrderedDict[MessageId, Call] | None = None  # made only for peers that do not wait for answers
        self._answered: Call | None = None  # what our last CALLRESULT answered, where it can be refused (2.1)

    @property
    def backlog(self) -> int:
        """How many CALLs wait behind the one being answered."""
        return len(self._waiting) if self._waiting else 0

    def close(self) -> None:
        """Forget what the peer asked."""
        self.asked = self._waiting = self._answered = None

    # --- what the peer says -----------------------------------------------------------------------------------------

    def call(self, call: Call) -> list[Event]:
        """The peer asks."""
        if self.asked is None:
            return self._ask(call)
        if self._waiting is None:
            self._waiting = OrderedDict()
        if call.unique_id == self.asked.unique_id or call.unique_id in self._waiting:
            # The peer repeats itself before we answered: one answer serves both.
            return [Complaint("repeated-id", "A CALL with this id is under way.", call.unique_id, call.action)]
        self._waiting[call.unique_id] = call
        return []

    def _ask(self, call: Call) -> list[Event]:
        known = self._rules.theirs.get(call.action)
        if known is None or known.send:
            return [self._unknown(call)]
        violation = self._rules.request(call.action, call.payload)
        if violation is None:
            self.asked = call
            return [CallReceived(call.unique_id, call.action, call.payload)]
        complaint = violated(violation, call.unique_id, call.action)
        if self._rules.refuse(violation):
            self._outbox.append(frames.encode(CallError(call.unique_id, violation.code, violation.description)))
            return [complaint]
        self.asked = call
        return [complaint, CallReceived(call.unique_id, call.action, call.payload)]

    def _unknown(self, call: Call) -> Complaint:
        kind, code, sentence = refusals.of_action(call.action, self._rules)
        self._outbox.append(frames.encode(CallError(call.unique_id, code, sentence)))
        return Complaint(kind, sentence, call.unique_id, call.action)

    def send(self, send: Send) -> list[Event]:
        """The peer tells; whatever it says, nothing is answered."""
        known = self._rules.theirs.get(send.action)
        if known is None or not known.send:
            return [Complaint("unknown-action", f"{send.action[:50]} is not a SEND.", send.unique_id, send.action)]
        violation = self._rules.request(send.action, send.payload)
        if violation is None:
            return [SendReceived(send.unique_id, send.action, send.payload)]
        complaint = violated(violation, send.unique_id, send.action)
        if self._rules.refuse(violation):
            return [complaint]
        return [complaint, SendReceived(send.unique_id, send.action, send.payload)]

    def answer_refused(self, error: CallResultError) -> list[Event]:
        """The peer could not read our answer."""
        asked = self._answered
        if asked is None or asked.unique_id != error.unique_id:
            return [Complaint("unexpected-answer", "CALLRESULTERROR for no answer of ours", error.unique_id)]
        self._answered = None
        return [AnswerRefused(error.unique_id, error.code, error.description, error.details, asked.action)]

    # --- what we say ------------------------------------------------------------------------------------------------

    def answer(self, unique_id: str, payload: Raw) -> list[Event]:
        """CALLRESULT; a payload that its schema refuses becomes InternalError instead, and a Complaint comes."""
        call = self.asked
        if call is None or call.unique_id != unique_id:
            return _nobody_waits(unique_id)
        events: list[Event] = []
        if violation := self._rules.response(call.action, payload):
            events.append(violated(violation, unique_id, call.action))
            if self._rules.refuse(violation):
                return events + self.refuse(unique_id, ErrorCode.INTERNAL_ERROR, "The answer was not valid.")
        self._outbox.append(frames.encode(CallResult(call.unique_id, payload)))
        if self._rules.result_errors:
            self._answered = call
        return events + self._next()

    def refuse(self, unique_id: str, code: str, description: str, details: Raw = frames.EMPTY) -> list[Event]:
        """CALLERROR; details that are not a JSON object are left out."""
        call = self.asked
        if call is None or call.unique_id != unique_id:
            return _nobody_waits(unique_id)
        if schemas.check_shape(details, self._rules.dialect):
            details = frames.EMPTY
        self._outbox.append(frames.encode(CallError(call.unique_id, code, description, details)))
        return self._next()

    def abandon(self, unique_id: str) -> list[Event]:
        """No answer; on to the next CALL."""
        if self.asked is None or self.asked.unique_id != unique_id:
            return []
        return self._next()

    def _next(self) -> list[Event]:
        self.asked = None
        events: list[Event] = []
        while self._waiting and self.asked is None:
            events += self._ask(self._waiting.popitem(last=False)[1])
        if not self._waiting:
            self._waiting = None
        return events


def _nobody_waits(unique_id: str) -> list[Event]:
    return [Complaint("unexpected-answer", "Nobody waits for this answer any more.", unique_id)]

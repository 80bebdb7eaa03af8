"""Our half of one conversation: the CALLs and SENDs that we make, and the answers that come back.

Each method returns the events that follow, in order, and appends what must be transmitted to the outbox it was given.
"""

from csms_ocpp import frames
from csms_ocpp.errors import Violation
from csms_ocpp.events import CallEnded, Complaint, Event, Outcome, violated
from csms_ocpp.frames import EMPTY, Call, CallError, CallResult, CallResultError, Malformed, Send
from csms_ocpp.outgoing import OwnCall, OwnCalls
from csms_ocpp.rules import Rules
from csms_ocpp.version import MessageId, MessageType


class Asking:
    """The CALLs of ours: one under way, the rest behind it; each ends in exactly one `CallEnded`."""

    __slots__ = ("_outbox", "_rules", "calls")

    def __init__(self, rules: Rules, outbox: list[bytes], max_waiting: int) -> None:
        self._rules = rules
        self._outbox = outbox
        self.calls = OwnCalls(max_waiting)

    def call(self, call: OwnCall, now: float) -> list[Event]:
        """Transmit `call`, or let it wait for its turn, or end it at once."""
        events: list[Event] = []
        wrong = self._rules.own(call.unique_id, call.action, send=False)
        violation = wrong or self._rules.request(call.action, call.payload)
        if violation:
            if wrong or self._rules.refuse(violation):
                return [call.ended(Outcome.INVALID, code=violation.code, description=violation.description)]
            events.append(violated(violation, call.unique_id, call.action))
        return [*events, *self.calls.add(call, now), *self._advance(now)]

    def send(self, send: Send) -> Violation | None:
        """Transmit `send`; a violation means that it was not."""
        if wrong := self._rules.own(send.unique_id, send.action, send=True):
            return wrong
        violation = self._rules.request(send.action, send.payload)
        if violation and self._rules.refuse(violation):
            return violation
        self._outbox.append(frames.encode(send))
        return None

    def handle_timer(self, now: float) -> list[Event]:
        """End the CALLs whose time is up, and send the next one."""
        return [*self.calls.time_out(now), *self._advance(now)]

    def _advance(self, now: float) -> list[CallEnded]:
        expired = self.calls.expire(now)
        if call := self.calls.begin(now):
            self._outbox.append(frames.encode(Call(call.unique_id, call.action, call.payload)))
        return expired

    # --- what comes back --------------------------------------------------------------------------------------------

    def result(self, result: CallResult, now: float) -> list[Event]:
        """The peer answers."""
        call = self.calls.finish(result.unique_id)
        if call is None:
            return [Complaint("unexpected-answer", "CALLRESULT for no CALL of ours", result.unique_id)]
        violation = self._rules.response(call.action, result.payload)
        if violation is None:
            return [call.ended(Outcome.RESULT, result.payload), *self._advance(now)]
        complaint = violated(violation, result.unique_id, call.action)
        if not self._rules.refuse(violation):
            return [complaint, call.ended(Outcome.RESULT, result.payload), *self._advance(now)]
        self._refuse_result(call.unique_id, violation.code, violation.description)
        payload = EMPTY if violation.unreadable else result.payload
        ended = call.ended(Outcome.ERROR, payload, violation.code, violation.description)
        return [complaint, ended, *self._advance(now)]

    def error(self, error: CallError, now: float) -> list[Event]:
        """The peer answers that it cannot."""
        call = self.calls.finish(error.unique_id)
        if call is None:
            return [Complaint("unexpected-answer", f"CALLERROR {error.code[:50]} for no CALL of ours", error.unique_id)]
        return [call.ended(Outcome.ERROR, error.details, error.code, error.description), *self._advance(now)]

    def malformed(self, answer: Malformed, now: float) -> list[Event]:
        """An answer that cannot be read. If it is the one we wait for, nothing better will follow: that CALL ends."""
        call = self.calls.finish(answer.unique_id)
        if call is None:
            return []
        code = self._rules.dialect.formation_violation
        if answer.kind == MessageType.CALL_RESULT:
            self._refuse_result(call.unique_id, code, answer.reason)
        return [call.ended(Outcome.ERROR, code=code, description=answer.reason), *self._advance(now)]

    def _refuse_result(self, unique_id: MessageId, code: str, reason: str) -> None:
        if self._rules.result_errors:
            self._outbox.append(frames.encode(CallResultError(unique_id, code, reason)))

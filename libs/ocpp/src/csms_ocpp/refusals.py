"""What a message that nobody can serve is answered with, by the dialect: pure functions that end in a CALLERROR.

Decides only the answer; that a refused message also makes a `Complaint` is the session's affair.
"""

from csms_ocpp.errors import ErrorCode
from csms_ocpp.frames import MAX_MESSAGE_ID, CallError, Malformed
from csms_ocpp.rules import Rules
from csms_ocpp.version import Dialect, MessageId, MessageType


def of_malformed(frame: Malformed, dialect: Dialect) -> CallError | None:
    """The CALLERROR for text that is not a message; None where the specification wants no answer."""
    if frame.ignorable or frame.kind not in (None, MessageType.CALL):
        # OCPP-J 2.1 §4.2.4, §4.2.5: CALLRESULTERROR and SEND are never answered; nor are answers, in any version.
        return None
    if frame.unique_id is None:
        if dialect.unreadable_id is None:
            return None
        return CallError(MessageId(dialect.unreadable_id), ErrorCode.RPC_FRAMEWORK_ERROR, frame.reason)
    if len(frame.unique_id) <= MAX_MESSAGE_ID:
        return CallError(frame.unique_id, dialect.malformed_call, frame.reason)
    # An answer may not carry an id that is too long either: cut, so that a log of the peer's still shows whose.
    return CallError(MessageId(frame.unique_id[:MAX_MESSAGE_ID]), dialect.formation_violation, frame.reason)


def of_action(action: str, rules: Rules) -> tuple[str, str, str]:
    """Complaint kind, error code and sentence for a CALL of an `action` that the peer may not ask."""
    # OCPP-J 1.6 §4.2.3: NotSupported, "Requested Action is recognized but not supported by the receiver";
    # NotImplemented, "Requested Action is not known by receiver".
    if action in rules.ours:
        return "wrong-direction", ErrorCode.NOT_SUPPORTED, f"Only the {rules.role} sends {action}."
    if action in rules.theirs:
        return "wrong-direction", ErrorCode.NOT_SUPPORTED, f"{action} is a SEND, not a CALL."
    return "unknown-action", ErrorCode.NOT_IMPLEMENTED, f"{rules.dialect.version} has no action {action[:50]}."

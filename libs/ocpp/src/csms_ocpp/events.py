"""What a `Session` tells its owner: one frozen struct per kind of event, and how a CALL of ours can end.

Payloads are the bytes that travelled. A new kind of event belongs into the union `Event`, so that every `match` on it
shows where it must be thought about.
"""

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.errors import Violation
from csms_ocpp.frames import EMPTY
from csms_ocpp.version import MessageId


class Outcome(StrEnum):
    """How a CALL of ours ended."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "Timeout"
    EXPIRED = "Expired"
    NOT_CONNECTED = "NotConnected"
    INVALID = "Invalid"
    REFUSED = "Refused"


QUEUE_FULL = "QueueFull"
"""The code of a CALL that is REFUSED because too many wait for their turn already."""


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

    RESULT carries the answer; ERROR the peer's code, description and details, or, for an answer that its schema
    refuses, the violation's code and the raw answer.
    TIMEOUT: it was sent and nobody answered in time, or the connection went: whether the peer acted is unknown.
    EXPIRED, NOT_CONNECTED, INVALID and REFUSED: it was never sent. REFUSED may have the code `QUEUE_FULL`.
    """

    unique_id: MessageId
    action: str
    outcome: Outcome
    context: Any = None
    payload: Raw = EMPTY
    code: str = ""
    description: str = ""


class AnswerRefused(msgspec.Struct, frozen=True, gc=False):
    """The peer could not understand our last answer (2.1 CALLRESULTERROR); `action` is what it had asked."""

    unique_id: MessageId
    code: str
    description: str
    details: Raw
    action: str = ""


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """Something is wrong with a message and has been dealt with; for logs and counters.

    `kind` is one of: malformed, ignored, unknown-action, wrong-direction, violation, unexpected-answer, repeated-id.
    `rule` is the schema keyword of a violation; its `reason` quotes no value of the payload.
    """

    kind: str
    reason: str
    unique_id: str = ""
    action: str = ""
    rule: str = ""


def violated(violation: Violation, unique_id: str, action: str) -> Complaint:
    """The complaint about a payload that its schema refuses."""
    return Complaint("violation", violation.outline, unique_id, action, violation.rule)


Event = CallReceived | SendReceived | CallEnded | AnswerRefused | Complaint

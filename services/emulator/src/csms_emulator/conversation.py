"""What one station and its central system say to each other in SOAP, without HTTP: bytes to events, actions to bytes.

Both directions are checked against the schemas, as `csms_ocpp.session` does it for JSON.
"""

from collections.abc import Callable
from itertools import count
from uuid import uuid4

import msgspec
from msgspec import Raw

from csms_emulator.actions import Answer, Ask, Refuse
from csms_ocpp import refusals
from csms_ocpp.catalog import Role
from csms_ocpp.errors import ErrorCode
from csms_ocpp.frames import EMPTY
from csms_ocpp.rules import Validation, rules_for
from csms_ocpp.session import CallEnded, CallReceived, Complaint, Outcome
from csms_ocpp.soap import (
    Addressing,
    Fault,
    Request,
    Response,
    Service,
    Subcode,
    Unreadable,
    read_request,
    read_response,
    write_fault,
    write_request,
    write_response,
)
from csms_ocpp.version import DIALECTS, MessageId, Version

_encode = msgspec.json.Encoder().encode


class Posted(msgspec.Struct, frozen=True):
    """What came back over HTTP."""

    status: int
    body: bytes
    charset: str = ""


class Lost(msgspec.Struct, frozen=True):
    """The central system cannot be reached, for `reason`; or whoever answers there does not speak SOAP."""

    reason: str


class Reply(msgspec.Struct, frozen=True):
    """What goes back over HTTP; `complaint`: what was wrong, if anything was.

    It goes back `after` so many seconds; `lost`: the connection is cut instead.
    """

    status: int
    body: bytes
    complaint: Complaint | None = None
    after: float = 0.0
    lost: bool = False


def urn() -> str:
    """A new MessageID."""
    return f"urn:uuid:{uuid4()}"


class Conversation:
    """The station `identity` at `callback` talks with the central system at `url`."""

    def __init__(
        self, version: Version, identity: str, url: str, callback: str, new_id: Callable[[], str] = urn
    ) -> None:
        self.version = version
        self._identity = identity
        self._url = url
        self._callback = callback
        self._new_id = new_id
        self._rules = rules_for(DIALECTS[version], Role.STATION, Validation.STRICT)
        self._asked: dict[str, Request] = {}
        self._numbers = count(1)

    # --- the station asks ---------------------------------------------------------------------------------------------

    def question(self, ask: Ask) -> bytes | CallEnded:
        """The body of the POST that asks; or the end already, when the schema refuses it."""
        payload = Raw(_encode(ask.payload))
        if violation := self._rules.request(ask.action, payload):
            return self._ended(ask, Outcome.INVALID, code=violation.code, description=violation.description)
        addressing = Addressing(message_id=self._new_id(), to=self._url, source=self._callback)
        return write_request(Request(self.version, Role.STATION, self._identity, ask.action, payload, addressing))

    def answer(self, ask: Ask, posted: Posted) -> CallEnded | Lost:
        """What the answer means."""
        found = read_response(posted.body, self.version, Service.CENTRAL_SYSTEM, ask.action, posted.charset)
        match found:
            case Response():
                return self._answered(ask, found.payload)
            case Fault():
                code = found.subcode or ErrorCode.GENERIC_ERROR
                return self._ended(ask, Outcome.ERROR, code=code, description=found.reason)
            case Unreadable() if posted.status == 200:
                code = self._rules.dialect.formation_violation
                return self._ended(ask, Outcome.ERROR, code=code, description=found.reason)
            case Unreadable():
                text = posted.body[:200].decode(errors="replace").strip().partition("\n")[0]
                return Lost(f"HTTP {posted.status} {text}".strip())

    def unanswered(self, ask: Ask) -> CallEnded:
        """It was asked, and nobody answered in time."""
        return self._ended(ask, Outcome.TIMEOUT, description="No answer in time.")

    def _answered(self, ask: Ask, payload: Raw) -> CallEnded:
        if violation := self._rules.response(ask.action, payload):
            return self._ended(ask, Outcome.ERROR, payload, violation.code, violation.description)
        return self._ended(ask, Outcome.RESULT, payload)

    @staticmethod
    def _ended(ask: Ask, outcome: Outcome, payload: Raw = EMPTY, code: str = "", description: str = "") -> CallEnded:
        return CallEnded(MessageId(str(ask.number)), ask.action, outcome, ask.number, payload, code, description)

    # --- the central system asks --------------------------------------------------------------------------------------

    def command(self, body: bytes, charset: str) -> CallReceived | Reply:
        """What is asked, to be answered with `reply`; or the fault, when it cannot be put to the station."""
        request = read_request(body, charset)
        if isinstance(request, Fault):
            return self._complaining(request, "malformed")
        if objection := self._objection(request):
            return objection
        unique_id = MessageId(str(next(self._numbers)))
        self._asked[unique_id] = request
        return CallReceived(unique_id, request.action, request.payload)

    def reply(self, reply: Answer | Refuse) -> Reply:
        """The station's answer to a `CallReceived`."""
        request = self._asked.pop(reply.unique_id)
        if isinstance(reply, Refuse):
            known = reply.code in Subcode.__members__.values()
            subcode = reply.code if known else Subcode.GENERIC_ERROR
            fault = _told(request, subcode, reply.description, sender=False)
            return Reply(fault.status, write_fault(fault, self._new_id()))
        payload = Raw(_encode(reply.payload))
        if violation := self._rules.response(request.action, payload):
            fault = _told(request, Subcode.INTERNAL_ERROR, "The answer was not valid.", sender=False)
            return self._complaining(fault, "violation", request.action, violation.description)
        addressing = Addressing(message_id=self._new_id(), relates_to=request.addressing.message_id)
        return Reply(200, write_response(Response(self.version, Role.CSMS, request.action, payload, addressing)))

    def _objection(self, request: Request) -> Reply | None:
        action = request.action
        if request.identity != self._identity:
            return self._fault(request, Subcode.IDENTITY_MISMATCH, "The chargeBoxIdentity is not this station's.")
        if request.version is not self.version:
            return self._fault(request, Subcode.NOT_SUPPORTED, f"This station speaks {self.version}.")
        if request.asker is Role.STATION or action not in self._rules.theirs:
            kind, _, sentence = refusals.of_action(action, self._rules)
            return self._fault(request, Subcode.NOT_SUPPORTED, sentence, kind)
        if violation := self._rules.request(action, request.payload):
            return self._fault(request, Subcode.PROTOCOL_ERROR, violation.description, "violation")
        return None

    def _fault(self, request: Request, subcode: str, sentence: str, kind: str = "malformed") -> Reply:
        return self._complaining(_told(request, subcode, sentence, sender=True), kind, request.action)

    def _complaining(self, fault: Fault, kind: str, action: str = "", reason: str = "") -> Reply:
        complaint = Complaint(kind, reason or fault.reason, fault.message_id, action)
        return Reply(fault.status, write_fault(fault, self._new_id()), complaint)


def _told(request: Request, subcode: str, sentence: str, *, sender: bool) -> Fault:
    return Fault(subcode, sentence, sender, request.version, request.asker, request.addressing.message_id)

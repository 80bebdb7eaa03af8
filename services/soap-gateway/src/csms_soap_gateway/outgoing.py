"""Our call to a station: from the envelope that asks for it to what is POSTed; pure."""

from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import msgspec
from msgspec import Raw
from yarl import URL

from csms_ocpp.catalog import Role
from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.rules import Rules, Validation, rules_for
from csms_ocpp.session import Outcome
from csms_ocpp.soap import ANONYMOUS, Addressing, Request, Service, write_request
from csms_ocpp.soap.messages import CONTENT_TYPE
from csms_ocpp.soap.tables import tables
from csms_ocpp.version import DIALECTS, Version
from csms_platform.envelope import EMPTY, Envelope
from csms_platform.outcomes import refusal
from csms_soap_gateway.addresses import read_url

_SHOWN = 100  # characters of a name that somebody made up


class Command(msgspec.Struct, frozen=True):
    """A CALL of ours that may be sent. `violation` is one that its payload may have, as lenient as we are here."""

    call: Envelope
    url: URL
    rules: Rules
    violation: Violation | None = None

    @property
    def version(self) -> Version:
        """The station's."""
        return self.rules.dialect.version


class Ended(msgspec.Struct, frozen=True):
    """How a CALL of ours ended: `csms_ocpp.events.CallEnded` says what belongs to which outcome.

    `violation` is what was wrong with the answer's payload, whether it was let pass or not.
    """

    outcome: Outcome
    payload: Raw = EMPTY
    code: str = ""
    description: str = ""
    violation: Violation | None = None


def read_command(call: Envelope, validation: Validation) -> Command | Ended:
    """What to send for this CALL, or how it ended before it was sent."""
    if wrong := _unknown(call.version, call.action):
        return Ended(Outcome.INVALID, code=ErrorCode.NOT_IMPLEMENTED, description=wrong)
    capsule = call.session
    lenient = capsule is not None and capsule.has("lenient")
    rules = rules_for(DIALECTS[Version(call.version)], Role.CSMS, Validation.WARN if lenient else validation)
    violation = rules.request(call.action, call.payload)
    if violation and rules.refuse(violation):
        return Ended(Outcome.INVALID, code=violation.code, description=violation.description)
    if capsule is not None and (why := refusal(call.action, capsule.registration)):
        return Ended(Outcome.REFUSED, description=why)
    if not call.callback:
        return Ended(Outcome.NOT_CONNECTED, description="The station has not said where it can be called.")
    url = read_url(call.callback)
    if isinstance(url, str):
        return Ended(Outcome.NOT_CONNECTED, description=url)
    return Command(call, url, rules, violation)


def _unknown(version: str, action: str) -> str:
    """Why no station of this version can be asked this over SOAP, "" when it can."""
    try:
        spoken = Version(version)
        operations = tables(spoken, Service.CHARGE_POINT).operations
    except (ValueError, KeyError):
        return f"{version[:_SHOWN]} is not spoken over SOAP."
    if action not in operations:
        return f"{action[:_SHOWN]} is not in OCPP {DIALECTS[spoken].number} over SOAP."
    return ""


def message_id(unique_id: str) -> str:
    """A command's MessageID: its own id if that is a UUID, or one that is always the same for it."""
    try:
        return UUID(unique_id).urn
    except ValueError:
        return (uuid5(NAMESPACE_URL, unique_id) if unique_id else uuid4()).urn


def headers(command: Command) -> dict[str, str]:
    """What HTTP says about the envelope."""
    # SOAP 1.2 part 2, appendix A: the media type's parameter "action" is what SOAP 1.1 had the header SOAPAction for.
    return {
        "Content-Type": f'{CONTENT_TYPE}; action="/{command.call.action}"',
        "Accept": "application/soap+xml, application/xml, text/xml",
        "Accept-Encoding": "gzip, deflate",
    }


def envelope(command: Command, source: str) -> bytes:
    """The SOAP envelope that asks. `source` is where stations call us, "" when that is not known."""
    call = command.call
    # There are stations that refuse a command without a From; the anonymous one says no more than none.
    addressing = Addressing(message_id(call.unique_id), to=call.callback, source=source or ANONYMOUS)
    return write_request(Request(command.version, Role.CSMS, call.identity, call.action, call.payload, addressing))

"""What a station answered to our call, from HTTP's response to how the call ended; pure."""

import msgspec
from msgspec import Raw

from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import Outcome
from csms_ocpp.soap import Fault, Response, Service, Subcode, Unreadable, read_response
from csms_platform.envelope import EMPTY
from csms_soap_gateway.outgoing import Command, Ended

_SHOWN = 100  # characters of an answer that is none, and of words that a peer made up
_MOST = 255  # what an OCPP-J error description may be

_CODES = {
    Subcode.SECURITY_ERROR: ErrorCode.SECURITY_ERROR,
    Subcode.NOT_SUPPORTED: ErrorCode.NOT_SUPPORTED,
    Subcode.INTERNAL_ERROR: ErrorCode.INTERNAL_ERROR,
    Subcode.PROTOCOL_ERROR: ErrorCode.PROTOCOL_ERROR,
    Subcode.GENERIC_ERROR: ErrorCode.GENERIC_ERROR,
}


class Answer(msgspec.Struct, frozen=True):
    """What came back over HTTP; `status` with its phrase, `body` without its content encoding."""

    status: int
    phrase: str
    charset: str
    body: bytes


def read_answer(command: Command, answer: Answer | Unreadable) -> Ended:
    """How a command ended that got this answer."""
    if isinstance(answer, Unreadable):
        return _unreadable(command, answer.reason)
    if 300 <= answer.status < 400:
        return _error(f"{_status(answer)}: redirects are not followed.")
    found = read_response(answer.body, command.version, Service.CHARGE_POINT, command.call.action, answer.charset)
    match found:
        case Response():
            return _checked(command, found.payload)
        case Fault():
            return _refused(found)
        case Unreadable():
            told = f"{_status(answer)} without a readable answer: {found.reason}{_excerpt(answer.body)}"
            return _unreadable(command, told) if 200 <= answer.status < 300 else _error(told)


def _checked(command: Command, payload: Raw) -> Ended:
    violation = command.rules.response(command.call.action, payload)
    if violation is None or not command.rules.refuse(violation):
        return Ended(Outcome.RESULT, payload, violation=violation)
    shown = EMPTY if violation.unreadable else payload
    return Ended(Outcome.ERROR, shown, violation.code, violation.description, violation)


def _refused(fault: Fault) -> Ended:
    known = next((code for subcode, code in _CODES.items() if subcode == fault.subcode), "")
    if known:
        return Ended(Outcome.ERROR, code=known, description=fault.reason)
    # OCPP-J has no word for these: IdentityMismatch, UrlTemporarilyUnavailable, a stack's own.
    return _error(": ".join(part for part in (fault.subcode[:_SHOWN], fault.reason) if part))


def _unreadable(command: Command, reason: str) -> Ended:
    return Ended(Outcome.ERROR, code=command.rules.dialect.formation_violation, description=reason[:_MOST])


def _error(reason: str) -> Ended:
    return Ended(Outcome.ERROR, code=ErrorCode.GENERIC_ERROR, description=reason[:_MOST])


def _status(answer: Answer) -> str:
    return f"HTTP {answer.status} {_printable(answer.phrase)}".strip()


def _excerpt(body: bytes) -> str:
    shown = _printable(body[: 4 * _SHOWN].decode("utf-8", "replace"))
    return f" It begins: {shown}" if shown else ""


def _printable(text: str) -> str:
    return "".join(character for character in " ".join(text.split()) if character.isprintable())[:_SHOWN]

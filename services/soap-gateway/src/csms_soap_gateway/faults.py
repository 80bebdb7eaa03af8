"""Why a station's request is not answered, as the fault and the HTTP response that say so; pure.

The faults are OCPP-S's own (OCPP-S 1.6 §6); HTTP statuses are SOAP's, but where HTTP has one that says more.
"""

import msgspec

from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.soap import Fault, Request, Subcode
from csms_platform.envelope import Envelope, Refusal

Headers = tuple[tuple[bytes, bytes], ...]

_AUTHENTICATE: Headers = ((b"www-authenticate", b'Basic realm="OCPP", charset="UTF-8"'),)
_ACCEPTED_ENCODINGS: Headers = ((b"accept-encoding", b"gzip, deflate"),)

_SUBCODES = {
    ErrorCode.SECURITY_ERROR: Subcode.SECURITY_ERROR,
    ErrorCode.NOT_SUPPORTED: Subcode.NOT_SUPPORTED,
    ErrorCode.NOT_IMPLEMENTED: Subcode.NOT_SUPPORTED,
    ErrorCode.PROTOCOL_ERROR: Subcode.PROTOCOL_ERROR,
    ErrorCode.INTERNAL_ERROR: Subcode.INTERNAL_ERROR,
}
_OF_THE_SENDER = (Subcode.SECURITY_ERROR, Subcode.NOT_SUPPORTED, Subcode.PROTOCOL_ERROR)


class Refused(msgspec.Struct, frozen=True):
    """A request that is not answered: `why` in a word for the metrics, and what the station gets.

    `status` is the HTTP status, 0: the fault's own. `nobody`: the caller could not show who it is.
    """

    why: str
    fault: Fault
    status: int = 0
    headers: Headers = ()
    nobody: bool = False

    @property
    def http_status(self) -> int:
        """The status of the HTTP response."""
        return self.status or self.fault.status

    def to(self, request: Request) -> "Refused":
        """The same, as an answer to this request."""
        fault, message_id = self.fault, request.addressing.message_id
        known = Fault(fault.subcode, fault.reason, fault.sender, request.version, request.asker, message_id)
        return msgspec.structs.replace(self, fault=known)


# --- what the request itself tells ------------------------------------------------------------------------------------


def unreadable(fault: Fault) -> Refused:
    """The request is no envelope with an operation that we know."""
    return Refused("unreadable", fault)


def bad_body(why: str, status: int, reason: str) -> Refused:
    """The body cannot be taken as HTTP brings it."""
    headers = _ACCEPTED_ENCODINGS if why == "encoding" else ()
    return Refused(why, Fault(Subcode.PROTOCOL_ERROR, reason), status, headers)


def bad_identity(reason: str) -> Refused:
    """The header chargeBoxIdentity names nobody."""
    return Refused("identity", Fault(Subcode.IDENTITY_MISMATCH, reason))


def wrong_direction(reason: str) -> Refused:
    """The operation is not one that stations ask."""
    return Refused("wrong-direction", Fault(Subcode.NOT_SUPPORTED, reason))


def invalid(violation: Violation) -> Refused:
    """The payload violates its schema."""
    return Refused("invalid", Fault(Subcode.PROTOCOL_ERROR, violation.description))


def invalid_answer() -> Refused:
    """Whoever answered did so with something that its schema refuses."""
    return Refused("invalid-answer", Fault(Subcode.INTERNAL_ERROR, "The answer was not valid.", sender=False))


# --- the state of things ----------------------------------------------------------------------------------------------


def unavailable(why: str, reason: str, retry_after: int) -> Refused:
    """Nobody can answer now; the station should ask again in `retry_after` seconds."""
    fault = Fault(Subcode.URL_TEMPORARILY_UNAVAILABLE, reason, sender=False)
    return Refused(why, fault, headers=_retry(retry_after))


def too_many_failures(seconds: int) -> Refused:
    """Who calls has failed to show who it is too often."""
    reason = "Too many calls of this station with wrong credentials from this address."
    return Refused("locked-out", Fault(Subcode.SECURITY_ERROR, reason), 429, _retry(seconds))


def _retry(seconds: int) -> Headers:
    return ((b"retry-after", b"%d" % seconds),)


# --- what the router says ---------------------------------------------------------------------------------------------


def of_error(answer: Envelope) -> Refused:
    """An ERROR of the router."""
    code = answer.error_code
    by_name = Subcode.PROTOCOL_ERROR if code.endswith("Violation") else Subcode.GENERIC_ERROR
    subcode = _SUBCODES.get(code, by_name)
    reason = answer.error_description or f"The call failed: {code or subcode}."
    return Refused("error", Fault(subcode, reason, subcode in _OF_THE_SENDER))


def of_refusal(refusal: Refusal, user: str | None, identity: str) -> Refused:
    """A REFUSE of the router. `user` is the name in the credentials, None without readable ones."""
    reason, status = refusal.reason, refusal.status
    match status:
        case 401 if user is not None and user != identity:
            return _refused(Subcode.IDENTITY_MISMATCH, reason, nobody=True)
        case 401:
            return _refused(Subcode.SECURITY_ERROR, reason, 401, _AUTHENTICATE, nobody=True)
        case 403:
            return _refused(Subcode.SECURITY_ERROR, reason, nobody=True)
        case 404:
            return _refused(Subcode.IDENTITY_MISMATCH, reason, nobody=True)
        case _ if status < 500:
            return _refused(Subcode.GENERIC_ERROR, reason)
        case _:
            return unavailable("refused", reason, refusal.retry_after or 10)


def _refused(subcode: Subcode, reason: str, status: int = 0, headers: Headers = (), *, nobody: bool = False) -> Refused:
    return Refused("refused", Fault(subcode, reason), status, headers, nobody)

"""What an endpoint's HTTP response means for the station that asked.

    Answered    CALLRESULT: the payload, valid by the action's response schema
    Refused     CALLERROR: the endpoint says no
    Failed      no usable answer now; asking again may help
    Final       no usable answer, and asking again will not help

Pure; never raises, whatever the endpoint sends.
"""

from email.utils import parsedate_to_datetime
from functools import cache, lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from csms_ocpp import frames, schemas
from csms_ocpp.errors import ErrorCode
from csms_ocpp.frames import MAX_DEPTH, MAX_DESCRIPTION, Malformed
from csms_ocpp.version import DIALECTS, Version
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_webhook_relay.policies import accepts_empty


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The payload of the CALLRESULT."""

    payload: Raw


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A CALLERROR with a code that the version knows."""

    code: str
    description: str
    details: Raw = EMPTY


class Failed(msgspec.Struct, frozen=True, gc=False):
    """Why there is no answer, in a sentence without a full stop.

    `retry_after`: for how many seconds the endpoint is to be left alone, 0: nobody said. `sent`: False when nothing was
    sent, because the breaker is open or too many wait. `replied`: a 2xx with a JSON object that will not do for the
    station. One that cannot be read at all is not the endpoint's: proxies and web servers have pages of their own.
    """

    reason: str
    retry_after: float = 0.0
    sent: bool = True
    replied: bool = False


class Final(msgspec.Struct, frozen=True, gc=False):
    """Why this message will never be answered, in a sentence without a full stop."""

    reason: str


Reply = Answered | Refused | Failed | Final

LONGEST_PAUSE = 3600.0
"""The longest `Retry-After` that is believed, in seconds."""

# Besides 5xx: Request Timeout, Too Early, Too Many Requests. RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4: repeat it.
_LATER = frozenset({408, 425, 429})
_NO_CONTENT = 204
_WORDS = 100
_NULL = b"null"
_SHORT = 2 * MAX_DEPTH  # no shorter text can nest deeper
_RESULT = frozenset({UNSET, 3, "CallResult"})
_ERROR = frozenset({4, "CallError"})


class _Body(msgspec.Struct, rename="camel", gc=False):
    payload: Raw | UnsetType = UNSET
    message_type_id: int | str | UnsetType | None = UNSET
    identity: str | None = None
    unique_id: str | None = None
    error_code: str | None = None
    error_description: str | None = None
    error_details: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Body).decode


def read(
    status: int, body: bytes, call: Envelope, *, retry_after: str = "", now: float = 0.0, told: bool = False
) -> Reply:
    """What the response says about `call`.

    `retry_after` is the header's value, `now` in seconds since 1970. `told`: the station has its answer already, and
    the endpoint need not give one. For a SEND any 2xx is enough that is empty or a JSON object: nobody is answered.
    """
    if not 200 <= status < 300:
        return _turned_away(status, _said(body), pause(retry_after, now))
    if not body or status == _NO_CONTENT:
        return _result(EMPTY, call, told, "the reply is empty")
    try:
        found = _decode(body)
    except (ValueError, RecursionError) as error:
        reason = f"the reply cannot be read: {error}"[:MAX_DESCRIPTION]
        if not _is_object(body):
            return Failed(reason)
        return Answered(EMPTY) if call.kind is Kind.SEND else _nonsense(reason)
    return _read(found, call, told)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except (ValueError, RecursionError):
        return False


def _turned_away(status: int, said: str, wait: float) -> Failed | Final:
    if status >= 500 or status in _LATER:
        return Failed(f"HTTP status {status}{said}", wait)
    if 300 <= status < 400:
        return Final(f"HTTP status {status}: redirects are not followed")
    return Final(f"HTTP status {status}{said}")


def _said(body: bytes) -> str:
    # The first words of a message help whoever reads the log or a dead letter; those of an HTML page do not.
    text = " ".join(body[:_WORDS].decode("utf-8", "replace").split())
    return f": {text}" if text.isprintable() and text and not text.startswith("<") else ""


def _read(found: _Body, call: Envelope, told: bool) -> Reply:
    if found.identity is not None and found.identity != call.identity:
        return _nonsense("the reply is about another station")
    if found.unique_id is not None and found.unique_id != call.unique_id:
        return _nonsense("the reply is about another uniqueId")
    kind = found.message_type_id
    if kind is None or kind in _RESULT:
        payload = found.payload
        if payload is UNSET or (len(payload) == len(_NULL) and bytes(payload) == _NULL):
            return _result(EMPTY, call, told, "the reply has no payload")
        return _result(payload, call, False)
    if kind in _ERROR:
        return _error(found, call)
    return _nonsense(f"messageTypeId is neither CallResult nor CallError: {str(kind)[:50]}")


def _result(payload: Raw, call: Envelope, told: bool, lack: str = "") -> Reply:
    if told or call.kind is Kind.SEND:
        return Answered(EMPTY)
    version, schema = _expected(call.version, call.action)
    violation = schema.check(payload) if schema else schemas.check_shape(payload, DIALECTS[version])
    if violation:
        return _nonsense(f"{lack}: {violation.description}" if lack else violation.description)
    if lack and not schema and not accepts_empty(version, call.action):
        return _nonsense(lack)
    if _nests_deeply(payload, version):
        return _nonsense(f"the payload nests deeper than {MAX_DEPTH} levels")
    return Answered(payload)


@lru_cache(maxsize=1024)
def _expected(version: str, action: str) -> tuple[Version, schemas.Schema | None]:
    known = Version(version)
    return known, schemas.table(known).get((action, schemas.RESPONSE))


def _error(found: _Body, call: Envelope) -> Refused:
    version = Version(call.version)
    named, text = found.error_code or "", found.error_description or ""
    code = _spelled(version).get(named)
    if code is None:
        text = f"{named}: {text}" if named and text else named or text
        code = ErrorCode.GENERIC_ERROR if named else ErrorCode.INTERNAL_ERROR
    details = found.error_details
    if details is UNSET or schemas.check_shape(details, DIALECTS[version]) or _nests_deeply(details, version):
        details = EMPTY
    return Refused(code, text[:MAX_DESCRIPTION], details)


@cache
def _spelled(version: Version) -> dict[str, str]:
    """The error codes of `version`, and what it calls those of the others."""
    dialect, shared = DIALECTS[version], vars(ErrorCode)
    codes = {code: code for name, code in shared.items() if name.isupper()}
    for other in DIALECTS.values():
        codes[other.occurrence_violation] = dialect.occurrence_violation
        codes[other.formation_violation] = dialect.formation_violation
    if dialect.unreadable_id is None:
        # OCPP-J 1.6 §4.2.3 has no RpcFrameworkError.
        codes[ErrorCode.RPC_FRAMEWORK_ERROR] = ErrorCode.GENERIC_ERROR
    return codes


def _nests_deeply(payload: Raw, version: Version) -> bool:
    # What travels on is read again by readers that recurse: `frames` knows the limit.
    return len(payload) > _SHORT and isinstance(
        frames.decode(b'[3,"",%b]' % bytes(payload), DIALECTS[version]), Malformed
    )


def _nonsense(reason: str) -> Failed:
    return Failed(reason[:MAX_DESCRIPTION], replied=True)


def pause(retry_after: str, now: float) -> float:
    """Seconds to wait by a `Retry-After` header (a number or an HTTP-date); 0: none, or not to be understood."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)

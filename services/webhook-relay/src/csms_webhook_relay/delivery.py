"""One HTTP request to an endpoint: body and headers. Pure.

The body is what the reference system posts (identity, uniqueId, action, payload, account), with version and transport;
a letter that comes late says since when it waited, and what the station was answered.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import UNSET, Raw, UnsetType
from multidict import CIMultiDict, istr

from csms_platform.envelope import Envelope
from csms_platform.times import iso_8601
from csms_webhook_relay.settings import Target
from csms_webhook_relay.signature import sign

USER_AGENT = "csms-webhook-relay"


class _Message(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    identity: str
    unique_id: str
    action: str
    payload: Raw
    version: str
    transport: str | None  # without a default: never left out
    account: str = ""
    answered: Raw | UnsetType = UNSET
    stored: str = ""


_encode = msgspec.json.Encoder().encode


def body(call: Envelope, answered: Raw | UnsetType = UNSET, stored: int = 0) -> bytes:
    """The JSON that is posted; the payload's bytes are the station's.

    `account` is left out when there is none. `answered` is the payload that the station has got already, `stored` when
    the letter was stored (milliseconds since 1970; in the body ISO 8601 UTC); 0: it is live.
    """
    return _encode(
        _Message(
            call.identity,
            call.unique_id,
            call.action,
            call.payload,
            call.version,
            call.transport,
            call.account,
            answered,
            iso_8601(stored / 1000) if stored else "",
        )
    )


def identify(call: Envelope) -> str:
    """The delivery id: the same however often the bus or we deliver this message, another for every other message."""
    epoch = call.session.epoch if call.session else 0
    about = "\0".join((call.identity, str(epoch), call.unique_id, call.action, ""))
    return blake2b(about.encode() + bytes(call.payload), digest_size=16).hexdigest()


def authorization(target: Target) -> str:
    """The value of the `Authorization` header, "" for none."""
    match target.authorization.lower():
        case "basic":
            # RFC 7617 §2.1: UTF-8 is what a server expects that says anything about it.
            return "Basic " + b64encode(f"{target.username}:{target.password}".encode()).decode()
        case "bearer":
            return f"Bearer {target.token}"
        case _:
            return ""


_DELIVERY, _ATTEMPT = istr("X-OCPP-Delivery"), istr("X-OCPP-Attempt")
_TIMESTAMP, _SIGNATURE = istr("X-OCPP-Timestamp"), istr("X-OCPP-Signature")
_TRACEPARENT = istr("traceparent")
_SPOOLED = istr("X-OCPP-Spooled-At")


class Stationery:
    """The headers of everything that goes to one target, `more` among them: what never changes is made once."""

    __slots__ = ("_fixed", "_secret")

    def __init__(self, target: Target, more: Mapping[str, str] | None = None) -> None:
        self._secret = target.secret.encode()
        self._fixed = CIMultiDict({"Content-Type": "application/json", "User-Agent": USER_AGENT} | dict(more or {}))
        if value := authorization(target):
            self._fixed["Authorization"] = value

    def headers(
        self, body: bytes, *, delivery_id: str, attempt: int, now: float, traceparent: str = "", stored: int = 0
    ) -> CIMultiDict[str]:
        """The headers of one attempt (1, 2, …); `now` is in seconds since 1970, `stored` as for `body`."""
        headers = self._fixed.copy()
        timestamp = str(int(now))
        headers[_DELIVERY] = delivery_id
        headers[_ATTEMPT] = str(attempt)
        headers[_TIMESTAMP] = timestamp
        if traceparent:
            headers[_TRACEPARENT] = traceparent
        if stored:
            headers[_SPOOLED] = iso_8601(stored / 1000)
        if self._secret:
            headers[_SIGNATURE] = sign(self._secret, timestamp, body)
        return headers

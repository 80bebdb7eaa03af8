"""What travels in SOAP envelopes, without the envelope.

Request     an operation asked for, by either end
Response    its answer
Fault       its refusal, read or to be written
Unreadable  an answer from which nothing can be understood
"""

from enum import StrEnum

import msgspec
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.version import Version

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"

CONTENT_TYPE = "application/soap+xml; charset=utf-8"


class Subcode(StrEnum):
    """OCPP's fault subcodes (OCPP-S 1.6 §6), and two of SOAP's own that have none."""

    SECURITY_ERROR = "SecurityError"
    IDENTITY_MISMATCH = "IdentityMismatch"
    URL_TEMPORARILY_UNAVAILABLE = "UrlTemporarilyUnavailable"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    GENERIC_ERROR = "GenericError"
    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"


class Addressing(msgspec.Struct, frozen=True, gc=False):
    """WS-Addressing headers as they came, without surrounding space; "" for those that did not.

    `source` is From's address and `reply_to` ReplyTo's, both "" when it is the anonymous one.
    """

    message_id: str = ""
    relates_to: str = ""
    action: str = ""
    to: str = ""
    source: str = ""
    reply_to: str = ""

    @property
    def callback(self) -> str:
        """Where whoever wrote this can be called; "" when it does not say."""
        return self.source or self.reply_to


class Request(msgspec.Struct, frozen=True, gc=False):
    """`asker` asks `action`. `payload` is the JSON shape of `version`, not yet checked against its schema.

    `identity` is the header chargeBoxIdentity, "" without one.
    """

    version: Version
    asker: Role
    identity: str
    action: str
    payload: Raw
    addressing: Addressing = Addressing()


class Response(msgspec.Struct, frozen=True, gc=False):
    """The answer to `action`, which `asker` asked; `payload` as in `Request`."""

    version: Version
    asker: Role
    action: str
    payload: Raw
    addressing: Addressing = Addressing()


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Why there is no answer. `sender`: the one who asked is at fault (else the one who was asked).

    `subcode` is one of `Subcode` when we write it, and whatever came, without its prefix, when we read it; "" if
    nothing did. `version` is the one whose namespace qualifies the subcode, None when it could not be made out;
    `message_id` is the request's, if it could be read, for RelatesTo.
    """

    subcode: str
    reason: str
    sender: bool = True
    version: Version | None = None
    asker: Role = Role.STATION
    message_id: str = ""

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        # SOAP 1.2 part 2 §7.5.2.2: 400 for env:Sender, 500 for everything else.
        own = self.subcode in (Subcode.VERSION_MISMATCH, Subcode.MUST_UNDERSTAND)
        return 400 if self.sender and not own else 500


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """Bytes that are no SOAP answer to what was asked; `reason` is a sentence."""

    reason: str

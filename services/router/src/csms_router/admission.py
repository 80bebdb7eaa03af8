"""Who may connect: the rules for a handshake, decided on the station's record and what the gateway saw. Pure.

The order in which things are refused is a contract: identity (404), credentials (401), what the record forbids (403),
subprotocol (400). Nobody without the right password learns more than that it is wrong.
"""

import base64

import msgspec

from csms_ocpp.version import SUBPROTOCOLS
from csms_platform.envelope import ConnectRequest, Refusal
from csms_platform.ports import Station

BASIC, BASIC_OVER_TLS, CERTIFICATE = 1, 2, 3  # security profiles (0: none)
_ASSUME = "assume="


class Credentials(msgspec.Struct, frozen=True):
    """What must be verified, slowly, before the rest is decided: `password` against the digest `stored`.

    `stored` is "" when nobody's password could be right; verifying takes as long.
    """

    stored: str
    password: bytes


def unknown() -> Refusal:
    """For an identity that must be on record and is not."""
    return Refusal(404, "This charging station is not registered.")


def credentials(identity: str, station: Station | None, request: ConnectRequest) -> Credentials | Refusal | None:
    """What to verify; None: nothing is asked of this station; a refusal: it showed nothing that could be verified.

    A password is asked for by security profiles 1 and 2, and of any station with one on record. A verified client
    certificate of the station's name is better than a password, and stands in for it.
    """
    if station is not None and (not _needs_password(station) or _certified(identity, request)):
        return None
    password = _decoded(request.password)
    if request.user is None or password is None:
        return None if station is None else _unauthorized()
    # An unknown station, a foreign user name and a wrong password take the same time.
    stored = station.password if station is not None and request.user == identity else ""
    return Credentials(stored, password)


def wrong_credentials() -> Refusal:
    """For a password that was not verified."""
    return _unauthorized()


def forbidden(identity: str, account: str, station: Station, request: ConnectRequest) -> Refusal | None:
    """Why the record does not let this connection in, though it is who it says; None: it does."""
    if station.disabled:
        return Refusal(403, "This charging station is disabled.")
    if station.account and account and account != station.account:
        return Refusal(403, "This charging station belongs to another account.")
    if station.security_profile >= BASIC_OVER_TLS and not request.tls:
        return Refusal(403, f"Security profile {station.security_profile} needs TLS.")
    if station.security_profile >= CERTIFICATE and not _certified(identity, request):
        return Refusal(403, "Security profile 3 needs a client certificate with this identity as its common name.")
    return None


def version(station: Station | None, request: ConnectRequest) -> str | Refusal:
    """The version that is spoken on this connection."""
    if request.subprotocol in SUBPROTOCOLS:
        return request.subprotocol
    for quirk in station.quirks.split() if station else ():
        if quirk.startswith(_ASSUME) and quirk.removeprefix(_ASSUME) in SUBPROTOCOLS:
            return quirk.removeprefix(_ASSUME)
    return Refusal(400, f"No common subprotocol; this central system speaks {', '.join(SUBPROTOCOLS)}.")


def _needs_password(station: Station) -> bool:
    return bool(station.password) or BASIC <= station.security_profile <= BASIC_OVER_TLS


def _certified(identity: str, request: ConnectRequest) -> bool:
    return request.tls and request.subject == identity


def _unauthorized() -> Refusal:
    return Refusal(401, "The charging station's user name or password is wrong or missing.")


def _decoded(password: str | None) -> bytes | None:
    try:
        return None if password is None else base64.b64decode(password, validate=True)
    except ValueError:
        return None

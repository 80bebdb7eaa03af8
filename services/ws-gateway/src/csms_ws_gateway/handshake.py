"""What a handshake request asks for, and why it is refused; pure functions from the request to a decision.

Whether the station may come in is the router's decision; here is only what the request itself tells.
"""

from urllib.parse import unquote_to_bytes

import msgspec
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.headers import parse_subprotocol

from csms_ocpp.version import select_subprotocol
from csms_platform.credentials import read_basic
from csms_platform.envelope import ConnectRequest, Refusal

MAX_IDENTITY = 255


class Target(msgspec.Struct, frozen=True):
    """Who connects, as the URL says."""

    identity: str
    account: str = ""


def read_target(path: str, prefix: str, account_first: bool = False) -> Target | Refusal:
    """Identity and account from `/ocpp/<identity>[/<account>]`; a `Refusal` with 404 or 400 otherwise.

    Split first, then decode: OCPP-J 1.6 §3.1.1 asks for percent-encoding, so that `A%2FB` is the station `A/B`.
    """
    segments = path.partition("?")[0].removeprefix(prefix).split("/")
    if segments[-1] == "":
        segments.pop()
    if not 1 <= len(segments) <= 2:
        return Refusal(404, f"The path is not {prefix}<identity> or {prefix}<identity>/<account>.")
    try:
        decoded = [_decode(segment) for segment in segments]
    except ValueError as error:
        return Refusal(400, f"The path is not percent-encoded UTF-8: {error}.")
    if not all(decoded):
        return Refusal(404, "The path holds no identity.")
    if account_first and len(decoded) == 2:
        decoded.reverse()
    identity, account = decoded[0], decoded[1] if len(decoded) == 2 else ""
    for name, value in (("identity", identity), ("account", account)):
        if len(value) > MAX_IDENTITY or not value.isprintable():
            return Refusal(400, f"The {name} has unprintable characters or more than {MAX_IDENTITY}.")
    return Target(identity, account)


def _decode(segment: str) -> str:
    for start in (at for at, char in enumerate(segment) if char == "%"):
        if not all(digit in "0123456789abcdefABCDEF" for digit in segment[start + 1 : start + 3].ljust(2)):
            raise ValueError(f"bad escape at {segment[start : start + 3]!r}")
    return unquote_to_bytes(segment).decode("utf-8")


def read_request(headers: Headers, *, peer: str, tls: bool = False, subject: str = "") -> ConnectRequest:
    """Everything the router decides on. Never fails: what cannot be read is reported as absent."""
    offered = _offered(headers)
    version = select_subprotocol(list(offered))
    basic = read_basic(headers.get_all("Authorization"))
    return ConnectRequest(
        peer=peer,
        offered=offered,
        subprotocol=version or "",
        user=basic.user,
        password=basic.password,
        authorization=basic.came,
        tls=tls,
        subject=subject,
    )


def _offered(headers: Headers) -> tuple[str, ...]:
    names: list[str] = []
    for value in headers.get_all("Sec-WebSocket-Protocol"):
        try:
            names += parse_subprotocol(value)
        except InvalidHandshake:
            continue
    return tuple(names)

"""Reads what a station brings to be known by: HTTP Basic credentials."""

import base64
import binascii

from msgspec import Struct


class Basic(Struct, frozen=True):
    """What an Authorization header held: whether one came, and its user and base64 password if they could be read."""

    came: bool = False
    user: str | None = None
    password: str | None = None


_NONE, _UNREADABLE = Basic(), Basic(came=True)


def read_basic(headers: list[str]) -> Basic:
    """The Basic credentials in the values of all Authorization headers of a request. Never fails."""
    if not headers:
        return _NONE
    if len(headers) > 1:
        return _UNREADABLE
    scheme, _, text = headers[0].partition(" ")
    if scheme.lower() != "basic":
        return _UNREADABLE
    try:
        raw = base64.b64decode(text.strip(), validate=True)
        # RFC 7617 §2: the user id holds no colon, the password may. The password is any bytes (OCPP 1.6 security
        # white paper §2.2.1: a 20 byte key), the user name is the identity, UTF-8.
        user, colon, password = raw.partition(b":")
        if not colon:
            return _UNREADABLE
        return Basic(True, user.decode("utf-8"), base64.b64encode(password).decode("ascii"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return _UNREADABLE

"""Who asks, and what they may: HTTP Basic, API keys, and access tokens, by configuration.

The decision comes first (`openness`), then `Authenticator` turns an Authorization header into a `Client`. What a client
may is checked by each route: `permit(request, COMMAND)`, or as a FastAPI dependency `Depends(needs(COMMAND))`.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.types import Scope

from csms_api import metrics
from csms_api.errors import ApiError
from csms_api.jwt import Refused, Tokens
from csms_api.settings import Key, Settings
from csms_platform.passwords import Verifier, digest
from csms_platform.settings import SettingsError

READ = "read"
COMMAND = "command"
ADMIN = "admin"
_IMPLIED = {READ: {READ}, COMMAND: {READ, COMMAND}, ADMIN: {READ, COMMAND, ADMIN}}
_REMEMBERED = 1000
_CLIENT = "csms.client"  # where an ASGI scope keeps the `Client`


class Client(msgspec.Struct, frozen=True):
    """Somebody who may ask. `name` tells in the log who it was, and is what the rate limit counts by."""

    name: str
    scopes: frozenset[str]


class Openness(NamedTuple):
    """`open`: everybody may do everything. `local`: and only because nobody but this machine can ask."""

    open: bool
    local: bool = False


def openness(settings: Settings, listen_host: str) -> Openness:
    """Whether credentials are needed. Raises `SettingsError` when the settings do not fit where the process listens."""
    loopback = is_loopback(listen_host)
    if settings.auth == "required" and not settings.has_credentials:
        raise SettingsError("[api] auth is required, but there are no users, keys or jwt; nobody could log in.")
    wide_open = settings.auth == "open" or (settings.auth == "auto" and not settings.has_credentials)
    if wide_open and not loopback and not settings.insecure:
        raise SettingsError(
            f"The API would be open to everybody who reaches {listen_host or 'this machine'}: give [api] users, keys or"
            " jwt, or allow it with --insecure."
        )
    return Openness(wide_open, wide_open and settings.auth == "auto" and loopback)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address; a name other than localhost counts as reachable."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def scopes(words: Iterable[str]) -> frozenset[str]:
    """The scopes that these words grant; words that are none are ignored."""
    return frozenset(scope for word in words for scope in _IMPLIED.get(word, ()))


EVERYTHING = scopes([ADMIN])


# --- what a client may ------------------------------------------------------------------------------------------------


def admit(scope: Scope, client: Client) -> None:
    """Note on the request who asks."""
    scope[_CLIENT] = client


def permit(request: Request, scope: str) -> Client:
    """Who asks, if they may; raises `ApiError` 403 with the scope that is needed."""
    client: Client = request.scope[_CLIENT]
    if scope in client.scopes:
        return client
    challenge = {"WWW-Authenticate": f'Bearer realm="csms", error="insufficient_scope", scope="{scope}"'}
    raise ApiError(403, f"This needs the scope {scope}, which {client.name} does not have.", headers=challenge)


def needs(scope: str) -> Callable[[Request], Client]:
    """`permit` as a dependency of a FastAPI route."""

    def dependency(request: Request) -> Client:
        return permit(request, scope)

    return dependency


# --- who asks ---------------------------------------------------------------------------------------------------------


class Authenticator:
    """Verifies credentials; make one with `authenticator`. Passwords that were right once are verified quickly."""

    def __init__(self, users: dict[str, tuple[str, Client]], keys: Iterable[Key], tokens: Tokens | None) -> None:
        self._users = users
        self._keys = [(_key_hash(key.key), Client(f"key:{key.name}", scopes(key.scopes))) for key in keys]
        self._tokens = tokens
        self._verifier = Verifier(_REMEMBERED)

    async def authenticate(self, header: str) -> Client:
        """The client with this Authorization header; raises `ApiError` 401."""
        scheme, _, credentials = header.partition(" ")
        client: Client | None = None
        reason = "Credentials are needed: HTTP Basic, or a bearer token."
        if scheme.lower() == "basic":
            client, reason = await self._basic(credentials.strip()), "User name or password is wrong."
        elif scheme.lower() == "bearer":
            client, reason = await self._bearer(credentials.strip())
        if client is None:
            raise self._refusal(reason, shown=bool(header))
        return client

    async def _basic(self, credentials: str) -> Client | None:
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
            username = name.decode()
        except (binascii.Error, ValueError):
            return None
        stored, client = self._users.get(username, ("", None))
        right = await self._verifier.verify(stored, password)  # as slow for a user that is not there
        return client if right and colon else None

    async def _bearer(self, token: str) -> tuple[Client | None, str]:
        shown = hashlib.sha256(token.encode()).digest()
        # All of them are compared, so that the time tells nothing about which one is nearly right.
        found = [client for known, client in self._keys if hmac.compare_digest(known, shown)]
        if found:
            return found[0], ""
        if self._tokens is None or token.count(".") != 2:
            return None, "The bearer token is not known."
        try:
            name, words = await self._tokens.verify(token)
        except Refused as refused:
            return None, str(refused)
        return Client(f"jwt:{name}", scopes(words)), ""

    def _refusal(self, reason: str, *, shown: bool) -> ApiError:
        challenges = ['Basic realm="csms", charset="UTF-8"'] if self._users else []
        if self._keys or self._tokens:
            challenges.append('Bearer realm="csms"' + (', error="invalid_token"' if shown else ""))
        return ApiError(401, reason, headers={"WWW-Authenticate": ", ".join(challenges)})


async def authenticator(settings: Settings, tokens: Tokens | None) -> Authenticator:
    """An `Authenticator` for the credentials of the settings. Raises `SettingsError` for names that occur twice."""
    _refuse_twice("users", [user.username for user in settings.users])
    _refuse_twice("keys", [key.name for key in settings.keys])
    # One way to verify for plain and digested passwords: neither time nor cost tells which it is.
    stored = await asyncio.to_thread(lambda: [_digested(user.password) for user in settings.users])
    users = {
        user.username: (password, Client(f"user:{user.username}", scopes(user.scopes)))
        for user, password in zip(settings.users, stored, strict=True)
    }
    return Authenticator(users, settings.keys, tokens)


def _refuse_twice(where: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"[api] {where}: {name!r} is there twice.")


def _digested(password: str) -> str:
    return password if password.startswith("scrypt$") else digest(password)


def _key_hash(key: str) -> bytes:
    if not key.startswith("sha256:"):
        return hashlib.sha256(key.encode()).digest()
    try:
        value = bytes.fromhex(key.removeprefix("sha256:"))
    except ValueError:
        value = b""
    if len(value) != hashlib.sha256().digest_size:
        raise SettingsError("[api] keys: what follows sha256: must be 64 hexadecimal digits.")
    return value


def failed(header: str) -> None:
    """Count credentials that were refused."""
    scheme = header.partition(" ")[0].lower()
    metrics.LOGINS.labels(scheme if scheme in ("basic", "bearer") else "other").inc()

"""OAuth 2.0 access tokens: signature, issuer, audience and times are verified before anything in them is believed.

Refused    why a token is not believed, in a sentence for its bearer
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, OctKey

from csms_api.settings import Jwt
from csms_platform.settings import SettingsError

_LEEWAY = 30
_SHARED = frozenset({"HS256", "HS384", "HS512"})
# RFC 8725 §3.1: algorithms are pinned, and "none" is not among those that can be.
_SIGNED = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"}
)


Signers = KeySet | OctKey


class Refused(ValueError):  # noqa: N818 - what happened to the token, not to us
    """The token is not believed."""


class Keys(Protocol):
    """Where the keys come from that tokens are signed with."""

    async def current(self) -> Signers:
        """The keys as known now; raises `Refused` when none are known."""
        ...

    async def renewed(self) -> Signers:
        """The keys after another look, for a token whose key is not among the current ones."""
        ...


class FixedKeys:
    """Keys that do not change while the process lives."""

    def __init__(self, keys: Signers) -> None:
        self._keys = keys

    async def current(self) -> Signers:
        """See `Keys.current`."""
        return self._keys

    async def renewed(self) -> Signers:
        """See `Keys.renewed`."""
        return self._keys


class Tokens:
    """Verifies access tokens by the settings. `now` is in seconds since 1970."""

    def __init__(self, settings: Jwt, keys: Keys, now: Callable[[], float] = time.time) -> None:
        self._algorithms = algorithms(settings)
        self._keys = keys
        self._scope_claim = settings.scope_claim
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
        )

    async def verify(self, token: str) -> tuple[str, list[str]]:
        """The subject (or client) that a token is about, and the words of its scope claim. Raises `Refused`."""
        claims = await self._decode(token)
        try:
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise Refused("The access token has expired.") from None
        except (JoseError, TypeError, ValueError) as error:
            raise Refused(f"The access token is not valid here: {error}") from None
        name = claims.get("sub") or claims.get("client_id") or claims.get("azp") or "unnamed"
        return str(name)[:100], _words(claims.get(self._scope_claim))

    async def _decode(self, token: str) -> dict[str, Any]:
        try:
            try:
                return self._signed(token, await self._keys.current())
            except InvalidKeyIdError:
                return self._signed(token, await self._keys.renewed())
        except Refused:
            raise
        except (JoseError, TypeError, ValueError, RecursionError):
            raise Refused("The access token cannot be read, or its signature is wrong.") from None

    def _signed(self, token: str, keys: Signers) -> dict[str, Any]:
        claims = jwt.decode(token, keys, algorithms=self._algorithms).claims
        if not isinstance(claims, dict):
            raise Refused("The access token's claims are not a JSON object.")
        return claims


def algorithms(settings: Jwt) -> list[str]:
    """The algorithms that tokens may be signed with. Raises `SettingsError` for one that fits no key."""
    if sum(map(bool, (settings.secret, settings.jwks_file, settings.jwks_url))) != 1:
        raise SettingsError("[api] jwt: give exactly one of secret, jwks_file and jwks_url.")
    usable: Collection[str] = _SHARED if settings.secret else _SIGNED
    chosen = settings.algorithms
    if settings.secret and chosen == Jwt("x", "x").algorithms:
        chosen = ("HS256",)
    for name in chosen:
        if name not in usable:
            with_what = "a secret" if settings.secret else "public keys"
            raise SettingsError(f"[api] jwt: algorithm {name!r} cannot be used with {with_what}.")
    return list(chosen)


def fixed_keys(settings: Jwt) -> FixedKeys | None:
    """The keys of `secret` or `jwks_file`, None when they are at a URL. Raises `SettingsError`."""
    if settings.secret:
        if len(settings.secret) < 32:
            # RFC 7518 §3.2: "A key of the same size as the hash output … or larger MUST be used".
            raise SettingsError("[api] jwt: the secret is shorter than 32 characters.")
        return FixedKeys(_shared_key(settings.secret))
    if not settings.jwks_file:
        return None
    try:
        return FixedKeys(read_keys(Path(settings.jwks_file).read_bytes()))
    except (OSError, ValueError) as error:
        raise SettingsError(f"[api] jwt: jwks_file {settings.jwks_file} cannot be used: {error}.") from None


def _shared_key(secret: str) -> OctKey:
    try:
        return OctKey.import_key(secret)
    except (JoseError, ValueError) as error:
        raise SettingsError(f"[api] jwt: the secret cannot be used: {error}.") from None


def read_keys(document: bytes) -> KeySet:
    """The public keys of a JWK set. Raises `ValueError`. Symmetric keys have no place in one."""
    try:
        value = msgspec.json.decode(document)
        if any(key["kty"] == "oct" for key in value["keys"]):
            raise ValueError("it has a symmetric key")
        keys = KeySet.import_key_set(value)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a JWK set ({error})") from None
    if not keys.keys:
        raise ValueError("the JWK set has no keys")
    return keys


def _words(claim: object) -> list[str]:
    if isinstance(claim, str):
        return claim.split()
    return [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []

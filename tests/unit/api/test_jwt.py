"""Access tokens: only those of the right issuer, for us, in time, signed with a pinned algorithm and a known key."""

import base64
import hmac
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from csms_api.jwks import FetchedKeys
from csms_api.jwt import FixedKeys, Refused, Tokens, read_keys
from csms_api.settings import Jwt

NOW = 1_767_268_800
SETTINGS = Jwt(issuer="https://id.example.org", audience="csms", jwks_file="keys.json")
CLAIMS = {"iss": "https://id.example.org", "aud": ["csms", "x"], "sub": "app", "exp": NOW + 60, "scope": "read command"}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
PUBLIC = KeySet([RSA, EC]).as_dict(private=False)


def tokens(settings: Jwt = SETTINGS) -> Tokens:
    return Tokens(settings, FixedKeys(read_keys(json.dumps(PUBLIC).encode())), lambda: float(NOW))


def signed(key: Any = RSA, alg: str = "RS256", kid: str | None = "rsa", **claims: Any) -> str:
    header = {"alg": alg} | ({"kid": kid} if kid else {})
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(header, kept, key, algorithms=[alg])


@pytest.mark.parametrize(("key", "alg", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec")])
async def test_a_token_signed_with_a_known_key_tells_its_subject_and_scopes(key: Any, alg: str, kid: str) -> None:
    assert await tokens().verify(signed(key, alg, kid)) == ("app", ["read", "command"])


@pytest.mark.parametrize("scope", [["read", 7], None, 7, ""])
async def test_scopes_of_any_shape_are_words_or_nothing(scope: Any) -> None:
    assert (await tokens().verify(signed(scope=scope)))[1] == (["read"] if isinstance(scope, list) else [])


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 31},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": NOW + 31},
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"sub": 7},
    ],
)
async def test_a_token_of_another_issuer_audience_or_time_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        await tokens().verify(signed(**claims))


@pytest.mark.parametrize("claims", [{"exp": NOW - 29}, {"nbf": NOW + 29}])
async def test_clocks_may_differ_by_half_a_minute(claims: dict[str, Any]) -> None:
    assert (await tokens().verify(signed(**claims)))[0] == "app"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def unsigned(alg: str = "none") -> str:
    return ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": alg, "kid": "rsa"}, CLAIMS)) + "."


def confused() -> str:
    """HS256 with the public key as the secret."""
    message = unsigned("HS256").rstrip(".")
    signature = hmac.digest(RSA.as_pem(private=False), message.encode(), "sha256")
    return f"{message}.{encoded(signature)}"


@pytest.mark.parametrize(
    "token",
    [
        unsigned(),
        confused(),
        signed(STRANGER),
        signed(RSA, "PS256"),
        signed(kid="unknown"),
        signed()[:-4] + "AAAA",
        "a.b.c",
        "..",
        "é.é.é",
    ],
    ids=[
        "none",
        "public key as secret",
        "stranger",
        "not pinned",
        "unknown kid",
        "tampered",
        "junk",
        "empty",
        "no ascii",
    ],
)
async def test_a_token_whose_signature_proves_nothing_is_refused(token: str) -> None:
    with pytest.raises(Refused):
        await tokens().verify(token)


async def test_a_shared_secret_verifies_whatever_the_key_id() -> None:
    secret = OctKey.import_key("s" * 32)
    settings = Jwt(issuer=SETTINGS.issuer, audience="csms", secret="s" * 32)

    found = await Tokens(settings, FixedKeys(secret), lambda: float(NOW)).verify(signed(secret, "HS256", "any"))

    assert found[0] == "app"


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"AAAA"}]}', b'{"keys":7}']
)
def test_what_is_no_set_of_public_keys_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="JWK set"):
        read_keys(document)


class Issuer:
    """Serves a JWK set, and keeps what it was asked."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = KeySet([EC]).as_dict(private=False)
        self.status = 200
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        etag = f'"{len(self.keys["keys"])}"'
        self.asked.append(request.headers.get("If-None-Match", ""))
        if self.status != 200:
            return web.Response(status=self.status)
        if self.asked[-1] == etag:
            return web.Response(status=304)
        return web.json_response(self.keys, headers={"ETag": etag})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def issuer() -> Any:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/keys", issuer.answer)
    async with TestServer(app) as server:
        yield issuer, str(server.make_url("/keys"))


async def test_keys_are_fetched_once_and_asked_for_again_by_their_etag(issuer: Any) -> None:
    told, url = issuer
    clock = Clock()
    keys = FetchedKeys(url, 600, clock)

    for clock.now in (0.0, 599.0, 601.0, 700.0):
        await keys.current()

    assert told.asked == ["", '"1"']


async def test_a_new_key_is_found_and_invented_ones_are_looked_for_once_a_minute(issuer: Any) -> None:
    told, url = issuer
    clock = Clock()
    verifier = Tokens(SETTINGS, FetchedKeys(url, 600, clock), lambda: float(NOW))
    await verifier.verify(signed(EC, "ES256", "ec"))
    told.keys = PUBLIC

    clock.now = 61.0
    found = await verifier.verify(signed())
    for _ in range(5):
        with pytest.raises(Refused):
            await verifier.verify(signed(kid="invented"))

    assert (found[0], len(told.asked)) == ("app", 2)


async def test_while_the_issuer_fails_the_last_keys_are_used(issuer: Any) -> None:
    told, url = issuer
    clock = Clock()
    keys = FetchedKeys(url, 600, clock)
    first = await keys.current()
    told.status = 500

    clock.now = 700.0
    later = [await keys.current() for _ in range(3)]

    assert (later, len(told.asked)) == ([first] * 3, 2)


async def test_without_any_keys_tokens_are_refused(issuer: Any) -> None:
    told, url = issuer
    told.status = 500

    with pytest.raises(Refused, match="cannot be fetched now"):
        await FetchedKeys(url, 600, Clock()).current()

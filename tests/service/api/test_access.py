"""Who may ask: credentials, scopes, limits, web pages from elsewhere; and what every refusal looks like."""

import base64
import hashlib
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from msgspec.structs import replace

from csms_api.settings import Jwt, Key, Settings, User
from csms_platform.passwords import digest
from csms_platform.settings import SettingsError
from tests.service.api.world import UNLIMITED, World, open_world

SECRET = "s" * 32
PUBLIC_KEY = ECKey.generate_key("P-256").as_pem(private=False).decode()
LOCKED = replace(
    UNLIMITED,
    failed_logins_per_minute=0,
    users=(User("demo", "demo"), User("eva", digest("päss"), ("read",)), User("nobody", "x", ())),
    keys=(
        Key("robot", "key-1", ("read",)),
        Key("other", f"sha256:{hashlib.sha256(b'key-2').hexdigest()}", ("admin",)),
    ),
    jwt=Jwt(issuer="https://id.example.org", audience="csms", secret=SECRET),
)
LIST = "/api/v1/ChargePointList"
RESET = "/api/v1/ChargePoint/CS-1/ClearCache"


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token(**claims: Any) -> str:
    known = {
        "iss": "https://id.example.org",
        "aud": "csms",
        "sub": "app",
        "exp": int(time.time()) + 86_400,  # parameters are made long before their test
        "scope": "read",
    }
    return jwt.encode({"alg": "HS256"}, known | claims, OctKey.import_key(SECRET))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("demo", "wrong"),
        basic("ghost", "demo"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic ZGVtbw=="},
        {"Authorization": "Basic //8="},
        bearer("key-3"),
        bearer("a.b.c"),
        bearer(token(exp=int(time.time()) - 60)),
        bearer(token(aud="other")),
        bearer(token(iss="https://evil.example.org")),
        {"Authorization": "Digest x"},
    ],
)
async def test_without_right_credentials_nothing_but_ping_and_time_is_answered(headers: dict[str, str]) -> None:
    async with open_world(LOCKED) as world:
        replies = [await world.get(path, headers=headers) for path in (LIST, RESET, "/api/v1/none", "/api/v1/ping")]

    assert [reply.status for reply in replies] == [401, 401, 401, 200]
    challenge = replies[0].headers["WWW-Authenticate"]
    assert challenge.startswith('Basic realm="csms", charset="UTF-8", Bearer realm="csms"')
    assert replies[0].error[0] == 401


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        (basic("demo", "demo"), [200, 200]),
        (basic("eva", "päss"), [200, 403]),
        (basic("nobody", "x"), [403, 403]),
        (bearer("key-1"), [200, 403]),
        (bearer("key-2"), [200, 200]),
        (bearer(token()), [200, 403]),
        (bearer(token(scope=["command", "unheard-of"])), [200, 200]),
        (bearer(token(scope="profile")), [403, 403]),
    ],
)
async def test_each_credential_may_do_what_its_scopes_say(headers: dict[str, str], statuses: list[int]) -> None:
    async with open_world(LOCKED) as world:
        await world.connects()

        replies = [await world.get(path, headers=headers) for path in (LIST, RESET)]

    assert [reply.status for reply in replies] == statuses


async def test_everything_that_the_document_does_not_call_open_needs_a_scope() -> None:
    async with open_world(LOCKED) as world:
        paths = (await world.get("/openapi.json")).json["paths"]
        asked = [
            (method.upper(), path.replace("{", "").replace("}", ""), operation.get("security") == [])
            for path, item in paths.items()
            for method, operation in item.items()
            if method != "parameters"
        ]

        statuses = {(await world.ask(*one[:2], headers=basic("nobody", "x"))).status for one in asked if not one[2]}

    assert ({path for _, path, is_open in asked if is_open}, statuses) == ({"/api/v1/ping", "/api/v1/time"}, {403})


async def test_403_names_the_scope_that_is_needed() -> None:
    async with open_world(LOCKED) as world:
        reply = await world.get(RESET, headers=basic("eva", "päss"))

    assert reply.error == (403, "This needs the scope command, which user:eva does not have.")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="csms", error="insufficient_scope", scope="command"'


async def test_who_asked_is_in_the_log_by_name() -> None:
    async with open_world(LOCKED) as world:
        await world.connects()

        await world.get(RESET, headers=bearer("key-2"))

    assert [line["who"] for line in world.logs if "who" in line] == ["key:other"]


async def test_past_the_rate_a_client_is_told_when_to_come_again() -> None:
    async with open_world(replace(LOCKED, rate=0.5, burst=2)) as world:
        mine = [await world.get(LIST, headers=bearer("key-1")) for _ in range(3)]
        other = await world.get(LIST, headers=bearer("key-2"))

    assert [reply.status for reply in (*mine, other)] == [200, 200, 429, 200]
    assert (mine[2].error, mine[2].headers["Retry-After"]) == ((429, "Too many requests."), "2")


async def test_after_some_failed_logins_no_credentials_are_looked_at() -> None:
    async with open_world(replace(LOCKED, failed_logins_per_minute=2)) as world:
        guesses = [await world.get(LIST, headers=basic("demo", guess)) for guess in "abc"]
        right = await world.get(LIST, headers=basic("demo", "demo"))
        without = await world.get(LIST)

    assert [reply.status for reply in (*guesses, right, without)] == [401, 401, 429, 429, 401]
    assert 25 <= int(right.headers["Retry-After"]) <= 30


@pytest.mark.parametrize(("length", "status"), [(1024, 400), (1025, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_413(length: int, status: int, chunked: bool) -> None:
    async def pieces() -> Any:
        yield b"x" * 1000
        yield b"x" * (length - 1000)

    async with open_world(replace(UNLIMITED, max_body=1024)) as world:
        await world.connects()
        body = pieces() if chunked else b"x" * length

        reply = await world.post(RESET, data=body, headers={"Content-Type": "application/json"})

    assert reply.error[0] == status


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://127.0.0.1:1"])
async def test_a_web_page_from_elsewhere_may_not_ask(world: World, origin: str) -> None:
    reply = await world.get(RESET, headers={"Origin": origin})

    assert reply.error == (403, f"Pages from {origin} may not use this API; see [api] cors_origins.")
    assert world.gateway.commands == []


async def test_our_own_pages_may_ask(world: World) -> None:
    assert (await world.get(RESET, headers={"Origin": world.url})).status == 200


async def test_pages_of_the_configured_origins_may_ask_and_read_the_answers() -> None:
    origin = "https://console.example.org"
    async with open_world(replace(LOCKED, cors_origins=(origin,))) as world:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        before = await world.ask("OPTIONS", LIST, headers=preflight)
        reply = await world.get(LIST, headers={"Origin": origin, **bearer("key-1")})
        refused = await world.get(LIST, headers={"Origin": origin})

    assert [one.headers["Access-Control-Allow-Origin"] for one in (before, reply, refused)] == [origin] * 3
    assert [one.status for one in (before, reply, refused)] == [200, 200, 401]


@pytest.mark.parametrize("host", ["rebound.example.org", "[::1", ""])
async def test_open_to_this_machine_means_by_its_own_names(world: World, host: str) -> None:
    reply = await world.get(LIST, headers={"Host": host})

    assert reply.error == (403, f"The API is open without credentials to this machine only, not as {host!r}.")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9220", "[::1]:80"])
async def test_this_machine_s_own_names_are_its_own(world: World, host: str) -> None:
    assert (await world.get(LIST, headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    ("settings", "listen_host"),
    [
        (Settings(auth="required"), "127.0.0.1"),
        (Settings(), "0.0.0.0"),
        (Settings(), ""),
        (Settings(auth="open"), "192.0.2.1"),
        (Settings(auth="open", users=(User("demo", "demo"),)), "csms.example.org"),
        (Settings(users=(User("demo", "a"), User("demo", "b"))), "127.0.0.1"),
        (Settings(keys=(Key("robot", "sha256:12"),)), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a")), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", algorithms=("none",), jwks_file="keys.json")), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", algorithms=("HS256",), jwks_file="keys.json")), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", algorithms=("RS256", "HS256"), secret=SECRET)), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", secret="short")), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", secret=PUBLIC_KEY)), "127.0.0.1"),
        (Settings(jwt=Jwt("i", "a", jwks_file="not-there.json")), "127.0.0.1"),
    ],
)
async def test_settings_that_would_be_a_mistake_are_refused_at_start(settings: Settings, listen_host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        async with open_world(settings, listen_host=listen_host):
            raise AssertionError("it must not start")

    assert str(refused.value).endswith(".")


async def test_open_elsewhere_than_on_loopback_must_be_said_twice() -> None:
    async with open_world(replace(UNLIMITED, insecure=True), listen_host="0.0.0.0") as world:
        reply = await world.get(LIST, headers={"Host": "csms.example.org"})

    assert reply.status == 200
    assert [line["log_level"] for line in world.logs if "open to everybody" in line["event"]] == ["warning"]


async def test_open_on_loopback_says_so_in_the_log(world: World) -> None:
    assert [line["host"] for line in world.logs if "only this machine" in line["event"]] == ["127.0.0.1"]

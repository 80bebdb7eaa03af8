"""What `csms.toml` and `--data` do to stations: who is let in, which tags charge, what outlives the process."""

import json
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import BOOT, V1_6, V2_0_1, basic, dial, identity, raw_station
from tests.support.processes import COMMAND
from tests.support.system import System

Take = Callable[[System], System]

PASSWORD, KEY = "correct-horse-battery", bytes(range(236, 256))
START = {"connectorId": 1, "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
TOML = f"""
auth = "registered"

[[stations]]
identity = "WITH-PASSWORD"
password = "{PASSWORD}"
security_profile = 1

[[stations]]
identity = "WITH-KEY"
password = "{KEY.hex()}"

[[stations]]
identity = "OPEN"

[[stations]]
identity = "SECURE"
password = "{PASSWORD}"
security_profile = 2

[[stations]]
identity = "OLD"
quirks = ["assume=ocpp1.6"]

[[stations]]
identity = "WAITS"
registration = "Pending"

[[stations]]
identity = "BANNED"
disabled = true

[[tags]]
id = "GOOD"
parent = "FAMILY"
limit = 2

[[tags]]
id = "STOLEN"
status = "Blocked"

[[tags]]
id = "OVER"
expires = "2020-01-01T00:00:00Z"

[[tags]]
id = "LATER"
expires = "2120-01-01T00:00:00Z"
"""


@pytest.fixture(scope="module", params=["all-in-one", "distributed"])
def configured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All-in-one with that file; distributed with the same as environment variables."""
    if request.param == "all-in-one":
        file = tmp_path_factory.mktemp("configuration") / "csms.toml"
        file.write_text(TOML)
        running = system.all_in_one("--config", str(file))
    else:
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        redis: Redis = request.getfixturevalue("redis_server")
        env = {f"CSMS_{key.upper()}": _text(value) for key, value in tomllib.loads(TOML).items()}
        running = system.distributed(rabbitmq.fresh_vhost(), redis.fresh_database(), env=env)
    with closing(running):
        yield running.wait_ready()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def refusal(running: System, name: str, authorization: str | None = None, version: str = V1_6) -> int:
    """The HTTP status with which a handshake ends; 101 when it is accepted."""
    try:
        async with await dial(running.urls[-1], name, version, authorization=authorization):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(
    ("name", "authorization", "status"),
    [
        ("WITH-PASSWORD", basic("WITH-PASSWORD", PASSWORD), 101),
        ("WITH-PASSWORD", basic("WITH-PASSWORD", PASSWORD).replace("Basic", "bAsIc"), 101),
        ("WITH-PASSWORD", basic("WITH-PASSWORD", "wrong"), 401),
        ("WITH-PASSWORD", basic("OPEN", PASSWORD), 401),
        ("WITH-PASSWORD", None, 401),
        ("WITH-PASSWORD", "Bearer " + PASSWORD, 401),
        ("WITH-PASSWORD", "Basic nonsense", 401),
        ("WITH-KEY", basic("WITH-KEY", KEY), 101),
        ("WITH-KEY", basic("WITH-KEY", KEY.hex()), 101),
        ("WITH-KEY", basic("WITH-KEY", KEY[::-1]), 401),
        ("OPEN", None, 101),
        ("NOBODY", None, 404),
        ("NOBODY", basic("NOBODY", PASSWORD), 404),
        ("SECURE", basic("SECURE", PASSWORD), 403),
        ("BANNED", None, 403),
    ],
)
async def test_who_is_let_in(configured: System, name: str, authorization: str | None, status: int) -> None:
    assert await refusal(configured, name, authorization) == status


async def test_a_refusal_for_want_of_credentials_says_which_are_wanted(configured: System) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(configured.urls[-1], "WITH-PASSWORD", V1_6)

    assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert refused.value.response.body == b"The charging station's user name or password is wrong or missing.\n"


async def test_a_station_that_cannot_say_its_version_is_taken_at_its_records_word(configured: System) -> None:
    old = await refusal(configured, "OLD", version="")
    another = await refusal(configured, "OPEN", version="")

    assert (old, another) == (101, 400)


async def test_a_station_on_record_as_pending_is_told_so_and_its_calls_are_refused(configured: System) -> None:
    async with raw_station(configured.urls[-1], "WAITS", boot=False) as station:
        booted = await station.call("BootNotification", BOOT[V1_6])
        message_id = await station.send("Heartbeat", {})
        answer = await station.receive()

    assert (booted["status"], booted["interval"]) == ("Pending", 60)
    assert answer[:3] == [4, message_id, "SecurityError"]


async def test_tags_are_obeyed(configured: System) -> None:
    async with raw_station(configured.urls[-1], "OPEN") as station:
        told = {
            tag: (await station.call("Authorize", {"idTag": tag}))["idTagInfo"]
            for tag in ("GOOD", "good", "STOLEN", "OVER", "LATER", "UNHEARD-OF")
        }

    assert told == {
        "GOOD": {"status": "Accepted", "parentIdTag": "FAMILY"},
        "good": {"status": "Accepted", "parentIdTag": "FAMILY"},
        "STOLEN": {"status": "Blocked"},
        "OVER": {"status": "Expired", "expiryDate": "2020-01-01T00:00:00.000Z"},
        "LATER": {"status": "Accepted", "expiryDate": "2120-01-01T00:00:00.000Z"},
        "UNHEARD-OF": {"status": "Invalid"},
    }


async def test_tokens_of_2_0_1_are_the_same_tags(configured: System) -> None:
    async with raw_station(configured.urls[-1], "OPEN", V2_0_1) as station:
        told = {
            tag: (await station.call("Authorize", {"idToken": {"idToken": tag, "type": "ISO14443"}}))["idTokenInfo"]
            for tag in ("GOOD", "STOLEN", "UNHEARD-OF")
        }

    assert told == {
        "GOOD": {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY", "type": "Central"}},
        "STOLEN": {"status": "Blocked"},
        "UNHEARD-OF": {"status": "Unknown"},
    }


async def test_a_tag_charges_no_more_often_at_once_than_its_limit(configured: System) -> None:
    async with raw_station(configured.urls[-1], "OPEN") as station:
        starts = [
            await station.call("StartTransaction", START | {"connectorId": connector, "idTag": "GOOD"})
            for connector in (1, 2, 3)
        ]
        for start in starts:
            stop = {"transactionId": start["transactionId"], "meterStop": 1, "timestamp": START["timestamp"]}
            await station.call("StopTransaction", stop)
        later = await station.call("StartTransaction", START | {"connectorId": 4, "idTag": "GOOD"})
        stop = {"transactionId": later["transactionId"], "meterStop": 1, "timestamp": START["timestamp"]}
        await station.call("StopTransaction", stop)

    statuses = [answer["idTagInfo"]["status"] for answer in [*starts, later]]
    assert statuses == ["Accepted", "Accepted", "ConcurrentTx", "Accepted"]


async def test_no_secret_is_ever_logged(configured: System) -> None:
    for password in (PASSWORD, "a-wrong-password", KEY.hex()):
        await refusal(configured, "WITH-PASSWORD", basic("WITH-PASSWORD", password))
    said = "".join(member.process.stdout + member.process.stderr for member in configured.members)

    assert "WITH-PASSWORD" in said
    secrets = [
        PASSWORD,
        "a-wrong-password",
        KEY.hex(),
        basic("WITH-PASSWORD", PASSWORD),
        "authorization",
        "Basic ",
        "guest:guest",
    ]
    assert [secret for secret in secrets if secret.lower() in said.lower()] == []


async def test_what_is_stored_outlives_the_process(own: Take, tmp_path: Path) -> None:
    file, data = tmp_path / "csms.toml", tmp_path / "data"
    file.write_text(TOML)
    first = own(system.all_in_one("--config", str(file), "--data", str(data)))
    async with raw_station(first.urls[0], "OPEN") as station:
        before = await station.call("StartTransaction", START | {"idTag": "GOOD"})
    first.gateways[0].process.terminate()
    code = await first.gateways[0].process.exited(10)
    # The same data without the file: stations and tags are in the store.
    second = own(system.all_in_one("--auth", "registered", "--data", str(data)))
    async with raw_station(second.urls[0], "OPEN", boot=False) as station:
        again = await station.call("StartTransaction", START | {"idTag": "GOOD"})
        another = await station.call("StartTransaction", START | {"idTag": "GOOD", "connectorId": 2})
        third = await station.call("StartTransaction", START | {"idTag": "GOOD", "connectorId": 3})
        stolen = await station.call("Authorize", {"idTag": "STOLEN"})
    passwords = [
        await refusal(second, "WITH-PASSWORD", basic("WITH-PASSWORD", word)) for word in (PASSWORD, "a-wrong-password")
    ]

    assert code == 0
    assert again == before
    assert another["transactionId"] > before["transactionId"]
    assert third["idTagInfo"]["status"] == "ConcurrentTx"
    assert stolen == {"idTagInfo": {"status": "Blocked"}}
    assert passwords == [101, 401]


async def test_what_is_stored_outlives_a_kill(own: Take, tmp_path: Path) -> None:
    first = own(system.all_in_one("--data", str(tmp_path)))
    name = identity("killed")
    async with raw_station(first.urls[0], name) as station:
        before = await station.call("StartTransaction", START | {"idTag": "T"})
        first.gateways[0].process.kill()
    second = own(system.all_in_one("--data", str(tmp_path)))
    async with raw_station(second.urls[0], name, boot=False) as station:
        again = await station.call("StartTransaction", START | {"idTag": "T"})

    assert again == before


@pytest.fixture
def digest() -> str:
    """What `csms password` prints for "secret"."""
    made = subprocess.run([*COMMAND, "password"], input=b"secret\n", capture_output=True, check=True)
    return made.stdout.decode().strip()


async def test_a_digest_made_by_the_command_is_a_password(own: Take, digest: str) -> None:
    stations = json.dumps([{"identity": "DIGEST", "password": digest}])
    running = own(system.all_in_one(env={"CSMS_STATIONS": stations}))
    statuses = [await refusal(running, "DIGEST", basic("DIGEST", word)) for word in ("secret", digest, "")]

    assert digest.startswith("scrypt$")
    assert statuses == [101, 401, 401]

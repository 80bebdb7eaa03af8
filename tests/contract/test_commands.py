"""What `ports.Commands` promises about taking a command in and ending it, on every adapter."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest
import redis
from msgspec import Raw

from csms_ocpp.confidential import hidden
from csms_ocpp.version import StationId
from csms_platform.ports import MOST_WAITING, Claim, Command, GatewayId, Waiter
from csms_platform.state import Stores, open_stores
from tests.contract.stores import MS, Backend, Clock

STATION = StationId("EM-A0000001")
EAST = GatewayId("east")
# What a JSON library would change: empty arrays and objects, large and trailing digits, escapes, spaces.
PAYLOAD = Raw(rb'{"a":[],"o":{},"n":12345678901234567890,"f":1.10, "u":"\u00fc\/","z":"Z\u00fcrich"}')
API, QUEUE = Waiter("ocpp.api.1"), Waiter("replies\n", "7", public=True)
RESET = Command(STATION, "c-1", "Reset", PAYLOAD, created=1_000, deadline=31_000, overdue=45_000, waiters=(API,))
PATIENT = msgspec.structs.replace(RESET, offline_until=61_000)
SECRET = Raw(b'{"key":"AuthorizationKey","value":"a-password"}')
SESSION_KEYS = {"sessions", "epochs", "leases", "held", "known"}
ANSWER = {"outcome": "result", "answer": Raw(b'{"status":[],"n":1e400}'), "ended": 2_000, "version": "ocpp2.1"}


def other(command: Command = RESET, **changes: object) -> Command:
    return msgspec.structs.replace(command, **changes)


async def connect(
    stores: Stores, identity: StationId = STATION, gateway: GatewayId = EAST, seconds: float = 60, account: str = ""
) -> None:
    await stores.sessions.renew(gateway, seconds)
    await stores.sessions.open(Claim(identity, gateway, account, version="ocpp1.6"))


# --- begin ------------------------------------------------------------------------------------------------------------


async def test_a_command_to_a_station_that_is_online_is_sent_to_its_gateway(stores: Stores) -> None:
    await connect(stores, account="acme")

    begun = await stores.commands.begin(PATIENT)

    sent = other(PATIENT, status="sent", attempt=1, gateway="east", account="acme", version="ocpp1.6")
    assert begun == (sent, True)
    assert await stores.commands.get(STATION, "c-1") == sent


async def test_a_command_that_may_not_wait_ends_when_its_station_is_offline(stores: Stores) -> None:
    begun = await stores.commands.begin(RESET)

    ended = other(status="ended", outcome="NotConnected", ended=1_000)
    assert begun == (ended, True)
    assert await stores.commands.get(STATION, "c-1") == ended


async def test_a_command_that_might_have_waited_until_now_only_ends(stores: Stores) -> None:
    begun, _ = await stores.commands.begin(other(offline_until=1_000))

    assert (begun.status, begun.outcome) == ("ended", "NotConnected")


async def test_a_session_whose_gateway_died_gets_no_command(stores: Stores) -> None:
    await connect(stores, seconds=10 * MS)
    await asyncio.sleep(30 * MS)

    begun, _ = await stores.commands.begin(RESET)

    assert (begun.status, begun.outcome) == ("ended", "NotConnected")


async def test_a_command_that_may_wait_waits_for_its_station(stores: Stores) -> None:
    begun = await stores.commands.begin(PATIENT)

    waiting = other(PATIENT, status="waiting")
    assert begun == (waiting, True)
    assert await stores.commands.get(STATION, "c-1") == waiting


async def test_past_the_most_that_wait_for_a_station_one_more_is_refused(stores: Stores) -> None:
    begun = [await stores.commands.begin(other(PATIENT, id=str(n))) for n in range(MOST_WAITING + 1)]
    elsewhere, _ = await stores.commands.begin(other(PATIENT, identity=StationId("EM-A0000002")))

    assert [command.status for command, _ in begun] == ["waiting"] * MOST_WAITING + ["ended"]
    full = {"status": "ended", "outcome": "Refused", "error_code": "QueueFull", "ended": 1_000}
    assert begun[-1] == (other(PATIENT, id="32", **full), True)
    assert await stores.commands.get(STATION, "32") == other(PATIENT, id="32", **full)
    assert elsewhere.status == "waiting"


async def test_where_one_has_ended_another_one_may_wait(stores: Stores) -> None:
    for n in range(MOST_WAITING):
        await stores.commands.begin(other(PATIENT, id=str(n)))
    await stores.commands.end(other(PATIENT, id="3", outcome="Expired"))

    begun, _ = await stores.commands.begin(PATIENT)

    assert begun.status == "waiting"


async def test_a_known_command_gets_the_waiters_once_each_and_nothing_else(stores: Stores) -> None:
    await stores.commands.begin(other(PATIENT, waiters=(API, API)))
    await connect(stores)
    again = other(created=5_000, overdue=6_000, waiters=(QUEUE, API))

    begun = [await stores.commands.begin(again) for _ in range(2)]

    known = other(PATIENT, status="waiting", waiters=(API, QUEUE))
    assert begun == [(known, False), (known, False)]
    assert await stores.commands.get(STATION, "c-1") == known


@pytest.mark.parametrize("difference", [{"action": "Other"}, {"payload": Raw(b'{"a":[]}')}], ids=["action", "payload"])
async def test_whoever_gives_another_command_under_a_known_id_does_not_wait_for_the_known_one(
    stores: Stores, difference: dict[str, object]
) -> None:
    await stores.commands.begin(PATIENT)

    begun = await stores.commands.begin(other(waiters=(QUEUE,), **difference))

    assert begun == (other(PATIENT, status="waiting"), False)
    assert await stores.commands.get(STATION, "c-1") == begun[0]


async def test_a_command_is_known_however_it_is_spelled_and_whatever_its_password(stores: Stores) -> None:
    one, two = Raw(b'{"key":"AuthorizationKey","value":"one"}'), Raw(b'{ "value": "two", "key": "AuthorizationKey" }')
    await stores.commands.begin(other(PATIENT, action="ChangeConfiguration", payload=one))

    begun, _ = await stores.commands.begin(other(action="ChangeConfiguration", payload=two, waiters=(QUEUE,)))

    assert (begun.payload, begun.waiters) == (one, (API, QUEUE))


async def test_waiters_that_look_alike_are_told_apart(stores: Stores) -> None:
    alike = Waiter("a"), Waiter("a", "1"), Waiter("a", "1", public=True), Waiter('a"}\n{"replyTo":"b')
    for waiter in alike:
        begun, _ = await stores.commands.begin(other(PATIENT, waiters=(waiter,)))

    assert begun.waiters == alike


async def test_a_command_that_nobody_waits_for_gets_its_first_waiter(stores: Stores) -> None:
    await stores.commands.begin(other(PATIENT, waiters=()))

    begun, _ = await stores.commands.begin(PATIENT)

    assert begun.waiters == (API,)


async def test_a_known_command_that_has_ended_is_answered_as_it_ended(stores: Stores) -> None:
    await connect(stores)
    await stores.commands.begin(RESET)
    ended = await stores.commands.end(other(**ANSWER))

    assert await stores.commands.begin(other(waiters=(QUEUE,))) == (ended, False)
    assert await stores.commands.get(STATION, "c-1") == ended


async def test_identity_and_id_are_never_confused(stores: Stores) -> None:
    names = [("a:b", "c"), ("a", "b:c"), ('Zürich "7"\n😀', "\u2028 1"), ('Zürich "7"\n😀', "\u2028 2")]
    commands = [other(PATIENT, identity=StationId(identity), id=each) for identity, each in names]
    begun = [await stores.commands.begin(command) for command in commands]

    waiting = [other(command, status="waiting") for command in commands]
    assert begun == [(command, True) for command in waiting]
    assert [await stores.commands.get(StationId(identity), each) for identity, each in names] == waiting


async def test_two_routers_beginning_the_same_command_at_once_send_it_once(backend: Backend) -> None:
    waiters = [Waiter(str(n)) for n in range(20)]
    async with backend.twice() as (one, two):
        await connect(one)
        begun = await asyncio.gather(
            *(
                router.commands.begin(other(waiters=(waiter,)))
                for router, waiter in zip((one, two) * 10, waiters, strict=True)
            )
        )
        known = await one.commands.get(STATION, "c-1")

    assert sum(new for _, new in begun) == 1
    assert known is not None
    assert sorted(waiter.reply_to for waiter in known.waiters) == sorted(waiter.reply_to for waiter in waiters)


async def test_an_unknown_command_is_none(stores: Stores) -> None:
    await stores.commands.begin(PATIENT)

    assert await stores.commands.get(STATION, "c-2") is None
    assert await stores.commands.get(StationId("EM-A0000002"), "c-1") is None


# --- end --------------------------------------------------------------------------------------------------------------


async def test_an_ended_command_has_how_it_ended_and_all_waiters(stores: Stores) -> None:
    await connect(stores)
    await stores.commands.begin(RESET)
    await stores.commands.begin(other(waiters=(QUEUE,)))
    failed = {
        "outcome": "error",
        "answer": Raw(b'{"details":[]}'),
        "error_code": "InternalError",
        "error_description": "Grüße",
        "ended": 2_000,
        "version": "ocpp2.1",
    }

    ended = await stores.commands.end(other(action="Other", payload=Raw(b"{}"), waiters=(), **failed))

    assert ended == other(status="ended", attempt=1, gateway="east", waiters=(API, QUEUE), **failed)
    assert await stores.commands.get(STATION, "c-1") == ended


async def test_an_ended_command_has_the_payload_that_it_ended_with(stores: Stores) -> None:
    await stores.commands.begin(PATIENT)
    told = Raw(b'{"n":1.10, "value":"***"}')

    ended = await stores.commands.end(other(payload=told, **ANSWER))

    assert ended == other(PATIENT, status="ended", payload=told, **ANSWER)
    assert await stores.commands.get(STATION, "c-1") == ended


async def test_a_command_ends_once(stores: Stores) -> None:
    await connect(stores)
    await stores.commands.begin(RESET)
    ended = await stores.commands.end(other(**ANSWER))

    assert await stores.commands.end(other(outcome="Timeout", ended=3_000)) is None
    assert await stores.commands.get(STATION, "c-1") == ended


async def test_an_unknown_command_does_not_end(stores: Stores) -> None:
    assert await stores.commands.end(other(**ANSWER)) is None
    assert await stores.commands.get(STATION, "c-1") is None


async def test_of_all_who_end_a_command_at_once_one_gets_the_record(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        await one.commands.begin(PATIENT)
        endings = [other(outcome=str(n)) for n in range(20)]
        ended = await asyncio.gather(
            *(router.commands.end(each) for router, each in zip((one, two) * 10, endings, strict=True))
        )
        known = await two.commands.get(STATION, "c-1")

    assert [command for command in ended if command] == [known]


# --- passwords --------------------------------------------------------------------------------------------------------


async def begin_and_end_with_passwords(stores: Stores) -> None:
    """One that ends at once, one after it waited, one after it was sent."""
    secret = other(PATIENT, action="ChangeConfiguration", payload=SECRET)
    await stores.commands.begin(other(secret, id="at once", offline_until=0))
    await stores.commands.begin(other(secret, id="waited"))
    await connect(stores)
    await stores.commands.begin(other(secret, id="sent"))
    for each in ("waited", "sent"):
        await stores.commands.end(other(secret, id=each, payload=hidden(secret.action, SECRET)))


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_record_of_an_ended_command_holds_its_password(stores: Stores) -> None:
    await begin_and_end_with_passwords(stores)

    found = [await stores.commands.get(STATION, each) for each in ("at once", "waited", "sent")]

    told = Raw(b'{"key":"AuthorizationKey","value":"***"}')
    assert [command and command.payload for command in found] == [told] * 3


async def test_the_journal_holds_no_password_of_an_ended_command_once_it_is_compacted(tmp_path: Path) -> None:
    async with open_stores("memory://", data=tmp_path) as stores:
        await begin_and_end_with_passwords(stores)
    async with open_stores("memory://", data=tmp_path):
        content = everything_in(tmp_path)

    assert (b"***" in content, b"a-password" in content) == (True, False)


async def test_redis_holds_no_password_of_an_ended_command(redis_url: str, redis_prefix: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        await begin_and_end_with_passwords(stores)
    with redis.Redis.from_url(redis_url) as client:
        records = [client.hgetall(key) for key in client.scan_iter(f"{redis_prefix}command:*")]
        content = b"".join(client.dump(key) for key in client.scan_iter(f"{redis_prefix}*"))

    assert [b"a-password" in b"".join(record.values()) for record in records] == [False] * 3
    assert b"a-password" not in content


# --- restarts and the end of time -------------------------------------------------------------------------------------


async def test_commands_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.commands.begin(other(PATIENT, id="waits"))
        await connect(before)
        sent, _ = await before.commands.begin(other(id="sent"))
        await before.commands.begin(other(id="ended"))
        ended = await before.commands.end(other(id="ended", **ANSWER))
    async with durable.open() as after:
        found = [await after.commands.get(STATION, each) for each in ("waits", "sent", "ended")]
        again = await after.commands.begin(other(id="ended"))
        overdue = await after.commands.overdue(10**9)

    assert found == [other(PATIENT, id="waits", status="waiting"), sent, ended]
    assert again == (ended, False)
    assert overdue == [sent, found[0]]


async def test_ended_commands_are_forgotten_in_memory_before_and_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    reopen = partial(open_stores, "memory://", data=tmp_path, clock=clock, keep_commands=100)
    async with reopen() as stores:
        await stores.commands.begin(PATIENT)
        for number in range(2):
            await stores.commands.begin(other(id=str(number)))
            clock.advance(60)
        before = [await stores.commands.get(STATION, each) for each in ("c-1", "0", "1")]
    clock.advance(60)
    async with reopen() as stores:
        after = [await stores.commands.get(STATION, each) for each in ("c-1", "1")]

    assert [command and command.status for command in before] == ["waiting", None, "ended"]
    assert [command and command.status for command in after] == ["waiting", None]


@pytest.mark.parametrize("outcome", ["result", "Expired"])
async def test_of_an_ended_command_redis_keeps_its_record_for_a_time(
    redis_url: str, redis_prefix: str, outcome: str
) -> None:
    async with open_stores(redis_url, prefix=redis_prefix, keep_commands=100) as stores:
        await stores.commands.begin(PATIENT)
        await stores.commands.begin(other(id="at once"))
        if outcome == "result":
            await connect(stores)
            await stores.commands.release(STATION)
        await stores.commands.end(other(outcome=outcome))
    with redis.Redis.from_url(redis_url) as client:
        keys = [key.decode().removeprefix(redis_prefix) for key in client.scan_iter(f"{redis_prefix}*")]
        lifetimes = {key: client.ttl(redis_prefix + key) for key in keys if key.split(":")[0] not in SESSION_KEYS}

    assert lifetimes == {
        "command-turn": -1,
        "command:11:EM-A0000001:c-1": 100,
        "command:11:EM-A0000001:at once": 100,
    }

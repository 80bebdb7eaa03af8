"""What the adapters of the stores promise beside their ports: opening, readiness, and what a lost Redis looks like."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import redis
from msgspec import Raw
from redis.exceptions import ResponseError

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, Command, GatewayId, Note, Tag, Unavailable
from csms_platform.state import Stores, open_stores
from csms_platform.state.redis import open_redis
from tests.contract.stores import MS, Backend
from tests.support.brokers import Redis

STATION = StationId("EM-A0000001")
TAG = Tag("DEADBEEF")
COMMAND = Command(STATION, "c-1", "Reset", Raw(b'{"type":"Soft"}'), created=1_000, deadline=31_000, overdue=45_000)


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["postgres://localhost", "localhost:6379", ""])
async def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with memory://, redis://, rediss:// or unix://"):
        await open_stores(url).__aenter__()


@pytest.mark.parametrize("url", ["redis://localhost:port", "redis://localhost?no_such_option=1"])
async def test_a_redis_url_that_cannot_be_understood_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="The Redis URL cannot be understood"):
        await open_stores(url).__aenter__()


async def test_a_data_directory_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    async with open_stores("memory://", data=tmp_path):
        with pytest.raises(ValueError, match="is in use by another process"):
            await open_stores("memory://", data=tmp_path).__aenter__()


async def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(ValueError, match="cannot be used: File exists"):
        await open_stores("memory://", data=tmp_path / "data").__aenter__()


def test_a_process_on_memory_never_loads_the_redis_client() -> None:
    program = """
import asyncio, sys
from csms_platform.state import open_stores
async def main():
    async with open_stores("memory://"):
        print("redis" in sys.modules)
asyncio.run(main())
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert output == "False\n"


async def test_a_killed_process_on_a_data_directory_leaves_what_it_stored(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from csms_platform.ports import Tag
from csms_platform.state import open_stores
async def main():
    async with open_stores("memory://", data=Path(sys.argv[1])) as stores:
        await stores.tags.put(Tag("DEADBEEF"))
        print(await stores.transactions.new_id(), flush=True)
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    process = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    async with open_stores("memory://", data=tmp_path) as stores:
        found = await stores.tags.get("DEADBEEF")
        next_id = await stores.transactions.new_id()

    assert process.returncode == -signal.SIGKILL
    assert found == TAG
    assert next_id > int(process.stdout)


async def test_open_stores_are_ready(stores: Stores) -> None:
    assert await stores.ready() is True


async def test_stores_of_different_prefixes_do_not_see_each_other(redis_url: str, redis_prefix: str) -> None:
    async with (
        open_stores(redis_url, prefix=f"{redis_prefix}a:") as one,
        open_stores(redis_url, prefix=f"{redis_prefix}b:") as other,
    ):
        await one.tags.put(TAG)
        found = [await stores.tags.get(TAG.id) for stores in (one, other)]

    assert found == [TAG, None]


async def test_leaving_waits_for_what_was_asked(backend: Backend) -> None:
    async with backend.open() as stores:
        asked = [asyncio.ensure_future(stores.tags.get(str(n))) for n in range(10)]
        await asyncio.sleep(0)

    assert await asyncio.gather(*asked) == [None] * 10


# --- a Redis of our own -----------------------------------------------------------------------------------------------


@pytest.fixture
def url(private_redis: Redis) -> str:
    return private_redis.fresh_database()


@pytest.fixture
def client(url: str) -> Iterator["redis.Redis[Any]"]:
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
async def broken(url: str) -> AsyncIterator[Stores]:
    """Stores in a Redis that the test may break."""
    async with open_redis(url, timeout=300 * MS) as opened:
        await opened.tags.put(TAG)
        yield opened


async def test_without_redis_stores_open_and_work_when_it_comes(private_redis: Redis, url: str) -> None:
    private_redis.stop()
    async with open_redis(url) as stores:
        ready = [await stores.ready()]
        await asyncio.to_thread(private_redis.start)
        ready.append(await stores.ready())
        await stores.tags.put(TAG)
        found = await stores.tags.get(TAG.id)

    assert ready == [False, True]
    assert found == TAG


async def test_every_store_is_unavailable_while_redis_is_away_and_works_again_after(
    private_redis: Redis, broken: Stores
) -> None:
    private_redis.stop()
    asked = [
        broken.sessions.open(Claim(STATION, GatewayId("east"))),
        broken.stations.note([Note(STATION, "boot", b"{}")]),
        broken.tags.get(TAG.id),
        broken.transactions.new_id(),
        broken.commands.begin(COMMAND),
        broken.deliveries.pending("main/EM-A0000001"),
    ]
    away = await asyncio.gather(*asked, return_exceptions=True)
    ready = await broken.ready()
    await asyncio.to_thread(private_redis.start)
    found = await broken.tags.get(TAG.id)

    assert [type(answer) for answer in away] == [Unavailable] * 6
    assert ready is False
    assert found == TAG


async def test_a_redis_that_was_restarted_while_nothing_was_asked_goes_unnoticed(
    private_redis: Redis, broken: Stores
) -> None:
    await asyncio.to_thread(private_redis.restart)
    await asyncio.sleep(20 * MS)

    assert await broken.tags.get(TAG.id) == TAG


async def test_a_redis_that_hangs_is_unavailable_after_the_time_out(broken: Stores, client: "redis.Redis[Any]") -> None:
    client.execute_command("CLIENT", "PAUSE", 1500, "ALL")
    begun = monotonic()
    # More than one batch: the later ones do not wait for a time-out each.
    answers = await asyncio.gather(*(broken.tags.get(str(n)) for n in range(10_000)), return_exceptions=True)
    waited = monotonic() - begun
    client.ping()  # is answered when the pause is over

    assert {type(answer) for answer in answers} == {Unavailable}
    assert 0.25 < waited < 1.4
    assert await broken.tags.get(TAG.id) == TAG


async def test_a_redis_that_dies_under_load_leaves_nobody_waiting(private_redis: Redis, broken: Stores) -> None:
    asked = [asyncio.ensure_future(broken.tags.get(TAG.id)) for _ in range(5000)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    private_redis.kill()
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert all(answer == TAG or isinstance(answer, Unavailable) for answer in answers)
    assert isinstance(answers[-1], Unavailable)


async def test_a_late_reply_is_never_taken_for_the_next_ones(broken: Stores, client: "redis.Redis[Any]") -> None:
    await broken.tags.put(Tag("CAFE"))
    client.execute_command("CLIENT", "PAUSE", 900, "ALL")
    with pytest.raises(Unavailable):
        await broken.tags.get("DEADBEEF")
    client.ping()  # is answered when the pause is over

    assert await broken.tags.get("CAFE") == Tag("CAFE")


async def test_a_caller_that_gave_up_disturbs_nobody(broken: Stores) -> None:
    given_up = asyncio.ensure_future(broken.tags.get("CAFE"))
    waiting = asyncio.ensure_future(broken.tags.get(TAG.id))
    await asyncio.sleep(0)
    given_up.cancel()

    assert await waiting == TAG
    assert given_up.cancelled()


async def test_a_replica_that_may_not_be_written_is_unavailable(broken: Stores, client: "redis.Redis[Any]") -> None:
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    answers = await asyncio.gather(
        broken.tags.put(TAG), broken.sessions.open(Claim(STATION, GatewayId("east"))), return_exceptions=True
    )
    client.execute_command("REPLICAOF", "NO", "ONE")

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]


async def test_a_redis_that_forgot_the_scripts_is_told_again(broken: Stores, client: "redis.Redis[Any]") -> None:
    before = await broken.transactions.new_id()
    client.script_flush()

    assert await broken.transactions.new_id() == before + 1


async def test_a_redis_that_was_restarted_knows_the_scripts_before_anything_is_asked(
    private_redis: Redis, broken: Stores, client: "redis.Redis[Any]"
) -> None:
    await asyncio.to_thread(private_redis.restart)
    await broken.transactions.new_id()

    assert client.info("commandstats")["cmdstat_evalsha"]["failed_calls"] == 0


async def test_one_command_that_fails_does_not_fail_the_others(broken: Stores, client: "redis.Redis[Any]") -> None:
    client.rpush("csms:reply:bad", "a list where text should be")
    await broken.transactions.remember("good", b"{}", 60)
    answers = await asyncio.gather(
        *(broken.transactions.answered(key) for key in ("good", "bad", "good")), return_exceptions=True
    )

    assert (answers[0], type(answers[1]), answers[2]) == (b"{}", ResponseError, b"{}")


async def test_the_commands_of_a_tick_reach_redis_in_one_piece(broken: Stores, client: "redis.Redis[Any]") -> None:
    def reads() -> int:
        return int(client.info("stats")["total_reads_processed"])

    before = reads()
    await asyncio.gather(*(broken.tags.get(str(n)) for n in range(100)))

    # One of the two is `reads` itself.
    assert reads() - before == 2


async def test_a_batch_of_notes_is_one_command(broken: Stores, client: "redis.Redis[Any]") -> None:
    await broken.stations.note([Note(STATION, "boot", b"{}")])
    client.config_resetstat()
    await broken.stations.note([Note(f"EM-{n}", "boot", b"{}") for n in range(100)])

    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    assert client.info("commandstats")["cmdstat_hset"]["calls"] == 100


async def test_a_command_costs_two_round_trips(broken: Stores, client: "redis.Redis[Any]") -> None:
    await broken.sessions.renew(GatewayId("east"), 60)
    await broken.sessions.open(Claim(STATION, GatewayId("east")))
    client.config_resetstat()
    await broken.commands.begin(COMMAND)
    await broken.commands.end(COMMAND)

    # One of the three is `info` itself.
    assert int(client.info("stats")["total_reads_processed"]) == 3
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == 2

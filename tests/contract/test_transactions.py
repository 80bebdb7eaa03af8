"""What `ports.Transactions` promises, on every adapter."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import redis

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state import Stores, open_stores
from tests.contract.stores import MS, Backend, Clock

STATION = StationId("EM-A0000001")
STARTED = Transaction(
    STATION,
    "1001",
    key="1/DEADBEEF/2026-01-01T00:00:00Z",
    version="ocpp1.6",
    connector=1,
    tag="DEADBEEF",
    meter_start=12,
    started="2026-01-01T00:00:00Z",
    reservation=5,
    authorized=True,
    reply=b'{"transactionId":1001,"idTagInfo":{"status":"Accepted"}}',
)
STOPPED = msgspec.structs.replace(STARTED, stopped="2026-01-01T01:00:00Z", meter_stop=7412, reason="Local")


def other(**changes: object) -> Transaction:
    return msgspec.structs.replace(STARTED, **changes)


# --- ids --------------------------------------------------------------------------------------------------------------


async def test_ids_are_positive_and_fit_31_bits(stores: Stores) -> None:
    ids = [await stores.transactions.new_id() for _ in range(10)]

    assert all(0 < each < 2**31 for each in ids)


async def test_two_routers_never_get_the_same_id(backend: Backend) -> None:
    async with backend.twice() as (one, other_router):
        ids = await asyncio.gather(*(router.transactions.new_id() for router in (one, other_router) * 500))

    assert len(set(ids)) == 1000


async def test_an_id_is_not_handed_out_again_after_a_restart(backend: Backend) -> None:
    ids: list[int] = []
    for _ in range(3):
        async with backend.open() as stores:
            ids.append(await stores.transactions.new_id())
        # Without a data directory ids begin anew 32 times a second.
        await asyncio.sleep(40 * MS)

    assert len(set(ids)) == 3


async def test_ids_come_round_after_31_bits(redis_url: str, redis_prefix: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(f"{redis_prefix}transaction-id", 2**31 - 2)
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        ids = [await stores.transactions.new_id() for _ in range(3)]

    assert ids == [2**31 - 1, 1, 2]


async def test_ids_of_a_redis_that_lost_its_data_begin_above_the_earlier_ones(
    redis_url: str, redis_prefix: str
) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        before = await stores.transactions.new_id()
        with redis.Redis.from_url(redis_url) as client:
            client.delete(f"{redis_prefix}transaction-id")
        await asyncio.sleep(40 * MS)
        after = await stores.transactions.new_id()

    assert after > before


# --- begin, get, update -----------------------------------------------------------------------------------------------


async def test_a_transaction_is_found_as_it_was_begun(stores: Stores) -> None:
    began = await stores.transactions.begin(STARTED)

    assert began == (STARTED, True)
    assert await stores.transactions.get(STATION, "1001") == STARTED


async def test_an_unknown_transaction_is_none(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)

    assert await stores.transactions.get(STATION, "1002") is None
    assert await stores.transactions.get(StationId("EM-A0000002"), "1001") is None


async def test_a_repeated_start_gets_the_stored_transaction(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    repeated = await stores.transactions.begin(other(id="1002", reply=b"{}"))

    assert repeated == (STARTED, False)
    assert await stores.transactions.get(STATION, "1002") is None


async def test_a_start_repeated_after_the_end_gets_the_ended_transaction(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.update(STOPPED)

    assert await stores.transactions.begin(other(id="1002")) == (STOPPED, False)
    assert await stores.transactions.active("DEADBEEF") == 0


async def test_the_same_key_from_another_station_is_another_transaction(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    elsewhere = other(identity=StationId("EM-A0000002"))

    assert await stores.transactions.begin(elsewhere) == (elsewhere, True)


async def test_without_a_key_the_id_recognises_a_repeated_start(stores: Stores) -> None:
    first, second = other(key="", id="a"), other(key="", id="b", connector=2)
    began = [await stores.transactions.begin(each) for each in (first, second, first)]

    assert began == [(first, True), (second, True), (first, False)]


async def test_identity_and_id_are_never_confused(stores: Stores) -> None:
    one, two = other(identity=StationId("a:b"), id="c"), other(identity=StationId("a"), id="b:c")
    await stores.transactions.begin(one)
    await stores.transactions.begin(two)

    assert await stores.transactions.get(StationId("a:b"), "c") == one
    assert await stores.transactions.get(StationId("a"), "b:c") == two
    assert await stores.transactions.active("DEADBEEF") == 2


async def test_two_routers_beginning_the_same_transaction_at_once_get_one_record(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        starts = [other(id=str(n)) for n in range(20)]
        began = await asyncio.gather(
            *(router.transactions.begin(start) for router, start in zip((one, two) * 10, starts, strict=True))
        )
        active = await one.transactions.active("DEADBEEF")

    assert len({stored.id for stored, _ in began}) == 1
    assert sum(new for _, new in began) == 1
    assert active == 1


async def test_update_replaces_the_transaction(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.update(STOPPED)

    assert await stores.transactions.get(STATION, "1001") == STOPPED


async def test_the_stop_of_an_unknown_transaction_is_kept(stores: Stores) -> None:
    await stores.transactions.update(STOPPED)

    assert await stores.transactions.get(STATION, "1001") == STOPPED
    assert await stores.transactions.active("DEADBEEF") == 0


# --- what counts for a tag --------------------------------------------------------------------------------------------


async def test_authorized_transactions_count_for_their_tag_in_any_spelling_until_they_end(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.begin(other(id="1002", key="2", tag="deadbeef", connector=2))
    during = await stores.transactions.active("DeadBeef")
    await stores.transactions.update(STOPPED)

    assert during == 2
    assert await stores.transactions.active("DEADBEEF") == 1


async def test_transactions_without_authorization_do_not_count(stores: Stores) -> None:
    await stores.transactions.begin(other(authorized=False))

    assert await stores.transactions.active("DEADBEEF") == 0


async def test_a_repeated_start_counts_once(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.begin(STARTED)

    assert await stores.transactions.active("DEADBEEF") == 1


async def test_a_transaction_authorized_later_counts_from_then_on(stores: Stores) -> None:
    """OCPP 2.0.1 E02: the cable may come first and the idToken with a later TransactionEvent."""
    await stores.transactions.begin(other(tag="", authorized=False))
    await stores.transactions.update(STARTED)

    assert await stores.transactions.active("DEADBEEF") == 1


async def test_a_transaction_whose_tag_changes_counts_for_the_new_one_only(stores: Stores) -> None:
    await stores.transactions.begin(STARTED)
    await stores.transactions.update(other(tag="CAFE"))

    assert [await stores.transactions.active(tag) for tag in ("DEADBEEF", "CAFE")] == [0, 1]


# --- stored answers ---------------------------------------------------------------------------------------------------


async def test_an_answer_is_remembered_for_its_seconds(stores: Stores) -> None:
    await stores.transactions.remember("key", b'{"status":"Accepted"}', 300 * MS)
    during = await stores.transactions.answered("key")
    await asyncio.sleep(400 * MS)

    assert during == b'{"status":"Accepted"}'
    assert await stores.transactions.answered("key") is None


async def test_remembering_again_replaces_answer_and_time(stores: Stores) -> None:
    await stores.transactions.remember("key", b"1", 50 * MS)
    await stores.transactions.remember("key", b"2", 60)
    await asyncio.sleep(100 * MS)

    assert await stores.transactions.answered("key") == b"2"


async def test_an_answer_may_be_any_bytes(stores: Stores) -> None:
    await stores.transactions.remember("key", bytes(range(256)), 60)

    assert await stores.transactions.answered("key") == bytes(range(256))


async def test_nobody_answered_an_unknown_key(stores: Stores) -> None:
    assert await stores.transactions.answered("key") is None


# --- restarts and the end of time ------------------------------------------------------------------------------------


async def test_transactions_and_answers_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.transactions.begin(STARTED)
        await before.transactions.begin(other(id="1002", key="2", connector=2))
        await before.transactions.update(other(id="1002", key="2", connector=2, stopped="2026-01-01T01:00:00Z"))
        await before.transactions.remember("key", b"{}", 60)
    async with durable.open() as after:
        repeated = await after.transactions.begin(other(id="1003"))
        active = await after.transactions.active("DEADBEEF")
        answered = await after.transactions.answered("key")

    assert repeated == (STARTED, False)
    assert active == 1
    assert answered == b"{}"


async def test_ended_transactions_are_forgotten_in_redis(redis_url: str, redis_prefix: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix, keep_ended=100) as stores:
        await stores.transactions.begin(STARTED)
        await stores.transactions.update(STOPPED)
        await stores.transactions.begin(other(id="1002", key="2"))
    with redis.Redis.from_url(redis_url) as client:
        keys = sorted(client.scan_iter(f"{redis_prefix}*"))
        lifetimes = {key.decode().removeprefix(redis_prefix): client.ttl(key) for key in keys}

    assert lifetimes == {
        "active:deadbeef": -1,
        "at:11:EM-A0000001:0/1": 100,
        "begun:11:EM-A0000001:key:2": -1,
        f"begun:11:EM-A0000001:key:{STARTED.key}": 100,
        "transaction:11:EM-A0000001:1001": 100,
        "transaction:11:EM-A0000001:1002": -1,
        "transactions": -1,
        "transactions:EM-A0000001": -1,
    }


async def test_ended_transactions_are_forgotten_in_memory_before_and_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    reopen = partial(open_stores, "memory://", data=tmp_path, clock=clock, keep_ended=100)
    async with reopen() as stores:
        await stores.transactions.begin(STARTED)
        await stores.transactions.update(STOPPED)
        await stores.transactions.begin(other(id="1002", key="2"))
        await stores.transactions.update(other(id="1002", key="2", stopped="2026-01-01T01:00:00Z"))
        await stores.transactions.begin(other(id="1003", key="3"))
        clock.advance(99)
        await stores.transactions.update(STOPPED)
        clock.advance(2)
        before = [await stores.transactions.get(STATION, each) for each in ("1001", "1002", "1003")]
    clock.advance(98)
    async with reopen() as stores:
        after = [await stores.transactions.get(STATION, each) for each in ("1001", "1002", "1003")]
        begun = await stores.transactions.begin(STARTED)

    assert before == [STOPPED, None, other(id="1003", key="3")]
    assert after == [None, None, other(id="1003", key="3")]
    assert begun == (STARTED, True)

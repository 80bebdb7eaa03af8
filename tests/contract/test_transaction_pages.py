"""What `ports.Transactions.page` promises, on every adapter."""

import asyncio
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest
import redis

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state import Stores, open_stores
from tests.contract.stores import MS, Backend, Clock

HERE, THERE = StationId("EM-A0000001"), StationId("EM-A0000002:1")


def transaction(number: int, identity: StationId = HERE, **changes: object) -> Transaction:
    return msgspec.structs.replace(Transaction(identity, str(number), connector=number), **changes)


async def begin(stores: Stores, *transactions: Transaction) -> None:
    """Begin them, each in a millisecond of its own."""
    for each in transactions:
        await stores.transactions.begin(each)
        await asyncio.sleep(2 * MS)


async def test_without_transactions_there_is_one_empty_page(stores: Stores) -> None:
    assert await stores.transactions.page() == ([], "")
    assert await stores.transactions.page(identity=HERE) == ([], "")


async def test_transactions_come_newest_first(stores: Stores) -> None:
    first, second, third = transaction(7), transaction(3, THERE), transaction(5)
    await begin(stores, first, second, third)

    assert await stores.transactions.page() == ([third, second, first], "")


async def test_a_page_of_one_station_has_its_transactions_only(stores: Stores) -> None:
    here, there, again = transaction(1), transaction(1, THERE), transaction(2)
    await begin(stores, here, there, again)

    assert await stores.transactions.page(identity=HERE) == ([again, here], "")
    assert await stores.transactions.page(identity=THERE) == ([there], "")


@pytest.mark.parametrize("identity", [None, HERE])
async def test_each_page_goes_on_where_the_one_before_ended(stores: Stores, identity: StationId | None) -> None:
    transactions = [transaction(n) for n in range(5)]
    await begin(stores, *transactions)

    first, after_first = await stores.transactions.page(identity=identity, limit=2)
    await begin(stores, transaction(9))
    second, after_second = await stores.transactions.page(identity=identity, after=after_first, limit=2)
    third, end = await stores.transactions.page(identity=identity, after=after_second, limit=2)

    assert [*first, *second, *third] == transactions[::-1]
    assert (len(first), len(second), end) == (2, 2, "")


async def test_a_page_that_has_the_last_one_says_so(stores: Stores) -> None:
    await begin(stores, transaction(1), transaction(2))

    assert await stores.transactions.page(limit=2) == ([transaction(2), transaction(1)], "")


async def test_transactions_of_the_same_millisecond_are_each_on_one_page(stores: Stores) -> None:
    transactions = [transaction(n, StationId(f"EM-{n}")) for n in range(50)]
    await asyncio.gather(*map(stores.transactions.begin, transactions))

    paged: list[Transaction] = []
    after = ""
    while after or not paged:
        page, after = await stores.transactions.page(after=after, limit=7)
        paged += page

    assert sorted(paged, key=lambda each: int(each.id)) == transactions


async def test_pages_are_of_those_that_began_in_a_time(stores: Stores) -> None:
    times = []
    for n in range(3):
        times.append(int(time.time() * 1000))
        await begin(stores, transaction(n))
    in_time = partial(stores.transactions.page, since=times[1], until=times[2])

    assert await in_time() == ([transaction(1)], "")
    assert await in_time(identity=HERE) == ([transaction(1)], "")
    assert await stores.transactions.page(since=times[1]) == ([transaction(2), transaction(1)], "")
    assert await stores.transactions.page(until=times[2]) == ([transaction(1), transaction(0)], "")
    assert await stores.transactions.page(since=times[2], until=times[1]) == ([], "")


async def test_a_cursor_goes_on_inside_the_time(stores: Stores) -> None:
    await begin(stores, transaction(0))
    since = int(time.time() * 1000)
    await begin(stores, *(transaction(n) for n in (1, 2, 3)))
    until = int(time.time() * 1000)
    await begin(stores, transaction(4))

    first, after = await stores.transactions.page(since=since, until=until, limit=2)
    second, end = await stores.transactions.page(since=since, until=until, after=after, limit=2)

    assert (first, second, end) == ([transaction(3), transaction(2)], [transaction(1)], "")


@pytest.mark.parametrize("bounds", [{"since": -1}, {"until": 10**30}])
async def test_a_time_may_be_out_of_the_world(stores: Stores, bounds: dict[str, int]) -> None:
    await begin(stores, transaction(1))

    assert await stores.transactions.page(**bounds) == ([transaction(1)], "")


async def test_updates_change_what_is_paged_and_not_where(stores: Stores) -> None:
    await begin(stores, transaction(1), transaction(2))
    stopped = transaction(1, stopped="2026-01-01T01:00:00Z")
    await stores.transactions.update(stopped)

    assert await stores.transactions.page() == ([transaction(2), stopped], "")


async def test_a_transaction_that_is_stored_first_by_its_update_began_then(stores: Stores) -> None:
    await begin(stores, transaction(1))
    await stores.transactions.update(transaction(2, stopped="2026-01-01T01:00:00Z"))

    assert await stores.transactions.page() == ([transaction(2, stopped="2026-01-01T01:00:00Z"), transaction(1)], "")


async def test_a_repeated_start_is_on_the_pages_once(stores: Stores) -> None:
    await begin(stores, transaction(1), transaction(2), transaction(1))

    assert await stores.transactions.page() == ([transaction(2), transaction(1)], "")


@pytest.mark.parametrize("cursor", ["1", "MDAx", "Ü", "=", "A"])
async def test_a_cursor_that_no_page_came_with_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(ValueError, match=f"'{cursor}' is not a cursor that an earlier page came with"):
        await stores.transactions.page(after=cursor)


async def test_pages_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await begin(before, transaction(1), transaction(3), transaction(2, THERE))
        _, cursor = await before.transactions.page(limit=1)
    async with durable.open() as after:
        await begin(after, transaction(0))
        everything = await after.transactions.page()
        rest = await after.transactions.page(after=cursor)

    assert everything == ([transaction(0), transaction(2, THERE), transaction(3), transaction(1)], "")
    assert rest == ([transaction(3), transaction(1)], "")


# --- what was forgotten -----------------------------------------------------------------------------------------------


async def test_forgotten_transactions_are_on_no_page_of_the_memory_adapter(tmp_path: Path) -> None:
    clock = Clock()
    async with open_stores("memory://", data=tmp_path, clock=clock, keep_ended=100) as stores:
        await begin(stores, transaction(1), transaction(2, stopped="2026-01-01T01:00:00Z"))
        clock.advance(101)
        pages = [await stores.transactions.page(), await stores.transactions.page(identity=HERE)]
        await begin(stores, transaction(2))
        again = await stores.transactions.page()

    assert pages == [([transaction(1)], "")] * 2
    assert again == ([transaction(2), transaction(1)], "")


async def test_pages_in_redis_pass_over_forgotten_transactions_and_drop_them(redis_url: str, redis_prefix: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with open_stores(redis_url, prefix=redis_prefix) as stores:
            await begin(stores, *(transaction(n) for n in range(10)))
            client.delete(*(f"{redis_prefix}transaction:11:EM-A0000001:{n}" for n in (0, 3, 4, 5, 6, 9)))

            first, after = await stores.transactions.page(limit=3)
            second, end = await stores.transactions.page(after=after, limit=3)
        left = client.zcard(f"{redis_prefix}transactions")

    assert (first, second, end) == ([transaction(8), transaction(7), transaction(2)], [transaction(1)], "")
    assert left == 4


async def test_a_transaction_that_redis_forgot_and_that_begins_again_is_on_the_pages_once(
    redis_url: str, redis_prefix: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with open_stores(redis_url, prefix=redis_prefix) as stores:
            await begin(stores, transaction(1), transaction(2))
            client.delete(f"{redis_prefix}transaction:11:EM-A0000001:1")
            await begin(stores, transaction(1))

            assert await stores.transactions.page() == ([transaction(1), transaction(2)], "")


async def test_what_redis_forgot_does_not_gather_even_if_nobody_pages(redis_url: str, redis_prefix: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with open_stores(redis_url, prefix=redis_prefix) as stores:
            for n in range(300):
                await stores.transactions.begin(transaction(n))
                client.delete(f"{redis_prefix}transaction:11:EM-A0000001:{n}")
        left = [client.zcard(redis_prefix + key) for key in ("transactions", "transactions:EM-A0000001")]

    assert max(left) < 10


async def test_transactions_stored_in_redis_before_there_were_pages_are_on_them_from_their_next_change(
    redis_url: str, redis_prefix: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with open_stores(redis_url, prefix=redis_prefix) as stores:
            await begin(stores, transaction(1))
            client.delete(f"{redis_prefix}transactions", f"{redis_prefix}transactions:EM-A0000001")
            client.hdel(f"{redis_prefix}transaction:11:EM-A0000001:1", "begun")
            await stores.transactions.update(transaction(1, stopped="2026-01-01T01:00:00Z"))

            assert await stores.transactions.page() == ([transaction(1, stopped="2026-01-01T01:00:00Z")], "")

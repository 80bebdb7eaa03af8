"""What `ports.Commands` promises about lines that are released, postponed to, and left behind, on every adapter.

They are those of stations without a connection, which are asked one thing at a time.
"""

import pytest
import redis

from csms_platform.state import Stores, open_stores
from tests.contract.stores import Backend
from tests.contract.test_commands import PATIENT, SESSION_KEYS, STATION, connect, other
from tests.contract.test_queued_commands import arrive, ask, end, go_silent, sent, statuses
from tests.contract.test_waiting_commands import LATER, ids, wait

# --- release ----------------------------------------------------------------------------------------------------------


async def test_what_waited_is_queued_and_the_first_of_all_is_sent(stores: Stores) -> None:
    await wait(stores, "a", "b")
    await arrive(stores)

    released = await stores.commands.release(STATION)

    assert released == [sent(other(PATIENT, id="a"))]
    assert await stores.commands.get(STATION, "b") == other(PATIENT, id="b", status="queued")
    assert await stores.commands.release(STATION) == []


async def test_while_one_is_sent_what_waits_is_queued_only(stores: Stores) -> None:
    await wait(stores, "waits")
    await arrive(stores)
    await ask(stores, "sent")

    released = await stores.commands.release(STATION)

    assert released == []
    assert await statuses(stores, "sent", "waits") == ["sent", "queued"]


async def test_what_waited_and_what_was_queued_is_sent_as_it_was_taken_in(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "sent", "1")
    await go_silent(stores)
    await wait(stores, "2")
    await arrive(stores)
    await ask(stores, "3")
    await stores.commands.release(STATION)
    order = []
    for each in ("sent", "1", "2", "3"):
        await end(stores, each)
        order += ids(await stores.commands.next(STATION))

    assert order == ["1", "2", "3"]


async def test_a_line_that_stands_goes_on_with_a_release(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await end(stores, "a")

    assert await stores.commands.release(STATION) == [sent(other(id="b"))]


async def test_a_station_that_comes_back_with_a_connection_is_sent_all_in_order(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "sent", "1")
    await go_silent(stores)
    await wait(stores, "2")
    await connect(stores)

    released = await stores.commands.release(STATION)

    onto_east = {"status": "sent", "attempt": 1, "gateway": "east", "version": "ocpp1.6"}
    assert released == [other(id="1", **onto_east), other(PATIENT, id="2", **onto_east)]
    assert await stores.commands.expectant() == []


# --- postpone ---------------------------------------------------------------------------------------------------------


async def test_after_a_postponed_one_the_next_one_is_sent(stores: Stores) -> None:
    await arrive(stores)
    await wait(stores, "a", "b")

    postponed = await stores.commands.postpone(STATION, "a", 2_000, 1)
    released = await stores.commands.next(STATION)

    waiting = other(PATIENT, id="a", status="waiting", attempt=1, account="acme", version="ocpp1.5")
    assert postponed is True
    assert await stores.commands.get(STATION, "a") == waiting
    assert ids(released) == ["b"]


async def test_postponed_ones_are_queued_before_the_others_and_keep_their_order(stores: Stores) -> None:
    await arrive(stores)
    await wait(stores, "a", "b", "c")
    await stores.commands.postpone(STATION, "a", 2_000, 1)
    await stores.commands.next(STATION)
    await stores.commands.postpone(STATION, "b", 2_000, 1)
    order = await stores.commands.release(STATION)
    for each in ("a", "b", "c"):
        await end(stores, each)
        order += await stores.commands.next(STATION)

    assert [(command.id, command.attempt) for command in order] == [("a", 2), ("b", 2), ("c", 1)]


async def test_postponing_what_is_queued_leaves_it_where_it_is(stores: Stores) -> None:
    await arrive(stores)
    await wait(stores, "sent", "a", "b")

    postponed = await stores.commands.postpone(STATION, "b", 2_000, 0)
    await end(stores, "sent")

    assert postponed is True
    assert ids(await stores.commands.next(STATION)) == ["a"]


# --- expectant and overdue --------------------------------------------------------------------------------------------


async def test_a_station_is_expectant_while_something_is_queued_for_it(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a")
    none = await stores.commands.expectant()
    await ask(stores, "b")
    queued = await stores.commands.expectant()
    await wait(stores, "c")
    await end(stores, "b", "c")

    assert (none, queued) == ([], [STATION])
    assert await stores.commands.expectant() == []


async def test_a_station_for_which_one_waits_and_one_is_queued_is_expectant_once(stores: Stores) -> None:
    await wait(stores, "waits")
    await arrive(stores)
    await ask(stores, "sent", "queued")
    both = await stores.commands.expectant()
    await end(stores, "queued")

    assert both == [STATION]
    assert await stores.commands.expectant() == [STATION]


async def test_queued_commands_are_overdue_past_their_deadline(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "sent", "queued")
    await go_silent(stores)

    late = [ids(await stores.commands.overdue(now)) for now in (30_999, 31_000, 45_000)]

    assert late == [[], ["queued"], ["queued", "sent"]]


async def test_a_command_is_overdue_by_what_it_is_now(stores: Stores) -> None:
    await wait(stores, "a", "b")
    await arrive(stores)
    await stores.commands.release(STATION)
    queued = [ids(await stores.commands.overdue(now)) for now in (30_999, 31_000)]
    await end(stores, "a")
    await stores.commands.next(STATION)
    released = [ids(await stores.commands.overdue(now)) for now in (44_999, 45_000)]
    await stores.commands.postpone(STATION, "b", 2_000, 1)
    postponed = [ids(await stores.commands.overdue(now)) for now in (60_999, 61_000)]

    assert (queued, released, postponed) == ([[], ["b"]], [[], ["b"]], [[], ["b"]])


async def test_a_queued_command_that_has_ended_is_not_overdue(stores: Stores) -> None:
    await arrive(stores)
    await ask(stores, "a", "b")
    await end(stores, "a", "b")

    assert await stores.commands.overdue(LATER) == []


# --- restarts and leftovers -------------------------------------------------------------------------------------------


async def test_the_line_survives_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await arrive(before)
        await wait(before, "sent", "b", "a")
        await before.commands.postpone(STATION, "sent", 2_000, 1)
        await before.commands.release(STATION)
        again = await before.commands.get(STATION, "b")
    async with durable.open() as after:
        await arrive(after)
        await ask(after, "0")
        expectant, first = await after.commands.expectant(), await after.commands.release(STATION)
        order = []
        for each in ("sent", "b", "a", "0"):
            await end(after, each)
            order += ids(await after.commands.next(STATION))

    assert again == other(PATIENT, id="b", status="queued")
    assert (expectant, first, order) == ([STATION], [], ["b", "a", "0"])


@pytest.mark.parametrize("ending", ["over soap", "over a connection"])
async def test_of_a_line_that_is_done_redis_keeps_nothing(redis_url: str, redis_prefix: str, ending: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        await arrive(stores)
        await wait(stores, "a", "b", "c")
        await stores.commands.postpone(STATION, "a", 2_000, 1)
        if ending == "over a connection":
            await connect(stores)
        await stores.commands.release(STATION)
        await end(stores, "a", "b", "c")
    with redis.Redis.from_url(redis_url) as client:
        keys = {key.decode().removeprefix(redis_prefix).split(":")[0] for key in client.scan_iter(f"{redis_prefix}*")}

    assert keys - SESSION_KEYS == {"command", "command-turn"}


async def test_what_a_version_without_a_line_ended_holds_nobody_up(redis_url: str, redis_prefix: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        await arrive(stores)
        await ask(stores, "a", "b")
        with redis.Redis.from_url(redis_url) as client:
            client.hset(f"{redis_prefix}command:11:EM-A0000001:a", "status", "ended")
        released = await stores.commands.next(STATION)

    assert ids(released) == ["b"]


async def test_what_a_version_without_a_line_let_wait_is_queued(redis_url: str, redis_prefix: str) -> None:
    async with open_stores(redis_url, prefix=redis_prefix) as stores:
        await wait(stores, "a", "b")
        with redis.Redis.from_url(redis_url) as client:
            client.hdel(f"{redis_prefix}command:11:EM-A0000001:b", "deadline", "callback")
        await arrive(stores)
        released = await stores.commands.release(STATION)
        late = [ids(await stores.commands.overdue(now)) for now in (44_999, 45_000)]

    assert ids(released) == ["a"]
    assert late == [[], ["a", "b"]]

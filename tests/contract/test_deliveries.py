"""What `ports.Deliveries` promises, on every adapter."""

import asyncio

import msgspec
import pytest
from msgspec import Raw

from csms_ocpp.version import StationId
from csms_platform.ports import DeadLetter
from csms_platform.state import Stores
from tests.contract.stores import Backend

LANE, OTHER_LANE = "main/EM-A0000001", "main/EM-A0000002"
LETTER = DeadLetter(
    "d-1",
    "main",
    StationId("EM-A0000001"),
    "MeterValues",
    "The endpoint answered 400: Grüße.",
    attempts=3,
    stored=1_000,
    died=5_000,
    letter=Raw(rb'{"id":"d-1","envelope":{"payload":{"a":[],"o":{},"n":12345678901234567890,"f":1.10}}}'),
    account="acme",
    version="ocpp1.6",
)


def other(**changes: object) -> DeadLetter:
    return msgspec.structs.replace(LETTER, **changes)


# --- lanes ------------------------------------------------------------------------------------------------------------


async def test_a_lane_is_pending_while_letters_wait_in_it(stores: Stores) -> None:
    before = await stores.deliveries.pending(LANE)
    await stores.deliveries.waits(LANE, "a", 1_000)
    during = await stores.deliveries.pending(LANE), await stores.deliveries.pending(OTHER_LANE)
    others = await stores.deliveries.done(LANE, "a")

    assert (before, during, others) == (False, (True, False), False)
    assert await stores.deliveries.pending(LANE) is False


async def test_a_letter_that_left_leaves_the_later_ones(stores: Stores) -> None:
    for each, at in (("a", 1_000), ("b", 2_000), ("c", 3_000)):
        await stores.deliveries.waits(LANE, each, at)

    assert [await stores.deliveries.done(LANE, each) for each in ("a", "b", "c")] == [True, True, False]


async def test_with_a_letter_every_earlier_one_has_left(stores: Stores) -> None:
    for each, at in (("c", 3_000), ("a", 1_000), ("b", 2_000)):
        await stores.deliveries.waits(LANE, each, at)
    await stores.deliveries.waits(OTHER_LANE, "a", 1_000)

    left = [await stores.deliveries.done(LANE, each) for each in ("b", "a", "c")]

    assert left == [True, True, False]
    assert await stores.deliveries.pending(OTHER_LANE) is True


async def test_letters_of_the_same_millisecond_leave_one_by_one(stores: Stores) -> None:
    for each in ("a", "b"):
        await stores.deliveries.waits(LANE, each, 1_790_000_000_001)

    assert [await stores.deliveries.done(LANE, each) for each in ("b", "a")] == [True, False]


async def test_an_unknown_letter_leaves_the_others_alone(stores: Stores) -> None:
    unknown = await stores.deliveries.done(LANE, "a")
    await stores.deliveries.waits(LANE, "b", 1_000)

    assert unknown is False
    assert await stores.deliveries.done(LANE, "a") is True
    assert await stores.deliveries.pending(LANE) is True


async def test_a_letter_that_is_stored_twice_leaves_once(stores: Stores) -> None:
    for _ in range(2):
        await stores.deliveries.waits(LANE, "a", 1_000)

    assert await stores.deliveries.done(LANE, "a") is False


async def test_of_all_that_leave_at_once_the_last_one_finds_the_lane_empty(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        for n in range(20):
            await one.deliveries.waits(LANE, str(n), n)
        left = await asyncio.gather(*(each.deliveries.done(LANE, str(n)) for n, each in enumerate((one, two) * 10)))
        pending = await two.deliveries.pending(LANE)

    assert False in left
    assert pending is False


# --- dead letters -----------------------------------------------------------------------------------------------------


async def test_a_dead_letter_is_found_as_it_was_buried(stores: Stores) -> None:
    await stores.deliveries.bury(LETTER)

    assert await stores.deliveries.dead_letter("d-1") == LETTER
    assert await stores.deliveries.dead() == ([LETTER], "")


async def test_an_unknown_dead_letter_is_none(stores: Stores) -> None:
    assert await stores.deliveries.dead_letter("d-1") is None
    assert await stores.deliveries.discard("d-1") is False
    assert await stores.deliveries.dead() == ([], "")


async def test_burying_again_replaces_the_letter(stores: Stores) -> None:
    again = other(died=9_000, attempts=4)
    for letter in (LETTER, other(id="d-2", died=7_000), again):
        await stores.deliveries.bury(letter)

    assert await stores.deliveries.dead_letter("d-1") == again
    assert await stores.deliveries.dead() == ([other(id="d-2", died=7_000), again], "")


async def test_a_discarded_letter_is_gone(stores: Stores) -> None:
    await stores.deliveries.bury(LETTER)
    await stores.deliveries.bury(other(id="d-2"))
    answers = [await stores.deliveries.discard("d-1"), await stores.deliveries.discard("d-1")]

    assert answers == [True, False]
    assert await stores.deliveries.dead_letter("d-1") is None
    assert await stores.deliveries.dead() == ([other(id="d-2")], "")


async def test_a_letter_that_died_again_is_not_discarded_for_its_first_death(stores: Stores) -> None:
    again = other(died=9_000)
    for letter in (LETTER, again):
        await stores.deliveries.bury(letter)
    answers = [await stores.deliveries.discard("d-1", LETTER.died), await stores.deliveries.discard("d-1", again.died)]

    assert answers == [False, True]
    assert await stores.deliveries.dead() == ([], "")


async def test_a_letter_is_discarded_to_one_caller_only(backend: Backend) -> None:
    async with backend.twice() as (one, two):
        await one.deliveries.bury(LETTER)
        answers = await asyncio.gather(*(router.deliveries.discard("d-1") for router in (one, two) * 10))

    assert sorted(answers) == [False] * 19 + [True]


async def test_pages_of_dead_letters_begin_with_the_first_that_died_and_hold_each_once(stores: Stores) -> None:
    letters = [other(id=f"Ü {n}", died=died) for n, died in enumerate((999, 1_000, 1_000, 1_000, 20_000))]
    for n in (3, 0, 4, 1, 2):
        await stores.deliveries.bury(letters[n])

    first, after_first = await stores.deliveries.dead(limit=2)
    second, after_second = await stores.deliveries.dead(after=after_first, limit=2)
    third, end = await stores.deliveries.dead(after=after_second, limit=2)

    assert (first, second, third, end) == (letters[:2], letters[2:4], letters[4:], "")


async def test_a_page_goes_on_where_the_one_before_ended_even_if_that_letter_is_gone(stores: Stores) -> None:
    for n in range(4):
        await stores.deliveries.bury(other(id=str(n), died=n))
    page, after = await stores.deliveries.dead(limit=2)
    for letter in page:
        await stores.deliveries.discard(letter.id)

    assert await stores.deliveries.dead(after=after) == ([other(id="2", died=2), other(id="3", died=3)], "")


@pytest.mark.parametrize("cursor", ["d-1", "MDAx", "Ü", "=", "A"])
async def test_a_cursor_that_no_page_came_with_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(ValueError, match=f"'{cursor}' is not a cursor that an earlier page came with"):
        await stores.deliveries.dead(after=cursor)


async def test_lanes_and_dead_letters_survive_a_restart(durable: Backend) -> None:
    async with durable.open() as before:
        await before.deliveries.waits(LANE, "a", 1_000)
        await before.deliveries.waits(LANE, "b", 2_000)
        await before.deliveries.waits(OTHER_LANE, "c", 1_000)
        await before.deliveries.done(OTHER_LANE, "c")
        for letter in (other(id="d-2", died=6_000), other(id="d-3"), LETTER):
            await before.deliveries.bury(letter)
        await before.deliveries.discard("d-3")
    async with durable.open() as after:
        pending = [await after.deliveries.pending(lane) for lane in (LANE, OTHER_LANE)]
        left = [await after.deliveries.done(LANE, each) for each in ("a", "b")]
        dead = await after.deliveries.dead()

    assert (pending, left) == ([True, False], [True, False])
    assert dead == ([LETTER, other(id="d-2", died=6_000)], "")

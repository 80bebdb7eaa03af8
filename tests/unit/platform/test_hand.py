"""The order in which letters begin, also when handlers fail: without a broker."""

import asyncio

import pytest

from csms_platform.bus.hand import Hand
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import Letter

PAUSE = 0.05


class Desk:
    """A handler whose calls wait until they are told to end. `begun` in order."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self._calls: dict[str, asyncio.Future[None]] = {}

    async def __call__(self, letter: Letter) -> None:
        self.begun.append(letter.id)
        self._calls[letter.id] = asyncio.get_running_loop().create_future()
        try:
            await self._calls[letter.id]
        except asyncio.CancelledError:
            self.cancelled.append(letter.id)
            raise

    async def deliver(self, id: str) -> None:
        self._calls[id].set_result(None)
        await settle()

    async def fail(self, id: str) -> None:
        self._calls[id].set_exception(RuntimeError("told to"))
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def take(hand: Hand, *ids: str) -> None:
    """Letters called after their stations: `a1` is of station `a`."""
    for name in ids:
        hand.take(ORDER.index(name), Letter(name, "operator", 0, Envelope(Kind.CALL, name[0])))
    await settle()


ORDER = ["a1", "b1", "a2", "a3", "b2", "a4"]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def delivered() -> list[int]:
    return []


async def test_handlers_begin_in_order_up_to_the_window(desk: Desk, delivered: list[int]) -> None:
    hand = Hand(desk, 2, delivered.append, PAUSE)

    await take(hand, "a1", "b1", "a2", "a3")
    first = list(desk.begun)
    await desk.deliver("b1")

    assert (first, desk.begun) == (["a1", "b1"], ["a1", "b1", "a2"])
    assert (delivered, len(hand)) == ([1], 3)


async def test_a_failure_puts_the_later_letters_of_its_station_aside_and_holds_up_no_other(
    desk: Desk, delivered: list[int]
) -> None:
    hand = Hand(desk, 10, delivered.append, PAUSE)
    await take(hand, "a1", "b1", "a2", "a3")
    desk.begun.clear()

    await desk.fail("a2")
    await take(hand, "b2", "a4")
    meanwhile = list(desk.begun)
    await desk.deliver("a1")
    await asyncio.sleep(2 * PAUSE)

    assert desk.cancelled == ["a3"]
    assert meanwhile == ["b2"]
    assert desk.begun == ["b2", "a2", "a3", "a4"]
    assert delivered == [0]


async def test_one_that_is_slow_to_be_cancelled_does_not_begin_after_its_followers(delivered: list[int]) -> None:
    begun: list[str] = []

    async def handler(letter: Letter) -> None:
        begun.append(letter.id)
        if begun == ["a1", "a2", "a3"]:
            raise_first.set()
        try:
            if letter.id == "a1":
                await raise_first.wait()
                raise_first.clear()
                raise RuntimeError("told to")
            await asyncio.sleep(60)
        finally:
            if letter.id == "a2":
                await asyncio.sleep(4 * PAUSE)

    raise_first = asyncio.Event()
    hand = Hand(handler, 10, delivered.append, PAUSE)

    await take(hand, "a1", "a2", "a3")
    await asyncio.sleep(8 * PAUSE)
    await hand.drop()

    assert begun == ["a1", "a2", "a3", "a1", "a2", "a3"]


async def test_drop_cancels_all_and_nothing_begins_any_more(desk: Desk, delivered: list[int]) -> None:
    hand = Hand(desk, 2, delivered.append, PAUSE)
    await take(hand, "a1", "b1", "a2")

    await hand.drop()
    await take(hand, "a3")

    assert (desk.begun, sorted(desk.cancelled)) == (["a1", "b1"], ["a1", "b1"])
    assert (delivered, hand.dropped) == ([], True)


async def test_the_oldest_letter_in_hand_is_the_first_that_is_not_delivered(desk: Desk, delivered: list[int]) -> None:
    hand = Hand(desk, 2, delivered.append, PAUSE)
    none = hand.oldest
    await take(hand, "a1")
    first = hand.oldest
    await asyncio.sleep(0.01)
    await take(hand, "b1")

    still = hand.oldest
    await desk.deliver("a1")

    assert none is None
    assert first is not None
    assert still == first
    assert hand.oldest is not None
    assert hand.oldest > first

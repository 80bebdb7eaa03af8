"""Asking a store again."""

import pytest

from csms_platform.patience import FIRST_PAUSE
from csms_platform.ports import Unavailable
from csms_router import patience
from csms_router.patience import patiently


class Store:
    """Is away the first `away` times."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        if self.asked <= self.away:
            raise Unavailable("away")
        return "answer"


class Pauses:
    """Takes the place of sleeping: the clock moves on by itself."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)

    def clock(self) -> float:
        return sum(self.taken)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


async def test_a_store_that_comes_back_in_time_answers(pauses: Pauses) -> None:
    store = Store(away=3)

    answer = await patiently(store.ask, until=10.0, clock=pauses.clock, sleep=pauses.sleep)

    assert (answer, store.asked) == ("answer", 4)


async def test_after_the_deadline_nobody_asks_any_more(pauses: Pauses) -> None:
    store = Store(away=1000)

    with pytest.raises(Unavailable):
        await patiently(store.ask, until=10.0, clock=pauses.clock, sleep=pauses.sleep)

    assert pauses.clock() < 10.0
    assert store.asked == len(pauses.taken) + 1


async def test_pauses_grow_to_a_bound_with_jitter(pauses: Pauses) -> None:
    with pytest.raises(Unavailable):
        await patiently(Store(away=1000).ask, until=60.0, clock=pauses.clock, sleep=pauses.sleep)

    longest = [min(FIRST_PAUSE * 2**n, patience.LONGEST_PAUSE) for n in range(len(pauses.taken))]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses.taken, longest, strict=True))
    assert len(set(pauses.taken)) > 1

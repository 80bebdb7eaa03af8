"""A crowd is left to chance, and is the same again with the same chance."""

from itertools import pairwise
from random import Random

import pytest

from csms_emulator.scenarios.arrivals import BETWEEN, Arrivals, Distribution, Place, plan
from csms_emulator.scenarios.durations import Spread

PLACES = [Place(1, 1), Place(1, 2), Place(2, 1)]
STAY = Spread("normal", (1200.0, 300.0))


def test_the_same_chance_gives_the_same_crowd() -> None:
    crowd = Arrivals(cars=20, stay=STAY, rate=1 / 60)

    first, again, other = (plan(crowd, PLACES, Random(seed)) for seed in (7, 7, 8))

    assert first == again
    assert first != other


@pytest.mark.parametrize("distribution", ["poisson", "regular", "burst"])
def test_nobody_comes_to_a_place_that_is_taken(distribution: Distribution) -> None:
    found = plan(Arrivals(cars=30, stay=STAY, rate=1 / 60, distribution=distribution), PLACES, Random(3))

    assert len(found) == 30
    for place in PLACES:
        mine = [visit for visit in found if visit.place == place]
        assert all(one.at + one.stay + BETWEEN <= other.at for one, other in pairwise(mine))


def test_regular_arrivals_have_equal_gaps() -> None:
    told = Arrivals(cars=3, stay=Spread("constant", (1.0,)), rate=0.1, distribution="regular")

    assert [visit.at for visit in plan(told, PLACES, Random(1))] == [0.0, 10.0, 20.0]


def test_arrivals_by_chance_have_their_rate() -> None:
    found = plan(
        Arrivals(cars=2001, stay=Spread("constant", (0.0,)), rate=0.1), [Place(1, n) for n in range(99)], Random(1)
    )

    assert found[-1].at / 2000 == pytest.approx(10.0, rel=0.1)


def test_given_cards_are_presented_in_turn() -> None:
    told = Arrivals(cars=5, stay=Spread("constant", (1.0,)), rate=0.1, distribution="regular", cards=("A", "B"))

    assert [visit.card for visit in plan(told, PLACES, Random(1))] == ["A", "B", "A", "B", "A"]


def test_without_cards_each_has_his_own() -> None:
    found = plan(Arrivals(cars=50, stay=STAY), PLACES, Random(1))

    assert len({visit.card for visit in found}) == 50
    assert {len(visit.card) for visit in found} == {14}

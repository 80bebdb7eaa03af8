"""Quantiles of the histogram are those of the values, but for half a per cent."""

import math
import pickle
from random import Random

import pytest

from csms_emulator.load.histogram import BUCKETS, LEAST, MOST, Histogram


def exact(values: list[float], share: float) -> float:
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def held(values: list[float]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_quantile_is_the_nearest_rank_within_half_a_per_cent(share: float, seed: int) -> None:
    random = Random(seed)
    values = [random.lognormvariate(-6, 1.5) for _ in range(5000)]

    assert held(values).quantile(share) == pytest.approx(exact(values, share), rel=0.0051)


def test_of_nothing_there_is_no_quantile() -> None:
    assert (Histogram().quantile(0.5), Histogram().count, Histogram().worst) == (None, 0, 0.0)


def test_what_lies_beyond_the_buckets_is_counted_in_the_outermost() -> None:
    histogram = held([-1.0, 0.0, LEAST / 2, 5 * MOST])

    assert (histogram.count, histogram.worst) == (4, 5 * MOST)
    assert histogram.quantile(0.5) == pytest.approx(LEAST, rel=0.01)
    assert histogram.quantile(1.0) == pytest.approx(MOST, rel=0.02)


def test_two_merged_are_as_one_that_held_all() -> None:
    random = Random(4)
    first, second = ([random.expovariate(100) for _ in range(1000)] for _ in range(2))
    merged, together = held(first), held(first + second)

    merged.merge(held(second))

    shares = [n / 100 for n in range(101)]
    assert [merged.quantile(share) for share in shares] == [together.quantile(share) for share in shares]
    assert (merged.count, merged.worst) == (together.count, together.worst)


def test_it_arrives_whole_in_another_process() -> None:
    sent = held([0.001, 0.002, 0.003])

    arrived = pickle.loads(pickle.dumps(sent))

    assert (arrived.count, arrived.worst, arrived.quantile(0.5)) == (3, 0.003, sent.quantile(0.5))


def test_its_memory_does_not_depend_on_how_much_it_holds() -> None:
    few, many = held([0.001]), held([n / 1000 for n in range(1, 20_000)])

    assert len(pickle.dumps(many)) - len(pickle.dumps(few)) < 16
    assert BUCKETS < 2200

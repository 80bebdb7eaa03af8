"""Percentiles are values that were measured."""

from array import array

import pytest

from bench.latency import Latency, percentile, summarise


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 50.0), (50.1, 51.0), (95, 95.0), (99, 99.0), (99.1, 100.0), (100, 100.0)]
)
def test_a_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    ordered = [float(value) for value in range(1, 101)]

    assert percentile(ordered, percent) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert [percentile([7.0], percent) for percent in (0, 50, 99, 100)] == [7.0] * 4


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_summary_is_in_milliseconds_and_does_not_need_order() -> None:
    seconds = array("d", [0.004, 0.001, 0.003, 0.002])

    assert summarise(seconds) == Latency(p50=2.0, p95=4.0, p99=4.0, worst=4.0)


def test_a_window_without_answers_has_no_figures() -> None:
    assert summarise(array("d")) == Latency(None, None, None, None)

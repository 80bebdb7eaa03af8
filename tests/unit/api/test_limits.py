"""Token buckets: what is granted, when the next one is, and how much is remembered."""

import pytest

from csms_api.limits import Buckets


def test_a_burst_is_granted_and_then_the_rate() -> None:
    buckets = Buckets(rate=2, burst=3)

    at_once = [buckets.take("a", 0.0) for _ in range(4)]
    later = [buckets.take("a", now) for now in (0.25, 0.5, 0.6)]

    assert at_once == [0.0, 0.0, 0.0, 0.5]
    assert later == [0.25, 0.0, pytest.approx(0.4)]


def test_each_key_has_its_own() -> None:
    buckets = Buckets(rate=1, burst=1)

    assert [buckets.take(key, 0.0) for key in "aba"] == [0.0, 0.0, 1.0]


def test_waiting_takes_nothing() -> None:
    buckets = Buckets(rate=1, burst=1)

    assert [buckets.wait("a", 0.0), buckets.take("a", 0.0), buckets.wait("a", 0.25)] == [0.0, 0.0, 0.75]


def test_a_rate_of_nothing_grants_everything() -> None:
    buckets = Buckets(rate=0, burst=0)

    assert [buckets.take("a", 0.0), buckets.wait("a", 0.0)] == [0.0, 0.0]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    buckets = Buckets(rate=1, burst=1)
    buckets.take("a", 10.0)

    assert buckets.take("a", 5.0) == 1.0


def test_only_so_many_keys_are_remembered() -> None:
    buckets = Buckets(rate=1, burst=1, most=2)

    assert [buckets.take(key, 0.0) for key in "abcbca"] == [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]

"""Token buckets, on a clock that the test moves."""

import pytest

from csms_ws_gateway.limits import TokenBucket


def test_a_burst_is_free_and_the_rest_waits_for_its_token() -> None:
    bucket = TokenBucket(10.0, 3.0, now=0.0)

    assert [bucket.take(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.1, 0.2]


def test_the_debt_shrinks_with_time_and_asking_costs_nothing() -> None:
    bucket = TokenBucket(10.0, 1.0, now=0.0)
    for _ in range(3):
        bucket.take(0.0)

    assert [bucket.debt(now) for now in (0.0, 0.0, 0.1, 0.2, 9.0)] == [0.2, 0.2, pytest.approx(0.1), 0.0, 0.0]


def test_waiting_earns_no_more_than_a_burst() -> None:
    bucket = TokenBucket(10.0, 2.0, now=0.0)

    assert [bucket.take(1000.0) for _ in range(3)] == [0.0, 0.0, 0.1]

"""Token buckets and failure counts, on a clock that the test moves."""

import pytest

from csms_ws_gateway.limits import FailureLimit, TokenBucket


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


def test_an_address_may_try_until_it_has_failed_too_often() -> None:
    limit = FailureLimit(2)
    waits = [limit.wait("192.0.2.1", 0.0)]
    for _ in range(2):
        limit.failed("192.0.2.1", 0.0)
        waits.append(limit.wait("192.0.2.1", 15.5))

    assert waits == [0, 0, 45]
    assert limit.wait("192.0.2.2", 15.5) == 0


def test_after_a_minute_everything_is_forgiven() -> None:
    limit = FailureLimit(1)
    limit.failed("192.0.2.1", 0.0)

    assert (limit.wait("192.0.2.1", 59.9), limit.wait("192.0.2.1", 60.0)) == (1, 0)
    limit.failed("192.0.2.1", 61.0)
    assert limit.wait("192.0.2.1", 61.0) == 61


def test_a_limit_of_zero_is_none() -> None:
    limit = FailureLimit(0)
    limit.failed("192.0.2.1", 0.0)

    assert limit.wait("192.0.2.1", 0.0) == 0


def test_the_addresses_remembered_are_bounded_and_the_oldest_goes_first() -> None:
    limit = FailureLimit(1, most=2)
    for address in ("a", "b", "a", "c"):
        limit.failed(address, 0.0)

    assert [bool(limit.wait(address, 0.0)) for address in ("a", "b", "c")] == [True, False, True]

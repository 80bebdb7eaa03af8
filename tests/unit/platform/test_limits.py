"""Failure counts, on a clock that the test moves."""

from csms_platform.limits import FailureLimit


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

"""The circuit breaker, without a clock."""

from csms_webhook_relay.breaker import Breaker, State


def broken(failures: int = 3, seconds: float = 5.0) -> Breaker:
    """A breaker that opened at 100."""
    breaker = Breaker(failures, seconds)
    for _ in range(failures):
        assert breaker.wait(100) == 0
        breaker.failed(100, jitter=0)
    return breaker


def test_it_opens_after_as_many_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(3, 5.0)
    breaker.failed(100, jitter=0)
    breaker.failed(100, jitter=0)
    breaker.succeeded()
    breaker.failed(100, jitter=0)
    breaker.failed(100, jitter=0)
    assert (breaker.wait(100), breaker.state) == (0, State.CLOSED)

    breaker.failed(100, jitter=0)

    assert (breaker.wait(101), breaker.state) == (4, State.OPEN)


def test_after_its_time_one_request_tries_and_the_others_still_wait() -> None:
    breaker = broken()

    assert [breaker.wait(105), breaker.wait(105), breaker.wait(106)] == [0, 5, 4]
    assert breaker.state is State.HALF_OPEN


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker = broken()
    breaker.wait(105)

    breaker.succeeded()

    assert (breaker.wait(105), breaker.state) == (0, State.CLOSED)


def test_a_probe_that_fails_opens_it_again_for_the_whole_time() -> None:
    breaker = broken()
    breaker.wait(105)

    breaker.failed(106, jitter=0)

    assert (breaker.wait(106), breaker.state) == (5, State.OPEN)


def test_a_probe_that_is_given_up_leaves_its_turn_to_the_next_one() -> None:
    breaker = broken()
    breaker.wait(105)

    breaker.abandoned(106)

    assert breaker.wait(106) == 0


def test_a_probe_that_nobody_tells_about_does_not_keep_it_shut_for_ever() -> None:
    breaker = broken()
    breaker.wait(105)

    assert breaker.wait(110) == 0


def test_jitter_spreads_the_probes_over_half_of_the_time_more() -> None:
    breaker = Breaker(1, 4.0)

    breaker.failed(100, jitter=0.5)

    assert breaker.wait(100) == 5


def test_a_pause_that_the_endpoint_asks_for_opens_it_at_once_and_for_so_long() -> None:
    breaker = Breaker(10, 5.0)

    breaker.failed(100, jitter=0.9, pause=60)

    assert breaker.wait(100) == 60


def test_requests_from_before_it_opened_neither_close_it_nor_shorten_its_time() -> None:
    breaker = Breaker(10, 5.0)
    breaker.failed(100, jitter=0, pause=60)

    breaker.succeeded()
    breaker.failed(101, jitter=0)

    assert (breaker.wait(101), breaker.state) == (59, State.OPEN)

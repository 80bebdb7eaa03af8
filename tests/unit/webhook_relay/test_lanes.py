"""When letters are tried and given up. Times in seconds; the clock is whatever a test says it is."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_webhook_relay.lanes import DAY, GiveUp, Lanes, Place, Terms, Try
from csms_webhook_relay.outcomes import Failed, Outcome, Refused, Shut, Taken

TERMS = Terms(attempts=3, max_age=3 * DAY, concurrency=2, first_pause=1.0, longest_pause=8.0)
FAILED = Failed("HTTP status 500")
TAKEN = Taken()


def made(terms: Terms = TERMS, *, chance: float = 1.0) -> Lanes:
    """Lanes whose pauses have no jitter."""
    return Lanes(terms, lambda: chance)


def join(lanes: Lanes, *identities: str, stored: float = 0.0, now: float = 0.0) -> list[Place]:
    return [lanes.join(f"{identity}/{number}", identity, stored, now) for number, identity in enumerate(identities)]


def tried(lanes: Lanes, now: float) -> list[Place]:
    """The letters that are to be tried now, and nothing else is to be done."""
    steps = lanes.steps(now)
    assert all(isinstance(step, Try) for step in steps)
    return [step.place for step in steps]


def end(lanes: Lanes, place: Place, outcome: Outcome, now: float) -> GiveUp | None:
    """The attempt ended; a letter that is done with leaves."""
    verdict = lanes.tell(place, outcome, now)
    if verdict or outcome == TAKEN:
        lanes.leave(place, now)
    return verdict


def fail(lanes: Lanes, place: Place, now: float) -> float:
    """An attempt that failed, and when the next one is."""
    assert place in tried(lanes, now)
    assert end(lanes, place, FAILED, now) is None
    timer = lanes.timer
    assert timer is not None
    return timer


def test_letters_of_one_station_are_tried_one_after_the_other() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-1")

    assert tried(lanes, 0) == [first]
    assert tried(lanes, 0) == []
    end(lanes, first, TAKEN, 1)
    assert tried(lanes, 1) == [second]


def test_the_follower_waits_until_its_predecessor_has_left_not_only_been_taken() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-1")
    lanes.steps(0)

    lanes.tell(first, TAKEN, 1)

    assert tried(lanes, 1) == []
    lanes.leave(first, 2)
    assert tried(lanes, 2) == [second]


def test_stations_are_tried_side_by_side_up_to_the_concurrency() -> None:
    lanes = made()
    places = join(lanes, "CS-1", "CS-2", "CS-3")

    assert tried(lanes, 0) == places[:2]
    assert lanes.timer is None
    end(lanes, places[0], TAKEN, 1)
    assert tried(lanes, 1) == [places[2]]


def test_pauses_double_up_to_the_longest() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    now, pauses = 0.0, []

    for _ in range(5):
        later = fail(lanes, letter, now)
        pauses.append(later - now)
        now = later

    assert pauses == [1, 2, 4, 8, 8]


def test_jitter_takes_away_up_to_half_of_a_pause() -> None:
    lanes = made(chance=0.0)
    (letter,) = join(lanes, "CS-1")

    assert fail(lanes, letter, 0) == 0.5


def test_while_nothing_is_taken_a_letter_is_never_given_up_before_it_is_too_old() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    now = 0.0
    while now < 3 * DAY:
        now = fail(lanes, letter, now)

    assert now == 3 * DAY
    assert tried(lanes, now) == [letter]
    assert end(lanes, letter, FAILED, now) == GiveUp(letter, "Older than 3 days: HTTP status 500")


def test_a_letter_that_fails_while_others_are_taken_is_given_up_after_the_attempts() -> None:
    lanes = made()
    (sick,) = join(lanes, "CS-1")
    now, verdict = 0.0, None

    for _ in range(TERMS.attempts):
        lanes.works(now)
        assert tried(lanes, now) == [sick]
        verdict = end(lanes, sick, FAILED, now)
        now = lanes.timer or now

    assert verdict == GiveUp(sick, "Not taken in 3 attempts while the endpoint took others: HTTP status 500")


def test_failures_count_only_if_something_was_taken_since_the_one_before() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    lanes.works(0)
    now = fail(lanes, letter, 0)
    for _ in range(20):
        now = fail(lanes, letter, now)
    lanes.works(now)
    fail(lanes, letter, now)
    lanes.works(now + 8)

    assert tried(lanes, now + 8) == [letter]
    assert end(lanes, letter, FAILED, now + 8) == GiveUp(
        letter, "Not taken in 23 attempts while the endpoint took others: HTTP status 500"
    )


def give_up(lanes: Lanes, place: Place, now: float) -> float:
    """Failures that count, until it is given up."""
    verdict = None
    while verdict is None:
        lanes.works(now)
        assert tried(lanes, now) == [place]
        verdict = end(lanes, place, FAILED, now)
        now = now if verdict else lanes.timer or now
    return now


def test_after_a_letter_was_given_up_each_follower_has_one_attempt() -> None:
    lanes = made()
    first, second, third = join(lanes, "CS-1", "CS-1", "CS-1")
    now = give_up(lanes, first, 0)

    for follower in (second, third):
        lanes.works(now)
        assert tried(lanes, now) == [follower]
        verdict = end(lanes, follower, FAILED, now)
        assert verdict == GiveUp(follower, "Not taken in 1 attempt while the endpoint took others: HTTP status 500")


def test_followers_have_all_attempts_again_once_one_was_taken() -> None:
    lanes = made()
    first, second, third = join(lanes, "CS-1", "CS-1", "CS-1")
    now = give_up(lanes, first, 0)
    lanes.steps(now)
    end(lanes, second, TAKEN, now)

    assert tried(lanes, now) == [third]
    assert end(lanes, third, FAILED, now) is None


def test_a_refused_letter_is_given_up_at_once_and_its_followers_are_not_suspected() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-1")
    lanes.steps(0)

    assert end(lanes, first, Refused("HTTP status 400"), 0) == GiveUp(first, "The endpoint refused it: HTTP status 400")
    lanes.works(0)
    lanes.steps(0)
    assert end(lanes, second, FAILED, 0) is None


def test_while_the_endpoint_is_shut_nothing_is_tried_and_then_one_at_a_time() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-2")
    lanes.steps(0)
    end(lanes, first, Shut(5.0, "the breaker is open"), 0)
    end(lanes, second, Shut(5.0, "the breaker is open"), 0)

    assert (lanes.steps(4.9), lanes.timer) == ([], 5.0)
    (probe,) = tried(lanes, 5)
    end(lanes, probe, TAKEN, 5)
    assert tried(lanes, 5) == [{first, second}.difference({probe}).pop()]


def test_a_shut_endpoint_costs_a_letter_no_attempt() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    lanes.steps(0)

    end(lanes, letter, Shut(5.0, "the breaker is open"), 0)

    assert letter.tried == 0


def test_who_waits_on_the_ladder_is_tried_as_soon_as_the_breaker_lets_one_through() -> None:
    lanes = made()
    patient, other = join(lanes, "CS-1", "CS-2")
    now = 0.0
    lanes.steps(now)
    end(lanes, patient, FAILED, now)
    end(lanes, other, Shut(0.25, "the breaker is open"), now)

    probe = tried(lanes, 1.0)
    assert len(probe) == 1
    end(lanes, probe[0], TAKEN, 1.0)

    assert len(tried(lanes, 1.0)) == 1


def test_whoever_waits_for_the_endpoint_is_tried_at_once_when_it_takes_something() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    now = 0.0
    for _ in range(4):
        now = fail(lanes, letter, now)

    lanes.works(now - 7)

    assert tried(lanes, now - 7) == [letter]


def test_whoever_failed_while_others_were_taken_stays_on_the_ladder() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    lanes.works(0)
    fail(lanes, letter, 0)

    lanes.works(0.5)

    assert (tried(lanes, 0.5), lanes.timer) == ([], 1.0)


def test_a_letter_becomes_too_old_while_the_endpoint_is_shut() -> None:
    lanes = made()
    old, fresh = join(lanes, "CS-1", stored=-3 * DAY + 1) + join(lanes, "CS-2")
    lanes.steps(0)
    end(lanes, old, Shut(5.0, "the breaker is open"), 0)
    end(lanes, fresh, Shut(5.0, "the breaker is open"), 0)

    assert lanes.timer == 1.0
    assert lanes.steps(1.0) == [GiveUp(old, "Older than 3 days: the breaker is open")]


def test_a_letter_that_was_too_old_when_it_came_has_one_attempt() -> None:
    lanes = made()
    (old,) = join(lanes, "CS-1", stored=-4 * DAY)

    assert tried(lanes, 0) == [old]
    assert end(lanes, old, FAILED, 0) == GiveUp(old, "Older than 3 days: HTTP status 500")


def test_a_breaker_that_does_not_know_how_long_is_not_asked_in_a_hot_loop() -> None:
    lanes = made()
    (letter,) = join(lanes, "CS-1")
    lanes.steps(0)

    end(lanes, letter, Shut(0.0, "too many wait"), 0)

    assert lanes.timer == TERMS.first_pause


def test_letters_that_are_taken_back_make_room() -> None:
    lanes = made()
    first, second, third = join(lanes, "CS-1", "CS-2", "CS-3")
    assert tried(lanes, 0) == [first, second]

    lanes.take_back(second, 0)
    lanes.take_back(first, 0)

    assert tried(lanes, 0) == [third]


def test_a_follower_that_is_taken_back_leaves_the_others_in_order() -> None:
    lanes = made()
    first, second, third = join(lanes, "CS-1", "CS-1", "CS-1")
    lanes.steps(0)

    lanes.take_back(second, 0)
    end(lanes, first, TAKEN, 0)

    assert tried(lanes, 0) == [third]


def test_letters_that_come_again_are_remembered_with_their_failures() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-1")
    lanes.works(0)
    later = fail(lanes, first, 0)
    lanes.works(later)
    later = fail(lanes, first, later)
    for place in (first, second):
        lanes.take_back(place, later)

    again, follower = join(lanes, "CS-1", "CS-1", now=later)
    lanes.works(later)

    assert tried(lanes, later) == [again]
    assert end(lanes, again, FAILED, later) == GiveUp(
        again, "Not taken in 3 attempts while the endpoint took others: HTTP status 500"
    )
    assert tried(lanes, later) == [follower]


def test_another_letter_that_comes_then_is_only_suspected_if_its_lane_was() -> None:
    lanes = made()
    first, second = join(lanes, "CS-1", "CS-1")
    now = give_up(lanes, first, 0)
    lanes.take_back(second, now)
    (other,) = [lanes.join("other", "CS-1", 0.0, now)]
    lanes.works(now)

    assert tried(lanes, now) == [other]
    assert end(lanes, other, FAILED, now) == GiveUp(
        other, "Not taken in 1 attempt while the endpoint took others: HTTP status 500"
    )


OUTCOMES = st.sampled_from(["taken", "failed", "shut", "refused"])


@settings(max_examples=200, deadline=None)
@given(
    letters=st.lists(st.sampled_from(["CS-1", "CS-2", "CS-3"]), min_size=1, max_size=15),
    fates=st.lists(OUTCOMES, max_size=60),
    concurrency=st.integers(1, 3),
)
def test_whatever_the_endpoint_does_every_letter_leaves_once_and_in_its_station_s_order(
    letters: list[str], fates: list[str], concurrency: int
) -> None:
    lanes = made(Terms(attempts=3, max_age=1000.0, concurrency=concurrency, longest_pause=8.0))
    places = join(lanes, *letters)
    fate, left, now, under_way = deque(fates), list[Place](), 0.0, list[Place]()

    def leave(place: Place) -> None:
        lanes.leave(place, now)
        left.append(place)

    while len(left) < len(places):
        for step in lanes.steps(now):
            match step:
                case Try(place):
                    under_way.append(place)
                case GiveUp(place):
                    leave(place)
        assert len(under_way) <= concurrency
        assert len({place.identity for place in under_way}) == len(under_way)
        if under_way:
            place = under_way.pop(0)
            outcome = {"taken": TAKEN, "failed": FAILED, "shut": Shut(now + 5, "open"), "refused": Refused("no")}
            if end_or_stay(lanes, place, outcome[fate.popleft() if fate else "taken"], now):
                leave(place)
        else:
            timer = lanes.timer
            assert timer is not None or len(left) == len(places)
            now = max(now, timer or now)

    for identity in set(letters):
        expected = [place for place in places if place.identity == identity]
        assert [place for place in left if place.identity == identity] == expected
    assert lanes.timer is None


def end_or_stay(lanes: Lanes, place: Place, outcome: Outcome, now: float) -> bool:
    return lanes.tell(place, outcome, now) is not None or outcome == TAKEN


@pytest.mark.parametrize(("seconds", "words"), [(3 * DAY, "3 days"), (90_000, "90000 seconds")])
def test_the_reason_names_the_age_in_days_where_it_is_days(seconds: float, words: str) -> None:
    lanes = made(Terms(attempts=1, max_age=seconds, concurrency=1))
    (old,) = join(lanes, "CS-1", stored=-seconds)
    lanes.steps(0)

    assert end(lanes, old, FAILED, 0) == GiveUp(old, f"Older than {words}: HTTP status 500")

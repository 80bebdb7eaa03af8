"""Samples add up, beside each other and one after the other, in bounded memory."""

import pickle

from csms_emulator.load.errors import MOST_KINDS, OTHER, Errors
from csms_emulator.load.sample import MOST_ROWS, Sample, Timeline


def second(at: int, answered: int = 1, connected: int = 5) -> Sample:
    sample = Sample(
        float(at), 1.0, dialled=10, connected=connected, failed=1, errors=Errors({"x": 2}), rss=100, base=50
    )
    for _ in range(answered):
        sample.latencies.add(at / 1000)
    return sample


def test_processes_add_up_in_the_same_time() -> None:
    one, other = second(1, connected=5), second(1, connected=7)

    one.beside(other)

    assert (one.at, one.seconds, one.dialled, one.connected, one.rss, one.base) == (1.0, 1.0, 20, 12, 200, 100)
    assert (one.answered, one.failed, one.errors) == (2, 2, {"x": 4})


def test_later_seconds_add_counts_and_replace_what_is_so_now() -> None:
    one, other = second(1, connected=5), second(2, connected=7)

    one.then(other)

    assert (one.at, one.seconds, one.dialled, one.connected, one.rss) == (2.0, 2.0, 10, 7, 100)
    assert (one.answered, one.failed, one.errors) == (2, 2, {"x": 4})


def test_a_long_run_has_fewer_and_longer_rows_and_loses_nothing() -> None:
    timeline = Timeline()

    for at in range(1, 5001):
        timeline.add(second(at))

    rows = timeline.rows
    assert len(rows) <= MOST_ROWS
    assert sum(row.answered for row in rows) == timeline.total.answered == 5000
    assert sum(row.seconds for row in rows) == timeline.total.seconds == 5000.0
    assert {row.seconds for row in rows[:-1]} == {16.0}
    assert [row.at for row in rows] == sorted(row.at for row in rows)


def test_the_end_of_a_run_is_part_of_its_last_second() -> None:
    timeline, end = Timeline(), second(2)
    end.seconds = 0.1

    timeline.add(second(1))
    timeline.add(end)

    assert [(row.answered, row.seconds) for row in timeline.rows] == [(2, 1.1)]


def test_what_was_added_stays_as_it_was() -> None:
    timeline, first, end = Timeline(), second(1), second(2)
    end.seconds = 0.1

    timeline.add(first)
    timeline.add(end)

    assert (first.answered, first.seconds, first.errors) == (1, 1.0, {"x": 2})


def test_the_first_row_is_not_the_total() -> None:
    timeline = Timeline()

    timeline.add(second(1))
    timeline.add(second(2))

    assert [row.answered for row in timeline.rows] == [1, 1]


def test_a_server_cannot_invent_kinds_of_error_without_end() -> None:
    errors = Errors()

    for n in range(1000):
        errors.call_failed(f"CALLERROR {n}")

    assert (len(errors), errors[OTHER], errors.failed) == (MOST_KINDS + 1, 1000 - MOST_KINDS, 1000)


def test_a_sample_arrives_whole_in_another_process() -> None:
    arrived = pickle.loads(pickle.dumps(second(3)))

    assert (arrived.at, arrived.answered, arrived.errors, type(arrived.errors)) == (3.0, 1, {"x": 2}, Errors)

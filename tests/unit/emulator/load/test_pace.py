"""When stations call, without a socket: what is written, and from when its latency counts."""

from typing import cast

import pytest

from csms_emulator.load.pace import ClosedLoop, OpenLoop
from csms_emulator.load.station import Station


class Caller:
    """What a pace needs of a station; `calls` are the times from which latencies count."""

    class _Play:
        upcoming = "a call"

    play = _Play()

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.waiting = False

    def call(self, template: object, sent_at: float) -> None:
        assert not self.waiting
        self.calls.append(sent_at)
        self.waiting = True

    def answered(self, pace: ClosedLoop | OpenLoop, now: float) -> None:
        self.waiting = False
        pace.free(station(self), now)


def station(caller: Caller) -> Station:
    return cast(Station, caller)


@pytest.fixture
def callers() -> list[Caller]:
    return [Caller() for _ in range(3)]


def test_in_the_closed_loop_each_calls_again_when_it_is_answered(callers: list[Caller]) -> None:
    pace = ClosedLoop()
    pace.free(station(callers[0]), 1.0)

    pace.begin(2.0)
    callers[0].answered(pace, 2.5)
    pace.free(station(callers[1]), 3.0)

    assert [caller.calls for caller in callers] == [[2.0, 2.5], [3.0], []]


def test_one_that_was_lost_before_the_load_began_does_not_call(callers: list[Caller]) -> None:
    pace = ClosedLoop()
    pace.free(station(callers[0]), 1.0)
    pace.gone(station(callers[0]))

    pace.begin(2.0)

    assert callers[0].calls == []


def test_in_the_open_loop_calls_leave_by_the_clock_and_in_turn(callers: list[Caller]) -> None:
    pace = OpenLoop(10.0)
    for caller in callers:
        pace.free(station(caller), 1.0)

    pace.begin(2.0)
    pace.tick(2.15)
    pace.tick(2.25)

    assert [caller.calls for caller in callers] == [[2.0], [2.1], [2.2]]


def test_a_stall_does_not_hide_in_a_slower_load(callers: list[Caller]) -> None:
    pace, [only, *_] = OpenLoop(10.0), callers
    pace.free(station(only), 1.0)
    pace.begin(2.0)
    pace.tick(2.01)

    pace.tick(3.0)
    only.answered(pace, 3.0)
    only.answered(pace, 3.001)

    assert only.calls == [2.0, 2.1, 2.2]


def test_a_station_that_is_away_is_passed_over_until_it_is_back(callers: list[Caller]) -> None:
    pace, [first, second, _] = OpenLoop(10.0), callers
    pace.free(station(first), 1.0)
    pace.free(station(second), 1.0)
    pace.begin(2.0)

    pace.gone(station(first))
    pace.tick(2.05)
    pace.free(station(first), 2.06)
    pace.tick(2.15)

    assert (first.calls, second.calls) == ([2.1], [2.0])


def test_that_we_look_at_the_clock_only_now_and_then_is_no_latency(callers: list[Caller]) -> None:
    pace = OpenLoop(1000.0)
    for caller in callers:
        pace.free(station(caller), 1.0)
    pace.begin(2.0)

    pace.tick(2.0025)

    assert [caller.calls for caller in callers] == [[2.0025]] * 3

"""What `expect` and `wait` understand, times, rates and spreads, and values with variables in them."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from csms_emulator.scenarios import durations, sentences
from csms_emulator.scenarios.templates import fill, paths
from csms_emulator.scenarios.words import WordsError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
KNOWN = {"transaction": 17, "start": {"idTag": "A"}, "station": "CP-1"}


def test_an_expectation_says_who_what_and_by_when() -> None:
    told = sentences.expectation("StopTransaction result from csms within 1.5 min where idTagInfo.status == Accepted")

    assert (told.action, told.kind, told.sender, told.within) == ("StopTransaction", "result", "csms", 90.0)
    assert told.where
    assert told.where.holds({"idTagInfo": {"status": "Accepted"}}, {})


def test_an_expectation_may_be_one_word() -> None:
    assert sentences.expectation("Heartbeat") == sentences.Expectation("Heartbeat", "call", None, 10.0, None)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Heartbeat within", "a time such as 5s is wanted, not the end (column 17)"),
        ("Heartbeat within soon", "'soon' is no time such as 5s, 500ms, 2min or 1h (column 18)"),
        ("Heartbeat within -5s", "'-5s' is less than nothing (column 18)"),
        ("Heartbeat from mars", "station or csms is wanted, not 'mars' (column 16)"),
        ("Heartbeat answer", "nothing more is wanted, not 'answer' (column 11)"),
        ("", "an action, such as StopTransaction, is wanted, not the end (column 1)"),
    ],
)
def test_what_is_no_expectation_is_told_with_its_column(sentence: str, reason: str) -> None:
    with pytest.raises(WordsError) as told:
        sentences.expectation(sentence)

    assert str(told.value) == reason


def test_a_wait_ends_with_its_time() -> None:
    told = sentences.wait("status == Charging and power > 0 within 500ms")

    assert told.within == 0.5
    assert told.condition.holds({"status": "Charging", "power": 1.0}, {})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5s", 5.0), ("500ms", 0.5), ("2 min", 120.0), ("1.5h", 5400.0), (3, 3.0), ("-1d", -86400.0)],
)
def test_times(written: object, seconds: float) -> None:
    assert durations.seconds(written) == seconds


@pytest.mark.parametrize("written", ["5", "five", "5 lightyears", None, True, float("nan")])
def test_what_is_no_time_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no time such as 5s, 500ms, 2min or 1h"):
        durations.seconds(written)


@pytest.mark.parametrize(
    ("written", "spread"),
    [
        ("20min", durations.Spread("constant", (1200.0,))),
        ("normal(20min, 5min)", durations.Spread("normal", (1200.0, 300.0))),
        ("uniform(1s,2s)", durations.Spread("uniform", (1.0, 2.0))),
        ("exponential(1h)", durations.Spread("exponential", (3600.0,))),
    ],
)
def test_spreads(written: str, spread: durations.Spread) -> None:
    assert durations.spread(written) == spread


@pytest.mark.parametrize("written", ["normal(20min)", "binomial(1s)", "normal(20min, 5min, 1s)"])
def test_what_is_no_spread_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is none of normal"):
        durations.spread(written)


def test_a_spread_is_never_negative() -> None:
    drawn = [durations.Spread("normal", (1.0, 100.0)).draw(Random(n)) for n in range(50)]

    assert min(drawn) == 0.0


def test_rates() -> None:
    assert (durations.rate("3/min"), durations.rate("0.5/s")) == (0.05, 0.5)


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("$transaction", 17),
        ("$start.idTag", "A"),
        ({"a": ["$transaction", {"b": "at ${station}!"}]}, {"a": [17, {"b": "at CP-1!"}]}),
        ("$$dollars", "$dollars"),
        ("$now", "2026-05-01T12:00:00Z"),
        ("$now+1h", "2026-05-01T13:00:00Z"),
        ("$now - 90s", "2026-05-01T11:58:30Z"),
        (5, 5),
    ],
)
def test_values_are_filled_with_variables(value: Any, filled: Any) -> None:
    assert fill(value, KNOWN, NOON) == filled


def test_a_variable_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\$start.parent is nothing now"):
        fill("$start.parent", KNOWN)


def test_the_variables_of_a_value_are_known_before() -> None:
    found = [path.variable for path in paths({"a": ["$x", "in ${y.z}", "$now+1h", "$$w", 5]})]

    assert found == ["x", "y"]

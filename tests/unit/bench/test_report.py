"""Cells become figures, and figures become verdicts."""

import pytest

from bench.bars import Verdict, find, ratio, verdicts
from bench.generator import Generated, full_seconds
from bench.latency import Latency
from bench.measure import Cell, Idle
from bench.report import cells_text, errors_text, idles_text, table, verdicts_text
from csms_emulator.load.sample import Sample

OPEN = 2000.0


def cell(
    system: str,
    calls: int,
    *,
    active: int = 1000,
    rate: float | None = None,
    p50: float = 2.0,
    errors: dict[str, int] | None = None,
    foreign: float = 0.5,
) -> Cell:
    """Five seconds of MeterValues in which the system used five seconds of CPU, the load one, and others `foreign`."""
    cpu = {"gateway": 3.0, "router": 2.0} if system == "distributed" else {system: 5.0}
    latency = Latency(p50, p50 * 2, p50 * 3, p50 * 4)
    return Cell(system, "metervalues", active, rate, calls, 5.0, latency, errors or {}, cpu, 1.0, foreign)


def met(cells: list[Cell], idles: list[Idle]) -> list[bool | None]:
    return [verdict.met for verdict in verdicts(cells, idles)]


def test_a_table_is_aligned() -> None:
    rows = [("name", "n", "note"), ("a", "10", "x"), ("long", "5", "")]

    assert table(rows) == "name   n  note\na     10  x\nlong   5"


def test_a_ratio_compares_with_the_baseline_in_the_same_place() -> None:
    fast, base, elsewhere = cell("distributed", 6000), cell("baseline", 1000), cell("baseline", 3000, active=10)

    assert ratio([elsewhere, base, fast], fast) == 6.0
    assert ratio([elsewhere, fast], fast) is None
    assert find([elsewhere, base], "baseline", "metervalues", 10) is elsewhere


def test_a_row_shows_the_cpu_of_every_process_and_of_the_load() -> None:
    text = cells_text([cell("baseline", 10_000), cell("distributed", 50_000)])

    assert text.splitlines() == [
        "metervalues, 1,000 active, closed loop",
        "system       calls/s  × base  p50 ms  p95 ms  p99 ms  cores  others  errors  CPU µs a call",
        "baseline       2,000    1.00    2.00    4.00    6.00   1.20    0.10       0  baseline 500 | load 100.0",
        "distributed   10,000    5.00    2.00    4.00    6.00   1.20    0.10       0  "
        "gateway 60 + router 40 = 100 | load 20.0",
    ]


def test_a_cell_in_which_nothing_was_answered_has_no_figures() -> None:
    silent = Cell(
        "baseline", "heartbeat", 1, None, 0, 5.0, Latency(None, None, None, None), {}, {"baseline": 1.0}, 0.0, 0.0
    )

    row = cells_text([silent]).splitlines()[-1]

    assert row.split() == ["baseline", "0", "–", "–", "–", "–", "0.20", "0.00", "0", "baseline", "–", "|", "load", "–"]


def test_bars_are_met_when_the_figures_say_so() -> None:
    cells = [
        cell("baseline", 1000),
        cell("distributed", 7000),
        cell("all-in-one", 5000),
        cell("distributed", 10, active=1, p50=3.0),
        cell("distributed", 10_000, rate=OPEN),
    ]

    assert met(cells, [Idle("distributed", 5000, {"gateway": 10_240.0}, "gateway")]) == [
        True, True, True, True, True, None, True, True,
    ]  # fmt: skip


def test_bars_are_missed_when_the_figures_say_so() -> None:
    cells = [
        cell("baseline", 1000),
        cell("distributed", 4999),
        cell("all-in-one", 4999),
        cell("distributed", 10, active=1, p50=3.01),
    ]
    cells.append(cell("distributed", 10_000, rate=OPEN, errors={"wrong message id": 1}, foreign=1.0))

    assert met(cells, [Idle("distributed", 5000, {"gateway": 10_241.0}, "gateway")]) == [
        False, False, False, False, False, None, False, False,
    ]  # fmt: skip


def test_what_was_not_measured_has_no_verdict() -> None:
    assert met([cell("baseline", 1000)], []) == [None, None, None, None, None, True, True]


def test_errors_are_told_with_their_place() -> None:
    assert errors_text([cell("baseline", 1)]) == ""
    assert errors_text([cell("baseline", 1, errors={"unanswered": 2})]) == (
        "Errors\nbaseline, metervalues, 1000 active: {'unanswered': 2}"
    )


def test_idle_connections_are_told_in_kib() -> None:
    text = idles_text([Idle("baseline", 5000, {"baseline": 20_480.0}, "baseline")])

    assert text.splitlines()[-1] == "baseline        5,000  baseline 20.0"


def test_a_verdict_is_a_word() -> None:
    text = verdicts_text([Verdict("a", "1", True), Verdict("b", "2", False), Verdict("c", "3", None)])

    assert [line.split()[0] for line in text.splitlines()] == ["verdict", "met", "MISSED", "–"]


@pytest.mark.parametrize(
    ("generated", "expected"),
    [
        (Generated(10_000, 15_000.0, 30.0, 15 * 1024.0, 0), [True, True, True]),
        (Generated(9_999, 14_999.0, 30.0, 1.0, 0), [False, False, False]),
        (Generated(10_000, 15_000.0, 30.0, 15 * 1024 + 1.0, 1), [True, False, False]),
    ],
)
def test_the_load_generator_is_held_to_bars_of_its_own(generated: Generated, expected: list[bool]) -> None:
    found = verdicts([], [], None, generated)

    assert [verdict.met for verdict in found if verdict.what.startswith("load: ")] == expected


def test_only_seconds_in_which_stations_called_from_begin_to_end_count() -> None:
    rows = [Sample(at=float(at), seconds=1.0) for at in range(6)]
    for row in rows[1:5]:
        row.latencies.add(0.001)

    assert [row.at for row in full_seconds(rows)] == [2.0, 3.0]
    assert [row.at for row in full_seconds(rows[:3])] == [1.0, 2.0]

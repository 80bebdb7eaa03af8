"""What came of a load, as a line, as JSON and as a page that needs nothing but itself."""

import io
import json
import re

import pytest

from csms_emulator.load.chart import Line, chart
from csms_emulator.load.drive import Load
from csms_emulator.load.errors import Errors
from csms_emulator.load.page import page
from csms_emulator.load.progress import Progress
from csms_emulator.load.report import document
from csms_emulator.load.sample import Sample
from csms_emulator.load.settings import Settings

SETTINGS = Settings("ws://127.0.0.1:9220/ocpp", stations=4, password="secret")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def second(at: int, *, connected: int = 4, errors: dict[str, int] | None = None, failed: int = 0) -> Sample:
    sample = Sample(float(at), 1.0, 4, connected, failed=failed, errors=Errors(errors), cpu=0.5, rss=8192, base=4096)
    for _ in range(100):
        sample.latencies.add(0.002)
    return sample


def load(*seconds: Sample, settings: Settings = SETTINGS) -> Load:
    made = Load(settings, began=1_700_000_000.0)
    for sample in seconds:
        made.timeline.add(sample)
    return made


def test_the_json_report_is_whole() -> None:
    report = document(load(second(1), second(2)))

    assert json.loads(json.dumps(report)) == report
    assert (report["began"], report["well"], report["interrupted"]) == ("2023-11-14T22:13:20Z", True, False)
    assert report["total"]["answered"] == 200
    assert report["total"]["kibPerStation"] == 1.0
    assert report["total"]["cpuMicrosPerCall"] == 5000.0
    assert report["rows"][0] == {
        "at": 1.0,
        "seconds": 1.0,
        "dialled": 4,
        "connected": 4,
        "answered": 100,
        "callsPerSecond": 100.0,
        "failed": 0,
        "unanswered": 0,
        "latency": {"p50": 1.992, "p95": 1.992, "p99": 1.992, "worst": 2.0},
        "errors": {},
        "lost": 0,
        "reconnected": 0,
        "cpu": 0.5,
    }


def test_no_report_has_the_password() -> None:
    report = document(load(second(1)))

    assert ("secret" in json.dumps(report), "secret" in page(report)) == (False, False)


@pytest.mark.parametrize(
    "made", [load(), load(second(1), second(2, errors={"x": 3}, failed=3)), load(Sample(0.5, 0.5))]
)
def test_the_page_needs_nothing_else(made: Load) -> None:
    text = page(document(made))

    assert re.findall(r"https?:|//|<script|<link|<img|@import|url\(|src=", text) == []
    assert text.count("<svg") == text.count("</svg>") == 4


def test_what_a_server_said_is_text_on_the_page() -> None:
    text = page(document(load(second(1, errors={"<script>alert(1)</script>": 1}))))

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_chart_has_gaps_where_there_are_no_values() -> None:
    drawn = chart("T", "ms", [1.0, 2.0, 3.0, 4.0], [Line("p50", [1.0, 2.0, None, 4.0], "a")])

    assert [len(points.split()) for points in re.findall(r'points="([^"]*)"', drawn)] == [2, 2]


@pytest.mark.parametrize("value", [1e-9, 0.004, 0.5, 1.0, 7.0, 9.9, 99.7, 12_345.0])
def test_a_chart_is_as_high_as_its_highest_value(value: float) -> None:
    drawn = chart("T", "ms", [1.0, 2.0], [Line("x", [0.0, value], "a")])

    heights = [float(y) for y in re.findall(r",([0-9.]+)", "".join(re.findall(r'points="([^"]*)"', drawn)))]
    assert all(12.0 <= height <= 192.0 for height in heights)


@pytest.mark.parametrize(
    ("sample", "allowed", "well"),
    [
        (second(1), 0.0, True),
        (second(1, failed=1), 0.0, False),
        (second(1, failed=1), 0.01, True),
        (second(1, connected=3), 0.0, False),
        (second(1, connected=3), 0.25, True),
    ],
)
def test_a_load_is_well_when_no_more_went_wrong_than_was_allowed(sample: Sample, allowed: float, well: bool) -> None:
    settings = Settings("ws://127.0.0.1:9220/ocpp", stations=4, allow_errors=allowed)

    assert load(sample, settings=settings).well is well


def test_without_a_terminal_every_second_is_a_line() -> None:
    out = io.StringIO()
    progress = Progress(4, out)

    progress.show(second(1))
    progress.show(second(2, errors={"a": 3, "b": 2, "c": 1, "d": 1}))
    progress.end()

    assert out.getvalue().splitlines() == [
        "    1 s  4/4 connected  100 calls/s  p50 2.0 p95 2.0 p99 2.0 ms  no errors",
        "    2 s  4/4 connected  100 calls/s  p50 2.0 p95 2.0 p99 2.0 ms  errors: 3 a, 2 b, 1 c, 1 others",
    ]


def test_on_a_terminal_there_is_one_line_that_changes() -> None:
    out = Terminal()
    progress = Progress(4, out)

    progress.show(Sample(1.0, 1.0))
    progress.show(second(2))
    progress.end()

    first, last = (text for text in out.getvalue().split("\r\x1b[2K") if text)
    assert first == "    1 s  0/4 connected  0 calls/s  p50 – p95 – p99 – ms  no errors"
    assert last == "    2 s  4/4 connected  100 calls/s  p50 2.0 p95 2.0 p99 2.0 ms  no errors\n"

"""The process' log: one line per event, in the form that was asked for, without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from csms_platform.envelope import Envelope, Kind, spent
from csms_platform.logging import CallLog, configure, get_logger, where

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """A test's configuration of both logging libraries ends with the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: Capture) -> list[dict[str, object]]:
    """The JSON lines, without their times."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in found:
        assert str(line.pop("timestamp")).endswith("Z")
    return found


def test_json_is_one_object_a_line(capsys: Capture) -> None:
    configure(form="json")
    get_logger("router").bind(gateway="g").info("connected", station="桩", epoch=3)

    assert lines(capsys) == [
        {"event": "connected", "level": "info", "logger": "router", "gateway": "g", "station": "桩", "epoch": 3}
    ]


def test_text_is_for_people(capsys: Capture) -> None:
    configure(form="text")
    get_logger("router").info("connected", station="CS-1")

    text = capsys.readouterr().out
    assert ("connected" in text, "station=CS-1" in text, "\x1b[" in text) == (True, True, False)


def test_what_is_not_a_terminal_gets_json(capsys: Capture) -> None:
    configure()
    get_logger("x").info("hello")

    assert [line["event"] for line in lines(capsys)] == ["hello"]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("key", ["password", "authorization", "token", "secret"])
def test_secrets_are_not_logged(capsys: Capture, form: str, key: str) -> None:
    configure(form=form)
    get_logger("x").warning("refused", station="CS-1", **{key: "hunter2"})

    text = capsys.readouterr().out
    assert ("CS-1" in text, "hunter2" in text) == (True, False)


def test_id_tags_are_shortened_and_the_same_one_always_looks_the_same(capsys: Capture) -> None:
    configure(form="json")
    for tag in ("04A2B3C4", "04A2B3C4", "04A2B3C5", ""):
        get_logger("x").info("refused", id_tag=tag)
    shown = [str(line["id_tag"]) for line in lines(capsys)]

    assert shown[0] == shown[1] != shown[2]
    assert [tag[:3] for tag in shown] == ["04…", "04…", "04…", ""]
    assert [tag for tag in shown if "A2B3" in tag] == []


def test_id_tags_are_shown_on_request(capsys: Capture) -> None:
    configure(form="json", show_id_tags=True)
    get_logger("x").info("refused", id_tag="04A2B3C4")

    assert [line["id_tag"] for line in lines(capsys)] == ["04A2B3C4"]


def test_past_the_rate_lines_are_counted_by_their_event_and_errors_are_not(capsys: Capture) -> None:
    now = 0.0
    configure(form="json", lines_a_second=2, clock=lambda: now)
    log = get_logger("router")
    for _ in range(5):
        log.info("connected")
        log.error("boom")
    log.info("disconnected")
    now = 1.0
    log.info("connected")
    log.info("connected")

    told = [(line["event"], line.get("unlogged")) for line in lines(capsys) if line["event"] != "boom"]
    assert told == [
        ("connected", None),
        ("connected", None),
        ("disconnected", None),
        ("connected", 3),
        ("connected", None),
    ]


def test_a_line_about_a_message_names_its_trace_and_where_its_time_went() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = Envelope(Kind.RESULT, "CS-1", traceparent=f"00-{trace}-b7ad6b7169203331-01", hops={"store": 2.0})

    assert where(Envelope(Kind.RESULT, "CS-1")) == {}
    assert where(spent(traced, "endpoint", 0.01234)) == {"trace": trace, "hops": {"store": 2.0, "endpoint": 12.3}}


def test_what_a_peer_sends_cannot_begin_a_line_of_its_own(capsys: Capture) -> None:
    configure(form="json")
    get_logger("x").info("refused", reason='a\n{"event":"forged"}\r\x00')

    assert [line["event"] for line in lines(capsys)] == ["refused"]


def test_levels_below_the_one_asked_for_are_silent(capsys: Capture) -> None:
    configure("warning", "json")
    log = get_logger("x")
    log.info("quiet")
    log.warning("loud")

    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_an_exception_is_part_of_its_line(capsys: Capture) -> None:
    configure(form="json")
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        get_logger("x").exception("failed")
    (line,) = lines(capsys)

    assert (line["event"], "RuntimeError: boom" in str(line["exception"])) == ("failed", True)


def test_libraries_are_heard_from_warning_on_in_the_same_form(capsys: Capture) -> None:
    configure("debug", "json")
    logging.getLogger("websockets.server").info("quiet")
    logging.getLogger("websockets.server").error("parser %s", "failed")

    assert lines(capsys) == [{"event": "parser failed", "level": "error", "logger": "websockets.server"}]


def test_calls_past_the_rate_are_not_logged_one_by_one(capsys: Capture) -> None:
    configure(form="json")
    calls = CallLog(get_logger("x"), most=2)
    taken = [calls.take() for _ in range(6)]

    # A second may turn over between two of them; then up to twice as many are logged.
    assert taken[:2] == [True, True]
    assert 2 <= sum(taken) <= 4

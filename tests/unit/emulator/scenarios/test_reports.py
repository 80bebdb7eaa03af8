"""What is told of results: to people a table, to machines JUnit's XML."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from csms_emulator.messages import Message
from csms_emulator.scenarios.reading import load
from csms_emulator.scenarios.reports import junit, table
from csms_emulator.scenarios.results import Result, well

SAID = Message(at=12.5, sender="station", kind="call", action="DataTransfer", payload={"data": "\x00 <&>"})


def results(folder: Path) -> list[Result]:
    file = folder / "crowd.yaml"
    file.write_text("name: A crowd\nversions: [1.6, 2.0.1, 2.1, 1.5]\nseed: 7\nsteps: [{plug: 1}]\n", encoding="utf-8")
    one, two, three, four = load([file])
    failed: dict[str, Any] = {"step": "step 1 (line 4), plug 1", "reason": 'not "now" & not later'}
    return [
        Result(scenario=one, verdict="passed", seconds=1.234, began=12.0, said=(("CP-1", SAID),)),
        Result(scenario=two, verdict="failed", seconds=0.5, **failed),
        Result(scenario=three, verdict="error", reason="KeyError('x')", trace="Traceback …"),
        Result(scenario=four, verdict="skipped", reason="It needs the REST API."),
    ]


def test_the_table_says_where_and_why_it_failed(tmp_path: Path) -> None:
    told = table(results(tmp_path))

    assert told.splitlines() == [
        "scenario  version  result   seconds  failed step",
        "A crowd   1.6      passed   1.2",
        "A crowd   2.0.1    failed   0.5      step 1 (line 4), plug 1",
        "A crowd   2.1      error    0.0",
        "A crowd   1.5      skipped  0.0",
        "",
        'A crowd (2.0.1): not "now" & not later',
        "A crowd (2.1): KeyError('x')",
        "A crowd (1.5): It needs the REST API.",
        "",
        "1 of 4 passed, 1 failed, 1 error, 1 skipped.",
    ]


def test_junit_counts_cases_and_has_the_conversation(tmp_path: Path) -> None:
    top = ElementTree.fromstring(junit(results(tmp_path)))

    counts = {"tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "1.734"}
    assert top.attrib == {"name": "csms scenario", **counts}
    [suite] = top
    assert suite.attrib == {"name": "scenarios", **counts}
    assert suite[0].attrib == {"classname": "crowd", "name": "A crowd (1.6)", "time": "1.234"}
    said = suite[0].findtext("system-out")
    assert said == "   0.500 CP-1 → DataTransfer call {'data': '\\x00 <&>'}"
    assert {one.get("name"): one.get("value") for one in suite[0].iter("property")} == {"seed": "7", "version": "1.6"}


def test_junit_tells_failures_errors_and_what_was_skipped(tmp_path: Path) -> None:
    cases = ElementTree.fromstring(junit(results(tmp_path))).findall("testsuite/testcase")

    told = [[(one.tag, one.get("message"), one.text) for one in case if one.get("message")] for case in cases]
    reason = 'not "now" & not later'
    assert told == [
        [],
        [("failure", reason, f"step 1 (line 4), plug 1\n{reason}")],
        [("error", "KeyError('x')", "KeyError('x')\nTraceback …")],
        [("skipped", "It needs the REST API.", "It needs the REST API.")],
    ]


def test_characters_that_xml_forbids_are_replaced(tmp_path: Path) -> None:
    failed = Result(scenario=results(tmp_path)[0].scenario, verdict="failed", reason="a\x00b\ud800c\x1b")

    case = ElementTree.fromstring(junit([failed])).find("testsuite/testcase/failure")

    assert case is not None
    assert case.get("message") == "a\ufffdb\ufffdc\ufffd"


def test_what_is_skipped_has_not_failed(tmp_path: Path) -> None:
    passed, failed, error, skipped = results(tmp_path)

    assert [well([passed, skipped]), well([passed, failed]), well([error])] == [True, False, False]

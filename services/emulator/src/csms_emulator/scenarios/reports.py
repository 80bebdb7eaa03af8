"""What is told of results: a table for people, and JUnit's XML for machines."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from csms_emulator.scenarios.results import Result
from csms_emulator.scenarios.scenario import Scenario

# XML 1.0 §2.2: every character but these may be in a document.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table(results: Sequence[Result]) -> str:
    """A line for each, and why those that failed did."""
    rows = [("scenario", "version", "result", "seconds", "failed step")]
    rows += [(one.scenario.name, one.scenario.version, one.verdict, f"{one.seconds:.1f}", one.step) for one in results]
    reasons = [f"{one.scenario.title}: {one.reason}" for one in results if one.reason]
    return "\n".join([*_aligned(rows), *(["", *reasons] if reasons else []), "", summary(results)])


def listing(scenarios: Sequence[Scenario]) -> str:
    """What there is to play."""
    rows = [("scenario", "version", "needs", "file")]
    rows += [(one.name, one.version, "API" if one.needs_api else "", str(one.file)) for one in scenarios]
    return "\n".join(_aligned(rows))


def summary(results: Sequence[Result]) -> str:
    """How many ended how."""
    counts = {verdict: sum(one.verdict == verdict for one in results) for verdict in ("failed", "error", "skipped")}
    others = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    passed = sum(one.verdict == "passed" for one in results)
    return ", ".join([f"{passed} of {len(results)} passed", *others]) + "."


def junit(results: Sequence[Result]) -> str:
    """The same as JUnit's XML: a test case for each, with the conversation."""
    counts = {kind: str(sum(one.verdict == verdict for one in results)) for kind, verdict in _COUNTED.items()}
    total = {"tests": str(len(results)), **counts, "time": f"{sum(one.seconds for one in results):.3f}"}
    top = ElementTree.Element("testsuites", {"name": "csms scenario", **total})
    suite = ElementTree.SubElement(top, "testsuite", {"name": "scenarios", **total})
    for one in results:
        suite.append(_case(one))
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


_COUNTED = {"failures": "failed", "errors": "error", "skipped": "skipped"}
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def _case(result: Result) -> ElementTree.Element:
    scenario = result.scenario
    told = {"classname": scenario.file.stem, "name": scenario.title, "time": f"{result.seconds:.3f}"}
    case = ElementTree.Element("testcase", {key: _clean(value) for key, value in told.items()})
    properties = ElementTree.SubElement(case, "properties")
    for name, value in (("seed", str(scenario.seed)), ("version", scenario.version)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    if element := _ELEMENTS.get(result.verdict):
        found = ElementTree.SubElement(case, element, {"message": _clean(result.reason)})
        found.text = _clean("\n".join(line for line in (result.step, result.reason, result.trace) if line))
    ElementTree.SubElement(case, "system-out").text = _clean(result.conversation)
    return case


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

"""docs/emulator.md says what the code does: its picture of the connector's states is the table."""

import re
from pathlib import Path
from typing import get_args

from csms_emulator.faults.troubles import Trouble
from csms_emulator.scenarios.reading import load
from csms_emulator.status import TRANSITIONS, Status
from csms_emulator.testing import Station

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_the_picture_of_the_states_is_the_table_of_transitions() -> None:
    picture = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)[0]

    drawn = re.findall(r"^    (\w+) --> (\w+): (.+)$", picture, re.MULTILINE)
    table = [(a.value, b.value, o.value) for a, ways in TRANSITIONS.items() for o, b in ways.items()]
    assert sorted(drawn) == sorted(table)
    assert {name for arrow in drawn for name in arrow[:2]} == {status.value for status in Status} - {"Faulted"}


def test_every_trouble_is_described() -> None:
    table = PAGE.split("## Faults on demand\n", 1)[1].split("\n## ", 1)[0]

    described = {name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row)}
    assert described == {kind.__name__ for kind in get_args(Trouble)}


def test_the_scenario_on_the_page_can_be_played(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "page.yaml"
    file.write_text(text, encoding="utf-8")

    (scenario,) = load([file])
    assert scenario.name == "Remote start and stop"


def test_the_words_of_the_python_page_are_methods_of_a_station() -> None:
    table = PAGE.split("| you say | what happens |", 1)[1].split("\n\n", 1)[0]

    said = {word for row in table.splitlines()[1:] for word in re.findall(r"`(\w+)", row.split("|")[1])}
    assert [word for word in sorted(said) if not hasattr(Station, word)] == []

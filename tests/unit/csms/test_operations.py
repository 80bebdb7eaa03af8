"""docs/operations.md is true as far as reading shows it: its commands parse, its files and keys exist.

What it says about brokers and the first start is tried by `tests/e2e/test_operations_commands.py`.
"""

import re
import shlex
from pathlib import Path

import pytest

from csms.arguments import parser
from csms.settings import read
from tests.support.variables import known_variables

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "operations.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "configuration.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
# What the commands for people read.
CLIENT = {"CSMS_API_URL", "CSMS_API_KEY", "CSMS_API_USER"}


def anchors(file: str) -> set[str]:
    """Those that the headings of a document get."""
    headings = re.findall(r"^#+ (.*)$", (DOCS / file).read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def keys(section: str) -> set[str]:
    """Those that docs/configuration.md lists in this section."""
    body = REFERENCE.split(f"## `[{section}]`\n", 1)[-1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))


@pytest.mark.parametrize("command", [line for line in SHELL if line.startswith("csms ")])
def test_a_command_is_understood(command: str) -> None:
    words = shlex.split(command, comments=True)

    assert parser().parse_args(words[1:]).command == words[1]


@pytest.mark.parametrize("toml", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_a_piece_of_csms_toml_is_read(toml: str, tmp_path: Path) -> None:
    file = tmp_path / "csms.toml"
    file.write_text(toml, encoding="utf-8")

    assert read(file, {}).listen.drain_seconds == 25


def test_every_key_that_it_names_with_its_section_is_in_the_reference() -> None:
    named = re.findall(r"`\[(\w+)\]\s(\w+)", PROSE)

    assert len(named) > 10
    assert [(section, key) for section, key in named if key not in keys(section)] == []


def test_every_variable_that_it_names_is_read() -> None:
    named = set(re.findall(r"CSMS_\w+", PAGE)) - {"CSMS_"}

    assert named - known_variables() - CLIENT == set()


def test_every_place_in_a_document_that_it_points_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", PAGE)

    assert [(file, anchor) for file, anchor in links if anchor not in anchors(file or "operations.md")] == []


def test_every_file_of_the_repository_that_a_command_names_exists() -> None:
    words = [word.removeprefix("./").rstrip("*/") for line in SHELL for word in line.split()]
    named = {word for word in words if word.startswith(("deploy/", "libs", "services", "k8s"))}

    # The operator's own overlay begins as a copy.
    found = {name: any(DOCS.parent.glob(f"{name.replace('/mine', '/production')}*")) for name in named}
    assert found == dict.fromkeys(named, True)


def test_no_setting_about_listening_is_left_out() -> None:
    listening = REFERENCE.split("\n## Listening\n", 1)[1].split("\n## ", 1)[0]

    left_out = set(re.findall(r"^\| `(\w+)` \|", listening, re.MULTILINE)) - set(re.findall(r"\b\w+\b", PAGE))
    assert left_out == set()

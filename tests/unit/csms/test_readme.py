"""The README is true: its csms.toml is read as it stands, its commands exist, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from csms.arguments import parser
from csms.settings import read

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
COMMANDS = re.findall(r"^csms .*?(?=\s*#|$)", SHELL, re.MULTILINE)
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("*/*/README.md")]


def test_the_configuration_in_the_readme_is_read_as_it_says(tmp_path: Path) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "csms.toml"
    file.write_text(toml, encoding="utf-8")

    found = read(file, {})

    assert (found.listen.host, found.listen.port, found.router.auth) == ("0.0.0.0", 9220, "registered")
    assert (found.bus.url, found.state.url) == ("amqp://csms:secret@rabbitmq/", "redis://redis:6379/0")
    assert [station.identity for station in found.top.stations] == ["EM-A0000001", "OLD-1"]
    assert [tag.parent for tag in found.top.tags] == ["FLEET-7"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_in_the_readme_are_understood(command: str) -> None:
    words = shlex.split(command)

    assert parser().parse_args(words[1:]).command == words[1]


def test_there_are_commands_in_the_readme() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []

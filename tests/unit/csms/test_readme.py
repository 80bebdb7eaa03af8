"""The README is true: its csms.toml is read as it stands, its commands exist, its links lead somewhere.

What the commands do is tried by `tests/e2e/test_readme_commands.py`.
"""

import re
import shlex
from pathlib import Path

import pytest

from csms.arguments import parser
from csms.compose import plan
from csms.settings import Configuration, read
from csms_api.auth import openness

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
COMMANDS = [line for line in SHELL.splitlines() if line.startswith("csms ")]
SERVICES = [path for path in ROOT.glob("services/*/") if (path / "pyproject.toml").exists()]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("*/*/README.md"),
    ROOT / "bench" / "README.md",
]


@pytest.fixture
def found(tmp_path: Path) -> Configuration:
    """The README's csms.toml."""
    (toml,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "csms.toml"
    file.write_text(toml, encoding="utf-8")
    return read(file, {})


def test_the_configuration_in_the_readme_is_read_as_it_says(found: Configuration) -> None:
    assert (found.listen.host, found.listen.port, found.router.auth) == ("0.0.0.0", 9220, "registered")
    assert (found.bus.url, found.state.url) == ("amqp://csms:secret@rabbitmq/", "redis://redis:6379/0")
    assert (found.router.backend, found.webhook.url) == ("webhook", "https://operator.example/ocpp")
    assert [(user.username, user.scopes) for user in found.api.users] == [("control-room", ("command",))]
    assert [(key.name, key.scopes) for key in found.api.keys] == [("billing", ("read",))]
    assert [station.identity for station in found.top.stations] == ["EM-A0000001", "OLD-1"]
    assert [tag.parent for tag in found.top.tags] == ["FLEET-7"]


def test_the_configuration_in_the_readme_runs_every_service_and_lets_nobody_in_without_credentials(
    found: Configuration,
) -> None:
    made = plan("up", found)

    services = ["configuration", "router", "webhook-relay", "ws-gateway", "soap-gateway", "api"]
    assert [part.name for part in made.parts] == services
    assert not openness(found.api, found.listen.host).open


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_in_the_readme_are_understood(command: str) -> None:
    words = shlex.split(command, comments=True)

    assert parser().parse_args(words[1:]).command == words[1]


def test_the_services_in_the_readme_run_by_themselves_with_what_it_exports() -> None:
    exported = dict(re.findall(r"^export (\w+)=(\S+)$", SHELL, re.MULTILINE))
    after = SHELL[SHELL.rindex("export ") :].splitlines()[1:7]
    services = [shlex.split(line)[1] for line in after]

    parts = [[part.name for part in plan(service, read(None, exported)).parts] for service in services]

    gateways = [["ws-gateway"], ["ws-gateway"], ["soap-gateway"]]
    assert parts == [["configuration", "router"], ["webhook-relay"], ["api"], *gateways]


def test_the_readme_shows_every_command() -> None:
    known = re.findall(r"^    ([a-z][a-z-]*)(?: |$)", parser().format_help(), re.MULTILINE)

    assert {shlex.split(command)[1] for command in COMMANDS} | {"password"} == set(known)


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_is_among_the_parts(service: Path) -> None:
    name = f"services/{service.name}"

    assert f"| [`{name}`]({name}) |" in README
    assert f"| `{name}` |" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []

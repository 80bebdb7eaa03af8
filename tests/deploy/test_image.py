"""deploy/Dockerfile by the rules of linters for such files; what it copies, sets and runs against the code."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from csms import arguments
from csms.compose import plan
from csms.settings import read
from csms_platform.tls import tls_context
from tests.support.dockerfile import Ignored, instructions, sources
from tests.support.variables import known_variables

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILE = instructions(DEPLOY / "Dockerfile")
LAST = max(one.stage for one in FILE)
PEM = ROOT / "tests" / "support" / "tls" / "server.pem"


def texts(name: str, stage: int | None = None) -> list[str]:
    return [one.text for one in FILE if one.name == name and stage in (None, one.stage)]


def environment() -> dict[str, str]:
    """What the image sets."""
    return dict(re.findall(r'(\w+)="?([^"\s]+)"?', texts("ENV", LAST)[0]))


# --- rules ------------------------------------------------------------------------------------------------------------


def test_every_stage_stands_on_the_base_image_that_has_a_version() -> None:
    bases = [text.split()[0] for text in texts("FROM")]

    assert texts("ARG", -1) == ["BASE_IMAGE=python:3.12-slim-bookworm"]
    assert bases == ["${BASE_IMAGE}", "${BASE_IMAGE}"]


def test_nothing_is_fetched_but_packages() -> None:
    assert texts("ADD") == []
    assert [text for text in texts("RUN") if re.search(r"curl|wget|git |https?:", text)] == []


def test_lists_of_packages_are_not_left_and_nothing_more_than_asked_for_is_installed() -> None:
    installing = [text for text in texts("RUN") if "apt-get install" in text]

    assert len(installing) == 1
    assert all(
        "--no-install-recommends" in text and text.endswith("rm -rf /var/lib/apt/lists/*") for text in installing
    )


def test_the_last_stage_installs_nothing_and_compiles_nothing() -> None:
    runs = " ".join(texts("RUN", LAST))

    assert re.findall(r"apt|pip|gcc|make|python", runs) == []
    assert [text.split()[-1] for text in texts("COPY", LAST)] == ["/opt/csms"]


def test_every_package_is_checked_by_its_hash_and_none_is_built() -> None:
    installing = [
        call for text in texts("RUN") for call in text.split("&&") if re.search(r"pip .*install|pip wheel", call)
    ]
    by_lock = [call for call in installing if "--require-hashes --only-binary=:all: -r" in call]
    from_here = [call for call in installing if "--no-deps --no-index" in call]

    assert (len(by_lock), len(from_here), len(installing)) == (2, 2, 4)


def test_the_lock_is_copied_before_the_code() -> None:
    copied = [source for one in FILE if one.name == "COPY" for source in sources(one)]

    assert copied.index("deploy/requirements.lock") < copied.index("libs") < copied.index("services")


def test_it_does_not_run_as_root_and_kubernetes_can_see_that() -> None:
    assert texts("USER") == ["10001:10001"]


def test_it_stops_by_the_signal_that_drains() -> None:
    assert texts("STOPSIGNAL") == ["SIGTERM"]


def test_programs_are_named_without_a_shell() -> None:
    health = texts("HEALTHCHECK")[0].partition("CMD ")[2]

    assert [json.loads(texts("ENTRYPOINT")[0]), json.loads(texts("CMD")[0])] == [["csms"], ["up"]]
    assert json.loads(health) == ["python3", "-I", "/opt/csms/health.py"]


def test_labels_are_those_of_oci() -> None:
    names = re.findall(r"org\.opencontainers\.image\.(\w+)=", texts("LABEL", LAST)[0])

    assert names == ["title", "description", "licenses", "version", "revision"]


# --- against the code -------------------------------------------------------------------------------------------------


def test_what_it_copies_exists_and_is_in_the_build_context() -> None:
    ignored = Ignored(ROOT / ".dockerignore")
    copied = [source for one in FILE if one.name == "COPY" for source in sources(one)]

    assert [source for source in copied if not (ROOT / source).exists() or source in ignored] == []


def test_nothing_else_is_in_the_build_context() -> None:
    ignored = Ignored(ROOT / ".dockerignore")
    strange = (".git", ".venv/bin/python", "tests/conftest.py", "deploy/secrets/bus_url", "build/uv", "csms-data/state")
    litter = ("libs/ocpp/src/csms_ocpp/__pycache__/rules.pyc", "services/api/csms_api.egg-info/PKG-INFO")

    assert [path for path in (*strange, *litter) if path not in ignored] == []


def test_what_it_sets_for_csms_are_settings() -> None:
    ours = {name for name in environment() if name.startswith("CSMS_")}

    assert ours == {"CSMS_HOST", "CSMS_PORT", "CSMS_API_ENABLE"}
    assert ours <= known_variables()


def test_it_starts_with_an_endpoint_and_nothing_else() -> None:
    environ = environment() | {"WEBHOOK_URL": "http://endpoint.example/ocpp"}
    options = arguments.parser().parse_args(json.loads(texts("CMD")[0]))

    made = plan("up", read(None, environ, arguments.overrides(options)))

    assert [part.name for part in made.parts] == [
        "configuration",
        "router",
        "webhook-relay",
        "ws-gateway",
        "soap-gateway",
    ]
    assert made.listen is not None
    assert (made.listen.host, [str(made.listen.port)]) == ("0.0.0.0", texts("EXPOSE"))


def test_with_a_key_it_has_the_api() -> None:
    environ = environment() | {"CSMS_API_ENABLE": "true", "CSMS_API_KEYS": '[{"name": "me", "key": "secret"}]'}

    made = plan("up", read(None, environ))

    assert made.parts[-1].name == "api"


def test_the_image_has_the_packages_that_were_tested() -> None:
    tested, shipped = packages(ROOT / "requirements.lock"), packages(DEPLOY / "requirements.lock")
    building = packages(DEPLOY / "build.lock")

    assert {name: lock for name, lock in (shipped | building).items() if tested.get(name, lock) != lock} == {}


def test_the_image_has_what_members_need_and_nothing_for_development() -> None:
    shipped = packages(DEPLOY / "requirements.lock").keys()
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tools = set(map(plain, workspace["dependency-groups"]["dev"]))

    assert needed() - shipped == set()
    assert (tools - needed()) & shipped == set()


def test_every_member_is_loaded_when_the_image_is_built() -> None:
    names = {
        folder.name for folder in ROOT.glob("*/*/src/csms*") if folder.is_dir() and (folder / "__init__.py").exists()
    }
    script = (DEPLOY / "image" / "precompile.py").read_text()

    assert set(re.findall(r'^    "(\w+)",$', script, re.MULTILINE)) == names


def test_every_module_can_be_loaded_without_the_tools_of_development() -> None:
    # Blocked, as they are not there; what imports them would stop the build.
    blocked = (
        "import sys; [sys.modules.__setitem__(name, None) for name in ('pytest', 'hypothesis', 'hatchling', 'zeep')]"
    )
    script = (
        f"{blocked}; import runpy; runpy.run_path({str(DEPLOY / 'image' / 'precompile.py')!r}, run_name='__main__')"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def packages(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by name; none is without."""
    found = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text().strip()):
        name, version = re.match(r"([\w.-]+)==(\S+)", entry).groups()  # type: ignore[union-attr]
        found[name] = version, frozenset(re.findall(r"sha256:[0-9a-f]{64}", entry))
        assert found[name][1], entry
    return found


def needed() -> set[str]:
    """What members ask for, with the extras that the image has."""
    found = []
    for file in ROOT.glob("*/*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        found += [*project["dependencies"], *project.get("optional-dependencies", {}).get("otel", [])]
    return {name for name in map(plain, found) if not name.startswith("csms")}


def plain(requirement: str) -> str:
    """The name alone, as locks write it."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


# --- the health check -------------------------------------------------------------------------------------------------


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def server(*, tls: bool) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Page) as listening:
        context = tls_context(str(PEM), "", "") if tls else None
        if context:
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        # A handshake that fails is not to end it.
        listening.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        serving = threading.Thread(target=listening.serve_forever, args=[0.02])
        serving.start()
        try:
            yield listening.server_port
        finally:
            listening.shutdown()
            serving.join()


def healthy(port: int, *path: str) -> bool:
    command = [sys.executable, "-I", str(DEPLOY / "image" / "health.py"), *path]
    return subprocess.run(command, env={"CSMS_PORT": str(port)}, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("tls", [False, True])
def test_a_process_that_answers_is_healthy_with_tls_and_without(tls: bool) -> None:
    with server(tls=tls) as port:
        found = [healthy(port), healthy(port, "/healthz"), healthy(port, "/readyz")]

    assert found == [True, True, False]


def test_nobody_is_not_healthy(free_port: int) -> None:
    assert not healthy(free_port)

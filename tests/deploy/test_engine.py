"""With a Docker engine: the image is built and run, and `docker compose up` serves a station. Without one: skipped.

The base image is the one that CSMS_TEST_BASE_IMAGE names, else that of deploy/Dockerfile when it can be had, else a
Debian that mmdebstrap makes.
"""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.foreign import identity, raw_station
from tests.support.ports import answers, free_port, wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MEMBERS = ["rabbitmq", "redis", "router", "ws-gateway", "soap-gateway", "webhook-relay", "api", "endpoint", "nginx"]
BROUGHT = ["rabbitmq:4-management", "redis:7-alpine", "nginx:1.28-alpine"]
USUAL_BASE, OWN_BASE = "python:3.12-slim-bookworm", "csms-test-base:bookworm"
READY = b"GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n"
MEGABYTE = 1_000_000

pytestmark = pytest.mark.timeout(1200)


def docker(*arguments: str, seconds: float = 900, **environ: str) -> str:
    """What it prints. Raises AssertionError with what it says when it fails."""
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def engine_answers() -> bool:
    try:
        docker("info", "--format", "{{.ServerVersion}}", seconds=20)
    except (OSError, AssertionError, subprocess.TimeoutExpired):
        return False
    return True


@pytest.fixture(scope="module")
def base() -> str:
    """The name of a base image that this engine has."""
    if not engine_answers():
        pytest.skip("NOT RUN: no Docker engine answers, so deploy/Dockerfile was not built and nothing was composed.")
    if named := os.environ.get("CSMS_TEST_BASE_IMAGE"):
        return named
    if had(USUAL_BASE):
        return USUAL_BASE
    make_base()
    return OWN_BASE


def had(name: str) -> bool:
    """Whether the engine has this image, or gets it."""
    for command in (["image", "inspect", name], ["pull", "--quiet", name]):
        try:
            docker(*command, seconds=300)
        except (AssertionError, subprocess.TimeoutExpired):
            continue
        return True
    return False


def make_base() -> None:
    """Debian with Python, from its packages; no registry of images is asked."""
    if docker("images", "--quiet", OWN_BASE):
        return
    maker = shutil.which("mmdebstrap")
    assert maker, f"There is no {USUAL_BASE}: give CSMS_TEST_BASE_IMAGE, or install mmdebstrap (Debian and Ubuntu)."
    command = [maker, "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as making:
        subprocess.run(["docker", "import", "-", OWN_BASE], stdin=making.stdout, check=True, timeout=600)
    assert making.returncode == 0


@pytest.fixture(scope="module")
def image(base: str) -> str:
    name = "csms:test"
    mirror = [f"--build-arg=PIP_INDEX_URL={url}"] if (url := os.environ.get("PIP_INDEX_URL")) else []
    docker("build", "--file", "deploy/Dockerfile", f"--build-arg=BASE_IMAGE={base}", *mirror, "--tag", name, ".")
    return name


def inspected(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(docker("image", "inspect", name))[0]
    return found


def test_the_image_adds_no_more_than_85_megabytes_to_its_base(image: str, base: str) -> None:
    sizes = [int(str(inspected(name)["Size"])) / MEGABYTE for name in (image, base)]

    assert sizes[0] - sizes[1] <= 85
    assert base != USUAL_BASE or sizes[0] <= 200


def test_it_answers_a_webhooks_stations_on_a_read_only_file_system_and_drains(image: str) -> None:
    port, name = free_port(), f"csms-test-{uuid.uuid4().hex[:8]}"
    hardening = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    endpoint = "WEBHOOK_URL=http://127.0.0.1:9/ocpp"
    docker(
        "run", "--detach", "--name", name, *hardening, "--publish", f"127.0.0.1:{port}:9220", "--env", endpoint, image
    )
    try:
        assert wait_until(lambda: answers(port, READY, b"HTTP/1.1 200"), 60), docker("logs", name)
        assert docker("exec", name, "id", "-u") == "10001"
        docker("exec", name, "python3", "-I", "/opt/csms/health.py")
        docker("stop", "--time", "30", name)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    finally:
        docker("rm", "--force", name)


@pytest.fixture(scope="module")
def composed(image: str, base: str) -> Iterator[tuple[int, list[str], dict[str, str]]]:
    """Port, the arguments of `docker` and the variables of a running project."""
    try:
        docker("compose", "version")
    except AssertionError:
        pytest.skip("NOT RUN: this Docker has no compose, so deploy/compose.yaml was not started.")
    if missing := [one for one in BROUGHT if not had(one)]:
        pytest.skip(f"NOT RUN: no registry has given {', '.join(missing)}, so deploy/compose.yaml was not started.")
    subprocess.run(["sh", str(DEPLOY / "secrets.sh")], check=True, capture_output=True)
    port = free_port()
    environ = {"CSMS_PUBLISH": f"127.0.0.1:{port}", "RABBITMQ_PUBLISH": f"127.0.0.1:{free_port()}", "VERSION": "test"}
    environ["BASE_IMAGE"] = base
    project = ["compose", "--project-name", f"csms-test-{uuid.uuid4().hex[:8]}", "--file", "deploy/compose.yaml"]
    try:
        docker(*project, "up", "--detach", "--no-build", "--wait", *MEMBERS, **environ)
        yield port, project, environ
    finally:
        docker(*project, "down", "--volumes", "--timeout", "30", **environ)


async def test_a_station_boots_through_compose_and_the_api_knows_it(composed: tuple[int, list[str], object]) -> None:
    port, name = composed[0], identity("composed")
    key = (DEPLOY / "secrets" / "api_key").read_text().strip()
    async with raw_station(f"ws://127.0.0.1:{port}/ocpp", name):
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", f"/api/v2/stations/{name}", headers={"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            station = json.loads(response.read())

    assert (response.status, station["identity"], station["online"]) == (200, name, True)


def test_gateways_scale_while_it_runs(composed: tuple[int, list[str], dict[str, str]]) -> None:
    port, project, environ = composed
    docker(*project, "up", "--detach", "--no-build", "--wait", "--scale", "ws-gateway=4", *MEMBERS, **environ)

    running = docker(*project, "ps", "--quiet", "ws-gateway", **environ).split()

    assert len(running) == 4
    assert answers(port, READY, b"HTTP/1.1 200")

"""The shipped scenarios, by the command that everybody has, against both deployments."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from csms_emulator.scenarios.reading import load
from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.ports import wait_until
from tests.support.processes import Csms
from tests.support.system import System

SHIPPED = Path(__file__).parents[2] / "deploy" / "emulator" / "scenarios"
LONGEST = 60.0  # seconds

FAILING = """\
name: A stop that never comes
steps:
  - plug: 1
  - swipe: CARD-1
  - expect: StartTransaction within 5s
  - expect: StopTransaction within 300ms where reason == Remote
"""


@pytest.fixture(scope="module")
def everything(rabbitmq: RabbitMQ, redis_server: Redis) -> Iterator[System]:
    """Every service by itself, each once; not to be stopped."""
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    with closing(system.distributed(*brokers, gateways=1, soaps=1, apis=1)) as running:
        yield running.wait_ready()


@pytest.fixture(params=["all_in_one", "everything"])
def deployment(request: pytest.FixtureRequest) -> System:
    """Both deployments."""
    running: System = request.getfixturevalue(request.param)
    return running


def play(deployment: System, *arguments: str) -> Csms:
    """`csms scenario`, to its end; the stations are nobody else's."""
    at = ("--url", deployment.urls[0], "--url", deployment.soaps[0].soap, "--api", deployment.api)
    played = Csms("scenario", *at, "--prefix", f"{uuid.uuid4().hex[:6]}-", *arguments)
    with closing(played):
        wait_until(lambda: played.returncode is not None, LONGEST)
        print(played)
    return played


def test_every_shipped_scenario_passes(deployment: System, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"

    played = play(deployment, str(SHIPPED), "--jobs", "8", "--junit", str(report))

    cases = ElementTree.parse(report).findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == [one.title for one in load([SHIPPED])]
    assert [case.get("name") for case in cases if case.find("failure") is not None] == []
    assert [case.get("name") for case in cases if case.find("system-out") is None] == []
    assert (played.returncode, f"{len(cases)} of {len(cases)} passed." in played.stdout) == (0, True)


def test_a_scenario_that_fails_says_at_which_step_and_what_came_instead(all_in_one: System, tmp_path: Path) -> None:
    file, report = tmp_path / "failing.yaml", tmp_path / "junit.xml"
    file.write_text(FAILING, encoding="utf-8")

    played = play(all_in_one, str(file), "--junit", str(report))

    step = "step 4 (line 6), expect StopTransaction within 300ms where reason == Remote"
    [failure] = ElementTree.parse(report).iter("failure")
    assert played.returncode == 1
    assert played.stdout.splitlines()[1].endswith(step)
    assert (failure.text or "").startswith(step)
    assert (failure.get("message") or "").startswith("not within 0.3 s; said last: ")


def test_a_module_of_python_fails_at_its_line(all_in_one: System, tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("async def scenario(stage):\n    await stage[1].expect('Authorize', 0.1)\n", encoding="utf-8")

    played = play(all_in_one, str(file))

    told = played.stdout.splitlines()
    assert played.returncode == 1
    assert told[1].endswith("line 2, await stage[1].expect('Authorize', 0.1)")
    assert "not within 0.1 s: Authorize (call) was said. Said last: ← StatusNotification result" in told[3]


def test_what_needs_the_api_is_skipped_without_one(all_in_one: System) -> None:
    played = Csms("scenario", "--url", all_in_one.urls[0], str(SHIPPED / "reservation.yaml"))
    with closing(played):
        wait_until(lambda: played.returncode is not None, LONGEST)

    assert played.returncode == 0
    assert played.stdout.splitlines()[-1] == "0 of 1 passed, 1 skipped."


def test_a_wrong_file_is_told_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("steps:\n  - plugg: 1\n", encoding="utf-8")

    played = Csms("scenario", str(file), "--url", "ws://127.0.0.1:9/ocpp")
    with closing(played):
        wait_until(lambda: played.returncode is not None, LONGEST)

    assert played.returncode == 2
    assert f"{file}:2: step 1: one of plug, unplug" in played.stderr

"""The pytest plugin, in a pytest of its own: tests of somebody else, against a central system that is not ours."""

import asyncio
import os
import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from csms_emulator import pytest_plugin
from csms_ocpp.version import Version
from tests.service.emulator.foreign import ForeignCentral, foreign_central
from tests.service.emulator.soap_central import soap_central

PROJECT = Path(__file__).parents[3] / "services" / "emulator" / "pyproject.toml"
CHARGES = """
import pytest

@pytest.mark.asyncio
async def test_a_card_charges(charging_station):
    async with charging_station("CP-1") as station:
        await station.plug()
        await station.swipe("04A1B2C3")

        start = await station.expect("StartTransaction", within=5)
        await station.unplug()
        await station.expect("StopTransaction", within=5, where=lambda m: m.payload["reason"] == "EVDisconnected")

    assert start.payload["idTag"] == "04A1B2C3"
"""
FAILS = """
import pytest

@pytest.mark.asyncio
async def test_a_card_is_refused(charging_station):
    async with charging_station("CP-1") as one, charging_station("CP-2") as other:
        await one.plug()
        await one.swipe("04A1B2C3")
        await one.expect("StartTransaction", within=5)
        await other.expect("StopTransaction", within=0.2)
"""
WITHOUT_ASYNC_PLUGIN = """
import asyncio

def test_it_boots(charging_station):
    async def booted():
        async with charging_station() as station:
            return station.messages[0].action

    assert asyncio.run(booted()) == "BootNotification"
"""
SOAP = WITHOUT_ASYNC_PLUGIN.replace("charging_station()", 'charging_station(version="1.5")')
NOBODY_THERE = WITHOUT_ASYNC_PLUGIN.replace("charging_station()", 'charging_station("CP-9", within=0.3)')
LAZY = """
import sys

def test_nothing_heavy_is_imported():
    heavy = {"websockets", "aiohttp", "msgspec", "lxml", "cryptography"}
    assert heavy & {name.partition(".")[0] for name in sys.modules} == set()
"""


class Outcome:
    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text

    @property
    def summary(self) -> str:
        """How many passed and failed."""
        return re.sub(r"[= ]+in .*", "", self.text.strip().splitlines()[-1]).strip("= ")


async def run(folder: Path, test: str, *arguments: str, env: dict[str, str] | None = None, ini: str = "") -> Outcome:
    """pytest with this one test module, and no plugins but ours and those named in the arguments."""
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{ini}\n", encoding="utf-8")
    plugins = ("-p", "csms_emulator.pytest_plugin", "-p", "no:cacheprovider")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CSMS", "COV"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pytest", *plugins, *arguments, "test_it.py"),
        cwd=folder,
        env={**inherited, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Outcome(process.returncode or 0, said.decode())


ASYNC = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")


async def test_a_test_plays_a_station_against_its_central_system(tmp_path: Path) -> None:
    async with foreign_central() as central:
        outcome = await run(tmp_path, CHARGES, *ASYNC, "--csms-url", central.url)

        assert (outcome.status, outcome.summary) == (0, "1 passed"), outcome.text
    assert [action for _, action, _ in central.heard if "Transaction" in action] == [
        "StartTransaction",
        "StopTransaction",
    ]


async def test_a_failure_tells_what_each_station_and_the_central_system_said(tmp_path: Path) -> None:
    async with foreign_central() as central:
        outcome = await run(tmp_path, FAILS, *ASYNC, "--csms-url", central.url)

    _, one, other = re.split(r"-+ Charging station (?:CP-.) -+\n", outcome.text)
    assert (outcome.status, outcome.summary) == (1, "1 failed"), outcome.text
    assert "UnmetError: CP-2: not within 0.2 s: StopTransaction (call) was said." in outcome.text
    assert "→ Authorize call {'idTag': '04A1B2C3'}" in one
    assert "→ BootNotification call" in other
    assert "Authorize" not in other


async def test_what_passes_tells_nothing(tmp_path: Path) -> None:
    async with foreign_central() as central:
        outcome = await run(tmp_path, CHARGES, *ASYNC, "-rA", "--csms-url", central.url)

    assert (outcome.summary, "Charging station" in outcome.text) == ("1 passed", False)


@pytest.mark.parametrize("given", ["option", "environment", "ini"])
async def test_it_needs_no_async_plugin_and_is_told_in_three_ways_where_the_central_system_is(
    tmp_path: Path, given: str
) -> None:
    async with foreign_central() as central:
        outcome = await _told(tmp_path, given, central)

        assert (outcome.status, outcome.summary) == (0, "1 passed"), outcome.text
    assert central.paths == ["/ocpp/CP-1"]


async def _told(folder: Path, given: str, central: ForeignCentral) -> Outcome:
    wrong = "ws://127.0.0.1:9/ocpp"
    match given:
        case "option":
            env = {"CSMS_TEST_URL": wrong}
            return await run(folder, WITHOUT_ASYNC_PLUGIN, "--csms-url", central.url, env=env)
        case "environment":
            env = {"CSMS_TEST_URL": central.url}
            return await run(folder, WITHOUT_ASYNC_PLUGIN, env=env, ini=f"csms_url = {wrong}")
        case _:
            return await run(folder, WITHOUT_ASYNC_PLUGIN, ini=f"csms_url = {central.url}")


async def test_a_soap_station_finds_the_same_central_system_over_http(tmp_path: Path) -> None:
    async with soap_central(Version.V1_5) as central:
        url = f"ws://127.0.0.1:{central.port}/anything"
        outcome = await run(tmp_path, SOAP, "--csms-url", url)

        assert (outcome.status, outcome.summary) == (0, "1 passed"), outcome.text


async def test_a_station_that_nobody_accepts_fails_the_test_with_a_sentence(tmp_path: Path) -> None:
    outcome = await run(tmp_path, NOBODY_THERE, "--csms-url", "ws://127.0.0.1:9/ocpp")

    assert (outcome.status, outcome.summary) == (1, "1 failed")
    assert "UnmetError: CP-9: not within 0.3 s: accepted." in outcome.text
    assert "nothing was said" in outcome.text


async def test_a_suite_that_asks_for_no_station_pays_for_none(tmp_path: Path) -> None:
    outcome = await run(tmp_path, LAZY)

    assert (outcome.status, outcome.summary) == (0, "1 passed"), outcome.text


def test_installing_the_emulator_installs_the_plugin() -> None:
    given = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]["pytest11"]

    assert {name: EntryPoint(name, value, "pytest11").load() for name, value in given.items()} == {
        "csms": pytest_plugin
    }

"""The README is true: its lines about controlling stations do what they say, as they are printed.

They name port 9220. `curl` is told by its configuration, the command `csms` by its environment, to go elsewhere.
"""

import argparse
import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csms_emulator.files.reading import load
from tests.support import system
from tests.support.processes import Csms
from tests.support.system import System

Take = Callable[[System], System]
Ask = Callable[[str, System, Path], Any]

ROOT = Path(__file__).parents[2]
PARK = ROOT / "deploy" / "emulator"
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).splitlines()
START, ACTIVE, STOP, TRIGGER = (line for line in LINES if line.startswith("curl ") and "SOAP-1" not in line)
SOAP_EMULATE, SOAP_START = (line for line in LINES if "SOAP-1" in line)
(EMULATE,) = (line for line in LINES if line.startswith("csms emulate") and "DEMO" in line)
STATIONS, SEND, TAIL, DEAD_LETTERS = (
    next(line for line in LINES if line.startswith(f"csms {verb} "))
    for verb in ("stations", "send", "tail", "dead-letters")
)
# Drivers are as quick as a test wants them, and the first one does not come before it has ended.
QUICK = "4"


def through_the_shell(line: str, running: System, home: Path) -> Any:
    """What `curl` prints, run by a shell."""
    port = running.apis[0].port
    (home / ".curlrc").write_text(
        f'silent\nshow-error\nfail-with-body\nconnect-to = "localhost:9220:127.0.0.1:{port}"\n'
    )
    env = os.environ | {"CURL_HOME": str(home), "HOME": str(home), "NO_PROXY": "*", "no_proxy": "*"}
    done = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, timeout=40, check=True)
    return json.loads(done.stdout)


def through_urllib(line: str, running: System, home: Path) -> Any:
    """The same request without `curl`."""
    options = argparse.ArgumentParser()
    options.add_argument("-X", dest="method")
    options.add_argument("-d", dest="data")
    options.add_argument("url")
    asked = options.parse_args(shlex.split(line, comments=True)[1:])
    url = f"http://{asked.url}".replace("http://localhost:9220", running.api)
    request = urllib.request.Request(url, asked.data.encode() if asked.data else None, method=asked.method)
    with urllib.request.urlopen(request, timeout=40) as response:
        return json.load(response)


WAYS: list[Ask] = [*([through_the_shell] if shutil.which("curl") else []), through_urllib]


@pytest.fixture
def running(own: Take) -> System:
    """What `make run` starts."""
    return own(system.all_in_one("--park", str(PARK)))


@pytest.fixture
def command(csms: Callable[..., Csms], running: System) -> Callable[[str], Csms]:
    """Start a line of the README that begins with `csms`."""
    env = {
        "CSMS_API_URL": running.api,
        "CSMS_EMULATOR_URL": running.urls[0],
        "CSMS_EMULATOR_PACE": QUICK,
        "CSMS_LOG_FORMAT": "json",
    }
    return lambda line: csms(*shlex.split(line, comments=True)[1:], env=env)


@pytest.fixture
async def demo(command: Callable[[str], Csms]) -> Csms:
    """The station that has nothing to do yet."""
    process = command(EMULATE)
    await process.logged("accepted", station="DEMO")
    return process


async def becomes(true: Callable[[Any], bool], ask: Callable[[], Any], within: float = 20) -> Any:
    """The first answer for which it is true."""
    async with asyncio.timeout(within):
        while not true(answer := await asyncio.to_thread(ask)):
            await asyncio.sleep(0.1)
    return answer


@pytest.mark.parametrize("way", WAYS)
async def test_a_charge_is_started_seen_and_stopped(running: System, demo: Csms, way: Ask, tmp_path: Path) -> None:
    def ask(line: str) -> Any:
        return way(line, running, tmp_path)

    started = await asyncio.to_thread(ask, START)
    active = await becomes(lambda page: page["transactions"], lambda: ask(ACTIVE))
    stopped = await asyncio.to_thread(ask, STOP)
    await becomes(lambda page: not page["transactions"], lambda: ask(ACTIVE))
    everything = await asyncio.to_thread(ask, ACTIVE.replace("&active=true", ""))
    triggered = await asyncio.to_thread(ask, TRIGGER)

    assert (started["action"], started["payload"]) == ("RemoteStartTransaction", {"status": "Accepted"})
    assert (stopped["action"], stopped["payload"]) == ("RemoteStopTransaction", {"status": "Accepted"})
    (charge,) = active["transactions"]
    assert (charge["identity"], charge["connectorId"], charge["idTag"]) == ("DEMO", 1, "04E91C5A")
    (ended,) = everything["transactions"]
    assert (ended["id"], ended["active"], ended["reason"]) == (charge["id"], False, "Remote")
    assert triggered == {"status": "Accepted"}


async def test_a_station_that_speaks_soap_charges_as_the_readme_says(
    running: System, csms: Callable[..., Csms], tmp_path: Path
) -> None:
    env = {"CSMS_EMULATOR_URL": running.soaps[0].soap, "CSMS_EMULATOR_PACE": QUICK, "CSMS_LOG_FORMAT": "json"}
    station = csms(*shlex.split(SOAP_EMULATE)[1:], env=env)
    await station.logged("accepted", station="SOAP-1")

    started = await asyncio.to_thread(through_urllib, SOAP_START, running, tmp_path)
    active = ACTIVE.replace("DEMO", "SOAP-1")
    page = await becomes(lambda page: page["transactions"], lambda: through_urllib(active, running, tmp_path))

    assert started == {"status": "Accepted"}
    (charge,) = page["transactions"]
    assert (charge["version"], charge["connectorId"], charge["idTag"]) == ("ocpp1.5", 1, "04E91C5A")


async def test_the_same_from_the_command_line(command: Callable[[str], Csms], demo: Csms) -> None:
    tail = command(TAIL)
    listed = command(STATIONS)
    assert await listed.exited() == 0, listed
    async with asyncio.timeout(20):
        while not tail.stdout:  # until it follows
            sent = command(SEND)
            assert await sent.exited() == 0, sent
    dead = command(DEAD_LETTERS)

    assert await dead.exited() == 0, dead
    assert dead.stdout == ""
    stations = {station["identity"] for station in map(json.loads, listed.stdout.splitlines())}
    assert "DEMO" in stations
    parked = {identity for fleet in load([PARK]) for identity in fleet.settings.identities()}
    assert stations <= {"DEMO", *parked}
    outcome = json.loads(sent.stdout)
    assert (outcome["identity"], outcome["action"], outcome["outcome"]) == ("DEMO", "ChangeConfiguration", "result")
    assert outcome["payload"] == {"status": "Accepted"}
    event = json.loads(tail.stdout.splitlines()[0])
    assert (event["identity"], event["version"]) == ("DEMO", "ocpp1.6")


async def test_without_credentials_it_does_not_start_where_others_can_reach_it(
    csms: Callable[..., Csms], free_port: int
) -> None:
    refused = csms("up", "--host", "0.0.0.0", "--port", str(free_port))

    assert await refused.exited() == 2
    assert refused.stderr.splitlines()[-1] == (
        "csms: The API would be open to everybody who reaches 0.0.0.0: give [api] users, keys or jwt, or allow it with "
        "--insecure."
    )


def test_every_way_to_the_api_in_the_readme_is_tried_here() -> None:
    tried = {START, ACTIVE, STOP, TRIGGER, EMULATE, STATIONS, SEND, TAIL, DEAD_LETTERS}
    (section,) = re.findall(r"## Control stations\n(.*?)\n## ", README, re.DOTALL)

    assert set("".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)).splitlines()) == tried

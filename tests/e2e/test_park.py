"""`make run`: the central system and the shipped park of every kind of station, which all find it."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csms_emulator.files.reading import load
from csms_ocpp.version import Version
from tests.support import system
from tests.support.ports import wait_until
from tests.support.processes import Csms
from tests.support.system import System

ROOT = Path(__file__).parents[2]
PARK = ROOT / "deploy" / "emulator"
KINDS = {
    (identity, fleet.settings.transport, fleet.settings.dialect)
    for fleet in load([PARK])
    for identity in fleet.settings.identities()
}


def kinds(running: System) -> set[tuple[str, str, Version]]:
    """Who is online and accepted: identity, transport and version."""
    stations: list[dict[str, Any]] = running.rest("GET", "/api/v2/stations?limit=100")[1]["stations"]
    there = [one for one in stations if one["online"] and one["registration"] == "Accepted"]
    return {(one["identity"], one["transport"], Version(one["version"])) for one in there}


async def test_every_station_of_the_shipped_park_is_accepted_by_the_central_system_beside_it(
    own: Callable[[System], System],
) -> None:
    running = own(system.all_in_one("--park", str(PARK)))
    process = running.gateways[0].process

    accepted = wait_until(lambda: kinds(running) == KINDS, 20)
    charging = wait_until(lambda: bool(running.rest("GET", "/api/v2/transactions")[1]["transactions"]), 30)
    started = time.monotonic()
    process.interrupt()
    code = await process.exited(12)

    assert accepted, kinds(running) if code is None else process
    assert charging, process
    assert (code, time.monotonic() - started < 12) == (0, True), process
    assert [entry["event"] for entry in process.logs if entry["level"] in ("warning", "error", "critical")] == []


async def test_the_configuration_may_name_the_park_too(own: Callable[[System], System], tmp_path: Path) -> None:
    (tmp_path / "csms.toml").write_text(f'[park]\npaths = ["{PARK / "v2"}"]\n', encoding="utf-8")
    running = own(system.all_in_one("--config", str(tmp_path / "csms.toml")))

    assert wait_until(lambda: {version for _, _, version in kinds(running)} == {Version.V2_0_1, Version.V2_1}, 20)


async def test_a_park_that_cannot_be_used_keeps_the_central_system_from_starting(
    csms: Callable[..., Csms], free_port: int, tmp_path: Path
) -> None:
    process = csms("up", "--port", str(free_port), "--park", str(tmp_path))

    assert await process.exited() == 2
    assert process.stderr == (
        f"csms: {tmp_path}: neither a station.toml nor a configuration.json is in this folder or in its folders.\n"
    )


def test_make_run_starts_the_park_and_says_how_many_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert "$(BIN)/csms up --park deploy/emulator $(ARGS)" in makefile
    assert re.search(r"(\w+) emulated charging stations", makefile).group(1) == "eleven"  # type: ignore[union-attr]
    assert len(KINDS) == 11

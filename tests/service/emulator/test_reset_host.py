"""A Reset restarts the emulated station and nothing else: neither the process that it lives in nor the machine."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import csms_emulator
from csms_emulator.testing import Station
from tests.service.emulator import foreign, foreign_v2

CP = "CP-1"
FAST = 600.0
HOME = Path(csms_emulator.__file__).parent
# Whoever has none of these can neither start nor end a program, and reach no machine but by its network.
MODULES = {"_posixsubprocess", "ctypes", "multiprocessing", "os", "posix", "pty", "signal", "subprocess", "sys"}
CALLS = {
    "__import__",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "eval",
    "exec",
    "exit",
    "import_module",
    "kill",
    "quit",
    "raise_signal",
    "subprocess_exec",
    "subprocess_shell",
    "system",
}
# No station lives here: the load generator has workers of its own, and the rest reads arguments and environment.
HARMLESS = {
    "load/drive.py": {"kill", "multiprocessing"},
    "load/sample.py": {"os", "sys"},
    "load/worker.py": {"multiprocessing", "signal"},
    "pytest_plugin.py": {"os"},
    "scenarios/command.py": {"sys"},
}
RESETS = [
    ("1.6", "Hard", "Accepted"),
    ("1.6", "Soft", "Accepted"),
    ("2.0.1", "Immediate", "Accepted"),
    ("2.0.1", "OnIdle", "Accepted"),
    ("2.1", "Immediate", "Accepted"),
    ("2.1", "ImmediateAndResume", "Accepted"),
]


def reached(source: Path) -> Iterator[str]:
    """The modules that this one imports, without their submodules, and the last names of what it calls."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom():
                yield (node.module or "").partition(".")[0]
            case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                yield name


def host() -> tuple[int, float, float]:
    """This process, since when it lives, and since when the machine does."""
    return os.getpid(), psutil.Process().create_time(), psutil.boot_time()


def test_no_station_can_start_or_end_a_program() -> None:
    found = {
        str(source.relative_to(HOME)): forbidden
        for source in HOME.rglob("*.py")
        if (forbidden := {*reached(source)} & (MODULES | CALLS))
    }

    assert found == HARMLESS


@pytest.mark.parametrize(("version", "kind", "status"), RESETS)
async def test_after_a_reset_the_process_is_the_same_and_the_station_boots_again(
    version: str, kind: str, status: str
) -> None:
    before, children = host(), {child.pid for child in psutil.Process().children()}
    made = foreign.foreign_central() if version == "1.6" else foreign_v2.foreign_central(version)

    async with made as central, Station(CP, url=central.url, version=version, pace=FAST) as station:
        # The package drops an answer that comes when it has something to say to a station that has left.
        await station.until(lambda view: not view.waiting)
        answer = await central.ask(CP, "Reset", {"type": kind})
        await central.hears("BootNotification", times=2)
        await station.booted()

    assert answer["status"] == status
    assert host() == before
    assert {child.pid for child in psutil.Process().children()} <= children

"""`csms load`: many stations at once against a central system, and a report of how it took them."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from csms_emulator.load.drive import Load, drive
from csms_emulator.load.page import page
from csms_emulator.load.progress import Progress
from csms_emulator.load.report import document
from csms_emulator.load.scripts import NAMES
from csms_emulator.load.settings import Settings

_SETTINGS = (
    "url", "stations", "ramp", "profile", "duration", "processes", "password", "identity", "rate", "timeout",
    "allow_errors", "ca",
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run the load; answers 0, or 1 when more went wrong than was allowed. Raises ValueError with a sentence."""
    settings = Settings(**{key: getattr(options, key) for key in _SETTINGS})
    files = {file: kind for file, kind in ((options.json, _json), (options.html, page)) if file}
    for file in files:
        file.touch()  # a report that cannot be written is told before the load, not after it
    progress = Progress(settings.stations, sys.stderr)
    with _interrupts() as stopped:
        load = drive(settings, tell=progress.show, stopped=stopped)
    progress.end()
    report = document(load)
    for file, text in files.items():
        file.write_text(text(report), encoding="utf-8")
    print(_verdict(load))
    return 0 if load.well else 1


def add_parser(commands: Any, formatter: Any) -> None:
    """Add `load` to `csms`' own commands."""
    made: argparse.ArgumentParser = commands.add_parser(
        "load", help="many stations at once, to see what a central system can take", formatter_class=formatter
    )
    add = made.add_argument
    default = Settings(url="ws://localhost:9220/ocpp")
    add("--url", default=default.url, help=f"the central system, without the identity ({default.url})")
    add("--stations", type=int, default=default.stations, metavar="N", help=f"how many ({default.stations})")
    add("--ramp", type=_rate, default=default.ramp, metavar="N/s", help="how many connect a second (500/s)")
    add("--profile", choices=NAMES, default=default.profile, help=f"what they say ({default.profile})")
    add("--rate", type=_rate, default=0.0, metavar="N/s", help="calls of all by the clock (each again when answered)")
    add("--duration", type=float, default=default.duration, metavar="SECONDS", help="after the ramp (60)")
    add("--processes", type=int, default=1, metavar="N", help="load processes (1)")
    add("--identity", default=default.identity, metavar="PATTERN", help="their identities (LOAD-{n:06})")
    add("--password", default="", help="HTTP Basic password of all of them (none)")
    add("--ca", default="", metavar="FILE", help="certificates that wss:// trusts (those of the system)")
    add("--timeout", type=float, default=default.timeout, metavar="SECONDS", help="for a handshake, or an answer (30)")
    add("--allow-errors", type=float, default=0.0, metavar="SHARE", help="of calls and of stations, 0 to 1 (0)")
    add("--json", type=Path, metavar="FILE", help="write the report as JSON")
    add("--html", type=Path, metavar="FILE", help="write the report as one HTML page")


def _rate(text: str) -> float:
    try:
        return float(text.removesuffix("/s"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number a second, such as 500/s") from None


def _json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _verdict(load: Load) -> str:
    total = load.timeline.total
    told = (
        f"{total.answered:,} calls answered, {total.failed:,} failed; {total.connected:,} of {total.dialled:,} "
        f"stations connected at the end, {total.lost:,} connections lost, {total.reconnected:,} made again."
    )
    return f"{told} {load.problem}".rstrip()


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has come; a second one is as always."""
    told: list[int] = []

    def stop(number: int, frame: object) -> None:
        told.append(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["add_parser", "run"]

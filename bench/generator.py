"""`csms load` as what is measured: one process of it against a server that does nothing."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from csms_emulator.load.drive import Load, drive
from csms_emulator.load.progress import Progress
from csms_emulator.load.sample import Sample
from csms_emulator.load.settings import Settings

STATIONS = 10_000
RAMP = 4000.0  # stations a second
IDLE = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Generated:
    """`stations` is how many were connected at the same time; `bytes_per_station` the RSS of each while it was idle."""

    stations: int
    calls_per_second: float
    micros_per_call: float
    bytes_per_station: float
    failed: int


def generate(url: str, window: float) -> Generated:
    """Weigh idle stations, then let as many call for `window` seconds."""
    idle = _run(Settings(url, STATIONS, RAMP, "idle", IDLE)).timeline.total
    load = _run(Settings(url, STATIONS, RAMP, "metervalues", window))
    total, calling = load.timeline.total, full_seconds(load.timeline.rows)
    answered, seconds = sum(row.answered for row in calling), sum(row.seconds for row in calling)
    return Generated(
        min(idle.connected, total.connected),
        answered / seconds if seconds else 0.0,
        sum(row.cpu for row in calling) / answered * 1e6 if answered else 0.0,
        (idle.rss - idle.base) / idle.connected if idle.connected else 0.0,
        total.failed,
    )


def full_seconds(rows: Sequence[Sample]) -> list[Sample]:
    """Those from whose beginning to whose end stations called; all that have calls when there are not three."""
    calling = [row for row in rows if row.answered]
    return calling[1:-1] or calling


def _run(settings: Settings) -> Load:
    progress = Progress(settings.stations, sys.stderr)
    load = drive(settings, tell=progress.show, stopped=lambda: False)
    progress.end()
    return load

"""Clock-aligned meter values: at the same instants on all stations, whatever happens on them (OCPP 1.6 §9.1)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csms_emulator.desk import Desk
    from csms_emulator.station import Station

CLOCK = "clock"
DAY = 86_400.0


def sample_aligned(station: Station, now: float) -> None:
    """The instant has come: measure at every connector, and wait for the next."""
    for connector in station.connectors.values():
        connector.sample_aligned(now)
    await_clock(station, now)


def await_clock(station: Station, now: float) -> None:
    """Enter the next instant into the agenda, if there is one."""
    interval = station.board.configuration.number("ClockAlignedDataInterval")
    at = next_instant(station.board, interval, now)
    station.board.agenda.cancel(CLOCK)
    if at < inf and not station.leaving:
        station.board.agenda.set(at, CLOCK)


def next_instant(desk: Desk, interval: int, now: float) -> float:
    """When to measure next; infinite for never. OCPP 1.6 §9.1, 2.0.1 J01: the intervals are counted from 00:00:00.

    In UTC, and in real seconds: the central system looks at its own clock.
    """
    if not interval:
        return inf
    midnight = (desk.epoch + now) // DAY * DAY - desk.epoch
    at = midnight + ((now - midnight) // interval + 1) * interval
    return min(at, midnight + DAY) if at > now else at + interval

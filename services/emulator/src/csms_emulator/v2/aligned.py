"""Clock-aligned meter values of 2.x: those that are told at once, and those that the end of a transaction tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csms_emulator.clock import CLOCK, next_instant

if TYPE_CHECKING:
    from csms_emulator.v2.station import Station

CLOCK_FOR_THE_END = "clock for the end"
OCCASIONS = {CLOCK: "Interval", CLOCK_FOR_THE_END: "TxEndedInterval"}

Armed = dict[str, tuple[int, float]]  # by occasion: of which interval, and by which clock, its next instant is


def await_clock(station: Station, armed: Armed, now: float) -> None:
    """Enter the next instants into the agenda, where an interval or the clock has changed; after every input."""
    board = station.board
    for occasion, variable in OCCASIONS.items():
        interval = board.number("AlignedDataCtrlr", variable) if board.flag("AlignedDataCtrlr", "Enabled") else 0
        awaited = (occasion, 0) in board.agenda
        if armed.get(occasion) == (interval, board.epoch) and awaited == bool(interval):
            continue
        board.agenda.cancel(occasion)
        armed[occasion] = (interval, board.epoch)
        if interval and not station.leaving:
            board.agenda.set(next_instant(board, interval, now), occasion)


def sample(station: Station, occasion: str, now: float) -> None:
    """The instant has come."""
    for evse in station.evses.values():
        if occasion == CLOCK:
            evse.sample_aligned(now)
        else:
            evse.sample_aligned_for_the_end(now)

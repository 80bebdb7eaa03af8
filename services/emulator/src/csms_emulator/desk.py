"""What stations of every version share with their parts: clock, chance, log, and the current input's actions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from csms_emulator.actions import Action, Log
from csms_emulator.agenda import Agenda
from csms_emulator.outbox import Outbox

if TYPE_CHECKING:
    from csms_emulator.upkeep import Upkeep

TOLERATED = 1.0  # seconds that a clock may be off
NEVER = 4_102_444_800.0  # seconds since 1970: the year 2100


class Desk:
    """The base of each version's board, which holds what is named here.

    `epoch` is the time since 1970, in seconds, at which the caller's clock stood at 0; `pace` emulated seconds in a
    real one. `online`: connected and Accepted, so that a question to the central system can be answered now.
    """

    random: Random
    pace: float
    epoch: float
    agenda: Agenda
    outbox: Outbox
    upkeep: Upkeep
    actions: list[Action]
    online: bool

    def log(self, event: str, level: str = "info", **fields: Any) -> None:
        """Tell the reader of the log."""
        self.actions.append(Log(event, fields, level))

    def instant(self, text: str) -> float:
        """The wire's time on the caller's clock: UTC without a zone. What is no time (a leap second) is long past."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return -self.epoch
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - self.epoch

    def timestamp(self, now: float) -> str:
        """The time in the form of the wire: ISO 8601, UTC, milliseconds."""
        moment = datetime.fromtimestamp(self.epoch + now, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def set_clock(self, text: str, now: float) -> None:
        """The central system says what time it is; a clock that is right to a second stays as it is."""
        off = self.instant(text) - now
        if abs(off) > TOLERATED and self.can_show(off, now):
            self.epoch += off
            self.log("clock set", seconds=round(off, 1))

    def can_show(self, off: float, now: float) -> bool:
        """Whether the clock, so many seconds off, shows a time that everybody understands."""
        return self.epoch + off > 0 and self.epoch + off + now < NEVER

    def later(self, now: float, least: float, most: float) -> float:
        """A random instant between `least` and `most` emulated seconds from now."""
        return now + self.random.uniform(least, most) / self.pace

    @contextmanager
    def collect(self) -> Iterator[list[Action]]:
        """The actions of one input, gathered while the block runs."""
        actions: list[Action] = []
        self.actions = actions
        yield actions
        self.actions = []

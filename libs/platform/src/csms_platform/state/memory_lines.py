"""Which commands have not ended, in memory: who waits or is queued for whom, what is sent, when each is overdue.

Derived from the records, one by one, so nothing here outlives what it was derived from.
"""

import heapq
import random
from bisect import insort
from collections import defaultdict

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Command


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record. `turn` counts the commands that were taken in. `until` is when an ended one is forgotten."""

    command: Command
    turn: int
    postponed: bool = False
    until: float = 0.0


Turn = tuple[bool, int, str]
_IN_LINE = ("waiting", "queued")


class Lines:
    """One line for each station and status, in order: postponed commands first, then as they were taken in."""

    def __init__(self) -> None:
        self._lines: defaultdict[StationId, dict[str, list[Turn]]] = defaultdict(dict)
        self._expectant: dict[StationId, None] = {}
        self._due: dict[tuple[StationId, str], int] = {}

    def add(self, kept: Kept) -> None:
        """Take up a command that has not ended."""
        command = kept.command
        self._due[command.identity, command.id] = _due(command)
        insort(self._lines[command.identity].setdefault(command.status, []), _turn(kept))
        if command.status in _IN_LINE:
            self._expectant[command.identity] = None

    def remove(self, kept: Kept) -> None:
        """Leave out a command that was added as it is."""
        command = kept.command
        del self._due[command.identity, command.id]
        lines = self._lines[command.identity]
        lines[command.status].remove(_turn(kept))
        if not lines[command.status]:
            del lines[command.status]
        if not any(status in lines for status in _IN_LINE):
            self._expectant.pop(command.identity, None)
        if not lines:
            del self._lines[command.identity]

    def ids(self, identity: StationId, *statuses: str) -> list[str]:
        """The commands of this station with one of these statuses, in order."""
        lines = self._lines.get(identity, {})
        return [turn[2] for turn in sorted(turn for status in statuses for turn in lines.get(status, ()))]

    def expectant(self, limit: int) -> list[StationId]:
        """Up to `limit` stations for which something waits or is queued."""
        # Not always the first ones: past the limit others would never have their turn.
        return random.sample(list(self._expectant), min(limit, len(self._expectant)))

    def overdue(self, now: int, limit: int) -> list[tuple[StationId, str]]:
        """Up to `limit` commands that are overdue at `now`, the latest last."""
        first = heapq.nsmallest(limit, ((due, place) for place, due in self._due.items() if due <= now))
        return [place for _, place in first]


def _due(command: Command) -> int:
    dues = {"waiting": command.offline_until, "queued": command.deadline}
    return dues.get(command.status, command.overdue)


def _turn(kept: Kept) -> Turn:
    return not kept.postponed, kept.turn, kept.command.id

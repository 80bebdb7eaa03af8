"""Reset of 2.x: of the station or of one EVSE, at once or when no transaction is left. Never of the host."""

from collections.abc import Callable, Mapping

from csms_emulator.life import RESTART
from csms_emulator.v2.board import Board
from csms_emulator.v2.evse import Evse
from csms_emulator.v2.place import RESET

STATION = 0  # where a number names an EVSE: all of them


class Resets:
    """`leave(reason, now)` restarts the station; so does `resume`, and transactions go on. `reason`: for its boot."""

    def __init__(
        self,
        board: Board,
        evses: Mapping[int, Evse],
        leave: Callable[[str, float], None],
        resume: Callable[[str, float], None],
    ) -> None:
        self._board = board
        self._evses = evses
        self._leave = leave
        self._resume = resume
        self._awaited: set[int] = set()  # EVSEs, or STATION

    def ask(self, number: int, kind: str, now: float) -> str:
        """Restart an EVSE, or all (STATION), as this type of Reset wants it; answers its status."""
        if number and STATION in self._awaited:
            return "Rejected"
        if kind == "ImmediateAndResume":
            self._resume("RemoteReset", now)
            return "Accepted"
        if kind == "Immediate" or self._idle(number):
            self._begin(number, "RemoteReset", now)
            return "Accepted"
        # OCPP 2.0.1 B12: what has no transaction takes none any more.
        self._awaited.add(number)
        for evse in self._meant(number):
            evse.close(RESET, now)
        return "Scheduled"

    def begin_what_is_idle(self, now: float) -> None:
        """Begin the resets whose last transaction has ended."""
        for number in sorted(self._awaited):
            if number in self._awaited and self._idle(number):
                self._begin(number, "ScheduledReset", now)

    def forget(self) -> None:
        """None is awaited any more: the station leaves anyway."""
        self._awaited.clear()

    def _begin(self, number: int, reason: str, now: float) -> None:
        self._board.log("reset", evse=number, reason=reason)
        self._awaited.discard(number)
        if number == STATION:
            self._leave(reason, now)
        else:
            self._evses[number].restart(RESTART / self._board.pace, now)

    def _meant(self, number: int) -> list[Evse]:
        return [*self._evses.values()] if number == STATION else [self._evses[number]]

    def _idle(self, number: int) -> bool:
        return not any(evse.transaction for evse in self._meant(number))

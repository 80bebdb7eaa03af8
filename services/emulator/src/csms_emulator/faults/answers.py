"""What becomes of the station's answers while something is wrong with them. Pure; the same for WebSocket and SOAP."""

import msgspec

from csms_emulator.faults.troubles import AnswerTrouble, GarbledAnswers, NoAnswers, SlowAnswers, TwiceAnswered, WrongIds


class Fate(msgspec.Struct, frozen=True):
    """`delays`: in how many seconds the answer goes out, once for each; none: it never does."""

    delays: tuple[float, ...] = (0.0,)
    wrong_id: bool = False
    garbled: bool = False


class Answers:
    """The troubles that answers have now."""

    def __init__(self) -> None:
        self._had: dict[type[AnswerTrouble], AnswerTrouble] = {}
        self._to_lose: int | None = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._had)

    def begin(self, trouble: AnswerTrouble) -> None:
        """It begins, or begins anew."""
        self._had[type(trouble)] = trouble
        if isinstance(trouble, NoAnswers):
            self._to_lose = trouble.count

    def end(self) -> None:
        """All of them end."""
        self._had.clear()

    def fate(self, action: str) -> Fate:
        """Of the answer to a CALL of this action, about to go out."""
        delay = 0.0
        again: float | None = None
        wrong_id = garbled = False
        for trouble in [one for one in self._had.values() if one.action in ("", action)]:
            match trouble:
                case NoAnswers():
                    if self._loses_one():
                        return Fate(delays=())
                case SlowAnswers():
                    delay = trouble.seconds
                case TwiceAnswered():
                    again = trouble.after
                case WrongIds():
                    wrong_id = True
                case GarbledAnswers():
                    garbled = True
        return Fate((delay,) if again is None else (delay, delay + again), wrong_id, garbled)

    def _loses_one(self) -> bool:
        if self._to_lose is None:
            return True
        self._to_lose -= 1
        return self._to_lose >= 0

"""What can go wrong at a link: values, as REST and scenarios write them. `Link.trouble` begins it, `Link.heal` ends it.

Each kind is there once: beginning it again replaces it. Different kinds add up.
"""

from typing import Any

import msgspec

from csms_emulator.faults.wrong import MALFORMED


class _Trouble(msgspec.Struct, frozen=True, tag_field="trouble", tag=str.lower):
    pass


# --- the connection ---------------------------------------------------------------------------------------------------


class HalfOpen(_Trouble, frozen=True):
    """Nothing is read, nothing is written, no ping is answered; TCP stays. Ends with the connection, too.

    What the station says meanwhile goes out when it ends.
    """


class SlowReader(_Trouble, frozen=True):
    """`pause` seconds before each message is read. Past sixteen that wait, the socket is not read either."""

    pause: float = 1.0

    def __post_init__(self) -> None:
        _at_least(0, self.pause, "pause")


class SuddenDeath(_Trouble, frozen=True):
    """In `after` seconds TCP is gone without a close; the station connects again as ever, or (`returns`) never does."""

    after: float = 0.0
    returns: bool = True

    def __post_init__(self) -> None:
        _at_least(0, self.after, "after")


class Storm(_Trouble, frozen=True):
    """`times` times, every `every` seconds, the network is gone for `gap` seconds; then the station is back at once.

    Given to every station of a fleet, it is a reconnect storm: nobody backs off.
    """

    times: int = 1
    every: float = 1.0
    gap: float = 0.1

    def __post_init__(self) -> None:
        _at_least(1, self.times, "times")
        _at_least(0, self.gap, "gap")
        _at_least(self.gap, self.every, "every")


# --- answers to the central system ------------------------------------------------------------------------------------


class _Answers(_Trouble, frozen=True):
    action: str = ""  # answers to this action only; "": to all. Of CALLs that come after the trouble began


class SlowAnswers(_Answers, frozen=True):
    """Answers go out `seconds` late; what is said in between does not wait for them."""

    seconds: float = 5.0

    def __post_init__(self) -> None:
        _at_least(0, self.seconds, "seconds")


class NoAnswers(_Answers, frozen=True):
    """Answers do not go out: the next `count` of them, or all. Over SOAP, the connection is cut instead."""

    count: int | None = None


class TwiceAnswered(_Answers, frozen=True):
    """Answers go out once more, `after` seconds later."""

    after: float = 0.0

    def __post_init__(self) -> None:
        _at_least(0, self.after, "after")


class WrongIds(_Answers, frozen=True):
    """Answers carry an id that nobody has given."""


class GarbledAnswers(_Answers, frozen=True):
    """Answers stop in the middle."""


# --- what the station says by itself ----------------------------------------------------------------------------------


class RestartingIds(_Trouble, frozen=True):
    """The ids of the station's CALLs count from 1 on each connection, as after a reboot."""


class Malformed(_Trouble, frozen=True):
    """Once: a message that is wrong in one of the ways of `wrong.MALFORMED`."""

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in MALFORMED:
            raise ValueError(f"{self.kind!r} is no kind of malformed message.")


class Raw(_Trouble, frozen=True):
    """Once: this text message; or, where there is `binary` (base64 in JSON), this binary one."""

    text: str = ""
    binary: bytes = b""


class TwoCalls(_Trouble, frozen=True):
    """Once: two CALLs, the second before the first is answered; with `same_id` it is the first one again."""

    action: str = "Heartbeat"
    payload: dict[str, Any] = {}
    same_id: bool = False


Outage = SuddenDeath | Storm
Sentence = Malformed | Raw | TwoCalls
AnswerTrouble = SlowAnswers | NoAnswers | TwiceAnswered | WrongIds | GarbledAnswers
Trouble = HalfOpen | SlowReader | Outage | AnswerTrouble | RestartingIds | Sentence


def _at_least(least: float, value: float, name: str) -> None:
    if not least <= value < float("inf"):
        raise ValueError(f"{name} is {value:g}, which is less than {least:g} or has no end.")

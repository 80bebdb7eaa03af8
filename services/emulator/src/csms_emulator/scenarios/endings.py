"""What an error says of a scenario: whether the central system has failed, where, and why, in a sentence."""

import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from csms_emulator.expectations import UnmetError
from csms_emulator.messages import Message
from csms_emulator.player import CallError
from csms_emulator.scenarios.operator import CommandError
from csms_emulator.scenarios.results import Verdict
from csms_emulator.scenarios.stage import UnplayableError
from csms_emulator.scenarios.steps import StepError

Said = Sequence[tuple[str, Message]]


class Ending(msgspec.Struct, frozen=True):
    """The part of a `Result` that an error decides."""

    verdict: Verdict
    step: str = ""
    reason: str = ""
    trace: str = ""


def ending(error: Exception, file: Path, said: Said) -> Ending:
    """What the central system did not do is a failure; anything that is not about it is an error of the scenario's."""
    first = str(error).partition("\n")[0]
    match error:
        case StepError():
            return Ending("failed", error.step, str(error))
        case UnplayableError():
            return Ending("skipped", reason=str(error))
        case UnmetError():
            return Ending("failed", _line(error, file) or "boot", f"{first} Said last: {_last(said)}")
        case AssertionError() | CallError() | CommandError() | OSError():
            return Ending("failed", _line(error, file), first or "an assertion does not hold")
    return Ending("error", _line(error, file), repr(error), "".join(traceback.format_exception(error)))


def _last(said: Said) -> str:
    return str(said[-1][1]) if said else "nothing"


def _line(error: Exception, file: Path) -> str:
    """Where in the scenario's own file it happened, if it is a module of Python."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename) == file]
    return f"line {frames[-1].lineno}, {frames[-1].line}" if frames else ""

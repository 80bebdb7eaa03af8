"""A file's steps, read: every verb, action, path and variable in them is one, or the error says where it is not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from csms_emulator.scenarios.given import Given
from csms_emulator.scenarios.scenario import Document, versions_of
from csms_emulator.scenarios.steps import Act, Repeat, Script, Stations, Step
from csms_emulator.scenarios.verbs import VERBS
from csms_emulator.scenarios.yaml_file import Place
from csms_ocpp.version import Version

_REPEAT = "repeat"
_LONGEST = 100  # characters of a step that are told


class _Times(msgspec.Struct, forbid_unknown_fields=True):
    times: Annotated[int, msgspec.Meta(ge=1)]
    steps: list[Any]


class Reader:
    """Of one file and one of its versions; `speakers` are the stations' versions, in their order."""

    def __init__(
        self, file: Path, document: Document, lines: dict[Place, int], version: str, speakers: Sequence[Version]
    ) -> None:
        self._file = file
        self._lines = lines
        self._version = version
        self._all = versions_of(document)
        self._speakers = speakers
        self._variables = {"station", "stations", "version", "now", *document.variables}
        self.commands = False

    def script(self, steps: list[Any]) -> Script:
        """All of it. Raises `ValueError`: a sentence with file, line and step."""
        return Script(self._steps(steps, ("steps",), ""))

    def _steps(self, steps: list[Any], place: Place, within: str) -> tuple[Step, ...]:
        found = (self._located(step, (*place, n), f"{within}{n + 1}") for n, step in enumerate(steps))
        return tuple(step for step in found if step)

    def _located(self, step: Any, place: Place, number: str) -> Step | None:
        line = self._lines.get(place, 1)
        verb = ""
        try:
            verb = _verb(step)
            return self._step(step, verb, place, number, line)
        except _LocatedError:
            raise
        except ValueError as error:
            reason = str(error).partition(" - at `")[0].rstrip(".")
            raise _LocatedError(f"{self._file}:{line}: step {number}{f', {verb}' if verb else ''}: {reason}.") from None

    def _step(self, step: dict[str, Any], verb: str, place: Place, number: str, line: int) -> Step | None:
        more = {key: value for key, value in step.items() if key != verb}
        only, stations = self._only(more.pop("only", None)), self._stations(more.pop("station", 1))
        if only and not _spoken(self._version, only):
            return None
        if stations == "all" and "save" in more:
            raise ValueError("what all stations say cannot be saved: name one")
        if verb == "arrivals" and "station" in step:
            raise ValueError("they come to all stations: leave station out")
        label = f"step {number} (line {line}), {_told(verb, step[verb])}"
        repeats = verb == _REPEAT
        act: Act = self._repeat(step[verb], place, number) if repeats else self._act(verb, step[verb], more, stations)
        if more:
            raise ValueError(f"{min(more)} does not go with {verb}")
        return Step(label=label, act=act, stations=stations)

    def _act(self, verb: str, value: Any, more: dict[str, Any], stations: Stations) -> Act:
        """What the verb does; takes those keys out of `more` that go with it."""
        self.commands = self.commands or verb == "command"
        return VERBS[verb](Given(value, more, self._versions(stations), self._variables))

    def _repeat(self, value: Any, place: Place, number: str) -> Repeat:
        told = msgspec.convert(value, _Times)
        return Repeat(told.times, self._steps(told.steps, (*place, _REPEAT, "steps"), f"{number}."))

    def _only(self, given: Any) -> list[str]:
        wanted = [str(one) for one in (given if isinstance(given, list) else [given])] if given is not None else []
        for one in wanted:
            if not any(_spoken(version, [one]) for version in self._all):
                raise ValueError(f"only: {one} is none of the scenario's versions, {', '.join(self._all)}")
        return wanted

    def _stations(self, given: Any) -> Stations:
        if given == "all":
            return "all"
        number = msgspec.convert(given, int)
        if not 1 <= number <= len(self._speakers):
            raise ValueError(f"station: there is no station {number}")
        return number

    def _versions(self, stations: Stations) -> frozenset[Version]:
        return frozenset(self._speakers if stations == "all" else [self._speakers[stations - 1]])


class _LocatedError(ValueError):
    pass


def _verb(step: Any) -> str:
    if isinstance(step, str):
        raise ValueError(f"{step!r} has nothing behind it: write `{step.split()[0] if step.split() else 'plug'}:`")
    found: list[str] = [key for key in step if key in VERBS or key == _REPEAT] if isinstance(step, dict) else []
    if len(found) != 1:
        written = ", ".join(step) if isinstance(step, dict) else repr(step)
        raise ValueError(f"one of {', '.join([*VERBS, _REPEAT])} is wanted, not {written}")
    return found[0]


def _spoken(version: str, wanted: Sequence[str]) -> bool:
    """ "1.6" is "1.6 soap", too."""
    return version in wanted or version.partition(" ")[0] in wanted


def _told(verb: str, value: Any) -> str:
    if value is None or verb == _REPEAT:
        return verb
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{verb} {said if len(said) <= _LONGEST else said[:_LONGEST] + '…'}"

"""A step as it is written, on its way to become an act: what may stand in it is checked against what there is."""

from typing import Any

import msgspec

from csms_emulator.scenarios import acts, templates
from csms_emulator.scenarios.conditions import Condition, parse, parse_path
from csms_emulator.scenarios.paths import Path
from csms_emulator.scenarios.words import WordsError
from csms_ocpp.version import Version


class Given(msgspec.Struct):
    """A step as it is written: what stands behind its verb, and its other keys.

    `versions` are those of the stations that it is about. `variables` are those that there are when it is played; the
    verb adds what it saves.
    """

    value: Any
    more: dict[str, Any]
    versions: frozenset[Version]
    variables: set[str]

    def filled(self, value: Any) -> Any:
        """A value with variables in it, which are there."""
        for path in templates.paths(value):
            self._use(path)
        return value

    def condition(self, sentence: Any) -> Condition:
        """A condition whose variables are there."""
        found = parse(text(sentence))
        self.conditioned(found)
        return found

    def conditioned(self, found: Condition | None) -> None:
        """The variables of this condition are there."""
        for path in found.paths if found else ():
            self._use(path)

    def save(self) -> acts.Save:
        """What it saves."""
        given = self.more.pop("save", {})
        if isinstance(given, str):
            self.variables.add(given)
            return given
        if not isinstance(given, dict):
            raise ValueError(f"save: {given!r} is neither a variable nor a list of variables, each with its path")
        found = {name: parse_path(text(path)) for name, path in given.items()}
        self.variables.update(found)
        return found

    def _use(self, path: Path) -> None:
        if path.variable and path.variable not in self.variables:
            known = ", ".join(f"${name}" for name in sorted(self.variables))
            raise WordsError(f"${path.variable} is not there yet, but {known}", path.column)


def text(value: Any) -> str:
    """It is a text. Raises `ValueError`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no sentence")
    return value

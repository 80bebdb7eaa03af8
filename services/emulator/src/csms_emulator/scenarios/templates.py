"""Values with variables in them: `$transaction`, `$start.idTag`, `on ${station}`, `$now+1h`; `$$` is a dollar."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from csms_emulator.scenarios.conditions import parse_path
from csms_emulator.scenarios.durations import seconds
from csms_emulator.scenarios.paths import Path, Variables, values

NOW = "now"
_NOW = re.compile(r"\$now\s*(?:([+-])\s*(\S+))?")
_INSIDE = re.compile(r"\$\{([^{}]*)\}")


def fill(value: Any, variables: Variables, now: datetime | None = None) -> Any:
    """The same with the variables' values. Raises `ValueError` for one that is not there."""
    now = now or datetime.now(UTC)
    match value:
        case dict():
            return {key: fill(one, variables, now) for key, one in value.items()}
        case list():
            return [fill(one, variables, now) for one in value]
        case str():
            return _filled(value, variables, now)
    return value


def paths(value: Any) -> Iterator[Path]:
    """Every path in it. Raises `ValueError` where one is no path."""
    match value:
        case dict():
            for one in value.values():
                yield from paths(one)
        case list():
            for one in value:
                yield from paths(one)
        case str() if _is_now(value) is None:
            if value.startswith("$") and not value.startswith(("$$", "${")):
                yield parse_path(value)
            else:
                yield from (parse_path(f"${inner}") for inner in _INSIDE.findall(value))


def _filled(text: str, variables: Variables, now: datetime) -> Any:
    if text.startswith("$$"):
        return text[1:]
    if (later := _is_now(text)) is not None:
        return (now + timedelta(seconds=later)).isoformat(timespec="seconds").replace("+00:00", "Z")
    if text.startswith("$") and not text.startswith("${"):
        return _one(text, variables)
    return _INSIDE.sub(lambda match: str(_one(f"${match[1]}", variables)), text)


def _one(text: str, variables: Variables) -> Any:
    path = parse_path(text)
    found = values(path, None, variables)[0]
    if found is None:
        raise ValueError(f"{text} is nothing now")
    return found


def _is_now(text: str) -> float | None:
    match = _NOW.fullmatch(text)
    if match is None:
        return None
    return seconds(match[2]) * (-1 if match[1] == "-" else 1) if match[2] else 0.0

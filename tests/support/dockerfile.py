"""A Dockerfile as instructions, and a .dockerignore as a question. Enough of both for ours."""

import re
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Instruction(NamedTuple):
    """`stage` counts from 0 with each FROM; before the first it is -1. `text` is one line, without comments."""

    stage: int
    name: str
    text: str


def instructions(file: Path) -> list[Instruction]:
    """In their order."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    found: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, text.strip()))
    return found


def sources(copy: Instruction) -> list[str]:
    """What a COPY takes from the build context."""
    words = copy.text.split()
    return [] if any(word.startswith("--from=") for word in words) else [w for w in words[:-1] if w[:2] != "--"]


class Ignored:
    """`path in Ignored(file)`: whether the build does not see it. The last pattern that matches decides."""

    def __init__(self, file: Path) -> None:
        lines = [line.strip() for line in file.read_text().splitlines()]
        self._patterns = [line for line in lines if line and not line.startswith("#")]

    def __contains__(self, path: str) -> bool:
        ignored = False
        for pattern in self._patterns:
            wanted, negated = pattern.removeprefix("!"), pattern.startswith("!")
            if any(_matches(part, wanted) for part in _upwards(path)):
                ignored = not negated
        return ignored


def _upwards(path: str) -> list[str]:
    """The path, and every folder that it is in."""
    pure = PurePosixPath(path)
    return [str(pure), *(str(parent) for parent in pure.parents if str(parent) != ".")]


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(PurePosixPath(path).name, pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)

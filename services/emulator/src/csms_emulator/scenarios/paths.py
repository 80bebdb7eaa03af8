"""Where a value is in a payload: names, places in lists, and which of a list's items are meant.

`transactionInfo.stoppedReason`, `meterValue[0].sampledValue[measurand == SoC].value`, `meterValue[*]`, `$start.idTag`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

Variables = Mapping[str, Any]
Holds = Callable[[Any, Variables], bool]
Every = Literal["*"]


class Field(msgspec.Struct, frozen=True):
    """A field of an object; `column` is where it is named."""

    name: str
    column: int


class Item(msgspec.Struct, frozen=True):
    """An item of a list from 0 on, or from its end (-1 is the last); "*" is each of them."""

    index: int | Every


class Those(msgspec.Struct, frozen=True):
    """The items of a list for which this holds; `names` are what it asks of each, for checks."""

    condition: Holds
    names: tuple[Path, ...]


class Path(msgspec.Struct, frozen=True):
    """From the payload on, or from the variable of this name."""

    steps: tuple[Field | Item | Those, ...]
    variable: str = ""
    column: int = 1


def values(path: Path, subject: Any, variables: Variables) -> list[Any]:
    """What is there: several values where several items are meant, None alone where nothing is."""
    found = [variables.get(path.variable)] if path.variable else [subject]
    for step in path.steps:
        found = [value for one in found for value in _stepped(one, step, variables)]
    return found or [None]


def _stepped(value: Any, step: Field | Item | Those, variables: Variables) -> Iterator[Any]:
    match step:
        case Field(name=name):
            if isinstance(value, dict) and name in value:
                yield value[name]
        case Item(index=index) if isinstance(value, list):
            yield from value if index == "*" else value[index:][:1]
        case Those(condition=condition) if isinstance(value, list):
            yield from (one for one in value if condition(one, variables))

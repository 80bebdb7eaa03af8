"""What must hold of a payload: `reason == Remote and meterStop > 0`. Parsed once, and never code.

A comparison has a path on its left; on its right are a word or a text, a number, true, false, null, a list of these, a
$variable, or with a dot before it another path (`meterStop >= .meterStart`). It holds if it does for any of the values
that a path stands for. What is missing is null. Texts that are numbers are compared as numbers with numbers. Nothing
that a payload may hold makes it raise.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from csms_emulator.scenarios.paths import Field, Item, Path, Those, Variables, values
from csms_emulator.scenarios.words import Words, WordsError

_CONSTANTS = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "in", "contains", "matches")
_RESERVED = ("and", "or", "not", "within", "where")


class Condition(msgspec.Struct, frozen=True):
    """Whether it `holds` of a subject; `paths` are all that it looks at, for checks."""

    holds: Callable[[Any, Variables], bool]
    paths: tuple[Path, ...] = ()


class Operand(msgspec.Struct, frozen=True):
    """One side of a comparison."""

    values: Callable[[Any, Variables], list[Any]]
    paths: tuple[Path, ...] = ()
    constant: Any = None


def parse(sentence: str) -> Condition:
    """The condition that is all of `sentence`. Raises `WordsError`."""
    words = Words(sentence)
    found = condition(words)
    words.ends()
    return found


def parse_path(sentence: str) -> Path:
    """The path that is all of `sentence`. Raises `WordsError`."""
    words = Words(sentence)
    found = _path(words)
    words.ends()
    return found


def condition(words: Words) -> Condition:
    """The condition that is next. Raises `WordsError`."""
    alternatives = [_all_of(words)]
    while words.takes("or"):
        alternatives.append(_all_of(words))
    if len(alternatives) == 1:
        return alternatives[0]
    return Condition(lambda s, v: any(one.holds(s, v) for one in alternatives), _paths(alternatives))


def _all_of(words: Words) -> Condition:
    parts = [_maybe_not(words)]
    while words.takes("and"):
        parts.append(_maybe_not(words))
    if len(parts) == 1:
        return parts[0]
    return Condition(lambda s, v: all(one.holds(s, v) for one in parts), _paths(parts))


def _maybe_not(words: Words) -> Condition:
    if words.takes("not"):
        denied = _maybe_not(words)
        return Condition(lambda s, v: not denied.holds(s, v), denied.paths)
    if words.takes("("):
        inner = condition(words)
        words.wants(")")
        return inner
    return _comparison(words)


def _comparison(words: Words) -> Condition:
    path = _path(words)
    denied = bool(words.takes("not"))
    sign = words.takes("in", "contains", "matches") if denied else words.takes(*_COMPARISONS)
    if denied and not sign:
        raise words.refused("in, contains or matches is wanted")
    if not sign:
        return Condition(lambda s, v: any(values(path, s, v)), (path,))
    right = _pattern(words) if sign == "matches" else _operand(words)
    compare = _COMPARE[sign]

    def holds(subject: Any, variables: Variables) -> bool:
        rights = right.values(subject, variables)
        found = any(compare(a, b) for a in values(path, subject, variables) for b in rights)
        return found is not denied

    return Condition(holds, (path, *right.paths))


def _pattern(words: Words) -> Operand:
    column = words.peek.column
    right = _operand(words)
    if not isinstance(right.constant, str):
        raise WordsError("a pattern in quotes is wanted", column)
    try:
        pattern = re.compile(right.constant)
    except re.error as error:
        raise WordsError(f"the pattern is not one: {error}", column) from None
    return Operand(lambda s, v: [pattern])


# --- what can be on the right -----------------------------------------------------------------------------------------


def _operand(words: Words) -> Operand:
    token = words.peek
    if token.kind == "sign" and token.said in ("$", "."):
        return _value_of(words)
    if words.takes("["):
        return _list(words)
    if token.kind == "text":
        return _constant(words.next().said)
    if token.kind != "word" or token.said in _RESERVED:
        raise words.refused("a value is wanted")
    return _constant(_word(words))


def _value_of(words: Words) -> Operand:
    words.takes(".")
    path = _path(words)
    return Operand(lambda s, v: values(path, s, v), (path,))


def _list(words: Words) -> Operand:
    found = []
    while not words.takes("]"):
        found.append(_operand(words))
        if not words.takes(",") and words.peek.said != "]":
            raise words.refused("',' or ']' is wanted")
    several = [one.values for one in found]
    return Operand(lambda s, v: [[value for one in several for value in one(s, v)]], _paths(found))


def _word(words: Words) -> Any:
    said = words.next().said
    while words.takes("."):
        said += f".{words.word('a word').said}"
    if said in _CONSTANTS:
        return _CONSTANTS[said]
    if _NUMBER.fullmatch(said):
        return float(said) if "." in said else int(said)
    return said


def _constant(value: Any) -> Operand:
    return Operand(lambda s, v: [value], constant=value)


# --- paths ------------------------------------------------------------------------------------------------------------


def _path(words: Words) -> Path:
    column = words.peek.column
    variable = words.word("the name of a variable").said if words.takes("$") else ""
    steps: list[Field | Item | Those] = []
    if not variable:
        steps.append(_field(words))
    while sign := words.takes(".", "["):
        steps.append(_field(words) if sign == "." else _items(words))
    return Path(tuple(steps), variable, column)


def _field(words: Words) -> Field:
    if words.peek.said in _RESERVED:
        raise words.refused("the name of a field is wanted")
    token = words.word("the name of a field")
    return Field(token.said, token.column)


def _items(words: Words) -> Item | Those:
    token = words.peek
    step: Item | Those
    if words.takes("*"):
        step = Item("*")
    elif token.kind == "word" and re.fullmatch(r"-?\d+", token.said):
        step = Item(int(words.next().said))
    else:
        inner = condition(words)
        step = Those(inner.holds, inner.paths)
    words.wants("]")
    return step


def _paths(parts: list[Condition] | list[Operand]) -> tuple[Path, ...]:
    return tuple(_each(parts))


def _each(parts: list[Condition] | list[Operand]) -> Iterator[Path]:
    for part in parts:
        yield from part.paths


# --- comparing --------------------------------------------------------------------------------------------------------


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?", value):
        return float(value)
    return None


def _equal(a: Any, b: Any) -> bool:
    mixed = isinstance(a, str) is not isinstance(b, str)
    if mixed and (x := _number(a)) is not None and (y := _number(b)) is not None:
        return x == y
    return bool(a == b) and isinstance(a, bool) is isinstance(b, bool)


def _ordered(a: Any, b: Any, test: Callable[[Any, Any], bool]) -> bool:
    x, y = _number(a), _number(b)
    if x is not None and y is not None:
        return test(x, y)
    return isinstance(a, str) and isinstance(b, str) and test(a, b)  # times, say


def _has(whole: Any, part: Any) -> bool:
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    return isinstance(whole, list) and any(_equal(one, part) for one in whole)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda a, b: not _equal(a, b),
    "<": lambda a, b: _ordered(a, b, lambda x, y: x < y),
    "<=": lambda a, b: _ordered(a, b, lambda x, y: x <= y),
    ">": lambda a, b: _ordered(a, b, lambda x, y: x > y),
    ">=": lambda a, b: _ordered(a, b, lambda x, y: x >= y),
    "in": lambda a, b: _has(b, a),
    "contains": _has,
    "matches": lambda a, b: isinstance(a, str) and b.search(a) is not None,
}

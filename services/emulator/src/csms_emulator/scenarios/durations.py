"""Times as scenarios write them: `5s`, `500ms`, `1.5min`, `2h`; rates: `3/min`; and spreads: `normal(20min, 5min)`."""

import math
import re
from collections.abc import Callable
from random import Random

import msgspec

from csms_emulator.scenarios.words import Words, WordsError

UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|min|h|d)")
_SPREAD = re.compile(r"(\w+)\(([^()]*)\)")


class Spread(msgspec.Struct, frozen=True):
    """A span of time that chance decides; `draw` answers seconds, none of them negative."""

    kind: str
    parameters: tuple[float, ...]

    def draw(self, random: Random) -> float:
        """One of them."""
        return max(0.0, _KINDS[self.kind][1](random, *self.parameters))


def seconds(given: object) -> float:
    """The time in seconds; a bare number is one. Raises `ValueError`."""
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return float(given)
    match = _DURATION.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise ValueError(f"{given!r} is no time such as 5s, 500ms, 2min or 1h")
    return float(match[1]) * UNITS[match[2]]


def span(given: object) -> float:
    """The time in seconds, which is not negative. Raises `ValueError`."""
    found = seconds(given)
    if found < 0:
        raise ValueError(f"{given!r} is less than nothing")
    return found


def rate(given: object) -> float:
    """So many a second. Raises `ValueError`."""
    match = _RATE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None or not float(match[1]):
        raise ValueError(f"{given!r} is no rate such as 3/min or 0.5/s")
    return float(match[1]) / UNITS[match[2]]


def spread(given: object) -> Spread:
    """The spread; a bare time is always the same. Raises `ValueError`."""
    match = _SPREAD.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        return Spread("constant", (span(given),))
    kind, inner = match[1], [part for part in match[2].split(",") if part.strip()]
    if kind not in _KINDS or len(inner) != _KINDS[kind][0]:
        raise ValueError(f"{given!r} is none of normal(mean, deviation), uniform(least, most), exponential(mean)")
    return Spread(kind, tuple(span(part) for part in inner))


def next_span(words: Words) -> float:
    """The time that is next in a sentence: `5s`, or `5 s`. Raises `WordsError`."""
    token = words.word("a time such as 5s")
    unit = words.takes(*UNITS) if _DURATION.fullmatch(token.said) is None else ""
    try:
        return span(token.said + unit)
    except ValueError as error:
        raise WordsError(str(error), token.column) from None


_KINDS: dict[str, tuple[int, Callable[..., float]]] = {
    "constant": (1, lambda random, always: always),
    "normal": (2, lambda random, mean, deviation: random.gauss(mean, deviation)),
    "uniform": (2, lambda random, least, most: random.uniform(least, most)),
    "exponential": (1, lambda random, mean: random.expovariate(1 / mean) if mean else 0.0),
}

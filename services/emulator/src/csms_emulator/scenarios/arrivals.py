"""A crowd that comes to charge: who comes when, where, and for how long. The same chance gives the same crowd.

Pure: times are seconds from the first moment on, on the clock that cars and meters live by.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

import msgspec

from csms_emulator.scenarios.durations import Spread

BETWEEN = 5.0  # seconds from one car at a place to the next
Distribution = Literal["poisson", "regular", "burst"]


class Place(msgspec.Struct, frozen=True):
    """A connector of 1.x, an EVSE of 2.x, of the station of this number (from 1)."""

    station: int
    connector: int


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """`cars` come at `rate` a second: by chance (poisson), with equal gaps (regular), or all at once (burst).

    Each stays for `stay`, from the cable on. `cards` are presented in turn; without any, each driver has his own.
    """

    cars: int
    stay: Spread
    rate: float = 1 / 60
    distribution: Distribution = "poisson"
    cards: tuple[str, ...] = ()


class Visit(msgspec.Struct, frozen=True):
    """One of them. `card_first`: he presents it before he plugs in; `swipes_out`: and again to end it."""

    at: float
    place: Place
    card: str
    stay: float
    card_first: bool
    swipes_out: bool


def plan(arrivals: Arrivals, places: Sequence[Place], random: Random) -> list[Visit]:
    """Everybody, in the order in which they come. Who finds no place free waits for the first that is."""
    free = dict.fromkeys(places, 0.0)
    found = []
    for n, came in enumerate(_times(arrivals, random)):
        place = min(free, key=lambda one: (free[one] > came, free[one] if free[one] > came else 0.0))
        visit = _visit(arrivals, n, max(came, free[place]), place, random)
        free[place] = visit.at + visit.stay + BETWEEN
        found.append(visit)
    return sorted(found, key=lambda visit: visit.at)


def _visit(arrivals: Arrivals, n: int, at: float, place: Place, random: Random) -> Visit:
    stay = arrivals.stay.draw(random)
    card = arrivals.cards[n % len(arrivals.cards)] if arrivals.cards else f"{random.getrandbits(56):014X}"
    return Visit(at, place, card, stay, random.random() < 0.3, random.random() < 0.7)


def _times(arrivals: Arrivals, random: Random) -> Iterator[float]:
    at = 0.0
    for _ in range(arrivals.cars):
        yield at
        match arrivals.distribution:
            case "poisson":
                at += random.expovariate(arrivals.rate)
            case "regular":
                at += 1 / arrivals.rate
            case "burst":
                pass

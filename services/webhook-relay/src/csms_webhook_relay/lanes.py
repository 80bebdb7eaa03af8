"""Which letter is tried when, and when it is given up; for one queue of the spool. No I/O: the time is passed in.

Rule 1. The letters of one station are a lane. Only its head is tried; the next one's turn comes when the head has left.
Rule 2. Lanes are independent, up to `concurrency` attempts at once.
Rule 3. A failure counts against a letter only if the endpoint has taken something else since the lane's last failure.
        Otherwise the endpoint is at fault, and the letter waits, however often it was tried, until it is too old.
Rule 4. When the endpoint is shut (its breaker is open) nothing is tried; then one letter at a time, until one is taken.
Rule 5. A lane whose head was given up for its failures is sick: each follower has one attempt, until one is taken.

Whoever drives it asks for `steps(now)`, does them, and asks again after `join`, `tell`, `leave` and at `timer`.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import assert_never

from csms_webhook_relay.outcomes import Failed, Outcome, Refused, Shut, Taken

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Terms:
    """How long to go on. Durations in seconds; the ladder doubles from `first_pause` to `longest_pause`."""

    attempts: int
    max_age: float
    concurrency: int
    first_pause: float = 1.0
    longest_pause: float = 300.0


@dataclass(slots=True, eq=False)
class Place:
    """A letter's place in its lane. `expires` in seconds since 1970; `tried` counts the failed attempts here."""

    id: str
    identity: str
    expires: float
    tried: int = 0
    reason: str = ""
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Try:
    """Make an attempt for this letter, and `tell` its outcome."""

    place: Place


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make a dead letter of it, and `leave`."""

    place: Place
    reason: str


Step = Try | GiveUp


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is known of a lane whose letters were taken back: they come again, beginning with the same head."""

    id: str
    tried: int
    strikes: int
    seen: int
    sick: bool


@dataclass(slots=True, eq=False)
class _Lane:
    """`turn` is the number of its entry in the agenda, 0: its head is in somebody's hands. `strikes` are the failures
    that count against the head. `seen`: how much the endpoint had taken at the lane's last failure."""

    places: deque[Place] = field(default_factory=deque)
    turn: int = 0
    strikes: int = 0
    seen: int = 0
    sick: bool = False


class Lanes:
    """The letters in hand for one endpoint. `chance` answers numbers in [0, 1), for jitter."""

    def __init__(self, terms: Terms, chance: Callable[[], float] = random.random) -> None:
        self._terms = terms
        self._chance = chance
        self._lanes: dict[str, _Lane] = {}
        self._taken_back: dict[str, _Memory] = {}
        self._agenda: list[tuple[float, int, _Lane]] = []
        self._held: dict[_Lane, None] = {}  # lanes that wait for the endpoint to work again, in order
        self._turns = count(1)
        self._under_way = 0
        self._taken = 0
        self._shut_until = 0.0  # 0: not shut, or something was taken since

    @property
    def timer(self) -> float | None:
        """When `steps` should be asked again though nothing happens; None: not before something does."""
        while self._agenda and self._agenda[0][1] != self._agenda[0][2].turn:
            heappop(self._agenda)
        return self._agenda[0][0] if self._agenda and self._has_room else None

    def join(self, id: str, identity: str, stored: float, now: float) -> Place:
        """A letter came from the spool: it is the last of its lane. `stored` in seconds since 1970."""
        place = Place(id, identity, stored + self._terms.max_age)
        lane = self._lanes.get(identity)
        if lane is None:
            lane = self._lanes[identity] = self._begin(place)
        lane.places.append(place)
        if len(lane.places) == 1:
            self._plan(lane, now)
        return place

    def take_back(self, place: Place, now: float) -> None:
        """The letter is no longer ours, and still in the spool: it `leave`s. When it comes again it is remembered."""
        lane = self._lanes[place.identity]
        if place is lane.places[0] and (place.tried or lane.sick):
            memory = _Memory(place.id, place.tried, lane.strikes, lane.seen, lane.sick)
            self._taken_back.setdefault(place.identity, memory)
        self.leave(place, now)

    def leave(self, place: Place, now: float) -> None:
        """The letter is gone from the spool. Its follower's turn comes. Once for each."""
        self._landed(place)
        lane = self._lanes[place.identity]
        if lane.places[0] is not place:
            lane.places.remove(place)
            return
        lane.places.popleft()
        lane.strikes = 0
        self._hand_out(lane)
        if lane.places:
            self._plan(lane, now)
        else:
            del self._lanes[place.identity]

    def steps(self, now: float) -> list[Step]:
        """What is to be done now. A letter that is handed out is not handed out again before `tell`."""
        steps: list[Step] = []
        while (timer := self.timer) is not None and timer <= now:
            lane = self._agenda[0][2]
            place = lane.places[0]
            self._hand_out(lane)
            if now >= self._shut_until:
                place.under_way = True
                self._under_way += 1
                steps.append(Try(place))
            elif now >= place.expires:
                steps.append(self._too_old(place))
            else:
                self._hold(lane, self._shut_until)
        return steps

    def tell(self, place: Place, outcome: Outcome, now: float) -> GiveUp | None:
        """How an attempt ended. After `Taken` and `GiveUp` the letter must `leave`; else it gets another turn."""
        self._landed(place)
        lane = self._lanes[place.identity]
        match outcome:
            case Taken():
                lane.sick = False
                self.works(now)
                return None
            case Refused(reason):
                place.tried += 1
                return GiveUp(place, f"The endpoint refused it: {reason}")
            case Shut(until, reason, sent):
                place.tried += sent
                place.reason = reason if sent else place.reason or reason
                self._shut(lane, max(until, now + self._terms.first_pause))
                return None
            case Failed(reason):
                return self._failed(lane, place, reason, now)
            case _ as never:
                assert_never(never)

    def works(self, now: float) -> None:
        """The endpoint took something, here or elsewhere: whoever waits because it was at fault is tried now."""
        self._taken += 1
        self._shut_until = 0.0
        if self._held:
            held, self._held = self._held, {}
            for lane in held:
                self._plan(lane, now)

    def _begin(self, head: Place) -> _Lane:
        known = self._taken_back.pop(head.identity, None)
        if known is None:
            return _Lane(seen=self._taken)
        if known.id != head.id:
            return _Lane(seen=self._taken, sick=known.sick)
        head.tried = known.tried
        return _Lane(strikes=known.strikes, seen=known.seen, sick=known.sick)

    def _failed(self, lane: _Lane, place: Place, reason: str, now: float) -> GiveUp | None:
        place.tried += 1
        place.reason = reason
        blameless, lane.seen = lane.seen == self._taken, self._taken
        lane.strikes += not blameless
        if lane.strikes >= (1 if lane.sick else self._terms.attempts):
            lane.sick = True
            return GiveUp(place, f"Not taken in {_times(place.tried)} while the endpoint took others: {reason}")
        if now >= place.expires:
            return self._too_old(place)
        # The last attempt is made when the letter becomes too old.
        at = min(now + self._pause(place.tried), place.expires)
        if blameless:
            self._hold(lane, min(at, self._shut_until) if self._shut_until > now else at)
        else:
            self._plan(lane, at)
        return None

    def _pause(self, tried: int) -> float:
        ladder = min(self._terms.first_pause * 2.0 ** min(tried - 1, 64), self._terms.longest_pause)
        return ladder * (0.5 + self._chance() / 2)

    def _too_old(self, place: Place) -> GiveUp:
        age = self._terms.max_age
        words = f"{age / DAY:g} days" if age >= 2 * DAY else f"{age:g} seconds"
        return GiveUp(place, f"Older than {words}: {place.reason or 'the endpoint was not reached'}")

    def _shut(self, lane: _Lane, until: float) -> None:
        # Whoever waits on a higher rung of the ladder is tried when the breaker lets one through.
        self._shut_until = max(self._shut_until, until)
        for held in (lane, *self._held):
            self._hold(held, self._shut_until)

    def _hold(self, lane: _Lane, at: float) -> None:
        self._held[lane] = None
        self._plan(lane, min(at, lane.places[0].expires))

    def _hand_out(self, lane: _Lane) -> None:
        lane.turn = 0
        self._held.pop(lane, None)

    @property
    def _has_room(self) -> bool:
        return self._under_way < (1 if self._shut_until else self._terms.concurrency)

    def _plan(self, lane: _Lane, at: float) -> None:
        lane.turn = next(self._turns)
        heappush(self._agenda, (at, lane.turn, lane))

    def _landed(self, place: Place) -> None:
        self._under_way -= place.under_way
        place.under_way = False


def _times(number: int) -> str:
    return "1 attempt" if number == 1 else f"{number} attempts"

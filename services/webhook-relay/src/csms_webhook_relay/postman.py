"""Delivers the letters of one queue of the spool: does what `lanes` decides, at its time. It decides nothing.

What becomes of a letter is up to whoever made the postman (`Rounds`): the operator's endpoint and observers differ.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from csms_platform.ports import Letter, Spool
from csms_webhook_relay import spool_metrics as metrics
from csms_webhook_relay.lanes import GiveUp, Lanes, Place, Step, Terms, Try
from csms_webhook_relay.outcomes import Outcome, Taken


class Rounds(Protocol):
    """What a postman's letters are for."""

    @property
    def answers(self) -> int:
        """How many usable replies there have been, to whomever: it grows while the endpoint works."""
        ...

    async def attempt(self, letter: Letter, number: int) -> Outcome:
        """Show the letter to its endpoint; `number` is 1 for the first time since it came from the spool."""
        ...

    async def delivered(self, letter: Letter) -> None:
        """It was taken. When this returns it is removed from the spool."""
        ...

    async def given_up(self, letter: Letter, reason: str, attempts: int) -> None:
        """It will not be tried again. When this returns it is removed from the spool."""
        ...


class Postman:
    """Delivers the queue `name` from `start` to `stop`. `clock` answers seconds since 1970."""

    def __init__(self, name: str, rounds: Rounds, terms: Terms, clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self._rounds = rounds
        self._lanes = Lanes(terms)
        self._clock = clock
        self._turns: dict[Place, asyncio.Future[Step]] = {}
        self._busy: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = False
        self._answers = 0
        self._in_hand = metrics.IN_HAND.labels(name)
        self._stored: dict[Place, float] = {}
        metrics.OLDEST.labels(name).set_function(self._age)

    async def start(self, spool: Spool, window: int) -> None:
        """Take letters from the spool, at most `window` at once."""
        await spool.deliver(self.name, self.deliver, window)

    async def stop(self, spool: Spool, seconds: float) -> None:
        """Begin no more attempts, wait up to `seconds` for those under way, leave the other letters in the spool."""
        self._leaving = True
        self._disarm()
        if self._busy:
            await asyncio.wait(self._busy, timeout=seconds)
        await spool.stop(self.name)

    def look(self) -> None:
        """Begin what is due. Nobody needs to call this but a test that moves the clock."""
        if self._leaving:
            return
        now = self._clock()
        for step in self._lanes.steps(now):
            if not (turn := self._turns[step.place]).done():
                turn.set_result(step)
        self._disarm()
        if (timer := self._lanes.timer) is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, timer - now), self.look)

    async def deliver(self, letter: Letter) -> None:
        """Return when the letter may be removed from the spool. May be cancelled: then it is as if it had not come."""
        place = self._lanes.join(letter.id, letter.envelope.identity, letter.stored / 1000, self._clock())
        leave = self._lanes.take_back
        self._stored[place] = letter.stored / 1000
        self._in_hand.inc()
        try:
            while not await self._carry(letter, place, await self._turn(place)):
                pass
            leave = self._lanes.leave
        finally:
            self._in_hand.dec()
            del self._stored[place]
            self._turns.pop(place, None)
            leave(place, self._clock())
            self.look()

    async def _turn(self, place: Place) -> Step:
        turn: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self._turns[place] = turn
        self.look()
        return await turn

    async def _carry(self, letter: Letter, place: Place, step: Step) -> bool:
        """Whether it is done with the letter."""
        busy: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._busy.add(busy)
        try:
            return await self._attempt(letter, place) if isinstance(step, Try) else await self._end(letter, step)
        finally:
            self._busy.discard(busy)
            busy.set_result(None)

    async def _attempt(self, letter: Letter, place: Place) -> bool:
        outcome = await self._rounds.attempt(letter, place.tried + 1)
        now = self._clock()
        if self._rounds.answers != self._answers:
            self._answers = self._rounds.answers
            self._lanes.works(now)
        verdict = self._lanes.tell(place, outcome, now)
        if isinstance(outcome, Taken):
            self.look()  # not for a letter that gets another turn: nobody waits for it yet
            await self._rounds.delivered(letter)
            return True
        return await self._end(letter, verdict) if verdict else False

    async def _end(self, letter: Letter, verdict: GiveUp) -> bool:
        self.look()
        await self._rounds.given_up(letter, verdict.reason, verdict.place.tried)
        return True

    def _age(self) -> float:
        # In order of their arrival, so nearly of their age; those of one instant do not matter.
        first = next(iter(self._stored.values()), None)
        return 0.0 if first is None else max(0.0, self._clock() - first)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

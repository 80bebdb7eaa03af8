"""The shell around the lanes: turns, timers, cancelling. Real time, in milliseconds."""

import asyncio
from collections.abc import Callable

import pytest

from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import Letter
from csms_webhook_relay.lanes import Terms
from csms_webhook_relay.outcomes import Failed, Outcome, Taken
from csms_webhook_relay.postman import Postman

MS = 0.001
FAST = Terms(attempts=1000, max_age=3600, concurrency=2, first_pause=MS, longest_pause=MS)
TAKEN, FAILED = Taken(), Failed("HTTP status 500")


class Round:
    """Does with an attempt what `judge(letter, number)` says; remembers what became of letters."""

    def __init__(self, judge: Callable[[Letter, int], Outcome] = lambda letter, number: TAKEN) -> None:
        self.judge = judge
        self.answers = 0
        self.attempts: list[tuple[str, int]] = []
        self.delivered_ids: list[str] = []
        self.hold: asyncio.Event | None = None

    async def attempt(self, letter: Letter, number: int) -> Outcome:
        self.attempts.append((letter.id, number))
        if self.hold:
            await self.hold.wait()
        return self.judge(letter, number)

    async def delivered(self, letter: Letter) -> None:
        self.delivered_ids.append(letter.id)

    async def given_up(self, letter: Letter, reason: str, attempts: int) -> None:
        raise AssertionError(reason)


class NoSpool:
    """Lets a postman stop."""

    async def store(self, letter: Letter, seconds: float = 10.0) -> None: ...

    async def deliver(self, *_: object) -> None: ...

    async def stop(self, endpoint: str) -> None: ...

    async def waiting(self, endpoint: str) -> int:
        return 0


def letter(id: str, identity: str = "CS-1") -> Letter:
    return Letter(id, "default", 2_000_000_000_000, Envelope(Kind.CALL, identity, action="MeterValues"))


@pytest.mark.parametrize("pause", [MS, 1e-12])
async def test_a_letter_is_tried_until_it_is_taken_however_short_the_pauses_are(pause: float) -> None:
    rounds = Round(lambda letter, number: TAKEN if number == 30 else FAILED)
    terms = Terms(attempts=1000, max_age=3600, concurrency=1, first_pause=pause, longest_pause=pause)

    async with asyncio.timeout(5):
        await Postman("default", rounds, terms).deliver(letter("1"))

    assert rounds.attempts == [("1", number) for number in range(1, 31)]


async def test_a_letter_that_was_taken_back_leaves_room_for_the_next() -> None:
    rounds = Round()
    rounds.hold = asyncio.Event()
    postman = Postman("default", rounds, Terms(attempts=3, max_age=3600, concurrency=1))
    first, second = (asyncio.create_task(postman.deliver(letter(name, f"CS-{name}"))) for name in "12")
    await asyncio.sleep(MS)

    first.cancel()
    await asyncio.wait([first])
    rounds.hold.set()
    async with asyncio.timeout(5):
        await second

    assert (rounds.attempts, rounds.delivered_ids) == ([("1", 1), ("2", 1)], ["2"])


async def test_the_endpoint_s_answers_to_others_wake_who_waits_for_it() -> None:
    slow = Terms(attempts=1000, max_age=3600, concurrency=2, first_pause=3600, longest_pause=3600)
    rounds = Round(lambda letter, number: FAILED if (letter.id, number) == ("1", 1) else TAKEN)
    postman = Postman("default", rounds, slow)
    waiting = asyncio.create_task(postman.deliver(letter("1")))
    await asyncio.sleep(MS)

    await postman.deliver(letter("2", "CS-2"))
    async with asyncio.timeout(5):
        await waiting

    assert rounds.delivered_ids == ["2", "1"]


async def test_who_leaves_begins_no_more_attempts_and_waits_for_those_under_way() -> None:
    rounds = Round()
    rounds.hold = asyncio.Event()
    postman = Postman("default", rounds, FAST)
    first, second = (asyncio.create_task(postman.deliver(letter(name))) for name in "12")
    await asyncio.sleep(MS)

    leaving = asyncio.create_task(postman.stop(NoSpool(), 5.0))
    await asyncio.sleep(MS)
    rounds.hold.set()
    await leaving
    await first

    assert (rounds.attempts, rounds.delivered_ids) == ([("1", 1)], ["1"])
    second.cancel()
    await asyncio.wait([second])

"""Batches are held until their work is done, as long as they are few."""

import asyncio

from csms_webhook_relay.holding import Holding


class Work:
    """Work that is done when it is told so."""

    def __init__(self, holding: Holding) -> None:
        self.end = asyncio.Event()
        self.ended = False
        self.batch = asyncio.create_task(holding.until_done([self._work(), asyncio.sleep(0)]))

    async def _work(self) -> None:
        await self.end.wait()
        self.ended = True

    async def is_held(self) -> bool:
        await asyncio.sleep(0.01)
        return not self.batch.done()


async def test_a_batch_is_held_until_all_of_its_work_is_done() -> None:
    work = Work(Holding(2, errors.append))
    assert await work.is_held()

    work.end.set()

    assert (await work.is_held(), work.ended) == (False, True)


async def test_the_oldest_is_let_go_for_a_newer_one_and_its_work_goes_on() -> None:
    holding = Holding(2, errors.append)
    works = [Work(holding) for _ in range(3)]

    assert [await work.is_held() for work in works] == [False, True, True]

    works[0].end.set()
    works[1].end.set()
    assert [await work.is_held() for work in works] == [False, False, True]
    assert [work.ended for work in works] == [True, True, False]
    works[2].end.set()
    await holding.drain(1)


async def test_draining_waits_for_work_that_was_let_go() -> None:
    holding = Holding(1, errors.append)
    works = [Work(holding) for _ in range(2)]
    await works[0].is_held()

    draining = asyncio.create_task(holding.drain(5))
    for work in works:
        work.end.set()
    await draining

    assert [work.ended for work in works] == [True, True]


async def test_what_takes_too_long_to_leave_is_not_acknowledged() -> None:
    holding = Holding(1, errors.append)
    work = Work(holding)
    await work.is_held()

    await holding.drain(0.01)

    assert (await work.is_held(), work.ended) == (True, False)
    work.batch.cancel()


async def test_a_bug_is_told_and_its_batch_is_done() -> None:
    errors.clear()

    async def fail() -> None:
        raise LookupError("a bug")

    await Holding(1, errors.append).until_done([fail()])

    assert [str(error) for error in errors] == ["a bug"]


errors: list[BaseException] = []

"""What `Coalescer` promises: one flush per tick, bounded batches, order, and at most so many flushes at once."""

import asyncio

from csms_platform.coalesce import Coalescer, Pace


class Flushes:
    """A flush that records its batches and ends when it is told to."""

    def __init__(self, gate: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.most_at_once = 0
        self._now = 0
        self.gate = asyncio.Event()
        if not gate:
            self.gate.set()

    async def __call__(self, batch: list[int]) -> None:
        self.batches.append(batch)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.gate.wait()
        self._now -= 1


async def ticks(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_items_of_a_tick_are_flushed_together() -> None:
    flushes = Flushes()
    line = Coalescer(flushes)
    for item in range(3):
        line.add(item)
    within = list(flushes.batches)
    await line.drained()

    assert within == []
    assert flushes.batches == [[0, 1, 2]]


async def test_an_item_alone_is_flushed_at_the_end_of_its_tick() -> None:
    flushes = Flushes()
    line = Coalescer(flushes)
    line.add(0)
    await ticks()
    line.add(1)
    await ticks()

    assert flushes.batches == [[0], [1]]


async def test_while_a_flush_is_under_way_the_next_batch_grows() -> None:
    flushes = Flushes(gate=True)
    line = Coalescer(flushes)
    for item in range(3):
        line.add(item)
        await ticks()
    waiting = len(line)
    flushes.gate.set()
    await line.drained()

    assert waiting == 2
    assert flushes.batches == [[0], [1, 2]]


async def test_a_batch_has_no_more_items_than_allowed() -> None:
    flushes = Flushes()
    line = Coalescer(flushes, most=2)
    for item in range(5):
        line.add(item)
    await line.drained()

    assert flushes.batches == [[0, 1], [2, 3], [4]]
    assert flushes.most_at_once == 1


async def test_several_flushes_at_once_share_what_is_more_than_a_batch() -> None:
    """Nothing waits for the first flush while another one may run."""
    flushes = Flushes(gate=True)
    line = Coalescer(flushes, most=2, at_once=2)
    for item in range(5):
        line.add(item)
    await ticks()
    before = list(flushes.batches)
    flushes.gate.set()
    await line.drained()

    assert before == [[0, 1], [2, 3]]
    assert flushes.batches == [[0, 1], [2, 3], [4]]
    assert flushes.most_at_once == 2


async def test_what_is_put_back_comes_first_and_in_order() -> None:
    batches: list[list[int]] = []

    async def flush(batch: list[int]) -> None:
        batches.append(batch)
        if len(batches) == 1:
            line.add(2)
            line.put_back(batch)

    line = Coalescer(flush)
    line.add(0)
    line.add(1)
    await line.drained()

    assert batches == [[0, 1], [0, 1, 2]]


async def test_linger_waits_for_company() -> None:
    flushes = Flushes()
    line = Coalescer(flushes, linger=lambda: 0.1)
    line.add(0)
    await asyncio.sleep(0.01)
    line.add(1)
    await line.drained()

    assert flushes.batches == [[0, 1]]


async def test_nothing_to_flush_is_drained_at_once() -> None:
    flushes = Flushes()
    line = Coalescer(flushes)
    await line.drained()

    assert flushes.batches == []


async def test_drained_waits_for_the_flush_under_way() -> None:
    flushes = Flushes(gate=True)
    line = Coalescer(flushes)
    line.add(0)
    await ticks()
    drained = asyncio.ensure_future(line.drained())
    await ticks()
    before = drained.done()
    flushes.gate.set()
    await drained

    assert before is False


async def test_a_flush_that_raises_is_reported_and_the_next_batch_is_flushed() -> None:
    batches: list[list[int]] = []
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    bug = RuntimeError("a bug")

    async def flush(batch: list[int]) -> None:
        batches.append(batch)
        if batch == [0]:
            raise bug

    line = Coalescer(flush)
    line.add(0)
    await line.drained()
    line.add(1)
    await line.drained()

    assert batches == [[0], [1]]
    assert reported == [bug]


def test_a_slow_outbox_never_lingers() -> None:
    pace = Pace(0.001, now=0.0)
    for number in range(1, 500):
        pace.flushed(1, number * 0.01)

    assert pace.linger() == 0.0


def test_an_outbox_that_is_filled_fast_lingers_for_company() -> None:
    pace = Pace(0.001, now=0.0)
    for number in range(1, 500):
        pace.flushed(1, number * 0.0005)

    assert pace.linger() == 0.001


def test_batches_that_are_large_by_themselves_do_not_linger() -> None:
    pace = Pace(0.001, now=0.0)
    for number in range(1, 500):
        pace.flushed(10, number * 0.002)

    assert pace.linger() == 0.0


def test_a_busy_outbox_that_falls_idle_stops_lingering() -> None:
    pace = Pace(0.001, now=0.0)
    for number in range(1, 500):
        pace.flushed(2, number * 0.001)
    pace.flushed(1, 2.0)

    assert pace.linger() == 0.0

"""What every spool promises, tried in memory, with a data directory, and on RabbitMQ."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec import Raw

from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import Letter, Spool
from tests.contract.doors import Broker

HERE = "operator"
ELSEWHERE = "other"


def letter(id: object, endpoint: str = HERE, identity: str = "CP-1") -> Letter:
    payload = Raw('{"text": "ü \\u0000 😀",  "n": 1.50}'.encode())
    envelope = Envelope(Kind.CALL, identity, action="MeterValues", payload=payload, session=Capsule(epoch=7))
    return Letter(str(id), endpoint, 1_767_268_800_000, envelope, answered=Raw(b'{ "status" : "Accepted" }'))


async def store(spool: Spool, *ids: object) -> None:
    for one in ids:
        await spool.store(letter(one))


async def until(true: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


class Endpoint:
    """A handler that notes what begins and what is delivered; while `gate` is shut its calls wait."""

    def __init__(self, *, shut: bool = False) -> None:
        self.begun: list[Letter] = []
        self.delivered: list[str] = []
        self.cancelled: list[str] = []
        self.fails_for: list[str] = []
        self.gate = asyncio.Event()
        if not shut:
            self.gate.set()

    async def __call__(self, letter: Letter) -> None:
        self.begun.append(letter)
        if letter.id in self.fails_for:
            self.fails_for.remove(letter.id)
            raise RuntimeError("told to")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(letter.id)
            raise
        self.delivered.append(letter.id)

    @property
    def ids(self) -> list[str]:
        return [letter.id for letter in self.begun]

    async def begins(self, count: int) -> list[str]:
        """Wait until so many calls have begun; answers their letters."""
        await until(lambda: len(self.begun) >= count)
        return self.ids

    async def delivers(self, count: int) -> list[str]:
        """Wait until so many letters are delivered; answers them."""
        await until(lambda: len(self.delivered) >= count)
        return self.delivered


def names(*numbers: int) -> list[str]:
    return [str(number) for number in range(*numbers)]


async def test_a_letter_arrives_as_it_was_stored_and_is_then_gone(spooling: Broker) -> None:
    spool, endpoint, later = (await spooling.connect()).spool, Endpoint(), Endpoint()
    await spool.store(letter(1))

    await spool.deliver(HERE, endpoint, 8)
    await endpoint.delivers(1)
    await asyncio.sleep(0.1)
    await spool.stop(HERE)
    await spool.deliver(HERE, later, 8)
    await asyncio.sleep(0.2)

    assert endpoint.begun == [letter(1)]
    assert later.begun == []


async def test_letters_are_delivered_in_the_order_in_which_they_were_stored(spooling: Broker) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint()
    await asyncio.gather(*(spool.store(letter(number)) for number in range(50)))

    await spool.deliver(HERE, endpoint, 1)
    await asyncio.gather(*(spool.store(letter(number)) for number in range(50, 100)))

    assert await endpoint.delivers(100) == names(100)


async def test_what_is_stored_while_letters_are_delivered_follows_them(spooling: Broker) -> None:
    storing, delivering, endpoint = await spooling.connect(), await spooling.connect(), Endpoint()
    await delivering.spool.deliver(HERE, endpoint, 4)

    for number in range(20):
        await store(storing.spool, number)

    assert await endpoint.begins(20) == names(20)
    assert sorted(await endpoint.delivers(20), key=int) == names(20)


async def test_at_most_a_window_of_handlers_is_under_way(spooling: Broker) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint(shut=True)
    await store(spool, *range(5))

    await spool.deliver(HERE, endpoint, 2)
    await endpoint.begins(2)
    await asyncio.sleep(0.2)
    within = endpoint.ids
    endpoint.gate.set()

    assert within == ["0", "1"]
    assert await endpoint.delivers(5) == names(5)


async def test_endpoints_do_not_wait_for_each_other(spooling: Broker) -> None:
    spool, stuck, endpoint = (await spooling.connect()).spool, Endpoint(shut=True), Endpoint()
    await spool.deliver(ELSEWHERE, stuck, 1)
    await spool.deliver(HERE, endpoint, 1)

    for number in range(3):
        await spool.store(letter(number, ELSEWHERE))
        await spool.store(letter(number))

    assert await endpoint.delivers(3) == names(3)
    assert (stuck.ids, stuck.delivered) == (["0"], [])


async def test_handlers_that_are_stopped_are_cancelled_and_their_letters_stay_in_order(spooling: Broker) -> None:
    spool, stuck, endpoint = (await spooling.connect()).spool, Endpoint(shut=True), Endpoint()
    await store(spool, *range(5))
    await spool.deliver(HERE, stuck, 3)
    await stuck.begins(3)

    await spool.stop(HERE)
    ended = sorted(stuck.cancelled)
    await spool.deliver(HERE, endpoint, 1)

    assert ended == ["0", "1", "2"]
    assert await endpoint.delivers(5) == names(5)
    assert stuck.delivered == []


async def test_a_stop_between_deliveries_keeps_only_what_was_not_delivered(spooling: Broker) -> None:
    spool, first, second = (await spooling.connect()).spool, Endpoint(), Endpoint()
    await store(spool, *range(3))
    await spool.deliver(HERE, first, 1)
    await first.delivers(3)
    first.gate.clear()
    await store(spool, 3)
    await first.begins(4)

    await spool.stop(HERE)
    await store(spool, 4)
    await spool.deliver(HERE, second, 1)

    assert await second.delivers(2) == ["3", "4"]


async def test_a_letter_whose_handler_fails_comes_again_a_while_later(spooling: Broker) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint()
    endpoint.fails_for = ["0", "0"]
    await store(spool, 0)
    loop = asyncio.get_running_loop()
    began = loop.time()

    await spool.deliver(HERE, endpoint, 2)
    await endpoint.delivers(1)

    assert endpoint.ids == ["0", "0", "0"]
    assert loop.time() - began >= 1.5


async def test_a_letter_that_fails_is_overtaken_by_no_other_of_its_station_and_holds_up_no_other_station(
    spooling: Broker,
) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint()
    endpoint.fails_for = ["a1"]
    for name, identity in (("a1", "A"), ("a2", "A"), ("b1", "B"), ("a3", "A"), ("b2", "B")):
        await spool.store(letter(name, identity=identity))

    await spool.deliver(HERE, endpoint, 1)
    delivered = await endpoint.delivers(5)

    assert delivered == ["b1", "b2", "a1", "a2", "a3"]


async def test_one_process_delivers_to_an_endpoint_and_another_takes_over_with_the_first_letter_left(
    spooling: Broker,
) -> None:
    storing, one, other = await spooling.connect(), await spooling.connect(), await spooling.connect()
    stuck, endpoint = Endpoint(shut=True), Endpoint()
    await one.spool.deliver(HERE, stuck, 3)
    await asyncio.sleep(0.2)
    await other.spool.deliver(HERE, endpoint, 3)
    await store(storing.spool, *range(6))
    await stuck.begins(3)
    await asyncio.sleep(0.2)
    meanwhile = endpoint.ids

    await spooling.leave(one)

    assert meanwhile == []
    assert await endpoint.begins(6) == names(6)
    assert stuck.delivered == []


async def test_a_process_that_stops_to_deliver_makes_way_for_another(spooling: Broker) -> None:
    one, other = await spooling.connect(), await spooling.connect()
    first, second = Endpoint(), Endpoint()
    await one.spool.deliver(HERE, first, 3)
    await store(other.spool, 1)
    await first.delivers(1)
    await other.spool.deliver(HERE, second, 3)

    await one.spool.stop(HERE)
    await store(one.spool, 2)

    assert await second.delivers(1) == ["2"]
    assert first.ids == ["1"]


async def test_stopping_what_was_never_begun_does_nothing(spooling: Broker) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint()

    await spool.stop(HERE)
    await spool.deliver(HERE, endpoint, 1)
    await store(spool, 1)

    assert await endpoint.delivers(1) == ["1"]


async def test_a_process_delivers_to_an_endpoint_once(spooling: Broker) -> None:
    spool = (await spooling.connect()).spool
    await spool.deliver(HERE, Endpoint(), 1)

    with pytest.raises(ValueError, match=f"letters for {HERE} are delivered already"):
        await spool.deliver(HERE, Endpoint(), 1)


async def test_letters_that_wait_are_counted_for_each_endpoint(spooling: Broker) -> None:
    spool, endpoint = (await spooling.connect()).spool, Endpoint()
    await store(spool, *range(3))
    await spool.store(letter(1, ELSEWHERE))

    counts = [await spool.waiting(name) for name in (HERE, ELSEWHERE, "nobody")]
    await spool.deliver(HERE, endpoint, 3)
    await endpoint.delivers(3)
    async with asyncio.timeout(10):
        while await spool.waiting(HERE):
            await asyncio.sleep(0.05)

    assert counts == [3, 1, 0]


async def test_letters_outlive_all_processes_in_order(durable_spooling: Broker) -> None:
    before, first, second = (await durable_spooling.connect()).spool, Endpoint(), Endpoint()
    await store(before, 0, 1)
    await before.deliver(HERE, first, 1)
    await first.delivers(2)
    first.gate.clear()
    await store(before, 2, 3)
    await first.begins(3)

    await durable_spooling.restart()
    after = (await durable_spooling.connect()).spool
    await store(after, 4, 5)
    await after.deliver(HERE, second, 1)

    assert await second.delivers(4) == ["2", "3", "4", "5"]


@pytest.mark.parametrize("window", [1, 7])
async def test_no_letter_is_lost_between_processes_that_come_and_go(durable_spooling: Broker, window: int) -> None:
    endpoint, storing = Endpoint(), await durable_spooling.connect()
    for first in range(0, 40, 10):
        worker = await durable_spooling.connect()
        await worker.spool.deliver(HERE, endpoint, window)
        await store(storing.spool, *range(first, first + 10))
        await asyncio.sleep(0.01)
        await durable_spooling.leave(worker)
    last = await durable_spooling.connect()
    await last.spool.deliver(HERE, endpoint, window)
    await until(lambda: set(endpoint.delivered) == set(names(40)))

    assert list(dict.fromkeys(endpoint.ids)) == names(40)

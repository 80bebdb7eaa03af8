"""Messages that the endpoint never took: kept, told, and sent again when the operator says so."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from csms_ocpp.version import StationId
from csms_platform.bus import BusSettings, open_doors
from csms_platform.envelope import Envelope
from csms_platform.ports import DeadLetter, Deliveries, Event, Letter, Unavailable
from csms_platform.state import open_stores
from csms_webhook_relay.delivery import identify
from tests.service.webhook_relay.spool_world import Judged, World, meter, until

DAY = 86_400
NOON = 1_767_268_800.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_doors(BusSettings()) as doors, open_stores("memory://") as stores, Judged() as operator:
        yield World(doors, stores, operator)


async def buried(world: World, count: int = 1) -> list[DeadLetter]:
    """The dead letters, once there are so many."""

    async def there() -> bool:
        return len((await world.stores.deliveries.dead())[0]) >= count

    await until(there)
    return (await world.stores.deliveries.dead())[0]


def letter_of(dead: DeadLetter) -> Letter:
    return msgspec.json.decode(dead.letter, type=Letter)


async def test_what_is_refused_is_a_dead_letter_at_once_and_its_followers_are_delivered(world: World) -> None:
    world.operator.judge = lambda heard: 400 if heard.body["uniqueId"] == "1" else 200
    refused = meter(1, account="acme")

    async with world.relay() as spooling:
        await spooling.store(refused)
        await spooling.store(meter(2))
        await world.emptied()
        (dead,) = await buried(world)

    assert dead == DeadLetter(
        id=identify(refused),
        endpoint="default",
        identity=StationId("CS-1"),
        action="MeterValues",
        reason='The endpoint refused it: HTTP status 400: {"payload": {}}',
        attempts=1,
        stored=dead.stored,
        died=dead.died,
        letter=dead.letter,
        account="acme",
        version="ocpp1.6",
    )
    assert dead.stored <= dead.died
    assert letter_of(dead).envelope.payload == refused.payload
    assert world.operator.numbers() == [2]
    assert not await world.waiting()


async def test_a_dead_letter_is_an_event(world: World) -> None:
    world.operator.judge = lambda heard: 400
    events: list[Event] = []
    await world.doors.events.follow(lambda bodies: events.extend(map(decoded, bodies)), ["ocpp1.6.deadLetter"])

    async with world.relay() as spooling:
        await spooling.store(meter(1))
        (dead,) = await buried(world)
        await until(lambda: _true(bool(events)))

    assert events == [
        Event(
            id=events[0].id,
            time=events[0].time,
            type="deadLetter",
            identity="CS-1",
            version="ocpp1.6",
            action="MeterValues",
            reason=dead.reason,
            delivery_id=dead.id,
            endpoint="default",
        )
    ]


def decoded(body: bytes) -> Event:
    return msgspec.json.decode(body, type=Event)


async def _true(value: bool) -> bool:
    return value


async def test_what_fails_alone_is_a_dead_letter_after_the_attempts(world: World) -> None:
    world.operator.judge = lambda heard: 500 if heard.body["uniqueId"] == "1" else 200
    world.settings = {"spool_attempts": 4, "breaker_failures": 1000}

    async with world.relay() as spooling:
        await spooling.store(meter(1))
        for number in range(2, 200):
            await spooling.store(meter(number, f"CS-{number}"))
            if (await world.stores.deliveries.dead())[0]:
                break
            await _served(world, number)
        (dead,) = await buried(world)

    assert dead.reason.startswith(
        f"Not taken in {dead.attempts} attempts while the endpoint took others: HTTP status 500"
    )
    assert dead.attempts >= 4


async def _served(world: World, number: int) -> None:
    async def taken() -> bool:
        return bool(world.operator.numbers(f"CS-{number}"))

    await until(taken)


async def test_letters_wait_for_an_endpoint_that_is_gone_until_they_are_too_old(world: World) -> None:
    await world.operator.gone()

    async with world.relay() as spooling:
        await spooling.store(meter(1))
        await spooling.store(meter(2))
        await world.move(spooling, 2.9 * DAY)
        before = (await world.stores.deliveries.dead())[0], await world.doors.spool.waiting("default")
        await world.move(spooling, 0.2 * DAY)
        dead = await buried(world, 2)
        await world.emptied()

    assert {letter.id for letter in dead} == {identify(meter(1)), identify(meter(2))}
    assert all(letter.reason.startswith("Older than 3 days: ") for letter in dead)
    assert before == ([], 2)
    assert not await world.waiting()


async def test_dead_letters_are_listed_in_the_order_in_which_they_died_even_if_the_clock_stands(world: World) -> None:
    world.operator.judge = lambda heard: 400
    standing = dataclasses.replace(world, operator=world.operator)
    standing.now = lambda: NOON  # type: ignore[method-assign]

    async with standing.relay() as spooling:
        for number in range(20):
            await spooling.store(meter(number))
        dead = await buried(world, 20)

    assert [letter.id for letter in dead] == [identify(meter(number)) for number in range(20)]
    assert [letter.died for letter in dead] == [int(NOON * 1000) + number for number in range(20)]


async def test_a_replayed_letter_is_delivered_under_the_same_id(world: World) -> None:
    world.operator.judge = lambda heard: 400
    async with world.relay() as spooling:
        await spooling.store(meter(1))
        (dead,) = await buried(world)
        world.operator.judge = lambda heard: 200

        await world.doors.spool.store(letter_of(dead))
        discarded = await world.stores.deliveries.discard(dead.id)
        (heard,) = await world.operator.hears(1)

    assert (discarded, heard.delivery) == (True, dead.id)
    assert (await world.stores.deliveries.dead())[0] == []


class Flaky:
    """The store; `bury` and `done` cannot reach it the first few times."""

    def __init__(self, deliveries: Deliveries, failures: int) -> None:
        self._deliveries = deliveries
        self._left = {"bury": failures, "done": failures}

    def __getattr__(self, name: str) -> Any:
        if self._left.get(name, 0) > 0:
            self._left[name] -= 1
            return self._away
        return getattr(self._deliveries, name)

    async def _away(self, *_: object) -> None:
        raise Unavailable("the store is away")


def flaky(world: World, failures: int) -> World:
    deliveries = cast(Deliveries, Flaky(world.stores.deliveries, failures))
    return World(world.doors, dataclasses.replace(world.stores, deliveries=deliveries), world.operator)


async def test_a_letter_stays_in_the_spool_until_it_is_kept_as_a_dead_one(world: World) -> None:
    world.operator.judge = lambda heard: 400

    async with flaky(world, 2).relay() as spooling:
        await spooling.store(meter(1))
        await world.emptied()

    (dead,) = await buried(world)
    assert dead.id == identify(meter(1))
    assert len(world.operator.heard) == 1


async def test_what_is_refused_while_the_station_waits_is_kept_without_a_stay_in_the_spool(world: World) -> None:
    async with world.relay() as spooling:
        await spooling.bury(meter(1), "HTTP status 404", 2)

    (dead,) = await buried(world)
    assert (dead.id, dead.reason, dead.attempts) == (identify(meter(1)), "HTTP status 404", 2)
    assert world.operator.heard == []


async def test_while_the_store_is_away_it_is_spooled_and_refused_again_later(world: World) -> None:
    world.operator.judge = lambda heard: 404

    async with flaky(world, 1).relay() as spooling:
        await spooling.bury(meter(1), "HTTP status 404", 2)
        (dead,) = await buried(world)
        await world.emptied()

    assert (dead.id, len(world.operator.heard)) == (identify(meter(1)), 1)


class NoSpool:
    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        raise Unavailable("the broker is away")

    async def deliver(self, *_: object) -> None: ...

    async def stop(self, endpoint: str) -> None: ...


async def test_while_nothing_can_be_kept_whoever_asks_is_told(world: World) -> None:
    doors = dataclasses.replace(world.doors, spool=cast(Any, NoSpool()))
    call: Envelope = meter(1)

    async with flaky(world, 1).relay(doors) as spooling:
        with pytest.raises(Unavailable, match="the broker is away"):
            await spooling.bury(call, "HTTP status 404", 1)

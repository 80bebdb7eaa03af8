"""Observers get copies in order, and whatever they do nobody else notices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.ports import Letter, Unavailable
from csms_platform.state import Stores, open_stores
from csms_webhook_relay.observers import MOST_UNDER_WAY, Observers
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.signature import is_genuine
from csms_webhook_relay.spool_metrics import NOT_STORED
from tests.service.webhook_relay.spool_world import FAST, Judged, World, meter, until
from tests.support.wiring import ports


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_doors(BusSettings()) as doors, open_stores("memory://") as stores, Judged() as operator:
        yield World(doors, stores, operator)


@asynccontextmanager
async def observing(world: World, **observer: Any) -> AsyncIterator[Observers]:
    """A relay's observers: one, called audit."""
    about = {"name": "audit", "url": world.operator.url} | observer
    settings = msgspec.convert({**FAST, "observers": [about], **world.settings}, Settings)
    tasks: list[asyncio.Task[None]] = []
    observers = Observers(ports(world.doors, world.stores, tasks=tasks), settings, world.now)
    await observers.start()
    try:
        yield observers
    finally:
        await observers.stop(settings.drain_seconds)


async def test_copies_arrive_in_each_station_s_order(world: World) -> None:
    async with observing(world) as observers:
        for number in range(20):
            observers.copy(meter(number, f"CS-{number % 2}"))
        await world.operator.hears(20)

    assert world.operator.numbers("CS-0") == list(range(0, 20, 2))
    assert world.operator.numbers("CS-1") == list(range(1, 20, 2))


async def test_an_observer_gets_only_the_actions_it_wants(world: World) -> None:
    async with observing(world, actions=["Heartbeat"]) as observers:
        observers.copy(meter(1))
        observers.copy(meter(2, action="Heartbeat"))
        await world.operator.hears(1)

    assert world.operator.numbers() == [2]


async def test_copies_are_signed_and_authorized_as_the_observer_wants(world: World) -> None:
    async with observing(world, secret="s3cret", authorization="Bearer", token="t0ken") as observers:
        observers.copy(meter(1))
        (heard,) = await world.operator.hears(1)

    assert heard.headers["authorization"] == "Bearer t0ken"
    body = msgspec.json.encode(heard.body)
    signature, timestamp = heard.headers["x-ocpp-signature"], heard.headers["x-ocpp-timestamp"]
    assert is_genuine(signature, b"s3cret", timestamp, body, now=world.now())


async def test_a_copy_never_waits_for_its_observer(world: World) -> None:
    world.operator.hold = asyncio.Event()
    async with observing(world) as observers:
        for number in range(100):
            observers.copy(meter(number))
        await until(lambda: _stored(world, 100))
        world.operator.hold.set()
        await world.emptied("observer.audit")

    assert world.operator.numbers() == list(range(100))


async def _stored(world: World, count: int) -> bool:
    return await world.doors.spool.waiting("observer.audit") == count


async def test_copies_that_are_not_taken_are_dropped_when_they_are_too_old(world: World) -> None:
    await world.operator.gone()
    async with observing(world) as observers:
        observers.copy(meter(1))
        await until(lambda: _stored(world, 1))
        world.ahead = 4 * 86_400
        for postman in observers.postmen:
            postman.look()
        await world.emptied("observer.audit")

    assert (await world.stores.deliveries.dead())[0] == []


async def test_copies_that_are_refused_are_dropped(world: World) -> None:
    world.operator.judge = lambda heard: 400
    async with observing(world) as observers:
        observers.copy(meter(1))
        await until(lambda: _heard(world))
        await world.emptied("observer.audit")

    assert (await world.stores.deliveries.dead())[0] == []


async def _heard(world: World) -> bool:
    return bool(world.operator.heard)


class Stuck:
    """A spool that stores nothing: it hangs, or it is away."""

    def __init__(self, *, away: bool) -> None:
        self._away = away

    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        if self._away:
            raise Unavailable("the broker is away")
        await asyncio.sleep(3600)

    async def deliver(self, *_: object) -> None: ...

    async def stop(self, endpoint: str) -> None: ...


def lost() -> float:
    return float(NOT_STORED.labels("observer.audit")._value.get())


def without(world: World, *, away: bool) -> World:
    stuck: Any = Stuck(away=away)
    doors: Doors = Doors(world.doors.bus, world.doors.events, world.doors.orders, stuck)
    stores: Stores = world.stores
    return World(doors, stores, world.operator, {"drain_seconds": 0.05})


async def test_more_copies_than_can_be_on_their_way_are_dropped_and_counted(world: World) -> None:
    before = lost()
    async with observing(without(world, away=False)) as observers:
        for number in range(MOST_UNDER_WAY + 3):
            observers.copy(meter(number))
        dropped = lost() - before

    assert dropped == 3


async def test_copies_are_dropped_and_counted_while_the_broker_is_away(world: World) -> None:
    before = lost()
    async with observing(without(world, away=True)) as observers:
        observers.copy(meter(1))
        await asyncio.sleep(0.01)

    assert lost() - before == 1


async def test_an_account_cannot_have_the_name_of_an_observer_s_queue(world: World) -> None:
    account = {"observer.audit": {"url": world.operator.url}}
    world.settings = {"accounts": account}

    with pytest.raises(ValueError, match=r"the account 'observer\.audit' has the name of an observer's queue"):
        async with observing(world):
            pass

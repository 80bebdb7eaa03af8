"""Letters: stored before anybody is promised anything, delivered in each station's order, at least once."""

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import Raw

from csms_platform.bus import BusSettings, open_doors
from csms_platform.bus.memory import memory_doors, open_exchange
from csms_platform.envelope import Envelope, Kind
from csms_platform.metrics import REGISTRY
from csms_platform.ports import Unavailable
from csms_platform.state import open_stores
from csms_webhook_relay.delivery import identify
from csms_webhook_relay.spool_metrics import UNUSABLE
from tests.service.webhook_relay.spool_world import Judged, World, meter, until
from tests.support.endpoint import Heard


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_doors(BusSettings()) as doors, open_stores("memory://") as stores, Judged() as operator:
        yield World(doors, stores, operator)


@pytest.fixture(params=["memory", "brokers"])
async def any_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    bus, state = "memory://", "memory://"
    if request.param == "brokers":
        bus, state = request.getfixturevalue("fresh_amqp_url"), request.getfixturevalue("fresh_redis_url")
    async with open_doors(BusSettings(url=bus)) as doors, open_stores(state) as stores, Judged() as operator:
        yield World(doors, stores, operator)


class Away:
    """A store that cannot be reached."""

    def __getattr__(self, name: str) -> object:
        async def unavailable(*_: object) -> None:
            raise Unavailable("the store is away")

        return unavailable


async def test_a_letter_says_what_it_is_and_since_when_it_waited(world: World) -> None:
    call = meter(17, attempt=3, account="acme")

    async with world.relay() as spooling:
        assert await spooling.store(call)
        (heard,) = await world.operator.hears(1)

    since = heard.headers["x-ocpp-spooled-at"]
    assert heard.body == {
        "identity": "CS-1",
        "uniqueId": "17",
        "action": "MeterValues",
        "payload": {"connectorId": 1, "meterValue": []},
        "version": "ocpp1.6",
        "transport": "json",
        "account": "acme",
        "stored": since,
    }
    assert (heard.delivery, heard.attempt) == (identify(call), 4)


async def test_stored_letters_are_delivered_in_order_and_then_nothing_waits(any_world: World) -> None:
    world, numbers = any_world, list(range(50))

    async with world.relay() as spooling:
        for number in numbers:
            assert await spooling.store(meter(number))
        await world.emptied()

    assert world.operator.numbers() == numbers
    assert not await world.waiting()


async def test_a_station_is_behind_while_its_letters_wait_and_the_others_are_not(world: World) -> None:
    world.operator.hold = asyncio.Event()
    async with world.relay() as spooling:
        await spooling.store(meter(1))
        await until(lambda: _true(bool(world.operator.heard)))
        behind = [await spooling.behind(meter(2, identity)) for identity in ("CS-1", "CS-2")]
        world.operator.hold.set()
        await world.emptied()

        assert behind == [True, False]
        assert not await spooling.behind(meter(2))


async def _true(value: bool) -> bool:
    return value


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_fails_every_station_s_letters_arrive_in_order(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.operator.judge = lambda heard: 500 if chance.random() < 0.3 else 200
    world.settings = {"spool_attempts": 1000, "concurrency": 4}
    stations = [f"CS-{number}" for number in range(6)]
    written: dict[str, list[int]] = {station: [] for station in stations}

    async with world.relay() as spooling:
        for number in range(60):
            station = chance.choice(stations)
            written[station].append(number)
            await spooling.store(meter(number, station))
        await world.emptied()

    assert {station: world.operator.numbers(station) for station in stations} == written


async def test_while_the_endpoint_is_gone_letters_wait_and_then_they_arrive_in_order(any_world: World) -> None:
    world = any_world
    await world.operator.gone()

    async with world.relay() as spooling:
        for number in range(10):
            await spooling.store(meter(number, f"CS-{number % 2}"))
        await asyncio.sleep(0.3)
        assert await world.waiting("CS-0")
        await world.operator.back()
        await world.emptied()

    assert world.operator.numbers("CS-0") == [0, 2, 4, 6, 8]
    assert world.operator.numbers("CS-1") == [1, 3, 5, 7, 9]
    assert (await world.stores.deliveries.dead())[0] == []


async def test_a_restarted_relay_delivers_what_the_one_before_left_in_order(any_world: World) -> None:
    world = any_world
    await world.operator.gone()
    async with world.relay() as spooling:
        for number in range(20):
            await spooling.store(meter(number))
    await world.operator.back()

    async with world.relay():
        await world.emptied()

    assert world.operator.numbers() == list(range(20))
    assert not await world.waiting()


async def test_letters_survive_a_restart_of_the_process_where_there_is_a_data_directory(tmp_path: Path) -> None:
    async with Judged() as operator:
        await operator.gone()
        async with _on_disk(tmp_path, operator) as world, world.relay() as spooling:
            for number in range(5):
                await spooling.store(meter(number))
        await operator.back()

        async with _on_disk(tmp_path, operator) as world, world.relay():
            await world.emptied()
            waiting = await world.waiting()

    assert (operator.numbers(), waiting) == (list(range(5)), False)


@asynccontextmanager
async def _on_disk(data: Path, operator: Judged) -> AsyncIterator[World]:
    async with open_doors(BusSettings(), data=data) as doors, open_stores("memory://", data=data) as stores:
        yield World(doors, stores, operator)


async def test_another_relay_takes_over_and_keeps_the_order() -> None:
    async with (
        open_exchange() as exchange,
        memory_doors(exchange, BusSettings()) as east,
        memory_doors(exchange, BusSettings()) as west,
        open_stores("memory://") as stores,
        Judged(judge=lambda heard: 200 if int(heard.body["uniqueId"]) < 2 else 500) as operator,
    ):
        world = World(east, stores, operator)
        async with world.relay(west):
            async with world.relay(east) as spooling:
                for number in range(5):
                    await spooling.store(meter(number))
                await operator.hears(2)
            operator.judge = lambda heard: 200
            await world.emptied()

    assert operator.numbers() == list(range(5))


async def test_leaving_waits_for_the_attempt_under_way(world: World) -> None:
    world.operator.hold = asyncio.Event()
    async with world.relay() as spooling:
        await spooling.store(meter(1))
        await spooling.store(meter(2))
        await until(lambda: _true(bool(world.operator.heard)))
        asyncio.get_running_loop().call_later(0.2, world.operator.hold.set)

    assert world.operator.numbers() == [1]
    assert await world.doors.spool.waiting("default") == 1


async def test_what_the_router_answered_instead_is_told_afterwards(world: World) -> None:
    call = meter(5, action="StartTransaction", payload=Raw(b'{"connectorId":1}'))
    answer = b'{"transactionId":7,"idTagInfo":{"status":"Accepted"}}'
    result = Envelope(
        Kind.RESULT,
        "CS-1",
        version="ocpp1.6",
        unique_id="5",
        action="StartTransaction",
        payload=Raw(answer),
        request=call.payload,
        session=call.session,
        settle=True,
    )

    async with world.relay() as spooling:
        await spooling.told(result)
        (heard,) = await world.operator.hears(1)

    assert heard.body["payload"] == {"connectorId": 1}
    assert heard.body["answered"] == {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    assert heard.delivery == identify(call)


async def test_a_2xx_of_the_endpoint_delivers_a_letter_whatever_it_says(world: World) -> None:
    world.operator.mode = "wrong"
    before = UNUSABLE.labels("default")._value.get()

    async with world.relay() as spooling:
        await spooling.store(meter(1))
        await world.emptied()

    assert (world.operator.numbers(), UNUSABLE.labels("default")._value.get() - before) == ([1], 1)
    assert (await world.stores.deliveries.dead())[0] == []


async def test_a_page_of_somebody_else_takes_no_letter(world: World) -> None:
    world.operator.mode = "garbage"

    async with world.relay() as spooling:
        for number in range(3):
            await spooling.store(meter(number))
        await until(lambda: _true(len(world.operator.heard) >= 3))
        waited = await world.waiting()
        world.operator.mode = "good"
        await world.emptied()

    assert (waited, world.operator.numbers()) == (True, [0, 1, 2])
    assert (await world.stores.deliveries.dead())[0] == []


async def test_an_endpoint_of_one_account_does_not_wait_for_that_of_another(world: World) -> None:
    async with Judged() as other:
        world.operator.judge = lambda heard: 500
        world.settings = {"accounts": {"acme": {"url": other.url}}}
        async with world.relay() as spooling:
            await spooling.store(meter(1))
            await spooling.store(meter(2, account="acme"))
            await other.hears(1)

        assert other.numbers() == [2]
        assert world.operator.numbers() == []
        assert await world.waiting()


async def test_one_broken_station_does_not_keep_the_others_out_of_the_window(world: World) -> None:
    def judge(heard: Heard) -> int:
        return 500 if heard.body["identity"] == "CS-BAD" else 200

    world.operator.judge = judge
    world.settings = {"spool_window": 5, "spool_attempts": 3, "breaker_failures": 1000}
    async with world.relay() as spooling:
        for number in range(20):
            await spooling.store(meter(number, "CS-BAD"))
        for number in range(20):
            await spooling.store(meter(number, "CS-1"))
        working = asyncio.create_task(world.serve_stations())
        try:
            await world.emptied()
        finally:
            working.cancel()

    dead, _ = await world.stores.deliveries.dead()
    assert world.operator.numbers("CS-1") == list(range(20))
    assert [letter.identity for letter in dead] == ["CS-BAD"] * 20
    assert dead[0].attempts >= 3
    assert not await world.waiting("CS-BAD")


async def test_what_cannot_be_stored_is_not_promised(world: World) -> None:
    stores = dataclasses.replace(world.stores, deliveries=cast(Any, Away()))

    async with World(world.doors, stores, world.operator).relay() as spooling:
        assert not await spooling.store(meter(1))
        assert await spooling.behind(meter(1))

    assert await world.doors.spool.waiting("default") == 0


async def test_an_account_that_nobody_serves_has_no_spool(world: World) -> None:
    world.settings = {"url": "", "accounts": {"acme": {"url": world.operator.url}}}

    async with world.relay() as spooling:
        assert not await spooling.store(meter(1, account="other"))


async def test_the_age_of_the_oldest_letter_is_a_metric_while_it_waits(world: World) -> None:
    def age() -> float:
        return REGISTRY.get_sample_value("csms_webhook_spool_age_seconds", {"queue": "default"}) or 0.0

    async def asked() -> bool:
        return world.operator.heard != []

    async def over() -> bool:
        return world.operator.numbers() == [1, 2] and age() == 0

    world.operator.hold = asyncio.Event()
    async with world.relay() as spooling:
        for number in (1, 2):
            assert await spooling.store(meter(number))
        await until(asked)
        fresh = age()
        world.ahead += 600
        old = age()
        world.operator.hold.set()
        await until(over)

    assert 0 <= fresh < 60
    assert 600 <= old < 660

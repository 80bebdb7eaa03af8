"""What stations are promised when RabbitMQ or Redis goes away and comes back, under a distributed system."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis as AsyncRedis

from tests.e2e.test_failures import online, receive_from_all, results, send_to_all
from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import RawStation, identity, raw_station, raw_stations
from tests.support.system import System, get

ANSWERED_AGAIN_WITHIN = 15.0
LEASE = 15.0
START = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
Take = Callable[[System], System]


@pytest.fixture
def on_breakable_rabbitmq(own: Take, private_rabbitmq: RabbitMQ, fresh_redis_url: str) -> System:
    return own(system.distributed(private_rabbitmq.fresh_vhost(), fresh_redis_url))


@pytest.fixture
def on_breakable_redis(own: Take, private_redis: Redis, fresh_amqp_url: str) -> System:
    return own(system.distributed(fresh_amqp_url, private_redis.fresh_database()))


@asynccontextmanager
async def away(broker: RabbitMQ | Redis, at_least: float = 0, *, killed: bool = False) -> AsyncIterator[None]:
    """The broker is down inside, and up again after, `at_least` seconds later."""
    await asyncio.to_thread(broker.kill if killed else broker.stop)
    stopped = time.monotonic()
    try:
        yield
        await asyncio.sleep(at_least - (time.monotonic() - stopped))
    finally:
        await asyncio.to_thread(broker.start)


async def statuses(running: System, path: str) -> list[int]:
    return [(await get(member.port, path))[0] for member in running.members]


async def answered(stations: list[RawStation]) -> None:
    """One more CALL of each is answered."""
    ids = [await station.send("Heartbeat", {}) for station in stations]
    answers = await receive_from_all(stations)

    assert answers == results(ids)


@pytest.mark.timeout(180)
async def test_a_restart_of_rabbitmq_under_200_stations_loses_no_connection_and_no_call(
    on_breakable_rabbitmq: System, private_rabbitmq: RabbitMQ
) -> None:
    async with raw_stations(on_breakable_rabbitmq.urls, 200) as stations:
        async with away(private_rabbitmq):
            ids = await send_to_all(stations)
            unready = await statuses(on_breakable_rabbitmq, "/readyz")
            alive = await statuses(on_breakable_rabbitmq, "/healthz")
        back = time.monotonic()
        answers = await receive_from_all(stations, ANSWERED_AGAIN_WITHIN)
        await answered(stations)
        seconds = time.monotonic() - back
        still = [station.open for station in stations]
        ready = await statuses(on_breakable_rabbitmq, "/readyz")

    assert answers == results(ids)
    assert still == [True] * 200
    assert seconds < ANSWERED_AGAIN_WITHIN
    assert (unready, alive, ready) == ([503] * 3, [200] * 3, [200] * 3)


@pytest.mark.timeout(180)
async def test_stations_are_online_again_when_rabbitmq_died_and_was_away_for_longer_than_a_lease(
    on_breakable_rabbitmq: System, private_rabbitmq: RabbitMQ
) -> None:
    async with raw_stations(on_breakable_rabbitmq.urls, 10) as stations:
        await asyncio.sleep(1)
        before = await online(on_breakable_rabbitmq, *stations)
        async with away(private_rabbitmq, at_least=LEASE + 10, killed=True):
            while any(await online(on_breakable_rabbitmq, *stations)):
                await asyncio.sleep(0.5)
        back = time.monotonic()
        await answered(stations)
        while not all(await online(on_breakable_rabbitmq, *stations)) and time.monotonic() - back < 15:
            await asyncio.sleep(0.5)
        # Past a sweep: they do not only look alive for a moment.
        await asyncio.sleep(6)
        after = await online(on_breakable_rabbitmq, *stations)
        still = [station.open for station in stations]

    assert before == [True] * 10
    assert after == [True] * 10
    assert still == [True] * 10


@pytest.mark.timeout(180)
async def test_without_rabbitmq_processes_still_leave_in_order(
    on_breakable_rabbitmq: System, private_rabbitmq: RabbitMQ
) -> None:
    members = on_breakable_rabbitmq.members
    async with raw_stations(on_breakable_rabbitmq.urls, 10) as stations:
        await asyncio.to_thread(private_rabbitmq.stop)
        for member in members:
            member.process.terminate()
        closed = [await station.closed(5) for station in stations]
        codes = [await member.process.exited(15) for member in members]
    tracebacks = [entry for member in members for entry in member.process.logs if "exception" in entry]

    assert [code for code, _ in closed] == [1012] * 10
    assert codes == [0] * 3
    assert tracebacks == []


@pytest.fixture
def on_short_leases(own: Take, private_redis: Redis, fresh_amqp_url: str) -> System:
    """A gateway counts as dead after three seconds of silence, and the routers look every second."""
    env = system.own_queues() | {
        "CSMS_WS_GATEWAY_LEASE": "3",
        "CSMS_WS_GATEWAY_LEASE_RENEWAL": "1",
        "CSMS_ROUTER_SWEEP_INTERVAL": "1",
    }
    return own(system.distributed(fresh_amqp_url, private_redis.fresh_database(), env=env))


async def online_again(running: System, stations: list[RawStation]) -> None:
    """All stations are online within ten seconds, stay so past some sweeps, and are answered."""
    deadline = time.monotonic() + 10
    while not all(await online(running, *stations)):
        assert time.monotonic() < deadline, await online(running, *stations)
        await asyncio.sleep(0.2)
    await asyncio.sleep(3)

    assert await online(running, *stations) == [True] * len(stations)
    await answered(stations)


async def test_stations_are_online_again_when_redis_was_away_for_longer_than_a_lease(
    on_short_leases: System, private_redis: Redis
) -> None:
    async with raw_stations(on_short_leases.urls, 10) as stations:
        async with away(private_redis, at_least=6):
            pass
        await online_again(on_short_leases, stations)


async def test_stations_are_online_again_when_redis_has_lost_everything(on_short_leases: System) -> None:
    async with raw_stations(on_short_leases.urls, 10) as stations:
        async with AsyncRedis.from_url(on_short_leases.state) as redis:
            await redis.flushdb()
        await online_again(on_short_leases, stations)


async def test_stations_are_online_again_when_no_router_was_there_for_longer_than_a_lease(
    on_short_leases: System,
) -> None:
    async with raw_stations(on_short_leases.urls, 10) as stations:
        on_short_leases.routers.pop().process.close()
        while any(await online(on_short_leases, *stations)):
            await asyncio.sleep(0.2)
        on_short_leases.add_router()
        await asyncio.to_thread(on_short_leases.wait_ready)
        await online_again(on_short_leases, stations)


async def test_a_station_that_moved_while_its_gateway_was_cut_off_is_not_taken_back_by_it(
    on_short_leases: System,
) -> None:
    cut_off, other = on_short_leases.gateways
    async with raw_stations([cut_off.url], 1) as [old]:
        cut_off.pause()
        while any(await online(on_short_leases, old)):
            await asyncio.sleep(0.2)
        async with raw_station(other.url, old.identity, boot=False) as new:
            cut_off.resume()
            closed = await old.closed(10)
            await online_again(on_short_leases, [new])

    assert closed[0] == 1000


async def test_calls_that_wait_for_redis_are_answered_when_it_is_back(
    on_breakable_redis: System, private_redis: Redis
) -> None:
    router = on_breakable_redis.routers[0]
    async with raw_stations(on_breakable_redis.urls, 20) as stations:
        async with away(private_redis, at_least=2):
            ids = await send_to_all(stations, "StartTransaction", START)
            unready, _ = await get(router.port, "/readyz")
        answers = await receive_from_all(stations)
        again = [await station.call("StartTransaction", START) for station in stations]
        ready, _ = await get(router.port, "/readyz")

    assert answers == results(ids)
    assert len({answer["transactionId"] for answer in again}) == 20
    assert (unready, ready) == (503, 200)
    assert router.process.returncode is None


async def test_what_needs_no_store_is_answered_while_redis_is_away(
    on_breakable_redis: System, private_redis: Redis
) -> None:
    async with raw_stations(on_breakable_redis.urls, 10) as stations, away(private_redis):
        ids = await send_to_all(stations)
        answers = await receive_from_all(stations, 5)

    assert answers == results(ids)


async def test_a_handshake_waits_for_redis(on_breakable_redis: System, private_redis: Redis) -> None:
    async with away(private_redis, at_least=2):
        connecting = asyncio.create_task(connect_and_boot(on_breakable_redis.urls[0]))
        await asyncio.sleep(1)
    answer = await connecting

    assert list(answer) == ["currentTime"]


async def connect_and_boot(url: str) -> dict[str, str]:
    async with raw_station(url, identity("waits")) as station:
        return await station.call("Heartbeat", {})


async def test_transactions_outlive_redis_and_router(on_breakable_redis: System, private_redis: Redis) -> None:
    async with raw_stations(on_breakable_redis.urls, 5) as stations:
        first = [await station.call("StartTransaction", START) for station in stations]
        on_breakable_redis.routers.pop().process.close()
        async with away(private_redis):
            pass
        on_breakable_redis.add_router()
        again = [await station.call("StartTransaction", START) for station in stations]
        other = await stations[0].call("StartTransaction", START | {"connectorId": 2})

    assert again == first
    assert other["transactionId"] not in {answer["transactionId"] for answer in first}

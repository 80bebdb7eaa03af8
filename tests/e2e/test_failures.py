"""What stations and their operator are promised when a process dies: each test kills one.

Distributed, on brokers that live; `test_broker_failures` is about those that do not.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms_ocpp.version import StationId
from csms_platform.state import open_stores
from tests.support import system
from tests.support.foreign import V1_6, RawStation, dial, identity, raw_station, raw_stations
from tests.support.system import Member, System, paused_redis

OFFLINE_WITHIN = 20.0
Take = Callable[[System], System]


async def online(running: System, *stations: RawStation) -> list[bool]:
    """What the store says about each station."""
    async with open_stores(running.state) as stores:
        sessions = [await stores.sessions.get(StationId(station.identity)) for station in stations]
    return [session is not None for session in sessions]


async def send_to_all(stations: list[RawStation], action: str = "Heartbeat", payload: object = None) -> list[str]:
    """One CALL from each, read by the gateway when this returns; answers their ids."""
    ids = [await station.send(action, payload or {}) for station in stations]
    await asyncio.sleep(0.3)
    return ids


async def receive_from_all(stations: list[RawStation], seconds: float = 20) -> list[list[Any]]:
    """Type and id of the next frame of each."""
    frames = await asyncio.gather(*(station.receive(seconds) for station in stations))
    return [frame[:2] for frame in frames]


def results(ids: list[str]) -> list[list[Any]]:
    return [[3, message_id] for message_id in ids]


def lost(router: Member, *stations: RawStation) -> list[bool]:
    """Whether the router has said of each station that its gateway died."""
    said = {entry["station"] for entry in router.process.logs if entry.get("reason") == "gateway lost"}
    return [station.identity in said for station in stations]


async def test_stations_of_a_killed_gateway_are_offline_within_20_seconds_and_served_elsewhere_at_once(
    own_distributed: System,
) -> None:
    [doomed, other], [router] = own_distributed.gateways, own_distributed.routers
    async with raw_stations([doomed.url], 8) as stations, AsyncExitStack() as moved:
        staying, moving = stations[:4], stations[4:]
        await asyncio.sleep(6)  # past a sweep: what lives is not swept
        before = await online(own_distributed, *stations)
        doomed.process.kill()
        killed = time.monotonic()
        again = [await moved.enter_async_context(raw_station(other.url, old.identity, boot=False)) for old in moving]
        answers = [await station.call("Heartbeat", {}, 1) for station in again]
        reconnected = time.monotonic() - killed
        while any(await online(own_distributed, *staying)):
            assert time.monotonic() - killed < OFFLINE_WITHIN
            await asyncio.sleep(0.2)
        # The store knows by the lease alone; the router tells with its next sweep.
        for station in staying:
            await router.process.logged("disconnected", 6, station=station.identity, reason="gateway lost")
        # Sessions that began at the other gateway in time are not swept with the old ones.
        after = await online(own_distributed, *again)
        answers += [await station.call("Heartbeat", {}, 1) for station in again]

    assert before == [True] * 8
    assert [list(answer) for answer in answers] == [["currentTime"]] * 8
    assert reconnected < 4
    assert lost(router, *stations) == [True] * 4 + [False] * 4
    assert after == [True] * 4


async def test_a_gateway_that_is_terminated_answers_every_call_and_closes_with_1012(own_distributed: System) -> None:
    leaving, router = own_distributed.gateways[0], own_distributed.routers[0]
    async with raw_stations([leaving.url], 20) as stations:
        router.pause()
        ahead = [await stations[0].send("Heartbeat", {}) for _ in range(2)]  # three CALLs of one station wait
        ids = await send_to_all(stations[1:])
        last = await stations[0].send("Heartbeat", {})
        await asyncio.sleep(0.2)
        leaving.process.terminate()
        await asyncio.sleep(0.5)
        router.resume()
        answers = await receive_from_all(stations[1:])
        of_one = [(await stations[0].receive())[:2] for _ in range(3)]
        closed = [await station.closed(10) for station in stations]
        code = await leaving.process.exited(10)
        states = await online(own_distributed, *stations)

    assert answers == results(ids)
    assert of_one == results([*ahead, last])
    assert [code for code, _ in closed] == [1012] * 20
    assert code == 0
    assert states == [False] * 20


async def test_a_gateway_that_drains_takes_no_new_stations(own_distributed: System) -> None:
    leaving, router = own_distributed.gateways[0], own_distributed.routers[0]
    async with raw_stations([leaving.url], 1) as stations:
        router.pause()
        ids = await send_to_all(stations)
        leaving.process.terminate()
        await asyncio.sleep(0.3)
        with pytest.raises((OSError, InvalidStatus)):
            await dial(leaving.url, identity("late"), V1_6)
        router.resume()
        answers = await receive_from_all(stations)

    assert answers == results(ids)


async def test_all_in_one_that_is_terminated_answers_every_call_and_closes_with_1012(
    own: Take, fresh_redis_url: str
) -> None:
    running = own(system.all_in_one("--state", fresh_redis_url))
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    async with raw_stations(running.urls, 20) as stations:
        async with paused_redis(fresh_redis_url):
            ids = await send_to_all(stations, "StartTransaction", start)
            running.gateways[0].process.terminate()
            await asyncio.sleep(0.5)
        answers = await receive_from_all(stations)
        closed = [await station.closed(10) for station in stations]
        code = await running.gateways[0].process.exited(10)

    assert answers == results(ids)
    assert [code for code, _ in closed] == [1012] * 20
    assert code == 0


async def test_a_router_that_is_terminated_answers_what_it_took_and_exits_0(own_distributed: System) -> None:
    leaving = own_distributed.routers[0]
    async with raw_stations(own_distributed.urls, 20) as stations:
        own_distributed.add_router()
        await asyncio.to_thread(own_distributed.wait_ready)
        ids = await send_to_all(stations)
        leaving.process.terminate()
        answers = await receive_from_all(stations)
        later = await send_to_all(stations)
        answers_later = await receive_from_all(stations)
        code = await leaving.process.exited(10)

    assert answers == results(ids)
    assert answers_later == results(later)
    assert code == 0


async def test_no_answer_is_lost_when_a_router_is_killed_beside_another(own_distributed: System) -> None:
    doomed = own_distributed.routers[0]
    own_distributed.add_router()
    await asyncio.to_thread(own_distributed.wait_ready)
    async with raw_stations(own_distributed.urls, 40) as stations:
        doomed.pause()
        ids = []
        for station in stations:
            # One batch each, so that about half of them are with the one that is going to die.
            ids.append(await station.send("Heartbeat", {}))
            await asyncio.sleep(0.02)
        doomed.process.kill()
        answers = await receive_from_all(stations)

    assert answers == results(ids)


async def test_without_a_router_gateways_stay_and_calls_are_answered_when_one_is_back(own_distributed: System) -> None:
    async with raw_stations(own_distributed.urls, 20) as stations:
        own_distributed.routers.pop().process.close()
        ids = await send_to_all(stations)
        await asyncio.sleep(1)
        own_distributed.add_router()
        answers = await receive_from_all(stations)
        still = [station.open for station in stations]

    assert answers == results(ids)
    assert still == [True] * 20
    assert [gateway.process.returncode for gateway in own_distributed.gateways] == [None, None]


async def test_a_start_that_waited_for_a_router_is_one_transaction(own_distributed: System) -> None:
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    async with raw_stations(own_distributed.urls, 2) as stations:
        own_distributed.routers.pop().process.close()
        await send_to_all(stations, "StartTransaction", start)
        own_distributed.add_router()
        first = [(await station.receive())[2]["transactionId"] for station in stations]
        again = [(await station.call("StartTransaction", start))["transactionId"] for station in stations]

    assert first == again
    assert len(set(first)) == 2

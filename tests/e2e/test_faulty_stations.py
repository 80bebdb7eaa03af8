"""Stations that do everything wrong, one after the other, next to one that does nothing wrong and must not notice."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Any

import psutil
import pytest

from csms_emulator.faults.troubles import (
    GarbledAnswers,
    HalfOpen,
    Malformed,
    NoAnswers,
    RestartingIds,
    SlowAnswers,
    SlowReader,
    Storm,
    SuddenDeath,
    Trouble,
    TwiceAnswered,
    TwoCalls,
    WrongIds,
)
from csms_emulator.faults.wrong import MALFORMED, Layer
from csms_emulator.testing import CallError, Station
from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import identity, raw_station
from tests.support.system import System, get

IMPATIENT = {
    "CSMS_WS_GATEWAY_PING_INTERVAL": "0.5",
    "CSMS_WS_GATEWAY_PONG_DEADLINE": "0.5",
    "CSMS_WS_GATEWAY_COMMAND_TIMEOUT": "0.7",
}
NOTICED = 1.5  # seconds for which a sound station may wait for an answer, on a busy machine
BREAKS = {kind for kind, piece in MALFORMED.items() if piece.layer is not Layer.TEXT} | {
    "invalid-utf-8",
    "utf-8-surrogate",
    "too-large",
}
MOST_GROWTH = 24 * 2**20  # bytes


@pytest.fixture(scope="module", params=["all-in-one", "distributed"])
def impatient(request: pytest.FixtureRequest) -> Iterator[System]:
    """A central system that soon gives up on stations: for this file only, and never restarted."""
    if request.param == "all-in-one":
        started = system.all_in_one(env=IMPATIENT)
    else:
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        redis: Redis = request.getfixturevalue("redis_server")
        brokers = rabbitmq.fresh_vhost(), redis.fresh_database()
        started = system.distributed(*brokers, gateways=1, apis=1, env=IMPATIENT)
    with closing(started) as running:
        yield running.wait_ready()


@asynccontextmanager
async def undisturbed(running: System) -> AsyncIterator[None]:
    """A sound station asks all the while, and every answer comes, soon."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []

    async def ask() -> None:
        async with raw_station(running.urls[0], identity("sound")) as sound:
            while True:
                asked = loop.time()
                await sound.call("Heartbeat", {}, 10)
                waits.append(loop.time() - asked)
                await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield
        await asyncio.sleep(0.1)
        assert not asking.done(), asking
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert waits != []
    assert max(waits) < NOTICED


async def served(station: Station, within: float = 10.0) -> bool:
    """Wait until the station's questions are answered; False when it had to connect again for that."""
    whole = True
    async with asyncio.timeout(within):
        while True:
            try:
                await station.call("Heartbeat", within=5)
                return whole
            except (ConnectionError, CallError):
                whole = False
                await asyncio.sleep(0.02)
                await station.go_online()


async def number(running: System, metric: str) -> float:
    """A metric of the gateway, all its labels together."""
    _, text = await get(running.gateways[0].port, "/metrics")
    return sum(float(value) for value in re.findall(rf"^csms_{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


async def settles(running: System, metric: str, value: float, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while await number(running, metric) != value:
            await asyncio.sleep(0.1)


async def told(running: System, station: Station, action: str = "ClearCache") -> tuple[int, Any]:
    """What the operator learns of a command."""
    path = f"/api/v1/ChargePoint/{station.identity}/{action}"
    return await asyncio.to_thread(running.rest, "POST", path, {})


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_every_malformed_message_is_survived_and_only_what_is_no_message_costs_the_connection(
    impatient: System, version: Any
) -> None:
    breaking: set[str] = set()
    async with undisturbed(impatient), Station(identity("wrong"), url=impatient.urls[0], version=version) as station:
        for kind in MALFORMED:
            await station.trouble(Malformed(kind))
            if not await served(station):
                breaking.add(kind)

    assert breaking == BREAKS


@pytest.mark.parametrize(
    "trouble", [NoAnswers(), WrongIds(), GarbledAnswers(), SlowAnswers(seconds=1.0), TwiceAnswered(), SlowReader(0.2)]
)
async def test_commands_to_a_station_that_answers_wrongly_end_and_those_after_it_is_healed_work(
    impatient: System, trouble: Trouble
) -> None:
    async with undisturbed(impatient), Station(identity("mute"), url=impatient.urls[0]) as station:
        await station.trouble(trouble)
        meanwhile = await told(impatient, station)
        await served(station)
        await station.heal()
        afterwards = await told(impatient, station)

    answered = isinstance(trouble, TwiceAnswered | SlowReader)
    assert meanwhile[0] == (200 if answered else 504), meanwhile
    assert afterwards == (200, {"status": "Accepted"})


async def test_a_half_open_station_is_given_up_and_served_again_when_it_is_healed(impatient: System) -> None:
    async with undisturbed(impatient), Station(identity("half"), url=impatient.urls[0]) as station:
        connected = await number(impatient, "ws_connections")
        await station.trouble(HalfOpen())
        await settles(impatient, "ws_connections", connected - 1)
        unaware = station.online
        await station.heal()
        again = not await served(station)

    assert (unaware, again) == (True, True)


async def test_two_calls_at_once_and_one_call_twice_are_no_reason_to_stop_answering(impatient: System) -> None:
    async with undisturbed(impatient), Station(identity("two"), url=impatient.urls[0]) as station:
        for _ in range(20):
            await station.trouble(TwoCalls())
            await station.trouble(TwoCalls(same_id=True))

        assert await served(station)


async def test_message_ids_that_restart_are_never_answered_with_what_was_said_before(impatient: System) -> None:
    """After each boot, "1" is a BootNotification, and StartTransaction has the id that it had last time."""
    async with undisturbed(impatient), Station(identity("again"), url=impatient.urls[0], pace=50) as station:
        await station.trouble(RestartingIds())
        numbers = []
        for _ in range(3):
            await station.power_cycle()
            await station.until(lambda view: not station.online)
            await station.booted()
            await station.plug()
            await station.swipe("TAG")
            started = await station.expect("StartTransaction", sender="csms", kind="result")
            numbers.append(started.payload["transactionId"])
            await station.unplug()
            await station.expect("StopTransaction", sender="csms", kind="result")

    assert len(set(numbers)) == 3


async def test_sudden_death_in_a_transaction_loses_nothing_of_it(impatient: System) -> None:
    async with undisturbed(impatient), Station(identity("dies"), url=impatient.urls[0]) as station:
        await station.plug()
        await station.swipe("TAG")
        started = await station.expect("StartTransaction", sender="csms", kind="result")
        await station.trouble(SuddenDeath(returns=False))
        await station.until(lambda view: not station.online)
        await station.unplug()
        await station.heal()
        stop = await station.expect("StopTransaction")
        await station.expect("StopTransaction", sender="csms", kind="result")

    assert stop.payload["transactionId"] == started.payload["transactionId"]


async def test_everybody_is_served_after_a_reconnect_storm_and_nothing_is_left_of_it(impatient: System) -> None:
    """Three storms of thirty stations: no socket stays, no file, and no memory to speak of."""
    gateway = psutil.Process(impatient.gateways[0].process.pid)
    async with undisturbed(impatient), AsyncExitStack() as park:
        stations = [Station(identity("storm"), url=impatient.urls[0], within=0) for _ in range(30)]
        await asyncio.gather(*(park.enter_async_context(station) for station in stations))
        await asyncio.gather(*(station.booted() for station in stations))
        before = await number(impatient, "ws_sockets"), gateway.num_fds(), gateway.memory_info().rss
        for _ in range(3):
            for station in stations:
                await station.trouble(Malformed("too-long"))
                await station.trouble(Storm(times=2, every=0.3, gap=0.05))
            await asyncio.sleep(0.7)
            await asyncio.gather(*(served(station) for station in stations))
        await settles(impatient, "ws_sockets", before[0])
        growth = gateway.memory_info().rss - before[2]

        assert gateway.num_fds() <= before[1] + 5
        assert growth < MOST_GROWTH


@pytest.mark.parametrize("trouble", [NoAnswers(), GarbledAnswers(), WrongIds(), SlowAnswers(seconds=0.3)])
async def test_a_soap_station_that_answers_wrongly_is_told_about_and_asked_again(
    all_in_one: System, trouble: Trouble
) -> None:
    name, url = identity("soap"), all_in_one.soaps[0].soap
    async with Station(name, url=url, transport="soap") as station:
        await station.trouble(trouble)
        meanwhile = await told(all_in_one, station)
        await station.heal()
        afterwards = await told(all_in_one, station)

    # A wrong RelatesTo is no obstacle: HTTP tells which question is answered.
    assert (meanwhile[0] == 200) == isinstance(trouble, SlowAnswers | WrongIds), meanwhile
    assert afterwards == (200, {"status": "Accepted"})

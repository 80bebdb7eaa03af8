"""What operators are promised when their endpoint, or a part of ours, is away: every stop and every meter value comes.

Each test drives raw stations, which repeat a CALL until it is answered, and an endpoint that writes down what it took.
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ
from tests.support.endpoint import Endpoint
from tests.support.foreign import RawStation, identity, raw_station, raw_stations
from tests.support.system import System

Take = Callable[[System], System]

OUTAGE = 60.0
STATIONS = 50
# Patience in the size of a test: the endpoint is given up early, and a station's CALL is repeated soon.
IMPATIENT = {
    "CSMS_WS_GATEWAY_CALL_DEADLINE": "6",
    "CSMS_WEBHOOK_TIMEOUT": "2",
    "CSMS_WEBHOOK_CONNECT_TIMEOUT": "1",
    "CSMS_WEBHOOK_SPOOL_FIRST_PAUSE": "0.5",
    "CSMS_WEBHOOK_SPOOL_LONGEST_PAUSE": "2",
    "CSMS_WEBHOOK_BREAKER_SECONDS": "1",
}


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as listening:
        yield listening


def asks(endpoint: Endpoint, **settings: str) -> dict[str, str]:
    """The environment of a system that asks `endpoint`."""
    return IMPATIENT | {"CSMS_WEBHOOK_URL": endpoint.url} | settings


async def insist(station: RawStation, action: str, payload: object) -> dict[str, Any]:
    """Repeat one CALL, as stations do with what they must not lose, until it is answered with a result."""
    message_id = uuid.uuid4().hex
    for _ in range(30):
        await station.send(action, payload, message_id)
        try:
            async with asyncio.timeout(8):
                while (frame := await station.receive())[:2] != [3, message_id]:
                    assert frame[0] == 3, frame  # an answer to an earlier repeat; never an error
        except TimeoutError:
            continue
        answer: dict[str, Any] = frame[2]
        return answer
    raise AssertionError(f"{action} of {station.identity} was never answered")


def meter_values(number: int, transaction: int) -> dict[str, Any]:
    sample = {"timestamp": "2026-01-01T10:00:00Z", "sampledValue": [{"value": str(number)}]}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [sample]}


async def charge(station: RawStation, until: asyncio.Event, pause: float) -> list[str]:
    """Start, report until told to stop, stop; answers what was said, in order, in the words of `said`."""
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    transaction = (await insist(station, "StartTransaction", start))["transactionId"]
    words = []
    for number in itertools.count():
        await insist(station, "MeterValues", meter_values(number, transaction))
        words.append(f"MeterValues {number}")
        if until.is_set():
            break
        await asyncio.sleep(pause)
    stop = {"transactionId": transaction, "meterStop": 9, "timestamp": "2026-01-01T11:00:00Z"}
    await insist(station, "StopTransaction", stop)
    return [*words, f"StopTransaction {transaction}"]


def said(endpoint: Endpoint, station: str) -> list[str]:
    """What the endpoint took of a station's meter values and stops: each delivery once, in the order of arrival."""
    words: dict[str, str] = {}
    for heard in endpoint.by_station("MeterValues", "StopTransaction")[station]:
        payload = heard.body["payload"]
        about = payload["meterValue"][0]["sampledValue"][0]["value"] if "meterValue" in payload else None
        words.setdefault(heard.delivery, f"{heard.body['action']} {about or payload['transactionId']}")
    return list(words.values())


async def all_said(endpoint: Endpoint, told: dict[str, list[str]], within: float) -> None:
    """Wait until the endpoint took everything, and compare station by station."""
    wanted = sum(len(words) for words in told.values())
    try:
        async with asyncio.timeout(within):
            while sum(len(set(said(endpoint, station))) for station in told) < wanted:
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass  # the comparison below says what is missing
    wrong = {station: said(endpoint, station) for station, words in told.items() if said(endpoint, station) != words}
    assert wrong == {}, {station: told[station] for station in wrong}


@asynccontextmanager
async def charging(running: System, count: int, pause: float) -> AsyncIterator[Callable[[], Any]]:
    """`count` stations that charge until the yielded function is called, which answers what each of them said."""
    stop = asyncio.Event()
    async with raw_stations(running.urls, count) as stations:
        tasks = {station.identity: asyncio.create_task(charge(station, stop, pause)) for station in stations}

        async def finish() -> dict[str, list[str]]:
            stop.set()
            return dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))

        try:
            yield finish
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.timeout(300)
async def test_a_minute_without_the_endpoint_in_which_relay_router_and_rabbitmq_die_loses_nothing(
    own: Take, private_rabbitmq: RabbitMQ, fresh_redis_url: str, endpoint: Endpoint
) -> None:
    running = own(
        system.distributed(
            private_rabbitmq.fresh_vhost(), fresh_redis_url, routers=2, relays=2, gateways=2, env=asks(endpoint)
        )
    )
    async with charging(running, STATIONS, pause=2.0) as finish:
        await endpoint.hears(STATIONS, "StartTransaction", within=30)
        await endpoint.gone()
        gone = asyncio.get_running_loop().time()
        await asyncio.sleep(10)
        running.relays.pop(0).process.close()  # SIGKILL
        running.add_relay()
        await asyncio.sleep(10)
        running.routers.pop(0).process.close()
        running.add_router()
        await asyncio.sleep(5)
        await asyncio.to_thread(private_rabbitmq.restart)
        await asyncio.sleep(max(0, gone + OUTAGE - 10 - asyncio.get_running_loop().time()))
        told = await finish()
        await asyncio.sleep(max(0, gone + OUTAGE - asyncio.get_running_loop().time()))
        heard_in_between = len(endpoint.heard)
        await endpoint.back()
        await all_said(endpoint, told, within=60)

    assert min(len(words) for words in told.values()) >= 4
    assert len(endpoint.heard) > heard_in_between


@pytest.mark.parametrize("deployment", ["all-in-one", "distributed"])
async def test_what_comes_after_the_endpoint_is_back_does_not_overtake_what_waits(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str, endpoint: Endpoint, deployment: str
) -> None:
    settings = asks(endpoint)
    running = own(
        system.all_in_one(env=settings)
        if deployment == "all-in-one"
        else system.distributed(fresh_amqp_url, fresh_redis_url, relays=2, env=settings)
    )
    async with charging(running, 10, pause=0.05) as finish:
        await endpoint.hears(20, "MeterValues")
        for mode in ("500", "good", "cut", "good", "garbage", "good"):
            endpoint.mode = mode
            await asyncio.sleep(1.5)
        told = await finish()
        await all_said(endpoint, told, within=30)

    assert min(len(words) for words in told.values()) >= 10


async def test_all_in_one_keeps_its_spool_in_the_data_directory(own: Take, tmp_path: Path, endpoint: Endpoint) -> None:
    settings = asks(endpoint)
    await endpoint.gone()
    running = own(system.all_in_one("--data", str(tmp_path), env=settings))
    name = identity("kept")
    async with raw_station(running.urls[0], name) as station:
        for number in range(20):
            await insist(station, "MeterValues", meter_values(number, 1))
        running.gateways[0].process.kill()
    await running.gateways[0].process.exited()
    again = own(system.all_in_one("--data", str(tmp_path), env=settings))
    async with AsyncExitStack() as stack:
        station = await stack.enter_async_context(raw_station(again.urls[0], name))
        await insist(station, "MeterValues", meter_values(20, 1))
        await endpoint.back()
        await all_said(endpoint, {name: [f"MeterValues {number}" for number in range(21)]}, within=20)


@pytest.mark.parametrize("mode", ["slow", "500", "429", "garbage", "wrong", "huge", "cut"])
async def test_whatever_the_endpoint_does_a_station_is_answered_in_time(
    own: Take, endpoint: Endpoint, mode: str
) -> None:
    running = own(system.all_in_one(env=asks(endpoint)))
    endpoint.mode, endpoint.delay = mode, 30.0
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    async with raw_station(running.urls[0], identity("answered")) as station:
        answers = [
            await station.call(action, payload, 7)
            for action, payload in (
                ("Authorize", {"idTag": "T"}),
                ("StartTransaction", start),
                ("MeterValues", meter_values(1, 1)),
                ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
                ("StopTransaction", {"transactionId": 1, "meterStop": 9, "timestamp": "2026-01-01T11:00:00Z"}),
            )
        ]

    assert [sorted(answer) for answer in answers] == [["idTagInfo"], ["idTagInfo", "transactionId"], [], [], []]


async def test_a_start_that_was_answered_without_the_endpoint_is_told_to_it_afterwards(
    own: Take, endpoint: Endpoint
) -> None:
    running = own(system.all_in_one(env=asks(endpoint)))
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    async with raw_station(running.urls[0], identity("told")) as station:
        await endpoint.gone()
        answer = await station.call("StartTransaction", start, 7)
        await endpoint.back()
        [heard] = await endpoint.hears(1, "StartTransaction", within=15)

    assert heard.body["payload"] == start
    assert heard.body["answered"] == answer

"""What operators hear on `ocpp.events` and in their reply queues is as docs/asyncapi.yaml and docs/commands.md say."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractQueue

from tests.support import system
from tests.support.asyncapi import complaints
from tests.support.brokers import RabbitMQ
from tests.support.endpoint import Endpoint
from tests.support.foreign import V1_6, V2_0_1, V2_1, RawStation, identity, raw_station
from tests.support.operator import Operator, operator
from tests.support.system import System

Take = Callable[[System], System]
Event = dict[str, Any]

METER = {
    "connectorId": 1,
    "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1"}]}],
}
STREAM = {"id": 1, "pending": 0, "basetime": "2026-01-01T00:00:00Z", "data": [{"t": 0.5, "v": "1"}]}
UNANSWERED = {"CSMS_WS_GATEWAY_CALL_DEADLINE": "3", "CSMS_WEBHOOK_TIMEOUT": "1", "CSMS_WEBHOOK_ATTEMPTS": "1"}


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as listening:
        yield listening


@pytest.fixture
def telling(own: Take, fresh_amqp_url: str, fresh_redis_url: str, endpoint: Endpoint) -> System:
    """A router, two gateways and a relay that asks `endpoint`."""
    env = UNANSWERED | {"CSMS_WEBHOOK_URL": endpoint.url}
    return own(system.distributed(fresh_amqp_url, fresh_redis_url, relays=1, env=env))


@pytest.fixture
async def us(telling: System) -> AsyncIterator[Operator]:
    """An operator who follows everything."""
    async with operator(telling.bus, telling.env["CSMS_BUS_PREFIX"]) as made:
        await made.follow("#")
        yield made


def key_of(event: Event) -> str:
    """The routing key that docs/commands.md promises."""
    named = event["action"] if event["type"] in ("call", "send") else event["type"]
    return f"{event.get('version', 'unknown')}.{named}"


def check(us: Operator) -> None:
    """Everything heard so far is as documented."""
    wrong = {json.dumps(event): found for event in us.events if (found := complaints(event["type"], event))}
    wrong |= {json.dumps(outcome): found for outcome in us.outcomes if (found := complaints("outcome", outcome))}
    assert wrong == {}
    assert us.keys == [key_of(event) for event in us.events]
    assert len({event["id"] for event in us.events}) == len(us.events)
    assert {event["version"] for event in us.events if "version" in event} <= {V1_6, V2_0_1, V2_1}


def without(event: Event, *more: str) -> Event:
    """The event without what differs from run to run."""
    varying = {"id", "time", "gateway", "epoch", "milliseconds", *more}
    return {name: value for name, value in event.items() if name not in varying}


async def answer(station: RawStation, *frames: list[Any]) -> None:
    """Answer as many CALLs with these: `[3, payload]` or `[4, code, description, details]`."""
    for kind, *rest in frames:
        asked = await station.receive()
        assert asked[0] == 2, asked
        await station.socket.send(json.dumps([kind, asked[1], *rest]))


async def test_a_connection_and_what_is_said_over_it(telling: System, us: Operator) -> None:
    name = identity("told")
    async with raw_station(telling.urls[0], name, boot=False) as station:
        early = await station.send("Heartbeat", {})
        refusal = await station.receive()
        await station.boot()
        number = await station.send("Heartbeat", {})
        result = await station.receive()
    await us.sees(1, type="disconnected", identity=name)

    connected, refused, boot, heartbeat, disconnected = us.events
    about = {"identity": name, "version": V1_6, "transport": "json"}
    assert without(connected) == about | {"type": "connected", "peer": "127.0.0.1"}
    call = about | {"type": "call", "action": "Heartbeat", "request": {}}
    assert without(refused) == call | {
        "uniqueId": early,
        "errorCode": "SecurityError",
        "errorDescription": refusal[3],
        "errorDetails": {},
    }
    assert boot["response"]["status"] == "Accepted"
    assert without(heartbeat) == call | {"uniqueId": number, "response": result[2]}
    assert without(disconnected, "reason") == about | {"type": "disconnected"}
    assert len({(event["gateway"], event["epoch"]) for event in us.events}) == 1
    check(us)


async def test_what_a_station_sends_without_waiting(telling: System, us: Operator) -> None:
    name = identity("told")
    async with raw_station(telling.urls[0], name, V2_1) as station:
        await station.socket.send(json.dumps([6, "s-1", "NotifyPeriodicEventStream", STREAM]))
        [sent] = await us.sees(1, type="send")

    assert without(sent) == {
        "identity": name,
        "version": V2_1,
        "transport": "json",
        "type": "send",
        "uniqueId": "s-1",
        "action": "NotifyPeriodicEventStream",
        "request": STREAM,
    }
    check(us)


async def test_a_call_that_nobody_answered(telling: System, us: Operator, endpoint: Endpoint) -> None:
    name = identity("told")
    async with raw_station(telling.urls[0], name) as station:
        telling.routers[0].pause()
        try:
            number = await station.send("Authorize", {"idTag": "TAG"})
            [call] = await us.sees(1, type="call", action="Authorize")
        finally:
            telling.routers[0].resume()

    assert without(call) == {
        "identity": name,
        "version": V1_6,
        "transport": "json",
        "type": "call",
        "uniqueId": number,
        "action": "Authorize",
        "request": {"idTag": "TAG"},
    }
    check(us)


async def test_a_message_that_the_endpoint_refused(telling: System, us: Operator, endpoint: Endpoint) -> None:
    name = identity("told")
    async with raw_station(telling.urls[0], name) as station:
        endpoint.mode = "404"
        told = await station.call("MeterValues", METER)
        [dead] = await us.sees(1, type="deadLetter")

    assert told == {}
    assert without(dead, "deliveryId", "reason") == {
        "identity": name,
        "version": V1_6,
        "type": "deadLetter",
        "action": "MeterValues",
        "endpoint": "default",
    }
    assert dead["deliveryId"] == endpoint.heard[-1].delivery
    assert "404" in dead["reason"]
    check(us)


async def test_how_commands_ended(telling: System, us: Operator) -> None:
    name, unknown = identity("told"), identity("unknown")
    async with raw_station(telling.urls[0], name, V2_0_1) as station:
        answering = asyncio.create_task(
            answer(station, [3, {"status": "Accepted"}], [4, "NotSupported", "No cache here", {"cache": None}])
        )
        outcomes = [
            await us.ask(name, "Reset", {"type": "Immediate"}),
            await us.ask(name, "ClearCache"),
            await us.ask(unknown, "ClearCache"),
            await us.ask(unknown, "ClearCache", expiration=0.3),
            await us.ask(name, "Reset", {"type": "Sideways"}),
            await us.ask(name, "Explode"),
        ]
        await answering
    events = await us.sees(5, type="command")

    told = [outcome["outcome"] for outcome in outcomes]
    assert told == ["result", "error", "NotConnected", "Expired", "Invalid", "Invalid"]
    # What cannot be an order at all is told to its sender only.
    assert [event["outcome"] for event in events] == told[:-1]
    assert [event["uniqueId"] for event in events] == [outcome["uniqueId"] for outcome in outcomes[:-1]]
    assert [event.get("version") for event in events] == [V2_0_1, V2_0_1, None, None, V2_0_1]
    about = {"identity": name, "version": V2_0_1, "type": "command"}
    assert without(events[0], "uniqueId") == about | {
        "action": "Reset",
        "request": {"type": "Immediate"},
        "outcome": "result",
        "response": {"status": "Accepted"},
    }
    assert without(events[1], "uniqueId") == about | {
        "action": "ClearCache",
        "request": {},
        "outcome": "error",
        "errorCode": "NotSupported",
        "errorDescription": "No cache here",
        "errorDetails": {"cache": None},
    }
    assert all(event["errorDescription"] for event in events[1:])
    check(us)


async def test_events_of_a_station_come_in_the_order_in_which_things_happened(telling: System, us: Operator) -> None:
    names = [identity(f"told-{number}") for number in range(8)]
    asked: dict[str, list[str]] = {}

    async def live(name: str, url: str) -> None:
        async with raw_station(url, name) as station:
            asked[name] = [await said(station, number) for number in range(20)]

    async def said(station: RawStation, number: int) -> str:
        message_id = await station.send("DataTransfer", {"vendorId": f"{number}"})
        assert (await station.receive())[:2] == [3, message_id]
        return message_id

    async with asyncio.TaskGroup() as living:
        for number, name in enumerate(names):
            living.create_task(live(name, telling.urls[number % 2]))
    await us.sees(len(names), type="disconnected")

    told = defaultdict(list)
    for event in us.events:
        told[event["identity"]].append(event)
    for name in names:
        first, boot, *calls, last = told[name]
        assert (first["type"], boot["action"], last["type"]) == ("connected", "BootNotification", "disconnected")
        assert [call["uniqueId"] for call in calls] == asked[name]
        assert [event["time"] for event in told[name]] == sorted(event["time"] for event in told[name])
    check(us)


async def read(queue: AbstractQueue, identity: str, until: str, within: float = 30) -> list[Event]:
    """The queue's events of one station, up to one of the type `until`."""
    found: list[Event] = []
    async with asyncio.timeout(within), queue.iterator(no_ack=True) as messages:
        async for message in messages:
            event = json.loads(message.body)
            if event["identity"] == identity:
                found.append(event)
                if event["type"] == until:
                    break
    return found


@pytest.mark.timeout(180)
async def test_a_durable_queue_misses_nothing_of_a_restart_of_rabbitmq(
    own: Take, private_rabbitmq: RabbitMQ, fresh_redis_url: str
) -> None:
    running = own(system.distributed(private_rabbitmq.fresh_vhost(), fresh_redis_url, gateways=1))
    name, exchange = identity("durable"), running.env["CSMS_BUS_PREFIX"] + "ocpp.events"
    async with await aio_pika.connect(running.bus) as connection:
        channel = await connection.channel()
        await channel.declare_exchange(exchange, "topic", durable=True)
        await (await channel.declare_queue("mine", durable=True)).bind(exchange, "#")
    await asyncio.sleep(1.2)  # a new binding is noticed within a second

    async with raw_station(running.urls[0], name) as station:
        before = await station.send("Heartbeat", {})
        await station.receive()
        await asyncio.to_thread(private_rabbitmq.stop)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(private_rabbitmq.start)
    async with await aio_pika.connect(running.bus) as connection:
        channel = await connection.channel()
        told = await read(await channel.declare_queue("mine", durable=True, passive=True), name, "disconnected")

    unique = list({event["id"]: event for event in told}.values())
    assert [event["type"] for event in unique] == ["connected", "call", "call", "disconnected"]
    assert [event["action"] for event in unique[1:3]] == ["BootNotification", "Heartbeat"]
    assert unique[2]["uniqueId"] == before
    assert [complaints(event["type"], event) for event in unique] == [[], [], [], []]

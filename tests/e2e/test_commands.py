"""Operators publish to `ocpp.commands`: what reaches the station, how often, in which order, and what they are told."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ
from tests.support.foreign import V1_6, V2_0_1, RawStation, basic, identity, raw_station
from tests.support.operator import Operator, operator
from tests.support.system import System

Take = Callable[[System], System]
ACCEPTED = {"status": "Accepted"}
HEX_KEY = "6e65772d70617373776f7264210123456789abcd"


@asynccontextmanager
async def operating(running: System) -> AsyncIterator[Operator]:
    async with operator(running.bus, running.env["CSMS_BUS_PREFIX"]) as made:
        yield made


class Obedient:
    """Answers every CALL to the station with `answer` after `pause`; `asked` is what it was asked, in order."""

    def __init__(self, station: RawStation, answer: object = None, pause: float = 0.0) -> None:
        self._station = station
        self._answer = ACCEPTED if answer is None else answer
        self._pause = pause
        self.asked: list[list[Any]] = []
        self._task = asyncio.create_task(self._obey())

    async def _obey(self) -> None:
        while True:
            frame = await self._station.receive(600)
            if frame[0] != 2:
                continue
            self.asked.append(frame[1:])
            await asyncio.sleep(self._pause)
            await self._station.socket.send(json.dumps([3, frame[1], self._answer]))

    async def __aenter__(self) -> "Obedient":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
def pair(own: Take, fresh_amqp_url: str, fresh_redis_url: str) -> System:
    """Two routers, two gateways."""
    return own(system.distributed(fresh_amqp_url, fresh_redis_url, routers=2))


async def test_a_command_reaches_the_station_and_its_answer_the_operator(distributed: System) -> None:
    name = identity("asked")
    async with (
        operating(distributed) as us,
        raw_station(distributed.urls[0], name) as station,
        Obedient(station) as obedient,
    ):
        outcome = await us.ask(name, "Reset", {"type": "Soft"}, uniqueId="mine-1" + name[-8:], correlation_id="c-7")

    assert outcome == {
        "identity": name,
        "uniqueId": "mine-1" + name[-8:],
        "action": "Reset",
        "outcome": "result",
        "payload": ACCEPTED,
    }
    assert us.correlations == ["c-7"]
    assert obedient.asked == [["mine-1" + name[-8:], "Reset", {"type": "Soft"}]]


async def test_every_other_outcome_is_told_with_a_reason(distributed: System) -> None:
    name, unknown = identity("asked"), identity("unknown")
    async with operating(distributed) as us, raw_station(distributed.urls[0], name) as station:
        absent = await us.ask(unknown, "Reset", {"type": "Soft"})
        invalid = await us.ask(name, "Reset", {"type": "Sideways"})
        nonsense = await us.ask(name, "Explode")
        erring = asyncio.create_task(us.ask(name, "ClearCache"))
        asked = await station.receive()
        await station.socket.send(json.dumps([4, asked[1], "NotSupported", "No cache here", {"cache": None}]))
        error = await erring
        expired = await us.ask(unknown, "ClearCache", expiration=0.5)
        await us.publish(b"not json", key=name)
        await asyncio.sleep(0.5)

    assert [outcome["outcome"] for outcome in (absent, invalid, nonsense, error, expired)] == [
        "NotConnected",
        "Invalid",
        "Invalid",
        "error",
        "Expired",
    ]
    assert (error["errorCode"], error["errorDescription"], error["errorDetails"]) == (
        "NotSupported",
        "No cache here",
        {"cache": None},
    )
    assert all(outcome["errorDescription"] for outcome in (absent, invalid, nonsense, expired, us.outcomes[-1]))
    assert us.outcomes[-1]["outcome"] == "Invalid"


async def test_a_command_that_is_published_twice_reaches_the_station_once(pair: System) -> None:
    name, command_id = identity("once"), uuid.uuid4().hex
    command = {"identity": name, "action": "ClearCache", "payload": {}, "uniqueId": command_id}
    async with (
        operating(pair) as us,
        raw_station(pair.urls[0], name) as station,
        Obedient(station, pause=0.2) as obedient,
    ):
        await us.publish(command)
        await us.publish(command)
        await us.learns(command_id)
        await us.publish(command)
        async with asyncio.timeout(10):
            while len(us.outcomes) < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)

    assert obedient.asked == [[command_id, "ClearCache", {}]]
    assert {outcome["outcome"] for outcome in us.outcomes} == {"result"}


@pytest.mark.timeout(180)
async def test_200_commands_to_one_station_arrive_in_order_though_routers_die(pair: System) -> None:
    name = identity("ordered")
    wanted = [f"key-{number}" for number in range(200)]
    room = asyncio.Semaphore(30)
    async with (
        operating(pair) as us,
        raw_station(pair.urls[0], name) as station,
        Obedient(station, {"configurationKey": []}) as obedient,
    ):

        async def one(key: str) -> dict[str, Any]:
            try:
                return await us.learns(key, 120)
            finally:
                room.release()

        waiting = []
        for number, key in enumerate(wanted):
            await room.acquire()
            await us.publish(
                {"identity": name, "action": "GetConfiguration", "payload": {"key": [key]}, "uniqueId": key}
            )
            waiting.append(asyncio.create_task(one(key)))
            if number == 100:
                pair.routers[0].process.terminate()
        outcomes = await asyncio.gather(*waiting)

    assert [call[0] for call in obedient.asked] == wanted
    assert {outcome["outcome"] for outcome in outcomes} == {"result"}


async def test_the_33rd_waiting_command_is_refused_with_a_reason(distributed: System) -> None:
    name = identity("full")
    ids = [uuid.uuid4().hex for _ in range(34)]
    async with operating(distributed) as us, raw_station(distributed.urls[0], name) as station:
        for command_id in ids:
            await us.publish({"identity": name, "action": "ClearCache", "payload": {}, "uniqueId": command_id})
        refused = await us.learns(ids[-1])
        async with Obedient(station):
            others = [await us.learns(command_id) for command_id in ids[:-1]]

    assert (refused["outcome"], bool(refused["errorDescription"])) == ("Refused", True)
    assert {outcome["outcome"] for outcome in others} == {"result"}


async def test_commands_wait_for_a_station_that_is_offline_and_reach_it_in_order(pair: System) -> None:
    name = identity("later")
    ids = [f"{number}-{name}"[:36] for number in range(5)]
    async with operating(pair) as us:
        for command_id in ids:
            command = {"identity": name, "action": "ClearCache", "payload": {}, "uniqueId": command_id}
            await us.publish(command, expiration=30)
        await asyncio.sleep(1)
        told_before = list(us.outcomes)
        async with raw_station(pair.urls[1], name) as station, Obedient(station) as obedient:
            outcomes = [await us.learns(command_id, 20) for command_id in ids]

    assert told_before == []
    assert [call[0] for call in obedient.asked] == ids
    assert {outcome["outcome"] for outcome in outcomes} == {"result"}


async def test_a_command_is_uncertain_when_the_gateway_dies_with_it(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str
) -> None:
    env = {"CSMS_ROUTER_COMMAND_PATIENCE": "1", "CSMS_ROUTER_COMMAND_GRACE": "2"}
    running = own(system.distributed(fresh_amqp_url, fresh_redis_url, env=env))
    name, command_id = identity("lost"), uuid.uuid4().hex
    async with operating(running) as us, raw_station(running.urls[0], name) as station:
        await us.publish({"identity": name, "action": "Reset", "payload": {"type": "Soft"}, "uniqueId": command_id})
        sent = await station.receive()
        running.gateways[0].process.kill()
        outcome = await us.learns(command_id, 30)
        await asyncio.sleep(3)

    assert sent[1:3] == [command_id, "Reset"]
    assert [told["outcome"] for told in us.outcomes] == [outcome["outcome"]] == ["Timeout"]


@pytest.mark.timeout(180)
async def test_a_command_survives_a_restart_of_rabbitmq_and_is_executed_once(
    own: Take, private_rabbitmq: RabbitMQ, fresh_redis_url: str
) -> None:
    running = own(system.distributed(private_rabbitmq.fresh_vhost(), fresh_redis_url))
    name, command_id = identity("durable"), uuid.uuid4().hex
    command = {"identity": name, "action": "ClearCache", "payload": {}, "uniqueId": command_id}
    async with raw_station(running.urls[0], name) as station, Obedient(station) as obedient:
        for router in running.routers:
            router.pause()
        async with operating(running) as us:
            await us.publish(command, reply=False, delivery_mode=2, expiration=60)
        await asyncio.to_thread(private_rabbitmq.restart)
        for router in running.routers:
            router.resume()
        async with asyncio.timeout(30):
            while not obedient.asked:
                await asyncio.sleep(0.1)
        await asyncio.sleep(2)

    assert obedient.asked == [[command_id, "ClearCache", {}]]


@pytest.mark.parametrize(
    ("version", "action", "change"),
    [
        (V1_6, "ChangeConfiguration", {"key": "AuthorizationKey", "value": HEX_KEY}),
        (
            V2_0_1,
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "component": {"name": "SecurityCtrlr"},
                        "variable": {"name": "BasicAuthPassword"},
                        "attributeValue": "new-password!-16",
                    }
                ]
            },
        ),
    ],
)
async def test_a_password_that_a_station_accepted_is_the_one_it_connects_with_from_then_on(
    own: Take, fresh_amqp_url: str, fresh_redis_url: str, version: str, action: str, change: dict[str, Any]
) -> None:
    name = identity("locked")
    new = bytes.fromhex(HEX_KEY) if version == V1_6 else "new-password!-16"
    stations = json.dumps([{"identity": name, "password": "old-password!-16"}])
    running = own(system.distributed(fresh_amqp_url, fresh_redis_url, env={"CSMS_STATIONS": stations}))
    set_variables = [
        {
            "attributeStatus": "Accepted",
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }
    ]
    answer = ACCEPTED if version == V1_6 else {"setVariableResult": set_variables}
    async with operating(running) as us:
        await us.follow("#.command")
        async with (
            raw_station(running.urls[0], name, version, authorization=basic(name, "old-password!-16")) as station,
            Obedient(station, answer),
        ):
            outcome = await us.ask(name, action, change)
        [event] = await us.sees(1, type="command")
        async with raw_station(running.urls[1], name, version, authorization=basic(name, new)) as again:
            still = await again.call("Heartbeat", {})

    assert outcome["outcome"] == "result"
    assert list(still) == ["currentTime"]
    assert "new-password" not in json.dumps(event)
    assert HEX_KEY not in json.dumps(event)

"""What a gateway tells the outside about its connections: everything, once, in the order in which it happened."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from csms_platform.envelope import Capsule, Kind
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import dial, heartbeat, text
from tests.service.ws_gateway.world import World, open_world


class Log:
    """Events in order; `id`, `time`, `gateway` and `milliseconds` apart, which no test can know."""

    def __init__(self) -> None:
        self.whole: list[dict[str, Any]] = []

    def hear(self, batch: list[bytes]) -> None:
        self.whole += [json.loads(body) for body in batch]

    @property
    def events(self) -> list[dict[str, Any]]:
        unknowable = ("id", "time", "gateway", "milliseconds", "peer")
        return [{key: value for key, value in event.items() if key not in unknowable} for event in self.whole]

    async def has(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(self.whole) < count:
                await asyncio.sleep(0.005)
        return self.events


@asynccontextmanager
async def followed(world: World, *keys: str) -> AsyncIterator[Log]:
    log = Log()
    following = await world.doors.events.follow(log.hear, keys or ("#",))
    yield log
    await following.stop()


COMMON = {"identity": "CS-1", "version": "ocpp1.6", "transport": "json", "epoch": 1}


async def test_a_connection_s_life_is_told_in_order(world: World) -> None:
    async with followed(world) as log:
        async with dial(world) as wire:
            await wire.upgraded()
            await wire.send(text(heartbeat("1")))
            await wire.message()
        told = await log.has(3)

    assert told == [
        {"type": "connected", **COMMON},
        {
            "type": "call",
            **COMMON,
            "uniqueId": "1",
            "action": "Heartbeat",
            "request": {},
            "response": {"currentTime": "2026-01-01T12:00:00Z"},
        },
        {"type": "disconnected", **COMMON, "reason": "connection lost"},
    ]


async def test_every_event_has_an_id_of_its_own_the_time_and_the_gateway(world: World) -> None:
    async with followed(world) as log:
        async with dial(world) as wire:
            await wire.upgraded()
        await log.has(2)
        gateway = (await world.router.gateway()).removeprefix("ocpp.gateway.")

    times = [datetime.fromisoformat(event["time"]) for event in log.whole]
    assert len({event["id"] for event in log.whole}) == 2
    assert {event["gateway"] for event in log.whole} == {gateway}
    assert all(datetime.now(UTC) - time < timedelta(seconds=10) for time in times)
    assert all(event["time"].endswith("Z") for event in log.whole)
    assert log.whole[0]["peer"] == "127.0.0.1"


async def test_an_error_answer_is_told_with_its_code_and_details(world: World) -> None:
    world.router.answers = False
    async with followed(world, "#.Heartbeat") as log, dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        world.router.answer(call, b'{"why":1}', kind=Kind.ERROR, error_code="GenericError", error_description="No.")
        (told,) = await log.has(1)

    assert told == {
        "type": "call",
        **COMMON,
        "uniqueId": "1",
        "action": "Heartbeat",
        "request": {},
        "errorCode": "GenericError",
        "errorDescription": "No.",
        "errorDetails": {"why": 1},
    }


async def test_a_call_that_nobody_answers_is_told_without_an_answer() -> None:
    async with open_world(Settings(call_deadline=0.5, drain_pause=0.05, close_deadline=0.5)) as world:
        world.router.answers = False
        async with followed(world, "ocpp1.6.Heartbeat") as log, dial(world) as wire:
            await wire.upgraded()
            await wire.send(text(heartbeat("1")))
            (told,) = await log.has(1)

    assert told == {"type": "call", **COMMON, "uniqueId": "1", "action": "Heartbeat", "request": {}}
    assert log.whole[0]["milliseconds"] >= 500


async def test_the_account_and_the_epoch_are_the_session_s(world: World) -> None:
    world.router.decide = lambda _: Capsule(epoch=7, account="acme", registration="Accepted")
    async with followed(world, "#.connected") as log, dial(world) as wire:
        await wire.upgraded()
        (told,) = await log.has(1)

    assert told == {"type": "connected", **COMMON, "epoch": 7, "account": "acme"}


async def test_why_a_connection_ended_is_told(world: World) -> None:
    async with followed(world, "#.disconnected") as log:
        async with dial(world) as wire:
            await wire.upgraded()
            await wire.send(b"\x82\x80\x00\x00\x00\x00")  # a binary message
            await wire.closed()
        async with dial(world) as second, dial(world) as first:
            await first.upgraded()
            await second.upgraded()
            await first.closed()
        await log.has(3)

    assert [event["reason"] for event in log.whole] == [
        "OCPP-J messages are text",
        "A newer connection of this station is served",
        "connection lost",
    ]


async def test_what_a_station_tells_without_asking_is_told_too(world: World) -> None:
    stream = {"id": 1, "pending": 0, "basetime": "2026-01-01T00:00:00Z", "data": [{"t": 0, "v": "1"}]}
    async with followed(world, "ocpp2.1.NotifyPeriodicEventStream") as log, dial(world) as wire:
        await wire.upgraded(subprotocol="ocpp2.1")
        await wire.send(text([6, "s", "NotifyPeriodicEventStream", stream]))
        (told,) = await log.has(1)

    assert told == {
        "type": "send",
        **COMMON,
        "version": "ocpp2.1",
        "uniqueId": "s",
        "action": "NotifyPeriodicEventStream",
        "request": stream,
    }


async def test_draining_tells_every_connection_s_end() -> None:
    async with open_world() as world, followed(world, "#.disconnected") as log:
        async with dial(world) as wire:
            await wire.upgraded()
            leaving = asyncio.create_task(world.leave())
            await wire.closed()
        await leaving
        (told,) = await log.has(1)

    assert told["reason"] == "The central system restarts"

"""A station's CALLs: to the router and back, in order, at a bearable speed, and never to another connection."""

import asyncio
import json
from typing import Any

import pytest
from websockets.frames import Opcode

from csms_ocpp.session import Validation
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import Wire, ask, dial, frame, heartbeat, request, text
from tests.service.ws_gateway.world import World, open_world

UNKNOWN_FIELD = [2, "1", "Heartbeat", {"extra": 1}]
ANSWER = {"currentTime": "2026-01-01T12:00:00Z"}


async def test_a_call_carries_what_the_router_needs(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1/acme", subprotocol="ocpp2.0.1")
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)

    assert call.deadline > 0
    assert call == Envelope(
        Kind.CALL,
        "CS-1",
        account="acme",
        version="ocpp2.0.1",
        unique_id="1",
        action="Heartbeat",
        reply_to=await world.router.gateway(),
        session=Capsule(epoch=1, account="acme", registration="Accepted"),
        deadline=call.deadline,
    )


async def test_a_capsule_in_an_answer_is_what_the_next_call_carries(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (first,) = await world.router.hears(Kind.CALL)
        newer = Capsule(epoch=1, registration="Pending", quirks="lenient")
        world.router.answer(first, session=newer)
        await wire.message()
        await wire.send(text(heartbeat("2")))
        _, second = await world.router.hears(Kind.CALL, 2)

    assert second.session == newer


async def test_an_error_reaches_the_station_as_callerror(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        world.router.answer(
            call, b'{"why":1}', kind=Kind.ERROR, error_code="SecurityError", error_description="Not yet."
        )

        assert await wire.message() == [4, "1", "SecurityError", "Not yet.", {"why": 1}]


async def test_five_calls_in_a_row_get_five_answers_in_order(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(*(text(heartbeat(str(number))) for number in range(5)))

        assert [await wire.message() for _ in range(5)] == [[3, str(number), ANSWER] for number in range(5)]


async def test_one_call_at_a_time_is_asked_of_the_router(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(*(text(heartbeat(str(number))) for number in range(5)))
        (call,) = await world.router.hears(Kind.CALL)
        await asyncio.sleep(0.05)

        assert [call.unique_id for call in world.router.of(Kind.CALL)] == ["0"]
        world.router.answer(call)
        assert (await world.router.hears(Kind.CALL, 2))[1].unique_id == "1"


async def test_without_an_answer_by_the_deadline_the_next_call_is_served() -> None:
    async with open_world(Settings(call_deadline=0.2)) as world, dial(world) as wire:
        world.router.answers = False
        await wire.upgraded()
        await wire.send(text(heartbeat("1")), text(heartbeat("2")))
        _, second = await world.router.hears(Kind.CALL, 2)
        world.router.answer(second)

        assert await wire.message() == [3, "2", ANSWER]
        assert [line["action"] for line in world.logged("no answer in time")] == ["Heartbeat"]


async def test_a_late_answer_is_dropped_and_leaves_the_deadline_of_the_next_call_alone() -> None:
    async with open_world(Settings(call_deadline=0.2)) as world, dial(world) as wire:
        world.router.answers = False
        await wire.upgraded()
        await wire.send(*(text(heartbeat(unique_id)) for unique_id in "123"))
        first, _ = await world.router.hears(Kind.CALL, 2)
        world.router.answer(first)
        *_, third = await world.router.hears(Kind.CALL, 3)
        world.router.answer(third)

        assert await wire.message() == [3, "3", ANSWER]
        assert [line["id"] for line in world.logged("unexpected-answer")] == ["1"]


async def test_an_answer_that_comes_twice_is_passed_on_once(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        world.router.answer(call)
        world.router.answer(call)
        first = await wire.message()
        await wire.send(frame(Opcode.PING))

        assert first == [3, "1", ANSWER]
        assert await wire.frame() == (Opcode.PONG, b"")


async def test_the_answer_for_an_earlier_connection_is_not_given_to_this_one(world: World) -> None:
    """After a reboot a station counts from 1 again: the id alone proves nothing."""
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (old,) = await world.router.hears(Kind.CALL)
    await world.router.hears(Kind.DISCONNECT)
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        _, new = await world.router.hears(Kind.CALL, 2)
        world.router.answer(old, b'{"currentTime":"1999-01-01T00:00:00Z"}')
        world.router.answer(new)

        assert await wire.message() == [3, "1", ANSWER]


async def test_an_answer_that_its_schema_refuses_never_reaches_the_station(world: World) -> None:
    world.router.answers = False
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        world.router.answer(call, b'{"nonsense":1}')

        assert (await wire.message())[:3] == [4, "1", "InternalError"]


@pytest.mark.parametrize(
    ("validation", "quirks", "answer"),
    [
        (Validation.STRICT, "", [4, "1", "FormationViolation"]),
        (Validation.WARN, "", [3, "1", ANSWER]),
        (Validation.OFF, "", [3, "1", ANSWER]),
        (Validation.STRICT, "slow lenient", [3, "1", ANSWER]),
    ],
)
async def test_how_strictly_payloads_are_read(validation: Validation, quirks: str, answer: list[Any]) -> None:
    async with open_world(Settings(validation=validation)) as world, dial(world) as wire:
        world.router.decide = lambda _: Capsule(epoch=1, quirks=quirks)
        await wire.upgraded()
        await wire.send(text(UNKNOWN_FIELD))

        assert (await wire.message())[:3] == answer
        assert bool(world.logged("violation")) is (validation is not Validation.OFF)


async def test_a_send_is_told_and_not_answered(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded(subprotocol="ocpp2.1")
        stream = {"id": 1, "pending": 0, "basetime": "2026-01-01T12:00:00Z", "data": [{"t": 0, "v": "1"}]}
        await wire.send(text([6, "s", "NotifyPeriodicEventStream", stream]), text(heartbeat("1")))

        assert (await wire.message())[:2] == [3, "1"]
        assert [told.unique_id for told in world.router.of(Kind.SEND)] == ["s"]


async def test_the_rate_limit_slows_down_and_loses_nothing() -> None:
    async with open_world(Settings(rate_limit=100.0, rate_burst=10.0)) as world, dial(world) as wire:
        await wire.upgraded()
        began = asyncio.get_running_loop().time()
        answers = []
        for number in range(40):
            await wire.send(text(heartbeat(str(number))))
            answers.append((await wire.message())[1])

        assert answers == [str(number) for number in range(40)]
        assert asyncio.get_running_loop().time() - began > 0.2


async def test_the_rate_limit_holds_for_junk_that_comes_in_large_pieces() -> None:
    """A debt of many messages is paid as a whole before the next piece is read."""
    async with open_world(Settings(rate_limit=1000.0, rate_burst=10.0)) as world, dial(world) as wire:
        await wire.upgraded()
        began = asyncio.get_running_loop().time()
        for _ in range(5):
            await wire.send(text(b"{}") * 100)
            await asyncio.sleep(0.02)
        await wire.send(text(heartbeat("last")))

        assert (await wire.message())[:2] == [3, "last"]
        assert asyncio.get_running_loop().time() - began > 0.35


async def sent_until_stuck(wire: Wire, piece: bytes, most: int) -> int:
    """How many times `piece` could be sent before the gateway stopped reading."""
    for number in range(most):
        try:
            await asyncio.wait_for(wire.send(piece), 0.3)
        except TimeoutError:
            return number
    return most


async def test_a_station_whose_calls_are_not_answered_is_not_read_for_ever() -> None:
    async with open_world(Settings(rate_limit=0, call_deadline=0.3, close_deadline=0.2)) as world, dial(world) as wire:
        world.router.answers = False
        await wire.upgraded()
        piece = b"".join(text([2, f"{n}", "DataTransfer", {"vendorId": "x", "data": "y" * 5000}]) for n in range(20))

        assert await sent_until_stuck(wire, piece, 300) < 250


async def test_a_station_that_does_not_read_its_answers_is_not_read_for_ever() -> None:
    async with open_world(Settings(rate_limit=0)) as world, dial(world) as wire:
        await wire.upgraded()
        wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
        piece = b"".join(text([2, "x" * 36, "Nonsense" * 30, {}]) for _ in range(100))

        assert await sent_until_stuck(wire, piece, 2000) < 1900


async def test_a_station_that_reads_nothing_for_long_is_cut() -> None:
    settings = Settings(rate_limit=0, ping_interval=0.5, pong_deadline=0.5)
    async with open_world(settings) as world, dial(world) as wire:
        await wire.upgraded()
        wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
        piece = b"".join(text([2, "x" * 36, "Nonsense" * 30, {}]) for _ in range(100))
        await sent_until_stuck(wire, piece, 2000)

        assert await world.router.hears(Kind.DISCONNECT, within=4)


async def test_while_the_bus_takes_nothing_stations_are_not_read_and_newcomers_are_refused() -> None:
    async with open_world(Settings(rate_limit=0)) as world, dial(world) as wire:
        await wire.upgraded()
        await world.bus.choke()
        refused = await ask(world, request("/ocpp/CS-2"))
        pieces = await sent_until_stuck(wire, text(b"x" * 100_000), 300)
        world.bus.gate.set()
        await wire.send(text(heartbeat("1")))

        assert (refused.status, refused.headers["retry-after"]) == (503, "30")
        assert pieces < 250
        assert await wire.message() == [3, "1", ANSWER]


async def test_two_stations_may_use_the_same_ids(world: World) -> None:
    world.router.answers = False
    async with dial(world) as one, dial(world) as two:
        await one.upgraded("/ocpp/one")
        await two.upgraded("/ocpp/two")
        await one.send(text(heartbeat("1")))
        await two.send(text(heartbeat("1")))
        times = {"one": "2026-01-01T01:00:00Z", "two": "2026-01-01T02:00:00Z"}
        for call in await world.router.hears(Kind.CALL, 2):
            world.router.answer(call, json.dumps({"currentTime": times[call.identity]}).encode())

        assert [(await wire.message())[2]["currentTime"] for wire in (one, two)] == list(times.values())

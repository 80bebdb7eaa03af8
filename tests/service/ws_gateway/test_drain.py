"""Leaving in good order: newcomers are told to come back, CALLs under way are answered, sockets close in waves."""

import asyncio
from contextlib import AsyncExitStack

from csms_platform.envelope import Kind
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import Wire, ask, dial, heartbeat, request, text
from tests.service.ws_gateway.world import World, open_world


async def test_a_call_under_way_is_answered_before_the_close(world: World) -> None:
    world.router.answers = False
    async with dial(world) as busy, dial(world) as idle:
        await busy.upgraded()
        await idle.upgraded("/ocpp/idle")
        await busy.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        leaving = asyncio.create_task(world.leave())
        idle_code = await idle.closed()
        world.router.answer(call)
        answer, busy_code = await busy.message(), await busy.closed()
        await leaving

        assert (idle_code, answer[:2], busy_code) == (1012, [3, "1"], 1012)


async def test_newcomers_are_told_to_come_back(world: World) -> None:
    world.router.answers = False
    async with dial(world) as busy:
        await busy.upgraded()
        await busy.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)
        leaving = asyncio.create_task(world.leave())
        await asyncio.sleep(0)
        answer = await ask(world, request("/ocpp/CS-2"))
        world.router.answer(call)
        await leaving

        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.body == "The central system restarts; try again.\n"


async def test_a_handshake_that_waits_for_its_decision_is_refused(world: World) -> None:
    world.router.decide = lambda _: None
    async with dial(world) as wire:
        await wire.send(request())
        await world.router.hears(Kind.CONNECT)
        leaving = asyncio.create_task(world.leave())
        answer = await wire.http()
        wire.hang_up()
        await leaving

        assert (answer.status, answer.body) == (503, "The central system restarts; try again.\n")


async def test_sockets_close_in_waves() -> None:
    settings = Settings(drain_wave=2, drain_pause=0.6, close_deadline=0.5)
    async with open_world(settings) as world, AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(dial(world)) for _ in range(4)]
        for number, wire in enumerate(wires):
            await wire.upgraded(f"/ocpp/CS-{number}")

        async def closed(wire: Wire) -> tuple[float, int]:
            code = await wire.closed()
            wire.hang_up()
            return asyncio.get_running_loop().time(), code

        leaving = asyncio.create_task(world.leave())
        ends = sorted(await asyncio.gather(*(closed(wire) for wire in wires)))
        await leaving

        assert [code for _, code in ends] == [1012] * 4
        assert ends[2][0] - ends[1][0] > 0.1


async def test_a_call_that_nobody_answers_does_not_keep_the_gateway_for_ever() -> None:
    async with open_world(Settings(call_deadline=0.2, close_deadline=0.2)) as world, dial(world) as wire:
        world.router.answers = False
        await wire.upgraded()
        await wire.send(text(heartbeat("1")))
        await world.router.hears(Kind.CALL)
        await asyncio.wait_for(world.leave(), 3)

        assert [goodbye.identity for goodbye in world.router.of(Kind.DISCONNECT)] == ["CS-1"]

"""Leaving in good order: newcomers are told to come back, calls under way are answered."""

import asyncio

from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.world import World, open_world


async def test_a_call_under_way_is_answered_and_newcomers_are_told_to_come_back(world: World) -> None:
    world.router.answers = False
    asking = world.ask_soon()
    [call] = await world.router.hears()
    leaving = asyncio.create_task(world.leave())
    await asyncio.sleep(0.05)
    refused = await world.ask(identity="CS-2")
    assert not leaving.done()
    world.router.answer(call)
    answered = await asking
    await asyncio.wait_for(leaving, 5)

    assert (refused.status, refused.subcode, refused.headers["retry-after"]) == (500, "UrlTemporarilyUnavailable", "5")
    assert refused.reason == "The central system restarts; try again."
    assert (answered.status, answered.text_of("currentTime")) == (200, "2026-01-01T12:00:00Z")
    assert len(world.router.heard) == 1


async def test_a_call_that_nobody_answers_does_not_keep_the_gateway_for_ever() -> None:
    async with open_world(Settings(drain_seconds=0.2, call_deadline=2)) as world:
        world.router.answers = False
        asking = world.ask_soon()
        await world.router.hears()

        await asyncio.wait_for(world.leave(), 1.8)

        assert (await asking).status == 500


async def test_nothing_waits_when_nothing_is_under_way(world: World) -> None:
    await world.ask()

    await asyncio.wait_for(world.leave(), 1)

    assert [line["calls"] for line in world.logged("draining")] == [0]

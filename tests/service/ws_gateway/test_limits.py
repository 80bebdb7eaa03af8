"""Deadlines and limits of the handshake: nobody holds a socket without becoming a station."""

import asyncio

from csms_platform.envelope import Kind, Refusal
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import ask, dial, request
from tests.service.ws_gateway.world import open_world


async def test_a_request_that_does_not_end_is_told_408() -> None:
    async with open_world(Settings(handshake_deadline=0.1)) as world, dial(world) as wire:
        await wire.send(request()[:-2])
        answer = await wire.http()

        assert (answer.status, answer.body) == (408, "The handshake took too long.\n")
        assert await wire.ended() == b""


async def test_a_router_that_does_not_decide_is_told_as_503() -> None:
    async with open_world(Settings(handshake_deadline=0.1)) as world, dial(world) as wire:
        world.router.decide = lambda _: None
        await wire.send(request())
        answer = await wire.http()

        assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        assert answer.body == "The central system did not decide in time.\n"


async def test_a_decision_that_comes_too_late_ends_the_session_it_began() -> None:
    async with open_world(Settings(handshake_deadline=0.1)) as world, dial(world) as wire:
        world.router.decide = lambda _: None
        await wire.send(request())
        await wire.http()
        (asked,) = world.router.of(Kind.CONNECT)
        world.router.connect_decided(asked, world.router.let_in(asked))
        (goodbye,) = await world.router.hears(Kind.DISCONNECT)

        assert goodbye.session is not None
        assert (goodbye.identity, goodbye.session.epoch) == ("CS-1", 1)
        await world.router.command("CS-1", "ClearCache")
        assert (await world.router.learns())[0].outcome == "NotConnected"


async def test_a_refusal_that_comes_too_late_changes_nothing() -> None:
    settings = Settings(handshake_deadline=0.1, subprotocol_mismatch="close")
    async with open_world(settings) as world, dial(world) as wire:
        world.router.decide = lambda _: None
        await wire.send(request())
        await wire.http()
        world.router.connect_decided(world.router.of(Kind.CONNECT)[0], Refusal(400, "No."))
        await wire.ended()

        assert [line["status"] for line in world.logged("refused")] == [503]


async def test_a_station_that_left_before_the_decision_is_disconnected_again() -> None:
    async with open_world() as world:
        world.router.decide = lambda _: None
        async with dial(world) as wire:
            await wire.send(request())
            (asked,) = await world.router.hears(Kind.CONNECT)
        await asyncio.sleep(0.05)
        world.router.connect_decided(asked, world.router.let_in(asked))
        (goodbye,) = await world.router.hears(Kind.DISCONNECT)

        assert goodbye.session is not None
        assert goodbye.session.epoch == 1


async def test_a_station_that_fails_too_often_has_to_wait_and_its_neighbours_do_not() -> None:
    """Behind a proxy they all come from one address."""
    async with open_world(Settings(failed_handshakes_per_minute=2)) as world:
        world.router.decide = lambda _: Refusal(401, "Wrong.")
        answers = [await ask(world, request()) for _ in range(3)]
        neighbour = await ask(world, request("/ocpp/CS-2"))

        assert [answer.status for answer in answers] == [401, 401, 429]
        assert neighbour.status == 401
        assert 0 < int(answers[2].headers["retry-after"]) <= 61
        assert answers[2].body == "Too many failed handshakes of this station from this address.\n"


async def test_past_the_connection_limit_stations_are_told_to_come_later() -> None:
    async with open_world(Settings(max_connections=1)) as world, dial(world) as first:
        await first.upgraded()
        answer = await ask(world, request("/ocpp/CS-2"))

        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert answer.body == "The central system is at its limit; try again later.\n"

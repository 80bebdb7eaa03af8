"""One identity, several connections, several gateways: the newest wins, and the routers always know what is held."""

import asyncio

from websockets.frames import Opcode

from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import Wire, dial, frame, heartbeat, request, text
from tests.service.ws_gateway.world import World, open_world


async def pings(wire: Wire) -> bool:
    """Whether the connection is alive."""
    await wire.send(frame(Opcode.PING, b"?"))
    return await wire.frame() == (Opcode.PONG, b"?")


async def test_a_second_connection_is_served_and_closes_the_first(world: World) -> None:
    async with dial(world) as first, dial(world) as second:
        await first.upgraded()
        await second.upgraded()
        code = await first.closed()
        first.hang_up()
        (goodbye,) = await world.router.hears(Kind.DISCONNECT)
        await world.router.command("CS-1", "ClearCache")

        assert (code, goodbye.session) == (1000, Capsule(epoch=1, registration="Accepted"))
        assert (await second.message())[2:] == ["ClearCache", {}]


async def test_a_connection_that_turns_out_to_be_the_older_one_is_not_let_in(world: World) -> None:
    async with dial(world) as newer, dial(world) as older:
        world.router.decide = lambda _: Capsule(epoch=7)
        await newer.upgraded()
        world.router.decide = lambda _: Capsule(epoch=6)
        with_older = await _try(older)

        assert with_older == (503, "5", "A newer connection of this station is served.\n")
        assert await pings(newer)


async def _try(wire: Wire) -> tuple[int, str, str]:
    await wire.send(request())
    answer = await wire.http()
    return answer.status, answer.headers["retry-after"], answer.body


async def test_a_connect_that_the_bus_delivered_twice_moves_the_connection_to_the_newer_epoch(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        (connect,) = await world.router.hears(Kind.CONNECT)
        world.router.connect_decided(connect, Capsule(epoch=2))
        await asyncio.sleep(0.05)
        await wire.send(text(heartbeat("1")))
        (call,) = await world.router.hears(Kind.CALL)

        assert (await wire.message())[:2] == [3, "1"]
        assert call.session == Capsule(epoch=2)
        assert [heard.kind for heard in world.router.heard if heard.kind is Kind.DISCONNECT] == []


async def test_evict_closes_the_epoch_it_names_and_older_ones_only(world: World) -> None:
    world.router.decide = lambda _: Capsule(epoch=7)
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.evict("CS-1", 6)
        await world.router.evict("CS-2", 9)
        await asyncio.sleep(0.05)
        alive = await pings(wire)
        await world.router.evict("CS-1", 7)

        assert (alive, await wire.closed()) == (True, 1000)


async def test_the_gateway_says_at_once_and_again_and_again_that_it_lives() -> None:
    async with open_world(Settings(lease=3.0, lease_renewal=0.05)) as world:
        leases = await world.router.hears(Kind.LEASE, 3)

        assert [lease.payload for lease in leases[:3]] == [Raw(b'{"seconds":3.0}')] * 3
        assert {lease.reply_to for lease in leases} == {await world.router.gateway()}


async def test_when_its_lease_had_ended_it_tells_every_connection_again(world: World) -> None:
    async with dial(world) as one, dial(world) as two:
        await one.upgraded("/ocpp/one/acme")
        await two.upgraded("/ocpp/two", subprotocol="ocpp2.1")
        gateway = await world.router.gateway()
        world.router.tell(gateway, Envelope(Kind.LEASE, ""))
        told = await world.router.hears(Kind.RESUME, 2)

        assert told == [
            Envelope(
                Kind.RESUME,
                identity,
                account,
                version,
                reply_to=gateway,
                session=Capsule(epoch=1, account=account, registration="Accepted"),
            )
            for identity, account, version in [("one", "acme", "ocpp1.6"), ("two", "", "ocpp2.1")]
        ]


async def test_an_envelope_that_is_not_for_a_gateway_is_logged_and_harms_nothing(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        world.router.tell(await world.router.gateway(), Envelope(Kind.CONNECT, "CS-9"))
        (line,) = await world.sees("not for a gateway")
        await wire.send(text(heartbeat("1")))

        assert (line["kind"], line["station"]) == ("connect", "CS-9")
        assert (await wire.message())[:2] == [3, "1"]


async def test_leaving_ends_every_session_and_the_lease(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        leaving = asyncio.create_task(world.leave())
        await wire.closed()
        wire.hang_up()
        await leaving
        *_, last = world.router.of(Kind.LEASE)

        assert last.payload == Raw(b'{"seconds":0}')
        assert [goodbye.identity for goodbye in world.router.of(Kind.DISCONNECT)] == ["CS-1"]

"""Gateways' leases: a gateway lives while it says so, and one that was taken for dead names its connections again."""

from typing import Any

import msgspec
import pytest

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_platform.ports import Address, GatewayId, SessionRecord, Unavailable
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")
EAST = Address("ocpp.gateway.east")


def lease(seconds: float) -> Envelope:
    return Envelope(Kind.LEASE, "", payload=Raw(b'{"seconds":%d}' % seconds), reply_to=EAST.name)


async def test_a_gateways_first_lease_is_answered_and_its_next_is_not(any_world: World) -> None:
    first = await any_world.bus.deliver(lease(15))
    second = await any_world.bus.deliver(lease(15))

    assert (first, second) == ([Envelope(Kind.LEASE, "")], [])
    assert any_world.bus.sent[0][0] == EAST


async def test_a_station_is_online_while_its_gateway_says_that_it_lives(world: World) -> None:
    await world.bus.deliver(lease(15))
    await ChargingStation(world).connect()
    online = [await world.ports.sessions.get(CS) is not None]

    world.clock.now += 14
    await world.bus.deliver(lease(15))
    world.clock.now += 14
    online.append(await world.ports.sessions.get(CS) is not None)
    world.clock.now += 2
    online.append(await world.ports.sessions.get(CS) is not None)

    assert online == [True, True, False]


async def test_a_gateway_that_leaves_takes_its_stations_offline_and_gets_no_answer(any_world: World) -> None:
    await any_world.bus.deliver(lease(15))
    await ChargingStation(any_world).connect()

    replies = await any_world.bus.deliver(lease(0))

    assert replies == []
    assert await any_world.ports.sessions.get(CS) is None


async def test_a_gateway_that_was_taken_for_dead_gets_its_sessions_back(any_world: World) -> None:
    sessions = any_world.ports.sessions
    await any_world.bus.deliver(lease(15))
    station = ChargingStation(any_world)
    await station.connect(account="acme")
    await sessions.retire(GatewayId("east"))
    await sessions.sweep()

    told = await any_world.bus.deliver(lease(15))
    replies = await any_world.bus.deliver(resume(station))

    session = await sessions.get(CS)
    assert [one.kind for one in told] == [Kind.LEASE]
    assert replies == []
    assert station.capsule is not None
    assert session is not None
    assert session == SessionRecord(
        CS, GatewayId("east"), station.capsule.epoch, account="acme", version="ocpp1.6", since=session.since
    )


def resume(station: ChargingStation) -> Envelope:
    return Envelope(
        Kind.RESUME,
        station.identity,
        version=station.version,
        reply_to=station.gateway,
        session=station.capsule,
    )


async def test_a_connection_that_was_replaced_meanwhile_is_evicted_and_the_newer_one_stays(any_world: World) -> None:
    await any_world.bus.deliver(lease(15))
    old, new = ChargingStation(any_world, gateway="east"), ChargingStation(any_world, gateway="west")
    await any_world.ports.sessions.renew(GatewayId("west"), 15)
    await old.connect()
    await new.connect()

    replies = await any_world.bus.deliver(resume(old))

    session = await any_world.ports.sessions.get(CS)
    assert replies == [Envelope(Kind.EVICT, "CS-1", version="ocpp1.6", session=old.capsule)]
    assert session is not None
    assert session.gateway == "west"


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(Kind.LEASE, "", payload=Raw(b"{}"), reply_to=EAST.name),
        Envelope(Kind.LEASE, "", payload=Raw(b'{"seconds":15}'), reply_to="ocpp.gateway."),
        Envelope(Kind.RESUME, "CS-1", reply_to=EAST.name),
        Envelope(Kind.RESUME, "CS-1", session=Capsule(epoch=1)),
    ],
)
async def test_what_makes_no_sense_is_dropped(world: World, envelope: Envelope) -> None:
    replies = await world.bus.deliver(envelope)

    assert replies == []
    assert msgspec.to_builtins(await world.ports.sessions.sweep()) == []


async def test_while_the_store_is_away_nobody_is_told_anything() -> None:
    class Away:
        async def renew(self, *_: Any) -> bool:
            raise Unavailable("away")

        resume = renew

        async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
            return []

    away: Any = Away()
    async with open_world(Settings(patience=0.01), sessions=away) as world:
        replies = await world.bus.deliver(lease(15), resume(ChargingStation(world)))

    assert replies == []

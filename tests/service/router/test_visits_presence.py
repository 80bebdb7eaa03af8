"""Stations without a connection: how long they are online, where they can be called, and what is told of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import Address, Event, GatewayId, Note, Station
from csms_router.departures import Departures
from csms_router.settings import Settings
from tests.service.router.visiting import BOOT, CS, STATUS, URL, Followed, Visitor, following, open_pair
from tests.service.router.webhook import result
from tests.service.router.world import ChargingStation, World, open_world

OTHER_URL = "http://10.8.0.43:8080/ocpp"


@pytest.fixture(params=["memory", "redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[World, World]]:
    """Two routers on each adapter of the stores."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_redis_url")
    async with open_pair(url=url) as worlds:
        yield worlds


async def online(world: World, after: float) -> bool:
    """Whether the station is, so many seconds from now. The clock goes on."""
    world.clock.now += after
    return await world.ports.sessions.get(CS) is not None


async def callback(world: World) -> str:
    session = await world.ports.sessions.get(CS)
    assert session is not None
    return session.callback


# --- how long ---------------------------------------------------------------------------------------------------------


async def test_the_session_is_opened_once_and_renewed_by_every_visit(any_world: World) -> None:
    visitor = Visitor(any_world)
    await visitor.visit("BootNotification", BOOT)
    first = await any_world.ports.sessions.get(CS)

    for peer in ("192.0.2.1", "192.0.2.2"):
        await visitor.visit(peer=peer)

    assert await any_world.ports.sessions.get(CS) == first


async def test_a_station_that_was_told_nothing_is_online_for_two_and_a_half_of_the_usual_intervals(
    world: World,
) -> None:
    await Visitor(world).visit()

    assert [await online(world, 749), await online(world, 2)] == [True, False]


async def test_every_visit_lets_the_lease_begin_again(world: World) -> None:
    visitor = Visitor(world)
    for _ in range(3):
        await visitor.visit()
        world.clock.now += 700

    assert [await online(world, 0), await online(world, 51)] == [True, False]


@pytest.mark.parametrize("interval", [10, 3600])
@pytest.mark.parametrize("version", ["ocpp1.5", "ocpp1.6"])
async def test_the_lease_is_that_of_the_interval_told_at_boot_from_the_boot_on(version: str, interval: int) -> None:
    async with open_world(Settings(heartbeat_interval=interval)) as world:
        visitor = Visitor(world, version=version)
        await world.ports.stations.note([Note("CS-1", "interval", b"60")])
        await visitor.visit("BootNotification", BOOT)
        after_the_boot = [await online(world, 2.5 * interval - 1), await online(world, 2)]
        await visitor.visit()
        after_a_visit = [await online(world, 2.5 * interval - 1), await online(world, 2)]

    assert (after_the_boot, after_a_visit) == ([True, False], [True, False])


async def test_a_boot_that_was_not_accepted_changes_no_interval() -> None:
    async with open_world(Settings(registration="Pending", retry_interval=5)) as world:
        await Visitor(world, version="ocpp1.6").visit("BootNotification", BOOT)
        noted = await world.note_of("CS-1", "interval")

        assert noted is None
        assert [await online(world, 749), await online(world, 2)] == [True, False]


@pytest.mark.parametrize(
    ("answer", "noted", "seconds"),
    [
        ({"interval": 20}, 20, 50),
        ({"heartbeatInterval": 20}, 20, 50),
        ({"interval": 0}, 0, 750),
        ({"interval": -1}, 0, 750),
        ({"interval": 2**40}, 0, 750),
        ({"interval": "20"}, 0, 750),
        ({}, 0, 750),
    ],
)
async def test_the_interval_that_the_operators_endpoint_tells_counts(
    answer: dict[str, Any], noted: int, seconds: int
) -> None:
    accepted = {"currentTime": "2026-01-01T12:00:00Z", "status": "Accepted"} | answer
    async with open_world(Settings(backend="webhook")) as world:
        visitor = Visitor(world)
        await visitor.accepted(3600)
        await world.bus.deliver(visitor.arriving("BootNotification", BOOT))
        (passed_on,) = await world.bus.deliver(result(world.bus.sent[-1][1], accepted))

        assert passed_on.session is not None
        assert passed_on.session.fresh_until == int(world.clock.now * 1000) + 5000
        assert await world.note_of("CS-1", "interval") == noted
        assert [await online(world, seconds - 1), await online(world, 2)] == [True, False]


async def test_an_interval_that_cannot_be_read_is_as_none(world: World) -> None:
    await world.ports.stations.note([Note("CS-1", "interval", b'"soon"'), Note("CS-1", "callback", b"7")])

    await Visitor(world).visit()

    assert [await online(world, 749), await online(world, 2)] == [True, False]


async def test_who_has_been_silent_opens_a_new_session(world: World) -> None:
    visitor = Visitor(world)
    first = await visitor.visit()
    world.clock.now += 751

    second = await visitor.visit()

    assert first.session is not None
    assert second.session is not None
    assert second.session.epoch > first.session.epoch


# --- where ------------------------------------------------------------------------------------------------------------


async def test_the_address_that_a_station_gave_last_is_remembered(any_world: World) -> None:
    visitor, found = Visitor(any_world), []
    for told in ("", URL, "", OTHER_URL, "", "http://" + "x" * 2048):
        await visitor.visit(callback=told)
        found.append(await callback(any_world))

    assert found == ["", URL, URL, OTHER_URL, OTHER_URL, OTHER_URL]


async def test_the_address_outlives_the_session(any_world: World) -> None:
    visitor = Visitor(any_world)
    await visitor.visit(callback=URL)
    await any_world.ports.sessions.retire(GatewayId("soap/CS-1"))
    await any_world.ports.sessions.sweep()

    await visitor.visit()

    assert await callback(any_world) == URL


async def test_the_record_says_where_a_station_is_that_does_not_say_so_itself(any_world: World) -> None:
    visitor, found = Visitor(any_world), []
    for recorded, told in ((URL, ""), (OTHER_URL, ""), (OTHER_URL, URL), (OTHER_URL, "")):
        await any_world.ports.stations.put(Station(CS, callback=recorded))
        await visitor.visit(callback=told)
        found.append(await callback(any_world))

    assert found == [URL, OTHER_URL, URL, URL]


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_that_a_station_came_and_was_no_longer_heard_of_is_told_once(world: World) -> None:
    followed, visitor = await following(world), Visitor(world)
    reply = await visitor.visit("BootNotification", BOOT, account="acme", callback=URL)
    await visitor.visit("StatusNotification", STATUS, account="acme", peer="192.0.2.9")
    await visitor.visit(account="acme", callback=OTHER_URL)
    session = await world.ports.sessions.get(CS)
    world.clock.now += 751
    departures = Departures(world.ports.sessions, world.ports.events, world.clock)

    await departures.sweep()
    await departures.sweep()
    await followed.told()

    assert reply.session is not None
    assert session is not None
    assert [msgspec.structs.replace(event, id="") for event in followed.events] == [
        Event(
            "",
            "2026-01-01T12:00:00.000Z",
            "connected",
            "CS-1",
            account="acme",
            version="ocpp1.5",
            transport="soap",
            epoch=reply.session.epoch,
            peer="192.0.2.1",
        ),
        Event(
            "",
            "2026-01-01T12:12:31.000Z",
            "disconnected",
            "CS-1",
            account="acme",
            version="ocpp1.5",
            transport="soap",
            epoch=session.epoch,
            reason="not heard of",
        ),
    ]


async def test_a_station_that_comes_back_before_anybody_noticed_its_silence_was_not_away(world: World) -> None:
    followed, visitor = await following(world), Visitor(world)
    await visitor.visit()
    world.clock.now += 751
    await visitor.visit()

    await Departures(world.ports.sessions, world.ports.events, world.clock).sweep()

    assert await followed.told() == [("connected", "ocpp1.5", "")]


async def test_the_sweeper_notices_a_silent_station(fresh_redis_url: str) -> None:
    settings = Settings(presence_intervals=1.01, heartbeat_interval=1, sweep_interval=0.05)
    async with open_world(settings, url=fresh_redis_url) as world:
        followed = await following(world)
        await Visitor(world).visit()
        async with asyncio.timeout(10):
            while len(followed.events) < 2:
                await asyncio.sleep(0.02)

        assert await world.ports.sessions.get(CS) is None
        assert await followed.told() == [("connected", "ocpp1.5", ""), ("disconnected", "ocpp1.5", "not heard of")]


async def visit_both(pair: tuple[World, World], **request: Any) -> list[Envelope]:
    """The station calls both routers at once."""
    return list(
        await asyncio.gather(*[Visitor(world, gateway=f"s{n}").visit(**request) for n, world in enumerate(pair)])
    )


async def test_a_station_that_comes_to_two_routers_at_once_is_told_of_once(pair: tuple[World, World]) -> None:
    followed = await following(pair[0])
    for _ in range(3):
        await visit_both(pair, callback=URL)

    assert await followed.told() == [("connected", "ocpp1.5", "")]


async def test_a_station_that_speaks_another_version_now_has_left_and_come(pair: tuple[World, World]) -> None:
    followed: Followed = await following(pair[0])
    await visit_both(pair)
    for version in ("ocpp1.6", "ocpp1.6"):
        await Visitor(pair[1], version=version).visit()

    assert await followed.told() == [
        ("connected", "ocpp1.5", ""),
        ("disconnected", "ocpp1.5", "replaced"),
        ("connected", "ocpp1.6", ""),
    ]


async def test_a_station_that_comes_without_a_connection_loses_the_one_that_it_had(any_world: World) -> None:
    await any_world.ports.sessions.renew(GatewayId("east"), 15)
    followed, connected = await following(any_world), ChargingStation(any_world)
    accept = await connected.connect(account="acme")

    await Visitor(any_world, version="ocpp1.6").visit(account="acme")

    assert accept.session is not None
    session = await any_world.ports.sessions.get(CS)
    assert session is not None
    assert session.transport == "soap"
    eviction = Envelope(
        Kind.EVICT,
        "CS-1",
        account="acme",
        version="ocpp1.6",
        session=Capsule(epoch=accept.session.epoch, account="acme"),
    )
    assert [(to, one) for to, one in any_world.bus.sent if one.kind is Kind.EVICT] == [
        (Address("ocpp.gateway.east"), eviction)
    ]
    assert await followed.told() == [("connected", "ocpp1.6", "")]


async def test_a_station_that_comes_with_a_connection_is_told_to_have_left_and_nobody_is_evicted(
    any_world: World,
) -> None:
    await any_world.ports.sessions.renew(GatewayId("east"), 15)
    followed = await following(any_world)
    await Visitor(any_world).visit()

    await ChargingStation(any_world).connect()

    session = await any_world.ports.sessions.get(CS)
    assert session is not None
    assert (session.transport, session.gateway) == ("json", "east")
    assert [one for _, one in any_world.bus.sent if one.kind is Kind.EVICT] == []
    assert await followed.told() == [("connected", "ocpp1.5", ""), ("disconnected", "ocpp1.5", "replaced")]


async def test_a_station_that_goes_to_and_fro_is_where_it_came_last(any_world: World) -> None:
    await any_world.ports.sessions.renew(GatewayId("east"), 15)
    visitor, found = Visitor(any_world), []
    for _ in range(2):
        await visitor.visit()
        found.append(await any_world.ports.sessions.get(CS))
        await ChargingStation(any_world).connect()
        found.append(await any_world.ports.sessions.get(StationId("CS-1")))

    assert [session and session.transport for session in found] == ["soap", "json", "soap", "json"]

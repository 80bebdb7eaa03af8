"""What a connection brings for the operator's side: the station's backlog, when it was seen, and what waits for it."""

import pytest

from csms_ocpp.version import StationId
from csms_platform.envelope import Kind
from csms_platform.ports import Note, Station
from csms_router.settings import Settings
from tests.service.router.webhook import BOOT, told, waiting
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")


@pytest.mark.parametrize(
    ("settings", "lane", "backlog"),
    [
        (Settings(backend="webhook"), "default/CS-1", True),
        (Settings(backend="webhook"), "default/CS-2", False),
        (Settings(backend="webhook"), "acme/CS-1", False),
        (Settings(accounts={"acme": "webhook"}), "acme/CS-1", True),
        (Settings(accounts={"acme": "webhook"}), "default/CS-1", False),
        (Settings(backend="webhook", accounts={"acme": "builtin"}), "default/CS-1", False),
        (Settings(backend="webhook", accounts={"acme": "builtin"}), "acme/CS-1", False),
        (Settings(), "default/CS-1", False),
    ],
)
async def test_the_capsule_says_whether_messages_of_the_station_wait_for_its_endpoint(
    settings: Settings, lane: str, backlog: bool
) -> None:
    async with open_world(settings) as world:
        await world.ports.deliveries.waits(lane, "letter-1", 1)

        accepted = await ChargingStation(world).connect(account="acme")

    assert accepted.session is not None
    assert accepted.session.backlog is backlog


async def test_the_account_on_record_decides_which_endpoint_that_is(fresh_redis_url: str) -> None:
    async with open_world(Settings(accounts={"acme": "webhook"}), url=fresh_redis_url) as world:
        await world.ports.stations.put(Station(CS, account="acme"))
        await world.ports.deliveries.waits("acme/CS-1", "letter-1", 1)

        accepted = await ChargingStation(world).connect()

    assert accepted.session is not None
    assert (accepted.session.account, accepted.session.backlog) == ("acme", True)


async def test_when_a_station_came_and_went_is_noted(any_world: World) -> None:
    station = ChargingStation(any_world)
    await station.connect()
    came = await any_world.note_of("CS-1", "seen")
    any_world.clock.now += 90

    await station.disconnect()

    assert (came, await any_world.note_of("CS-1", "seen")) == ("2026-01-01T12:00:00.000Z", "2026-01-01T12:01:30.000Z")


async def test_a_late_word_about_an_older_connection_is_not_when_it_was_seen(world: World) -> None:
    first, second = ChargingStation(world, gateway="east"), ChargingStation(world, gateway="west")
    await first.connect()
    await second.connect()
    world.clock.now += 90

    await first.disconnect()

    assert await world.note_of("CS-1", "seen") == "2026-01-01T12:00:00.000Z"


async def test_who_was_refused_was_not_seen() -> None:
    async with open_world(Settings(auth="registered")) as world:
        await ChargingStation(world).connect()
        seen = await world.note_of("CS-1", "seen")

    assert seen is None


async def test_a_command_that_waits_is_sent_behind_the_answer_to_the_boot(any_world: World) -> None:
    await waiting(any_world)
    station = ChargingStation(any_world)
    await station.connect()
    connected = [one.kind.value for one in told(any_world)]

    booted = await any_world.bus.deliver(station.asks("BootNotification", BOOT))

    assert connected == ["accept"]
    assert [(one.kind, one.action) for one in booted] == [
        (Kind.RESULT, "BootNotification"),
        (Kind.CALL, "Reset"),
    ]


async def test_a_command_that_waits_is_not_sent_to_a_station_whose_boot_was_not_accepted() -> None:
    async with open_world(Settings(registration="Pending")) as world:
        await waiting(world)
        station = ChargingStation(world)
        await station.connect()
        await station.call("BootNotification", BOOT)

    assert [one.kind.value for one in told(world)] == ["accept", "result"]


async def test_a_station_that_was_accepted_once_gets_what_waits_behind_the_accept(any_world: World) -> None:
    await any_world.ports.stations.note([Note("CS-1", "registration", b'"Accepted"')])
    await waiting(any_world)

    await ChargingStation(any_world).connect()

    assert [one.kind.value for one in told(any_world)] == ["accept", "call"]


async def test_where_no_boot_is_required_what_waits_is_sent_behind_the_accept() -> None:
    async with open_world(Settings(boot_required=False)) as world:
        await waiting(world)

        await ChargingStation(world).connect()

    assert [one.kind.value for one in told(world)] == ["accept", "call"]

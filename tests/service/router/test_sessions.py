"""Sessions: the newest connection wins, late words about older ones change nothing, and dead gateways are swept."""

import asyncio
from typing import Any

import msgspec

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import Address, Event, GatewayId, SessionRecord, Unavailable
from csms_router.departures import Departures
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")
EAST, WEST = GatewayId("east"), GatewayId("west")


async def live(world: World) -> None:
    for gateway in (EAST, WEST):
        await world.ports.sessions.renew(gateway, 15)


async def test_the_newest_connection_is_the_session_and_the_old_one_is_evicted(any_world: World) -> None:
    await live(any_world)
    east, west = ChargingStation(any_world, gateway="east"), ChargingStation(any_world, gateway="west")
    first = await east.connect(account="acme")

    second = await west.connect()

    assert first.session is not None
    assert second.session is not None
    assert second.session.epoch > first.session.epoch
    evicted = [(address, one) for address, one in any_world.bus.sent if one.kind is Kind.EVICT]
    assert evicted == [
        (
            Address("ocpp.gateway.east"),
            Envelope(
                Kind.EVICT,
                "CS-1",
                account="acme",
                version="ocpp1.6",
                session=Capsule(epoch=first.session.epoch, account="acme"),
            ),
        )
    ]


async def test_a_second_connection_at_the_same_gateway_is_the_gateway_s_own_business(any_world: World) -> None:
    """It closes its older connection itself; and the second CONNECT may be the first one, delivered twice."""
    await live(any_world)
    station = ChargingStation(any_world)
    first = await station.connect()

    second = await station.connect()

    assert first.session is not None
    assert second.session is not None
    assert second.session.epoch > first.session.epoch
    assert [one for _, one in any_world.bus.sent if one.kind is Kind.EVICT] == []


async def test_a_disconnect_ends_the_session(any_world: World) -> None:
    await live(any_world)
    station = ChargingStation(any_world)
    await station.connect()

    await station.disconnect()

    assert await any_world.ports.sessions.get(CS) is None


async def test_a_late_disconnect_of_an_older_connection_changes_nothing(any_world: World) -> None:
    await live(any_world)
    east, west = ChargingStation(any_world, gateway="east"), ChargingStation(any_world, gateway="west")
    await east.connect()
    newest = await west.connect()

    await east.disconnect()

    session = await any_world.ports.sessions.get(CS)
    assert session is not None
    assert newest.session is not None
    assert (session.gateway, session.epoch) == (WEST, newest.session.epoch)


async def test_a_disconnect_without_a_capsule_is_dropped(world: World) -> None:
    await live(world)
    station = ChargingStation(world)
    await station.connect()

    await world.bus.deliver(Envelope(Kind.DISCONNECT, "CS-1"))

    assert await world.ports.sessions.get(CS) is not None


async def test_an_expired_disconnect_still_counts_and_an_expired_connect_does_not(world: World) -> None:
    await live(world)
    station = ChargingStation(world)
    await station.connect()

    replies = await world.bus.deliver(
        Envelope(Kind.DISCONNECT, "CS-1", session=station.capsule, deadline=1),
        Envelope(Kind.CONNECT, "CS-2", reply_to="ocpp.gateway.east", deadline=1),
    )

    assert replies == []
    assert await world.ports.sessions.get(CS) is None


async def test_the_sweeper_ends_the_sessions_of_a_dead_gateway(any_world: World) -> None:
    sessions = any_world.ports.sessions
    await sessions.renew(EAST, 15)
    await ChargingStation(any_world, gateway="east").connect()
    await ChargingStation(any_world, "CS-2", gateway="west").connect()
    await sessions.renew(WEST, 15)
    await sessions.retire(EAST)

    await Departures(sessions, any_world.ports.events, any_world.clock).sweep()

    assert await sessions.get(CS) is None
    assert await sessions.get(StationId("CS-2")) is not None
    assert await sessions.sweep() == []


async def test_every_station_of_a_dead_gateway_is_told_of_once_as_disconnected(any_world: World) -> None:
    told: list[Event] = []
    following = await any_world.ports.events.follow(
        lambda batch: told.extend(msgspec.json.decode(one, type=Event) for one in batch), ("#.disconnected",)
    )
    await any_world.ports.sessions.renew(EAST, 15)
    accepted = await ChargingStation(any_world, gateway="east").connect(account="acme")
    await any_world.ports.sessions.retire(EAST)
    departures = Departures(any_world.ports.sessions, any_world.ports.events, any_world.clock)

    await departures.sweep()
    await departures.sweep()
    await asyncio.sleep(0.01)
    await following.stop()

    assert accepted.session is not None
    assert [msgspec.structs.replace(event, id="") for event in told] == [
        Event(
            id="",
            time="2026-01-01T12:00:00.000Z",
            type="disconnected",
            identity="CS-1",
            account="acme",
            version="ocpp1.6",
            gateway="east",
            epoch=accepted.session.epoch,
            reason="gateway lost",
        )
    ]


class ScriptedSessions:
    """`sweep` answers what it is told to, one after the other."""

    def __init__(self, *answers: list[SessionRecord] | Exception) -> None:
        self.answers = list(answers)
        self.drained = asyncio.Event()

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        answer = self.answers.pop(0)
        if not self.answers:
            self.drained.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


def dead(count: int) -> list[SessionRecord]:
    return [SessionRecord(StationId(f"CS-{n}"), EAST, n) for n in range(count)]


async def test_a_full_sweep_is_followed_by_another_at_once(world: World) -> None:
    sessions: Any = ScriptedSessions(dead(1000), dead(1000), dead(3), dead(0))

    await Departures(sessions, world.ports.events, world.clock).sweep()

    assert sessions.answers == [[]]


async def test_the_service_sweeps_by_itself_and_goes_on_after_the_store_was_away() -> None:
    sessions: Any = ScriptedSessions(Unavailable("away"), dead(1), [])
    async with open_world(Settings(sweep_interval=0.005), sessions=sessions):
        await asyncio.wait_for(sessions.drained.wait(), 5)
        sessions.answers += [[]] * 1000

    assert sessions.drained.is_set()

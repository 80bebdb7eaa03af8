"""Commands to stations without a connection: to any SOAP gateway, one at a time, tried when a station is heard of."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace as with_fields
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.events import Outcome
from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Kind
from csms_platform.outcomes import told_outcome
from csms_platform.ports import SOAP, Address, Command, Event, GatewayId, Station, Unavailable
from csms_router.commands import Commands
from csms_router.settings import Settings
from tests.service.router.commanding import Scene, eventually
from tests.service.router.visiting import BOOT, CS, URL, Visitor, open_pair
from tests.service.router.world import World, open_world

API = "ocpp.api.a1"
ACCEPTED = Raw(b'{"status":"Accepted"}')
UNDISTURBED = Settings(sweep_interval=60)
Pair = tuple[World, World]


@pytest.fixture(params=["memory", "redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """Two routers on each adapter of the stores, whose sweepers rest; CS-1 has come, and can be called."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_redis_url")
    async with open_pair(UNDISTURBED, url=url) as worlds:
        await arrived(worlds[0])
        yield worlds


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One router on memory, the same."""
    async with open_world(UNDISTURBED) as world:
        await arrived(world)
        yield world


async def arrived(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.accepted()
    await visitor.visit(callback=URL)
    return visitor


def asks(
    world: World, id: str, action: str = "ClearCache", payload: Any = None, *, timeout: int = 60, wait: int = 0
) -> Envelope:
    """A COMMAND that may be sent, and wait for its station, for so many seconds."""
    now = int(world.clock.now * 1000)
    return Envelope(
        Kind.COMMAND,
        "CS-1",
        unique_id=id,
        action=action,
        payload=Raw(json.dumps(payload or {}).encode()),
        reply_to=API,
        deadline=now + timeout * 1000,
        offline_until=now + wait * 1000 if wait else 0,
    )


def calls(*worlds: World) -> list[Envelope]:
    """What the SOAP gateways were given."""
    return [envelope for world in worlds for address, envelope in world.bus.sent if address == SOAP]


def ids(*worlds: World) -> list[str]:
    return [call.unique_id for call in calls(*worlds)]


def outcomes(*worlds: World) -> list[tuple[str, str]]:
    """What was told to who asked."""
    return [(one.unique_id, one.outcome) for world in worlds for to, one in world.bus.sent if to == Address(API)]


def ended(call: Envelope, outcome: Outcome = Outcome.RESULT, payload: Raw = ACCEPTED) -> Envelope:
    """A SOAP gateway's word."""
    told = told_outcome(call, outcome, "", "" if outcome is Outcome.RESULT else "So it was.", payload)
    return replace(told, transport="soap")


async def last_ended(world: World, outcome: Outcome = Outcome.RESULT) -> None:
    """`world` hears how the last CALL that it sent ended."""
    await world.bus.deliver(ended(calls(world)[-1], outcome))


async def waits(world: World, *names: str) -> None:
    """These begin to wait while the station is offline."""
    await world.ports.sessions.retire(GatewayId("soap/CS-1"))
    await world.bus.deliver(*[asks(world, name, wait=300) for name in names])


async def test_a_command_goes_to_all_soap_gateways_with_the_address_of_the_station(pair: Pair) -> None:
    world = pair[1]

    await world.bus.deliver(asks(world, "r-1", "Reset", {"type": "Soft"}))

    assert calls(world) == [
        Envelope(
            Kind.CALL,
            "CS-1",
            version="ocpp1.5",
            transport="soap",
            unique_id="r-1",
            action="Reset",
            payload=Raw(b'{"type": "Soft"}'),
            reply_to="ocpp.router",
            session=Capsule(registration="Accepted"),
            deadline=world.deadline + 30_000,
            attempt=1,
            callback=URL,
        )
    ]


async def test_a_changed_address_takes_effect_for_the_next_command(world: World) -> None:
    await world.bus.deliver(asks(world, "r-1"))
    await Visitor(world).visit(callback="http://10.8.0.43/")
    await last_ended(world)

    await world.bus.deliver(asks(world, "r-2"))

    assert [call.callback for call in calls(world)] == [URL, "http://10.8.0.43/"]


@pytest.mark.parametrize(
    ("registration", "expected"), [("Accepted", "Accepted"), ("Pending", "Pending"), ("Rejected", "Rejected")]
)
async def test_the_gateway_is_told_the_stations_registration(world: World, registration: str, expected: str) -> None:
    await world.ports.stations.put(Station(CS, registration=registration))

    await world.bus.deliver(asks(world, "r-1", "RemoteStopTransaction", {"transactionId": 1}))

    assert [call.session for call in calls(world)] == [Capsule(registration=expected)]


async def test_a_command_is_sent_though_nobody_can_say_the_registration(world: World) -> None:
    class Away:
        async def get(self, *_: Any) -> Any:
            raise Unavailable("away")

        recall = get

    away: Any = Away()
    commands = Commands(with_fields(world.ports, stations=away), UNDISTURBED, world.clock)

    await commands.asked([asks(world, "r-1")])

    assert [(call.unique_id, call.session) for call in calls(world)] == [("r-1", None)]


async def test_one_command_at_a_time_is_sent_whichever_routers_there_are(pair: Pair) -> None:
    one, other = pair
    await asyncio.gather(
        one.bus.deliver(asks(one, "r-1"), asks(one, "r-2")), other.bus.deliver(asks(other, "r-3"), asks(other, "r-4"))
    )
    sent = [len(calls(*pair))]
    for world in (other, one, other, one):
        (under_way,) = [call for call in calls(*pair) if (call.unique_id, "result") not in outcomes(*pair)]
        await world.bus.deliver(ended(under_way))
        sent.append(len(calls(*pair)))

    assert sent == [1, 2, 3, 4, 4]
    assert sorted(ids(*pair)) == ["r-1", "r-2", "r-3", "r-4"]
    assert sorted(outcomes(*pair)) == [(f"r-{n}", "result") for n in range(1, 5)]


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_however_a_command_ends_the_next_one_is_sent(any_world: World, outcome: Outcome) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1"), asks(any_world, "r-2"), asks(any_world, "r-3"))

    await last_ended(any_world, outcome=outcome)

    assert ids(any_world) == ["r-1", "r-2"]
    assert outcomes(any_world) == [("r-1", outcome.value)]


async def test_the_next_one_is_sent_though_the_gateway_does_not_say_by_which_way_it_asked(any_world: World) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1"), asks(any_world, "r-2"))

    await any_world.bus.deliver(replace(ended(calls(any_world)[-1]), transport="json"))

    assert ids(any_world) == ["r-1", "r-2"]


async def test_a_gateways_word_that_comes_again_sends_nothing_twice(pair: Pair) -> None:
    one, other = pair
    await one.bus.deliver(asks(one, "r-1"), asks(one, "r-2"), asks(one, "r-3"))
    word = ended(calls(one)[-1])

    await one.bus.deliver(word, word)
    await other.bus.deliver(word)

    assert ids(*pair) == ["r-1", "r-2"]
    assert outcomes(*pair) == [("r-1", "result")]


async def test_when_a_router_dies_between_two_commands_anothers_sweeper_goes_on(fresh_redis_url: str) -> None:
    async with open_pair(Settings(sweep_interval=0.05), url=fresh_redis_url) as (dying, other):
        await arrived(dying)
        await dying.bus.deliver(asks(dying, "r-1"), asks(dying, "r-2"))
        (sent,) = calls(dying)
        command = await dying.ports.commands.get(CS, sent.unique_id)
        assert command is not None

        await dying.ports.commands.end(replace(command, outcome="result"))
        async with asyncio.timeout(10):
            while len(calls(dying, other)) < 2:
                await asyncio.sleep(0.01)

        assert sorted(ids(dying, other)) == ["r-1", "r-2"]


async def test_postponed_commands_are_tried_once_for_each_visit(any_world: World) -> None:
    visitor = await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1", wait=300), asks(any_world, "r-2", wait=300))
    tried = []
    for _ in range(3):
        for _ in range(3):
            # The last one that was sent cannot be reached, and says so; also after the line has come to its end.
            await last_ended(any_world, outcome=Outcome.NOT_CONNECTED)
        await Commands(any_world.ports, UNDISTURBED, any_world.clock).release_forgotten()
        tried.append([(call.unique_id, call.attempt) for call in calls(any_world)])
        await visitor.visit()

    assert tried == [
        [("r-1", 1), ("r-2", 1)],
        [("r-1", 1), ("r-2", 1), ("r-1", 2), ("r-2", 2)],
        [("r-1", 1), ("r-2", 1), ("r-1", 2), ("r-2", 2), ("r-1", 3), ("r-2", 3)],
    ]
    assert outcomes(any_world) == []


async def test_what_waited_is_sent_behind_the_answer_to_an_accepted_station(any_world: World) -> None:
    visitor = await arrived(any_world)
    await waits(any_world, "r-1", "r-2")

    before = len(any_world.bus.sent)
    await visitor.visit()

    sent = [(envelope.kind, envelope.action) for _, envelope in any_world.bus.sent[before:]]
    assert sent == [(Kind.RESULT, "Heartbeat"), (Kind.CALL, "ClearCache")]
    await last_ended(any_world)
    assert ids(any_world) == ["r-1", "r-2"]


async def test_what_waits_is_sent_behind_an_accepted_boot_and_not_before(any_world: World) -> None:
    await waits(any_world, "r-1")
    visitor = Visitor(any_world, version="ocpp1.6")
    refused = await visitor.visit(callback=URL)
    early = ids(any_world)

    replies = await any_world.bus.deliver(visitor.arriving("BootNotification", BOOT))

    assert (refused.error_code, early) == ("SecurityError", [])
    assert [(one.kind, one.action) for one in replies] == [
        (Kind.RESULT, "BootNotification"),
        (Kind.CALL, "ClearCache"),
    ]


async def test_where_no_boot_is_required_what_waits_is_sent_at_once() -> None:
    async with open_world(Settings(boot_required=False, sweep_interval=60)) as world:
        await waits(world, "r-1")
        await Visitor(world).visit(callback=URL)

    assert ids(world) == ["r-1"]


async def test_a_station_that_is_rejected_now_is_sent_nothing_that_waited() -> None:
    async with open_world(Settings(registration="Rejected", sweep_interval=60)) as world:
        await waits(world, "r-1")
        visitor = Visitor(world)
        await visitor.accepted()
        await visitor.visit("BootNotification", BOOT, callback=URL)

    assert ids(world) == []


# --- too late ---------------------------------------------------------------------------------------------------------


def sweeping(world: World) -> Commands:
    """A router's sweeper."""
    return Commands(world.ports, UNDISTURBED, world.clock)


async def test_what_was_queued_too_long_is_expired(any_world: World) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1", timeout=100), asks(any_world, "r-2", timeout=10))
    any_world.clock.now += 11

    await sweeping(any_world).overdue()

    (told,) = [one for to, one in any_world.bus.sent if to == Address(API)]
    assert (told.unique_id, told.outcome, told.error_description) == ("r-2", "Expired", "It waited too long.")
    assert ids(any_world) == ["r-1"]


async def test_what_was_lost_with_its_gateway_holds_up_the_others_until_it_is_overdue(any_world: World) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1", timeout=10), asks(any_world, "r-2", timeout=300))
    any_world.clock.now += 71

    await sweeping(any_world).overdue()

    assert outcomes(any_world) == [("r-1", "Timeout")]
    assert ids(any_world) == ["r-1", "r-2"]


async def test_what_is_past_its_deadline_makes_way_for_the_next(any_world: World) -> None:
    await arrived(any_world)
    for name, seconds in (("r-1", 300), ("r-2", 10), ("r-3", 10), ("r-4", 300)):
        await any_world.bus.deliver(asks(any_world, name, timeout=seconds))
    any_world.clock.now += 11

    await last_ended(any_world)

    assert ids(any_world) == ["r-1", "r-4"]
    assert outcomes(any_world) == [("r-1", "result"), ("r-2", "Expired"), ("r-3", "Expired")]


# --- what follows -----------------------------------------------------------------------------------------------------


async def followed(world: World) -> list[Event]:
    """The `command` events from now on."""
    events: list[Event] = []

    def keep(batch: Sequence[bytes]) -> None:
        events.extend(msgspec.json.decode(one, type=Event) for one in batch)

    await world.ports.events.follow(keep, ("#.command",))
    return events


async def test_the_event_of_a_command_names_no_gateway(world: World) -> None:
    events = await followed(world)
    await world.bus.deliver(asks(world, "r-1"))

    await last_ended(world)
    await asyncio.sleep(0.01)

    assert [(one.unique_id, one.outcome, one.gateway, one.transport) for one in events] == [
        ("r-1", "result", "", "soap")
    ]


@pytest.mark.parametrize(
    ("outcome", "still_online"), [(Outcome.RESULT, True), (Outcome.ERROR, True), (Outcome.NOT_CONNECTED, False)]
)
async def test_a_station_that_answers_a_command_was_heard_of(
    world: World, outcome: Outcome, still_online: bool
) -> None:
    world.clock.now += 700
    await world.bus.deliver(asks(world, "r-1"))

    await last_ended(world, outcome=outcome)
    world.clock.now += 100

    assert (await world.ports.sessions.get(CS) is not None) is still_online


async def test_an_answer_that_comes_when_the_station_is_offline_brings_it_back_not(any_world: World) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1"))
    await any_world.ports.sessions.retire(GatewayId("soap/CS-1"))

    await last_ended(any_world)

    assert outcomes(any_world) == [("r-1", "result")]
    assert await any_world.ports.sessions.get(CS) is None
    assert [session.identity for session in await any_world.ports.sessions.sweep()] == ["CS-1"]


@pytest.mark.parametrize("key", ["HeartbeatInterval", "HeartBeatInterval", "heartbeatinterval"])
async def test_a_heartbeat_interval_that_the_station_takes_is_its_lease_from_now_on(world: World, key: str) -> None:
    await world.bus.deliver(asks(world, "r-1", "ChangeConfiguration", {"key": key, "value": "20"}))

    await last_ended(world)

    assert await world.note_of("CS-1", "interval") == 20
    world.clock.now += 49
    online = [await world.ports.sessions.get(CS) is not None]
    world.clock.now += 2
    online.append(await world.ports.sessions.get(CS) is not None)
    assert online == [True, False]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"key": "HeartbeatInterval", "value": "20"}, "Rejected"),
        ({"key": "HeartbeatInterval", "value": "20"}, "RebootRequired"),
        ({"key": "HeartbeatInterval", "value": "0"}, "Accepted"),
        ({"key": "HeartbeatInterval", "value": "-20"}, "Accepted"),
        ({"key": "HeartbeatInterval", "value": "soon"}, "Accepted"),
        ({"key": "HeartbeatInterval", "value": "9" * 5000}, "Accepted"),
        ({"key": "HeartbeatInterval", "value": 20}, "Accepted"),
        ({"key": "HeartbeatInterval"}, "Accepted"),
        ({"key": 7, "value": "20"}, "Accepted"),
        ({"key": "MeterValueSampleInterval", "value": "20"}, "Accepted"),
    ],
)
async def test_no_other_change_of_configuration_is_an_interval(
    world: World, asked: dict[str, Any], status: str
) -> None:
    await world.bus.deliver(asks(world, "r-1", "ChangeConfiguration", asked))

    await world.bus.deliver(ended(calls(world)[-1], payload=Raw(json.dumps({"status": status}).encode())))

    assert outcomes(world) == [("r-1", "result")]
    assert await world.note_of("CS-1", "interval") is None


async def test_what_was_queued_goes_with_a_station_that_now_has_a_connection(any_world: World) -> None:
    await arrived(any_world)
    await any_world.bus.deliver(asks(any_world, "r-1"), asks(any_world, "r-2"), asks(any_world, "r-3"))
    await any_world.ports.sessions.renew(GatewayId("east"), 60)
    claim = Envelope(
        Kind.CONNECT,
        "CS-1",
        payload=Raw(b'{"peer":"192.0.2.1","subprotocol":"ocpp1.6"}'),
        reply_to="ocpp.gateway.east",
        deadline=any_world.deadline,
    )

    sent = await any_world.bus.deliver(claim)

    assert [(one.unique_id, one.version, one.transport, one.session) for one in sent if one.kind is Kind.CALL] == [
        ("r-2", "ocpp1.6", "json", None),
        ("r-3", "ocpp1.6", "json", None),
    ]


async def test_a_store_that_is_away_leaves_the_next_command_to_a_sweeper(world: World) -> None:
    class Away:
        """Commands of which nobody hears which is next."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.ports.commands, name)

        async def next(self, identity: str) -> list[Command]:
            raise Unavailable("away")

    away: Any = Away()
    await world.bus.deliver(asks(world, "r-1"), asks(world, "r-2"))

    await Commands(with_fields(world.ports, commands=away), UNDISTURBED, world.clock).ended([ended(calls(world)[0])])
    early = ids(world)
    await sweeping(world).release_forgotten()

    assert outcomes(world) == [("r-1", "result")]
    assert (early, ids(world)) == (["r-1"], ["r-1", "r-2"])


async def test_an_order_finds_its_way_over_the_bus_to_any_gateway_and_back(scene: Scene) -> None:
    await scene.router()
    await scene.router()
    east, west = [await scene.gateway(name, answer=ended) for name in ("s1", "s2")]
    for gateway in (east, west):
        await gateway.serves(SOAP)
    arrival = ConnectRequest("192.0.2.1", callback=URL)
    asked: Any = {"version": "ocpp1.5", "transport": "soap", "unique_id": "m-1", "action": "Heartbeat"}
    east.send(Envelope(Kind.CALL, "CS-1", reply_to=east.address.name, arrival=arrival, **asked))
    await eventually(lambda: len(east.others) == 1)

    for n in range(1, 6):
        await scene.order("CS-1", "ClearCache", id=f"r-{n}")

    assert await scene.outcomes(5) == [(f"r-{n}", "result") for n in range(1, 6)]
    assert {call.callback for call in east.calls + west.calls} == {URL}
    assert sorted(east.ids + west.ids) == [f"r-{n}" for n in range(1, 6)]


async def test_a_command_that_nobody_knows_changes_nothing(world: World) -> None:
    word = ended(Envelope(Kind.CALL, "CS-9", unique_id="x"))

    assert await world.bus.deliver(word) == []

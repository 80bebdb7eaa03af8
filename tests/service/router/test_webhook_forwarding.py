"""Stations that the operator's endpoint serves: their messages go to the webhook relay, and what we keep is kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import WEBHOOK, Note, Unavailable
from csms_router.settings import Settings
from tests.service.router.test_metrics import Counters
from tests.service.router.webhook import BOOT, SERVED, START, STATUS, STOP, converses, event, heard, told
from tests.service.router.world import ChargingStation, Clock, World, open_world

METER = {"connectorId": 2, "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]}
STREAM = {"id": 4, "pending": 0, "basetime": "2026-01-01T12:00:00Z", "data": []}


def in_a_minute(world: World) -> int:
    return int(world.clock.now * 1000) + 60_000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A router of which the operator's endpoint answers everything."""
    async with open_world(SERVED) as world:
        yield world


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("ocpp1.6", "Authorize", {"idTag": "A1"}),
        ("ocpp1.6", "DataTransfer", {"vendorId": "ACME"}),
        ("ocpp1.6", "Heartbeat", {}),
        ("ocpp1.6", "MeterValues", METER),
        ("ocpp1.5", "StatusNotification", STATUS),
        ("ocpp2.0.1", "Authorize", {"idToken": {"idToken": "A1", "type": "Local"}}),
        ("ocpp2.1", "NotifyEvent", {"generatedAt": "2026-01-01T12:00:00Z", "seqNo": 0, "eventData": []}),
    ],
)
async def test_a_call_is_forwarded_as_it_came(world: World, version: str, action: str, payload: Any) -> None:
    asked = ChargingStation(world, version=version).asks(action, payload)

    sent = await world.bus.deliver(asked)

    assert (sent, world.bus.sent) == ([asked], [(WEBHOOK, asked)])


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("ocpp1.6", "BootNotification", BOOT),
        ("ocpp1.6", "StartTransaction", START),
        ("ocpp1.6", "StopTransaction", STOP),
        ("ocpp2.0.1", "TransactionEvent", event("Started", 0)),
    ],
)
async def test_a_call_whose_answer_changes_what_is_known_is_forwarded_to_be_settled(
    world: World, version: str, action: str, payload: Any
) -> None:
    asked = ChargingStation(world, version=version).asks(action, payload)

    await world.bus.deliver(asked)

    assert world.bus.sent == [(WEBHOOK, replace(asked, settle=True))]


async def test_a_send_is_forwarded_and_noted(world: World) -> None:
    station = ChargingStation(world, version="ocpp2.1")
    tells = station.asks("NotifyPeriodicEventStream", STREAM, kind=Kind.SEND)

    await world.bus.deliver(tells)

    assert world.bus.sent == [(WEBHOOK, tells)]
    assert await world.note_of("CS-1", "stream/4") == STREAM


async def test_a_send_without_a_deadline_waits_a_minute_for_a_relay(world: World) -> None:
    tells = ChargingStation(world, version="ocpp2.1").asks(
        "NotifyPeriodicEventStream", STREAM, kind=Kind.SEND, deadline=0
    )

    await world.bus.deliver(tells)

    assert world.bus.sent == [(WEBHOOK, replace(tells, deadline=in_a_minute(world)))]


async def test_what_a_station_tells_about_itself_is_noted(world: World, station: ChargingStation) -> None:
    await world.bus.deliver(station.asks("StatusNotification", STATUS), station.asks("MeterValues", METER))

    assert await world.note_of("CS-1", "status/1") == STATUS
    assert await world.note_of("CS-1", "meter/2") == METER


class SlowStations:
    """`Stations` whose notes are written when `written` is set."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.written = asyncio.Event()

    async def note(self, notes: Sequence[Note]) -> None:
        self.asked.set()
        await asyncio.wait_for(self.written.wait(), 30)


async def test_forwarding_does_not_wait_for_the_notes() -> None:
    stations: Any = SlowStations()
    async with open_world(SERVED, stations=stations) as world:
        handling = asyncio.create_task(world.bus.deliver(ChargingStation(world).asks("StatusNotification", STATUS)))
        await asyncio.wait_for(stations.asked.wait(), 10)
        early = [call.action for call in heard(world)]
        stations.written.set()
        await handling

    assert early == ["StatusNotification"]


@pytest.mark.parametrize("payload", [b"null", b"[]", b'{"connectorId":"one"}', b"{}"])
async def test_a_payload_that_we_cannot_read_is_forwarded_and_the_rest_of_its_batch_too(
    world: World, station: ChargingStation, payload: bytes
) -> None:
    await world.bus.deliver(
        station.asks("Heartbeat", {}),
        station.asks("StatusNotification", payload),
        station.asks("StartTransaction", payload),
        station.asks("MeterValues", METER),
    )

    assert sorted(call.action for call in heard(world)) == [
        "Heartbeat",
        "MeterValues",
        "StartTransaction",
        "StatusNotification",
    ]
    assert await world.note_of("CS-1", "meter/2") == METER


@pytest.mark.parametrize(
    ("settings", "forwarded"),
    [
        (Settings(), []),
        (Settings(backend="webhook"), ["", "acme", "volt"]),
        (Settings(backend="webhook", accounts={"acme": "builtin"}), ["", "volt"]),
        (Settings(accounts={"acme": "webhook"}), ["acme"]),
    ],
)
async def test_the_account_decides_who_answers(settings: Settings, forwarded: list[str]) -> None:
    accounts = ["", "acme", "volt"]
    async with open_world(settings) as world:
        station = ChargingStation(world)
        await world.bus.deliver(*(station.asks("Heartbeat", {}, account=account) for account in accounts))

    assert [call.account for call in heard(world)] == forwarded
    assert [answer.account for answer in told(world)] == [one for one in accounts if one not in forwarded]


@pytest.mark.parametrize("action", ["Heartbeat", "Authorize", "StatusNotification", "StartTransaction"])
async def test_observers_get_a_copy_of_what_the_tables_answer(action: str) -> None:
    async with open_world(Settings(observed=True)) as world:
        asked = ChargingStation(world).asks(action, {"Authorize": {"idTag": "A1"}}.get(action, START | STATUS))
        await world.bus.deliver(asked)

    assert heard(world) == [replace(asked, backend="builtin", reply_to="", deadline=in_a_minute(world))]
    assert [(answer.kind, answer.unique_id) for answer in told(world)] == [(Kind.RESULT, asked.unique_id)]


async def test_observers_get_a_copy_of_a_send() -> None:
    async with open_world(Settings(observed=True)) as world:
        tells = ChargingStation(world, version="ocpp2.1").asks("NotifyPeriodicEventStream", STREAM, kind=Kind.SEND)
        await world.bus.deliver(tells)

    assert world.bus.sent == [(WEBHOOK, replace(tells, backend="builtin", reply_to="", deadline=in_a_minute(world)))]


async def test_observers_get_no_copy_of_what_was_refused_or_forwarded_or_came_back() -> None:
    async with open_world(Settings(observed=True, accounts={"acme": "webhook"})) as world:
        station = ChargingStation(world)
        forwarded = station.asks("Heartbeat", {}, account="acme")
        refused = station.asks("Heartbeat", {}, session=Capsule(epoch=1))
        await world.bus.deliver(forwarded, refused, station.asks("Heartbeat", {}, backend="accept"))

    assert heard(world) == [forwarded]


@pytest.mark.parametrize("registration", ["", "Pending", "Rejected"])
async def test_before_it_was_accepted_a_stations_calls_are_refused_and_not_forwarded(
    world: World, station: ChargingStation, registration: str
) -> None:
    station.capsule = Capsule(epoch=7, registration=registration)

    refused = await station.call("Heartbeat", {})
    await world.bus.deliver(
        station.asks("BootNotification", BOOT),
        station.asks("StopTransaction", STOP),
        station.asks("MeterValues", METER, triggered=True),
    )

    assert refused == "SecurityError"
    assert sorted(call.action for call in heard(world)) == ["BootNotification", "MeterValues", "StopTransaction"]


async def test_an_action_that_the_version_does_not_have_is_not_forwarded(
    world: World, station: ChargingStation
) -> None:
    answer = await station.call("TransactionEvent", {})

    assert (answer, heard(world)) == ("NotImplemented", [])


async def test_what_nobody_waits_for_any_more_is_not_forwarded(world: World, station: ChargingStation) -> None:
    await world.bus.deliver(station.asks("Authorize", {"idTag": "A1"}, deadline=int(world.clock.now * 1000)))

    assert heard(world) == []


async def test_a_repeat_gets_what_the_operator_said_before_and_nobody_is_asked_again(
    world: World, station: ChargingStation
) -> None:
    operators = {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}
    await converses(station, "StartTransaction", START, operators, "m-1")

    repeated = await station.call("StartTransaction", START, "m-1")
    await world.bus.deliver(station.asks("StartTransaction", START | {"connectorId": 2}, "m-1"))

    assert repeated == operators
    assert [b'"connectorId":2' in bytes(call.payload) for call in heard(world)] == [False, True]


async def test_a_repeat_of_what_was_not_answered_is_forwarded_again(world: World, station: ChargingStation) -> None:
    for _ in range(2):
        await world.bus.deliver(station.asks("StopTransaction", STOP, "m-1"))

    assert [call.unique_id for call in heard(world)] == ["m-1", "m-1"]


async def test_forwarded_messages_are_counted_as_such(world: World, station: ChargingStation) -> None:
    counters = Counters()

    await world.bus.deliver(
        station.asks("Heartbeat", {}), station.asks("Heartbeat", {}), station.asks("StopTransaction", STOP, "m-1")
    )
    await converses(station, "StopTransaction", STOP, {}, "m-2")
    await station.call("StopTransaction", STOP, "m-2")

    assert counters.grown() == {
        ("calls_total", "ocpp1.6", "Heartbeat", "forwarded"): 2,
        ("calls_total", "ocpp1.6", "StopTransaction", "forwarded"): 2,
        ("calls_total", "ocpp1.6", "StopTransaction", "repeated"): 1,
        ("settled_total", "recorded"): 1,
    }


class Away:
    """A store of which every method is away, and the clock moves on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __getattr__(self, name: str) -> Any:
        async def method(*_: Any) -> Any:
            self.clock.now += 0.2
            raise Unavailable("away")

        return method


async def test_a_store_that_stays_away_costs_notes_and_what_may_be_a_repeat() -> None:
    """A transaction message that may be a repeat is not forwarded, so that no transaction begins twice."""
    clock, counters = Clock(), Counters()
    away: Any = Away(clock)
    async with open_world(replace(SERVED, patience=1.0), clock=clock, stations=away, transactions=away) as world:
        station = ChargingStation(world)
        soon = {"deadline": int(clock.now * 1000) + 500}
        calls: list[Envelope] = [
            station.asks("StatusNotification", STATUS, **soon),
            station.asks("StartTransaction", START, **soon),
            station.asks("Authorize", {"idTag": "A1"}, **soon),
        ]
        sent = await world.bus.deliver(*calls)

    grown = counters.grown()
    grown.pop(("store_retries_total",))
    assert [call.action for call in sent] == ["StatusNotification", "Authorize"]
    assert grown == {
        ("calls_total", "ocpp1.6", "StatusNotification", "forwarded"): 1,
        ("calls_total", "ocpp1.6", "Authorize", "forwarded"): 1,
        ("calls_total", "ocpp1.6", "StartTransaction", "unanswered"): 1,
        ("notes_lost_total",): 1,
    }

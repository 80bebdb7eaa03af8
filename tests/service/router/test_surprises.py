"""What no schema has seen, handlers that fail, and a store that is away: others are answered, and nothing is lost."""

from collections.abc import Sequence
from typing import Any

import pytest

from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import Note, Station, Tag, Transaction, Unavailable
from csms_router.settings import Settings
from tests.service.router.world import PATIENCE, ChargingStation, Clock, World, open_world

NONSENSE = [b"null", b"[]", b'"text"', b"1", b"{}", b'{"connectorId":"one","idTag":1,"transactionId":{},"evseId":[]}']


@pytest.mark.parametrize("payload", NONSENSE)
@pytest.mark.parametrize(
    ("version", "action", "code"),
    [
        ("ocpp1.6", "MeterValues", "FormationViolation"),
        ("ocpp1.6", "StatusNotification", "FormationViolation"),
        ("ocpp1.6", "StartTransaction", "FormationViolation"),
        ("ocpp1.6", "Authorize", "FormationViolation"),
        ("ocpp2.0.1", "MeterValues", "FormatViolation"),
        ("ocpp2.1", "Authorize", "FormatViolation"),
        ("ocpp2.1", "VatNumberValidation", "FormatViolation"),
    ],
)
async def test_a_payload_that_cannot_be_read_gets_an_error_and_its_batch_is_answered(
    world: World, version: str, action: str, code: str, payload: bytes
) -> None:
    station = ChargingStation(world, version=version)

    replies = await world.bus.deliver(
        station.asks("Heartbeat", {}), station.asks(action, payload), station.asks("Heartbeat", {})
    )

    answers = sorted((reply.action, reply.kind.value, reply.error_code) for reply in replies)
    assert answers == sorted([("Heartbeat", "result", ""), (action, "error", code), ("Heartbeat", "result", "")])


@pytest.mark.parametrize("payload", NONSENSE)
@pytest.mark.parametrize(("version", "action"), [("ocpp1.6", "StopTransaction"), ("ocpp2.0.1", "TransactionEvent")])
async def test_a_stop_or_an_event_is_accepted_whatever_it_holds(
    world: World, version: str, action: str, payload: bytes
) -> None:
    answer = await ChargingStation(world, version=version).call(action, payload)

    assert answer == {}


async def test_a_deeply_nested_payload_is_answered(station: ChargingStation) -> None:
    deep = b'{"connectorId":' + b"[" * 500 + b"]" * 500 + b"}"

    answer = await station.call("StatusNotification", deep)

    assert answer == "FormationViolation"


async def test_a_send_that_cannot_be_read_is_not_answered(world: World) -> None:
    station = ChargingStation(world, version="ocpp2.1")

    replies = await world.bus.deliver(station.asks("NotifyPeriodicEventStream", b"[]", kind=Kind.SEND))

    assert replies == []


@pytest.mark.parametrize("kind", [Kind.RESULT, Kind.ERROR, Kind.ACCEPT, Kind.REFUSE, Kind.EVICT])
async def test_kinds_that_are_not_for_the_router_are_dropped(world: World, kind: Kind) -> None:
    replies = await world.bus.deliver(Envelope(kind, "CS-1", reply_to="ocpp.gateway.east"))

    assert replies == []


class Away:
    """A store of which every method is away the first `times` times, and the clock moves on; then `answers` come."""

    def __init__(self, clock: Clock, times: int, **answers: Any) -> None:
        self.clock = clock
        self.times = times
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        async def method(*_: Any) -> Any:
            if self.times:
                self.times -= 1
                self.clock.now += 0.2
                raise Unavailable("away")
            return self.answers[name]

        return method


METER = {"connectorId": 2, "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]}


async def test_a_store_that_comes_back_in_time_costs_no_answer() -> None:
    clock = Clock()
    stations: Any = Away(clock, 2, note=None)
    tags: Any = Away(clock, 2, get=Tag("A1"))
    async with open_world(clock=clock, stations=stations, tags=tags) as world:
        station = ChargingStation(world)

        replies = await world.bus.deliver(
            station.asks("MeterValues", METER), station.asks("Authorize", {"idTag": "A1"})
        )

    assert sorted((reply.action, reply.kind) for reply in replies) == [
        ("Authorize", Kind.RESULT),
        ("MeterValues", Kind.RESULT),
    ]


async def test_a_store_that_stays_away_costs_the_answers_that_need_it_and_no_other() -> None:
    clock = Clock()
    away: Any = Away(clock, 10**9)
    async with open_world(clock=clock, stations=away, tags=away) as world:
        station = ChargingStation(world)
        soon = {"deadline": int(clock.now * 1000) + 500}

        replies = await world.bus.deliver(
            station.asks("MeterValues", METER, **soon),
            station.asks("Authorize", {"idTag": "A1"}, **soon),
            station.asks("Heartbeat", {}, **soon),
        )

    assert [reply.action for reply in replies] == ["Heartbeat"]


async def test_without_a_deadline_patience_ends_too() -> None:
    clock = Clock()
    away: Any = Away(clock, 10**9)
    async with open_world(Settings(patience=0.5), clock=clock, tags=away) as world:
        replies = await world.bus.deliver(ChargingStation(world).asks("Authorize", {"idTag": "A1"}, deadline=0))

    assert replies == []
    assert clock.now * 1000 < world.deadline + PATIENCE


async def test_connections_wait_for_the_store_too_and_are_given_up_at_their_deadline() -> None:
    clock = Clock()
    stations: Any = Away(clock, 2, get=None, recall={}, note=None)
    sessions: Any = Away(clock, 10**9)
    async with open_world(clock=clock, stations=stations) as world:
        accepted = await ChargingStation(world).connect()
    async with open_world(Settings(patience=0.5), clock=clock, sessions=sessions, stations=stations) as world:
        connect = Envelope(
            Kind.CONNECT,
            "CS-1",
            payload=ChargingStation(world).asks("", {"peer": "p", "subprotocol": "ocpp1.6"}).payload,
            reply_to="ocpp.gateway.east",
            deadline=int(clock.now * 1000) + 500,
        )
        replies = await world.bus.deliver(connect)
        await ChargingStation(world).disconnect()

    assert accepted.kind is Kind.ACCEPT
    assert replies == []


class Broken:
    """A store with a bug of ours in it."""

    async def get(self, *_: Any) -> Station | Tag | Transaction | None:
        raise KeyError("bug")

    async def answered(self, key: str) -> bytes | None:
        raise KeyError("bug")

    async def note(self, notes: Sequence[Note]) -> None:
        raise KeyError("bug")


async def test_a_bug_of_ours_is_an_internal_error_for_its_call_and_for_no_other() -> None:
    broken: Any = Broken()
    async with open_world(stations=broken, tags=broken, transactions=broken) as world:
        station = ChargingStation(world)

        replies = await world.bus.deliver(
            station.asks("Authorize", {"idTag": "A1"}),
            station.asks("StopTransaction", {"transactionId": 1, "meterStop": 1, "timestamp": "t"}),
            station.asks("Heartbeat", {}),
            station.asks("MeterValues", METER),
        )

    assert sorted((reply.action, reply.kind, reply.error_code) for reply in replies) == [
        ("Authorize", Kind.ERROR, "InternalError"),
        ("Heartbeat", Kind.RESULT, ""),
        ("MeterValues", Kind.ERROR, "InternalError"),
        ("StopTransaction", Kind.RESULT, ""),
    ]

"""What the operator answered is recorded as our own answers are, and passed on to the station's gateway."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Capsule, Envelope, Kind
from csms_platform.ports import Address, Tag, Transaction, Unavailable
from tests.service.router.test_metrics import Counters
from tests.service.router.webhook import (
    BOOT,
    BOOT_ACCEPTED,
    SERVED,
    START,
    STOP,
    asks,
    converses,
    error,
    event,
    passed_on,
    result,
    settles,
    told,
    waiting,
)
from tests.service.router.world import ChargingStation, Clock, World, open_world

CS = StationId("CS-1")
STARTED = {"transactionId": 77, "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}
TOKEN = {"idToken": {"idToken": "A1", "type": "ISO14443"}}
EVSE = {"evse": {"id": 2, "connectorId": 1}}


@pytest.fixture(params=["memory", "redis"])
async def any_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A router of which the operator's endpoint answers everything, on each adapter of the stores."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_redis_url")
    async with open_world(SERVED, url=url) as world:
        yield world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The same on memory."""
    async with open_world(SERVED) as world:
        yield world


# --- boot -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
async def test_the_operators_registration_is_noted_and_goes_with_the_answer_to_the_gateway(
    any_world: World, status: str
) -> None:
    station = ChargingStation(any_world)
    station.capsule = Capsule(epoch=7, account="acme")
    call = await asks(station, "BootNotification", BOOT)
    # The relay has found out meanwhile that the spool holds letters of this station.
    reply = result(call, BOOT_ACCEPTED | {"status": status}, session=replace(station.capsule, backlog=True))

    answer = await settles(station, reply)

    capsule = Capsule(epoch=7, account="acme", registration=status, backlog=True)
    assert answer == replace(passed_on(reply), session=capsule)
    assert any_world.bus.sent[-1][0] == Address("ocpp.gateway.east")
    assert await any_world.note_of("CS-1", "boot") == BOOT
    assert await any_world.note_of("CS-1", "registration") == status


@pytest.mark.parametrize(("status", "sent"), [("Accepted", ["result", "call"]), ("Pending", ["result"])])
async def test_what_waits_for_the_station_is_sent_after_a_boot_that_the_operator_accepted(
    world: World, station: ChargingStation, status: str, sent: list[str]
) -> None:
    await waiting(world)
    await station.connect()
    call = await asks(station, "BootNotification", BOOT)
    before = len(told(world))

    await world.bus.deliver(result(call, BOOT_ACCEPTED | {"status": status}))

    assert [one.kind.value for one in told(world)[before:]] == sent


@pytest.mark.parametrize("action", ["BootNotification", "StartTransaction"])
async def test_an_operators_error_is_passed_on_and_changes_nothing(
    world: World, station: ChargingStation, action: str
) -> None:
    call = await asks(station, action, BOOT if action == "BootNotification" else START, "m-1")
    reply = error(call, "InternalError", "Out of order", b'{"since":"today"}')

    answer = await settles(station, reply)
    await asks(station, action, BOOT if action == "BootNotification" else START, "m-1")

    assert answer == passed_on(reply)
    assert await world.note_of("CS-1", "registration") is None
    assert await world.ports.transactions.active("A1") == 0


# --- 1.x --------------------------------------------------------------------------------------------------------------


async def test_a_start_is_a_transaction_under_the_operators_id(any_world: World) -> None:
    station = ChargingStation(any_world)
    reply = result(await asks(station, "StartTransaction", START | {"reservationId": 5}), STARTED)

    answer = await settles(station, reply)

    stored = await any_world.ports.transactions.get(CS, "77")
    assert answer == passed_on(reply)
    assert stored is not None
    assert stored == Transaction(
        CS,
        "77",
        key=stored.key,
        version="ocpp1.6",
        connector=1,
        tag="A1",
        meter_start=100,
        started="2026-01-01T12:00:00Z",
        reservation=5,
        authorized=True,
        reply=bytes(reply.payload),
    )
    assert await any_world.ports.transactions.active("A1") == 1


async def test_a_tag_that_the_operator_refuses_does_not_charge(world: World, station: ChargingStation) -> None:
    await converses(station, "StartTransaction", START, STARTED | {"idTagInfo": {"status": "Blocked"}})

    stored = await world.ports.transactions.get(CS, "77")
    assert stored is not None
    assert (stored.tag, stored.authorized) == ("A1", False)


async def test_the_tag_list_has_no_say_where_the_operator_answers(world: World, station: ChargingStation) -> None:
    await world.ports.tags.put(Tag("A1", status="Blocked", limit=1))

    await converses(station, "StartTransaction", START, STARTED)
    await converses(station, "StartTransaction", START | {"connectorId": 2}, STARTED | {"transactionId": 78})

    assert await world.ports.transactions.active("A1") == 2


async def test_an_answer_that_the_bus_delivers_twice_is_one_transaction(any_world: World) -> None:
    station = ChargingStation(any_world)
    call = await asks(station, "StartTransaction", START)

    for _ in range(2):
        await settles(station, result(call, STARTED))
    await converses(station, "StopTransaction", STOP, {})
    await settles(station, result(call, STARTED))

    stored = await any_world.ports.transactions.get(CS, "77")
    assert stored is not None
    assert stored.meter_stop == 350
    assert await any_world.ports.transactions.active("A1") == 0


async def test_a_start_that_comes_again_under_a_new_id_is_what_the_operator_says_it_is(any_world: World) -> None:
    """The station will stop the transaction that it was told last."""
    station = ChargingStation(any_world)
    await converses(station, "StartTransaction", START, STARTED, "m-1")
    await converses(station, "StartTransaction", START, STARTED, "m-2")
    await converses(station, "StartTransaction", START, STARTED | {"transactionId": 78}, "m-3")

    await converses(station, "StopTransaction", STOP | {"transactionId": 78}, {})

    first, second = [await any_world.ports.transactions.get(CS, number) for number in ("77", "78")]
    assert first is not None
    assert second is not None
    assert (first.superseded, first.stopped, second.stopped) == (True, "", STOP["timestamp"])


async def test_a_start_that_comes_again_while_the_endpoint_is_away_keeps_the_operators_id(
    station: ChargingStation,
) -> None:
    await converses(station, "StartTransaction", START, STARTED, "m-1")

    answer = await station.call("StartTransaction", START, "m-2", backend="accept")

    assert answer == STARTED


async def test_a_stop_ends_the_transaction(any_world: World) -> None:
    station = ChargingStation(any_world)
    await converses(station, "StartTransaction", START, STARTED)

    answer = await converses(station, "StopTransaction", STOP | {"reason": "Remote"}, {})

    stored = await any_world.ports.transactions.get(CS, "77")
    assert answer.payload == EMPTY
    assert stored is not None
    assert (stored.meter_stop, stored.stopped, stored.reason) == (350, "2026-01-01T13:00:00Z", "Remote")
    assert await any_world.ports.transactions.active("A1") == 0


async def test_an_operators_error_about_a_stop_is_withheld_and_the_transaction_has_ended(
    world: World, station: ChargingStation
) -> None:
    await converses(station, "StartTransaction", START, STARTED)
    call = await asks(station, "StopTransaction", STOP, "m-2")

    answer = await settles(station, error(call, "InternalError", "Out of order", b'{"since":"today"}'))
    repeated = await station.call("StopTransaction", STOP, "m-2")

    stored = await world.ports.transactions.get(CS, "77")
    assert answer == replace(passed_on(call), kind=Kind.RESULT, payload=EMPTY)
    assert repeated == {}
    assert stored is not None
    assert stored.meter_stop == 350


# --- 2.x --------------------------------------------------------------------------------------------------------------


async def test_an_event_is_recorded_with_the_operators_word_about_the_token(any_world: World) -> None:
    station = ChargingStation(any_world, version="ocpp2.0.1")
    accepted = {"idTokenInfo": {"status": "Accepted"}}

    answer = await converses(station, "TransactionEvent", event("Started", 0, **TOKEN, **EVSE), accepted)
    active = await any_world.ports.transactions.active("A1")
    await converses(station, "TransactionEvent", event("Ended", 1), {})

    assert (msgspec.json.decode(answer.payload), active) == (accepted, 1)
    assert await any_world.ports.transactions.get(CS, "t-1") == Transaction(
        CS,
        "t-1",
        version="ocpp2.0.1",
        evse=2,
        connector=1,
        tag="A1",
        started="2026-01-01T12:00:00Z",
        stopped="2026-01-01T12:01:00Z",
        reason="Local",
        authorized=True,
        last_seq=1,
    )


@pytest.mark.parametrize("answer", [{"idTokenInfo": {"status": "Invalid"}}, {}])
async def test_a_token_that_the_operator_did_not_accept_does_not_charge(world: World, answer: dict[str, Any]) -> None:
    station = ChargingStation(world, version="ocpp2.0.1")

    await converses(station, "TransactionEvent", event("Started", 0, **TOKEN), answer)

    stored = await world.ports.transactions.get(CS, "t-1")
    assert stored is not None
    assert (stored.tag, stored.authorized) == ("A1", False)


async def test_an_operators_error_about_an_event_is_withheld_and_the_event_recorded(world: World) -> None:
    station = ChargingStation(world, version="ocpp2.1")
    call = await asks(station, "TransactionEvent", event("Ended", 4))

    answer = await settles(station, error(call, "InternalError"))

    stored = await world.ports.transactions.get(CS, "t-1")
    assert (answer.kind, answer.payload, answer.error_code) == (Kind.RESULT, EMPTY, "")
    assert stored is not None
    assert stored.stopped == "2026-01-01T12:04:00Z"


# --- surprises --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "request_", "payload"),
    [
        ("BootNotification", b"{}", b'{"status":"Perhaps"}'),
        ("BootNotification", b"{}", b"null"),
        ("StartTransaction", b"{}", b'{"transactionId":77,"idTagInfo":{"status":"Accepted"}}'),
        ("StartTransaction", b"{}", b'{"transactionId":"77"}'),
        ("StopTransaction", b"[]", b"{}"),
        ("TransactionEvent", b"{}", b'{"idTokenInfo":7}'),
    ],
)
async def test_what_cannot_be_read_is_passed_on_unrecorded(
    world: World, station: ChargingStation, action: str, request_: bytes, payload: bytes
) -> None:
    counters = Counters()
    reply = result(station.asks(action, request_, settle=True), payload)

    answer = await settles(station, reply)

    assert answer == passed_on(reply)
    assert counters.grown() == {("settled_total", "unreadable"): 1}


@pytest.mark.parametrize("kind", [Kind.RESULT, Kind.ERROR])
@pytest.mark.parametrize("action", ["BootNotification", "StartTransaction", "StopTransaction", "Heartbeat", ""])
async def test_an_answer_that_names_neither_gateway_nor_session_harms_nobody(
    world: World, kind: Kind, action: str
) -> None:
    sent = await world.bus.deliver(Envelope(kind, "CS-1", action=action, settle=True))

    assert sent == []


async def test_an_answer_without_a_session_is_recorded_and_passed_on(any_world: World) -> None:
    station = ChargingStation(any_world, version="ocpp1.5")
    station.capsule = None

    answer = await converses(station, "BootNotification", BOOT, BOOT_ACCEPTED)

    assert (msgspec.json.decode(answer.payload), answer.session) == (BOOT_ACCEPTED, None)
    assert await any_world.note_of("CS-1", "registration") == "Accepted"


class Away:
    """A store of which every method raises, and the clock moves on."""

    def __init__(self, clock: Clock, error: Exception) -> None:
        self.clock = clock
        self.error = error

    def __getattr__(self, name: str) -> Any:
        async def method(*_: Any, **__: Any) -> Any:
            self.clock.now += 0.2
            raise self.error

        return method


@pytest.mark.parametrize("problem", [Unavailable("away"), KeyError("a bug of ours")])
async def test_a_station_gets_the_operators_answer_in_time_though_it_cannot_be_recorded(problem: Exception) -> None:
    clock, counters = Clock(), Counters()
    away: Any = Away(clock, problem)
    async with open_world(SERVED, clock=clock, stations=away, transactions=away) as world:
        station = ChargingStation(world)
        station.capsule = Capsule(epoch=7)
        soon = int(clock.now * 1000) + 1600
        boot = result(station.asks("BootNotification", BOOT, settle=True, deadline=soon), BOOT_ACCEPTED)
        start = result(station.asks("StartTransaction", START, settle=True, deadline=soon), STARTED)

        answers = [await settles(station, reply) for reply in (boot, start)]
        in_time = clock.now * 1000 < soon

    grown = counters.grown()
    assert answers == [replace(passed_on(boot), session=Capsule(epoch=7, registration="Accepted")), passed_on(start)]
    assert in_time
    assert grown[("settled_total", "unrecorded")] == 2

"""Calls of stations without a connection: who is let in, what they are answered, and what is remembered."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Kind, Refusal
from csms_platform.passwords import digest
from csms_platform.ports import WEBHOOK, SessionRecord, Station, Unavailable
from csms_router.settings import Settings
from tests.service.router.test_metrics import Counters
from tests.service.router.visiting import BOOT, CS, STATUS, URL, Visitor, status
from tests.service.router.world import World, open_world

PASSWORD = b"a station's password"
DIGEST = digest(PASSWORD)
NOW = 1_767_268_800_000
V1 = pytest.mark.parametrize("version", ["ocpp1.5", "ocpp1.6"])


async def put(world: World, **fields: Any) -> None:
    await world.ports.stations.put(Station(CS, **fields))


@V1
async def test_a_call_is_answered_with_the_capsule_of_the_session_that_it_opened(
    any_world: World, version: str
) -> None:
    visitor = Visitor(any_world, version=version)
    await visitor.accepted()
    await any_world.ports.stations.put(Station(CS, account="acme", quirks="lenient"))

    reply = await visitor.visit()

    session = await any_world.ports.sessions.get(CS)
    assert session is not None
    assert reply == Envelope(
        Kind.RESULT,
        "CS-1",
        account="acme",
        version=version,
        transport="soap",
        unique_id="m-1",
        action="Heartbeat",
        payload=Raw(b'{"currentTime":"2026-01-01T12:00:00.000Z"}'),
        session=Capsule(
            epoch=session.epoch, account="acme", registration="Accepted", quirks="lenient", fresh_until=NOW + 5000
        ),
        deadline=reply.deadline,
    )


async def test_the_session_is_the_stations_own(any_world: World) -> None:
    reply = await Visitor(any_world).visit("BootNotification", BOOT, callback=URL, account="acme")

    session = await any_world.ports.sessions.get(CS)
    assert reply.session is not None
    assert session is not None
    assert msgspec.structs.replace(session, since=0) == SessionRecord(
        CS,
        msgspec.convert("soap/CS-1", str),  # type: ignore[arg-type]
        epoch=reply.session.epoch,
        account="acme",
        version="ocpp1.5",
        peer="192.0.2.1",
        transport="soap",
        callback=URL,
    )


PROFILES: list[tuple[dict[str, Any], dict[str, Any], int | str]] = [
    ({}, {}, "answered"),
    ({"password": DIGEST}, {"password": PASSWORD}, "answered"),
    ({"password": DIGEST}, {"password": b"wrong"}, 401),
    ({"password": DIGEST}, {}, 401),
    ({"password": DIGEST}, {"password": PASSWORD, "user": "CS-2"}, 401),
    ({"security_profile": 1}, {"password": PASSWORD}, 401),
    ({"disabled": True}, {}, 403),
    ({"account": "acme"}, {"account": "other"}, 403),
    ({"password": DIGEST, "security_profile": 2}, {"password": PASSWORD}, 403),
    ({"password": DIGEST, "security_profile": 2}, {"password": PASSWORD, "tls": True}, "answered"),
    ({"security_profile": 3}, {"tls": True}, 403),
    ({"security_profile": 3}, {"tls": True, "subject": "CS-1"}, "answered"),
]


@V1
@pytest.mark.parametrize("auth", ["open", "registered"])
@pytest.mark.parametrize(("record", "shown", "expected"), PROFILES)
async def test_a_station_on_record_is_held_to_its_record(
    auth: Any, version: str, record: dict[str, Any], shown: dict[str, Any], expected: int | str
) -> None:
    async with open_world(Settings(auth=auth)) as world:
        visitor = Visitor(world, version=version)
        await visitor.accepted()
        await put(world, **record)

        reply = await visitor.visit(**shown)

    assert status(reply) == expected


async def test_under_policy_registered_a_station_without_a_record_is_refused() -> None:
    async with open_world(Settings(auth="registered")) as world:
        reply = await Visitor(world).visit(password=PASSWORD)

    assert reply == Envelope(
        Kind.REFUSE,
        "CS-1",
        version="ocpp1.5",
        transport="soap",
        unique_id="m-1",
        action="Heartbeat",
        payload=Raw(msgspec.json.encode(Refusal(404, "This charging station is not registered."))),
        deadline=reply.deadline,
    )


async def test_who_is_refused_has_no_session_and_was_not_seen(world: World) -> None:
    await put(world, password=DIGEST)

    await Visitor(world).visit(password=b"wrong", callback=URL)

    assert await world.ports.sessions.get(CS) is None
    assert await world.ports.stations.recall(CS) == {}


@pytest.mark.parametrize(
    "changes", [{"version": "ocpp2.0.1"}, {"version": ""}, {"reply_to": "somewhere"}, {"kind": Kind.SEND}]
)
async def test_a_visit_that_makes_no_sense_is_dropped_and_counted(world: World, changes: dict[str, Any]) -> None:
    counters, call = Counters(), Visitor(world).arriving()

    replies = await world.bus.deliver(msgspec.structs.replace(call, **changes))

    assert replies == []
    assert counters.grown() == {("unexpected_total",): 1}


async def test_visits_are_counted_by_what_became_of_them(world: World) -> None:
    await put(world, password=DIGEST)
    counters, visitor = Counters(), Visitor(world)

    await visitor.visit(password=PASSWORD)
    await visitor.visit(password=PASSWORD)
    await visitor.visit()

    grown = {key[1]: value for key, value in counters.grown().items() if key[0] == "visits_total"}
    assert grown == {"opened": 1, "renewed": 1, "401": 1}


@V1
async def test_before_it_booted_a_station_gets_security_error_and_no_capsule_to_keep(
    world: World, version: str
) -> None:
    visitor = Visitor(world, version=version)

    reply = await visitor.visit("StatusNotification", STATUS)

    assert status(reply) == "SecurityError"
    assert reply.session is not None
    assert (reply.session.registration, reply.session.fresh_until) == ("", 0)


@V1
async def test_an_accepted_boot_brings_a_capsule_to_keep_and_a_rejected_one_does_not(version: str) -> None:
    capsules = []
    for registration in ("Accepted", "Rejected"):
        async with open_world(Settings(registration=registration)) as world:  # type: ignore[arg-type]
            reply = await Visitor(world, version=version).visit("BootNotification", BOOT)
            capsules.append(reply.session)

    assert [capsule and (capsule.registration, capsule.fresh_until) for capsule in capsules] == [
        ("Accepted", NOW + 5000),
        ("Rejected", 0),
    ]


async def test_a_station_that_is_rejected_now_loses_its_capsule() -> None:
    async with open_world(Settings(registration="Rejected")) as world:
        visitor = Visitor(world)
        await visitor.accepted()
        await visitor.visit()

        reply = await visitor.again("BootNotification", BOOT)

    assert reply.session is not None
    assert (reply.session.registration, reply.session.fresh_until) == ("Rejected", 0)


async def test_where_no_boot_is_required_every_capsule_can_be_kept() -> None:
    async with open_world(Settings(boot_required=False)) as world:
        reply = await Visitor(world).visit()

    assert reply.session is not None
    assert (status(reply), reply.session.fresh_until) == ("answered", NOW + 5000)


@pytest.mark.parametrize(("interval", "milliseconds"), [(2, 1250), (7, 4375), (3600, 5000)])
async def test_a_capsule_is_kept_for_a_quarter_of_the_lease_at_most(
    world: World, interval: int, milliseconds: int
) -> None:
    visitor = Visitor(world)
    await visitor.accepted(interval)

    reply = await visitor.visit()

    assert reply.session is not None
    assert reply.session.fresh_until == NOW + milliseconds


class Nothing:
    """A store that may not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked")


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.asked.append(name)
        method: Callable[..., Any] = getattr(self._store, name)
        return method


@V1
async def test_a_call_with_a_capsule_asks_no_store(version: str) -> None:
    nothing: Any = Nothing()
    async with open_world(Settings(sweep_interval=60), sessions=nothing, stations=nothing) as world:
        visitor = Visitor(world, version=version)
        visitor.capsule = Capsule(epoch=7, registration="Accepted", fresh_until=NOW + 5000)

        reply = await visitor.again("Heartbeat")

    assert (status(reply), reply.session) == ("answered", visitor.capsule)


async def test_a_visit_that_changes_nothing_asks_the_stores_five_things(world: World) -> None:
    visitor = Visitor(world)
    await visitor.accepted()
    await visitor.visit()
    stations, sessions = Counting(world.ports.stations), Counting(world.ports.sessions)
    stores: Any = {"stations": stations, "sessions": sessions}
    async with open_world(Settings(sweep_interval=60), **stores) as other:
        await Visitor(other).visit("StatusNotification", STATUS)

    assert (stations.asked, sessions.asked) == (["get", "recall", "note"], ["get", "renew"])


async def test_what_a_call_tells_and_that_the_station_was_seen_are_noted(any_world: World) -> None:
    visitor = Visitor(any_world)
    await visitor.accepted()

    reply = await visitor.visit("StatusNotification", STATUS)

    assert status(reply) == "answered"
    assert await any_world.note_of("CS-1", "status/1") == STATUS
    assert await any_world.note_of("CS-1", "seen") == "2026-01-01T12:00:00.000Z"


@V1
async def test_a_repeated_transaction_message_gets_the_same_answer(any_world: World, version: str) -> None:
    visitor = Visitor(any_world, version=version)
    await visitor.accepted()
    start = {"connectorId": 1, "idTag": "A1", "meterStart": 1, "timestamp": "2026-01-01T12:00:00Z"}
    call = visitor.arriving("StartTransaction", start)

    first, second = await visitor.hear(call), await visitor.hear(call)

    assert msgspec.json.decode(first.payload)["transactionId"] > 0
    assert second.payload == first.payload


async def test_the_operators_endpoint_is_not_told_what_the_station_showed() -> None:
    async with open_world(Settings(backend="webhook")) as world:
        visitor = Visitor(world)
        await visitor.accepted()
        await world.bus.deliver(visitor.arriving(password=PASSWORD, callback=URL))

    ((address, forwarded),) = world.bus.sent
    assert address == WEBHOOK
    assert (forwarded.arrival, forwarded.transport, forwarded.reply_to) == (None, "soap", "ocpp.gateway.s1")
    assert forwarded.session is not None
    assert forwarded.session.fresh_until == NOW + 5000


class Away:
    """A store that nobody reaches."""

    async def _ask(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("away")

    get = recall = renew = open = sweep = note = _ask


@pytest.mark.parametrize("store", ["sessions", "stations"])
async def test_while_a_store_is_away_a_visit_is_not_answered(store: str) -> None:
    counters = Counters()
    async with open_world(Settings(sweep_interval=60), **{store: Away()}) as world:  # type: ignore[arg-type]
        call = msgspec.structs.replace(Visitor(world).arriving(), deadline=int(world.clock.now * 1000) + 1)
        replies = await world.bus.deliver(call)

    assert replies == []
    assert counters.grown() == {("visits_total", "unanswered"): 1}


async def test_others_of_the_batch_are_answered_whatever_becomes_of_a_visit(world: World) -> None:
    warm, cold, refused = Visitor(world, "CS-1"), Visitor(world, "CS-2"), Visitor(world, "CS-3")
    warm.capsule = Capsule(epoch=7, registration="Accepted")
    await world.ports.stations.put(Station(msgspec.convert("CS-3", str), disabled=True))  # type: ignore[arg-type]

    replies = await world.bus.deliver(
        refused.arriving(), cold.arriving("BootNotification", BOOT), warm.asks("Heartbeat", session=warm.capsule)
    )

    assert {reply.identity: reply.kind for reply in replies} == {
        "CS-1": Kind.RESULT,
        "CS-2": Kind.RESULT,
        "CS-3": Kind.REFUSE,
    }


async def test_an_answer_never_carries_the_arrival(world: World) -> None:
    arrival = ConnectRequest("192.0.2.1", user="CS-1", password="c2VjcmV0")

    replies = await world.bus.deliver(Visitor(world).asks("Heartbeat", arrival=arrival))

    assert [reply.arrival for reply in replies] == [None]

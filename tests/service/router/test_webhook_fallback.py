"""CALLs that the relay gives back because the endpoint could not answer: answered here, as their `backend` says."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from csms_ocpp import schemas
from csms_ocpp.version import StationId, Version
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import WEBHOOK, Address, Station, Tag
from csms_router.settings import Settings
from tests.service.router.samples import fullest, smallest
from tests.service.router.test_every_action import CALLS
from tests.service.router.test_metrics import Counters
from tests.service.router.webhook import BOOT, SERVED, START, STATUS, STOP, event, heard
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")
TOKEN = {"idToken": {"idToken": "A1", "type": "ISO14443"}}
BOOT_V2 = {"chargingStation": {"vendorName": "ACME", "model": "One"}, "reason": "PowerUp"}
EAST = Address("ocpp.gateway.east")
SAMPLE = {"certificate": "-----BEGIN CERTIFICATE-----"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A router of which the operator's endpoint answers everything."""
    async with open_world(SERVED) as world:
        yield world


@pytest.fixture(params=["memory", "redis"])
async def any_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The same on each adapter of the stores."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("fresh_redis_url")
    async with open_world(SERVED, url=url) as world:
        yield world


@pytest.mark.parametrize("sample", [smallest, fullest])
@pytest.mark.parametrize("backend", ["builtin", "accept", "reject"])
@pytest.mark.parametrize(("version", "action"), CALLS)
async def test_whatever_the_backend_a_valid_request_gets_a_valid_answer(
    world: World, version: Version, action: str, backend: str, sample: Callable[..., Any]
) -> None:
    station = ChargingStation(world, version=version)

    (reply,) = await world.bus.deliver(station.asks(action, sample(version, action), backend=backend))

    assert (reply.kind, reply.error_description) == (Kind.RESULT, "")
    assert schemas.table(version)[action, schemas.RESPONSE].check(reply.payload) is None


async def test_builtin_answers_as_a_router_without_a_webhook(world: World, station: ChargingStation) -> None:
    await world.ports.tags.put(Tag("A1", status="Blocked"))

    answers = [
        await station.call("Authorize", {"idTag": "A1"}, backend="builtin"),
        await station.call("DataTransfer", {"vendorId": "ACME"}, backend="builtin"),
        await station.call("StatusNotification", STATUS, backend="builtin"),
    ]

    assert answers == [{"idTagInfo": {"status": "Blocked"}}, {"status": "UnknownVendorId"}, {}]
    assert await world.note_of("CS-1", "status/1") == STATUS


@pytest.mark.parametrize(
    "tag", [Tag("A1"), Tag("A1", status="Blocked"), Tag("A1", expires="2025-01-01T00:00:00Z"), None]
)
async def test_accept_lets_every_tag_charge_as_often_as_it_wants(tag: Tag | None) -> None:
    async with open_world(Settings(backend="webhook", unknown_tags="invalid")) as world:
        if tag is not None:
            await world.ports.tags.put(tag)
        one, two = ChargingStation(world), ChargingStation(world, "CS-2", version="ocpp2.0.1")

        statuses = [
            (await one.call("Authorize", {"idTag": "A1"}, backend="accept"))["idTagInfo"],
            (await one.call("StartTransaction", START, backend="accept"))["idTagInfo"],
            (await one.call("StopTransaction", STOP | {"idTag": "A1"}, backend="accept"))["idTagInfo"],
            (await two.call("Authorize", TOKEN, backend="accept"))["idTokenInfo"],
            (await two.call("TransactionEvent", event("Started", 0, **TOKEN), backend="accept"))["idTokenInfo"],
            (await two.call("TransactionEvent", event("Updated", 1, **TOKEN), backend="accept"))["idTokenInfo"],
        ]
        active = await world.ports.transactions.active("A1")

    assert statuses == [{"status": "Accepted"}] * 6
    assert active == 2


@pytest.mark.parametrize(
    ("version", "action", "payload", "answer"),
    [
        ("ocpp1.6", "Authorize", {"idTag": "A1"}, {"idTagInfo": {"status": "Invalid"}}),
        ("ocpp1.6", "StopTransaction", STOP | {"idTag": "A1"}, {}),
        ("ocpp1.6", "DataTransfer", {"vendorId": "ACME"}, {"status": "Rejected"}),
        ("ocpp1.6", "StatusNotification", STATUS, {}),
        ("ocpp2.0.1", "Authorize", TOKEN, {"idTokenInfo": {"status": "Invalid"}}),
        (
            "ocpp2.0.1",
            "Authorize",
            {"idToken": {"idToken": "", "type": "NoAuthorization"}},
            {"idTokenInfo": {"status": "Invalid"}},
        ),
        ("ocpp2.0.1", "TransactionEvent", event("Started", 0, **TOKEN), {"idTokenInfo": {"status": "Invalid"}}),
        ("ocpp2.0.1", "TransactionEvent", event("Ended", 9), {}),
        ("ocpp2.0.1", "DataTransfer", {"vendorId": "ACME"}, {"status": "Rejected"}),
        (
            "ocpp2.1",
            "OpenPeriodicEventStream",
            {"constantStreamData": {"id": 1, "variableMonitoringId": 1, "params": {}}},
            {"status": "Rejected"},
        ),
    ],
)
async def test_reject_says_no_in_the_messages_own_word(
    world: World, version: str, action: str, payload: Any, answer: Any
) -> None:
    await world.ports.tags.put(Tag("A1"))

    said = await ChargingStation(world, version=version).call(action, payload, backend="reject")

    assert said == answer


async def test_reject_starts_a_transaction_that_may_not_charge(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))

    answer = await ChargingStation(any_world).call("StartTransaction", START, backend="reject")

    stored = await any_world.ports.transactions.get(CS, str(answer["transactionId"]))
    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert stored is not None
    assert (stored.tag, stored.authorized) == ("A1", False)


async def test_data_transfer_is_accepted_by_verdict(station: ChargingStation) -> None:
    answer = await station.call("DataTransfer", {"vendorId": "ACME"}, backend="accept")

    assert answer == {"status": "Accepted"}


@pytest.mark.parametrize(
    ("backend", "answer"),
    [
        ("accept", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}),
        ("reject", {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "NoCertificateAvailable"}),
        ("builtin", {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "NoCertificateAvailable"}),
    ],
)
async def test_a_contract_certificate_is_accepted_by_verdict_only(
    world: World, backend: str, answer: dict[str, Any]
) -> None:
    station = ChargingStation(world, version="ocpp2.0.1")

    said = await station.call("Authorize", TOKEN | SAMPLE, backend=backend)

    assert said == answer


@pytest.mark.parametrize(("version", "boot"), [("ocpp1.5", BOOT), ("ocpp1.6", BOOT), ("ocpp2.0.1", BOOT_V2)])
@pytest.mark.parametrize(
    ("backend", "status"), [("accept", "Accepted"), ("reject", "Rejected"), ("builtin", "Rejected")]
)
async def test_accept_and_reject_decide_about_a_boot_whatever_the_record_says(
    world: World, version: str, boot: dict[str, Any], backend: str, status: str
) -> None:
    await world.ports.stations.put(Station(CS, disabled=True))
    station = ChargingStation(world, version=version)
    station.capsule = Capsule(epoch=7, backlog=True)

    answer = await station.call("BootNotification", boot, backend=backend)

    assert answer["status"] == status
    assert station.capsule == Capsule(epoch=7, registration=status, backlog=True)
    assert await world.note_of("CS-1", "registration") == status


# --- telling the operator ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["accept", "builtin", "reject"])
@pytest.mark.parametrize(
    ("action", "payload"), [("StartTransaction", START), ("StatusNotification", STATUS), ("Heartbeat", {})]
)
async def test_the_relay_is_told_what_was_answered_if_it_wants_to_know(
    world: World, station: ChargingStation, backend: str, action: str, payload: Any
) -> None:
    call = station.asks(action, payload, account="acme", backend=backend, settle=True)

    await world.bus.deliver(call)

    (to, answer), (place, letter) = world.bus.sent
    assert (to, place) == (EAST, WEBHOOK)
    assert letter == Envelope(
        Kind.RESULT,
        "CS-1",
        account="acme",
        version="ocpp1.6",
        unique_id=call.unique_id,
        action=action,
        payload=answer.payload,
        session=station.capsule,
        backend=backend,
        settle=True,
        request=call.payload,
    )


async def test_the_relay_is_not_told_otherwise(world: World, station: ChargingStation) -> None:
    await world.bus.deliver(
        station.asks("StartTransaction", START, backend="accept"), station.asks("Heartbeat", {}, backend="accept")
    )

    assert heard(world) == []


async def test_a_repeat_gets_the_stored_answer_and_the_relay_is_told_that(any_world: World) -> None:
    """The router may have died after the first answer, before it told."""
    station = ChargingStation(any_world)
    first = await station.call("StartTransaction", START, "m-1", backend="accept")

    call = station.asks("StartTransaction", START, "m-1", backend="reject", settle=True)
    answer, letter = await any_world.bus.deliver(call)

    assert [msgspec.json.decode(one.payload) for one in (answer, letter)] == [first, first]
    assert await any_world.ports.transactions.active("A1") == 1


@pytest.mark.parametrize(("action", "told"), [("StartTransaction", 0), ("StopTransaction", 1)])
async def test_the_relay_is_told_of_answers_and_not_of_errors(
    world: World, station: ChargingStation, action: str, told: int
) -> None:
    await world.bus.deliver(station.asks(action, b"[]", backend="accept", settle=True))

    assert len(heard(world)) == told


async def test_the_backlog_that_the_relay_has_marked_goes_with_the_answer(
    world: World, station: ChargingStation
) -> None:
    assert station.capsule is not None
    station.capsule = replace(station.capsule, backlog=True)

    replies = await world.bus.deliver(
        station.asks("StopTransaction", STOP, backend="accept"),
        station.asks("StatusNotification", STATUS, backend="accept"),
    )

    assert [reply.session for reply in replies] == [station.capsule, station.capsule]


async def test_what_is_answered_here_is_counted_as_answered(world: World, station: ChargingStation) -> None:
    counters = Counters()

    await world.bus.deliver(
        station.asks("Heartbeat", {}, backend="accept"), station.asks("StopTransaction", STOP, backend="accept")
    )

    assert counters.grown() == {
        ("calls_total", "ocpp1.6", "Heartbeat", "answered"): 1,
        ("calls_total", "ocpp1.6", "StopTransaction", "answered"): 1,
    }

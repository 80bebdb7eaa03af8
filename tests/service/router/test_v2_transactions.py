"""TransactionEvent: one transaction completed by its events, in whatever order they come."""

from typing import Any

import pytest

from csms_ocpp.version import StationId
from csms_platform.ports import Tag, Transaction
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")
TOKEN = {"idToken": {"idToken": "A1", "type": "ISO14443"}}
EVSE = {"evse": {"id": 2, "connectorId": 1}}


def event(kind: str, seq_no: int, minute: int, **more: Any) -> dict[str, Any]:
    info = {"transactionId": "t-1"} | more.pop("info", {})
    return {
        "eventType": kind,
        "timestamp": f"2026-01-01T12:{minute:02}:00Z",
        "triggerReason": "Trigger",
        "seqNo": seq_no,
        "transactionInfo": info,
        **more,
    }


def meter(*values: float) -> dict[str, Any]:
    return {
        "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": value}]} for value in values]
    }


STARTED = event("Started", 0, 0, **TOKEN, **EVSE, **meter(100), reservationId=9)
UPDATED = event("Updated", 1, 10, **meter(200))
ENDED = event("Ended", 2, 20, **meter(250, 300), info={"stoppedReason": "EVDisconnected"})
WHOLE = Transaction(
    CS,
    "t-1",
    version="ocpp2.0.1",
    connector=1,
    evse=2,
    tag="A1",
    meter_start=100,
    meter_stop=300,
    started="2026-01-01T12:00:00Z",
    stopped="2026-01-01T12:20:00Z",
    reason="EVDisconnected",
    reservation=9,
    authorized=True,
    last_seq=2,
)


@pytest.fixture
def station(any_world: World) -> ChargingStation:
    return ChargingStation(any_world, version="ocpp2.0.1")


async def test_its_events_make_the_whole_transaction(any_world: World, station: ChargingStation) -> None:
    answers = [await station.call("TransactionEvent", one) for one in (STARTED, UPDATED, ENDED)]

    assert answers == [{"idTokenInfo": {"status": "Accepted"}}, {}, {}]
    assert await any_world.ports.transactions.get(CS, "t-1") == WHOLE


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
async def test_the_order_of_events_does_not_matter(
    any_world: World, station: ChargingStation, order: tuple[int, int, int]
) -> None:
    for number in order:
        await station.call("TransactionEvent", (STARTED, UPDATED, ENDED)[number])

    assert await any_world.ports.transactions.get(CS, "t-1") == WHOLE
    assert await any_world.ports.transactions.active("A1") == 0


async def test_a_start_that_comes_late_with_a_reading_of_zero_is_believed(
    any_world: World, station: ChargingStation
) -> None:
    await station.call("TransactionEvent", UPDATED)
    await station.call("TransactionEvent", event("Started", 0, 0, **meter(0)))

    stored = await any_world.ports.transactions.get(CS, "t-1")
    assert stored is not None
    assert (stored.meter_start, stored.started, stored.last_seq) == (0, "2026-01-01T12:00:00Z", 1)


async def test_a_transaction_counts_for_its_tag_until_it_ended(any_world: World, station: ChargingStation) -> None:
    await station.call("TransactionEvent", STARTED)
    during = await any_world.ports.transactions.active("A1")
    await station.call("TransactionEvent", ENDED)

    assert (during, await any_world.ports.transactions.active("A1")) == (1, 0)


async def test_a_token_may_come_after_the_start(any_world: World, station: ChargingStation) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    await station.call("TransactionEvent", event("Started", 0, 0, **EVSE))

    answer = await station.call("TransactionEvent", event("Updated", 1, 1, **TOKEN))

    stored = await any_world.ports.transactions.get(CS, "t-1")
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert stored is not None
    assert (stored.tag, stored.authorized) == ("A1", True)


async def test_the_same_token_told_again_is_not_concurrent_with_itself(
    any_world: World, station: ChargingStation
) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    await station.call("TransactionEvent", STARTED)

    answers = [
        await station.call("TransactionEvent", event("Updated", 1, 1, **TOKEN)),
        await station.call("TransactionEvent", event("Ended", 2, 2, **TOKEN)),
    ]

    assert answers == [{"idTokenInfo": {"status": "Accepted"}}] * 2


async def test_a_token_that_charges_elsewhere_is_concurrent(any_world: World, station: ChargingStation) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    await station.call("TransactionEvent", STARTED)

    answer = await ChargingStation(any_world, "CS-2", "ocpp2.1").call("TransactionEvent", STARTED)

    stored = await any_world.ports.transactions.get(StationId("CS-2"), "t-1")
    assert answer == {"idTokenInfo": {"status": "ConcurrentTx"}}
    assert stored is not None
    assert stored.authorized is False


async def test_a_bad_token_is_told_so_and_the_event_is_recorded() -> None:
    async with open_world(Settings(unknown_tags="invalid")) as world:
        answer = await ChargingStation(world, version="ocpp2.1").call("TransactionEvent", STARTED)
        stored = await world.ports.transactions.get(CS, "t-1")

    assert answer == {"idTokenInfo": {"status": "Unknown"}}
    assert stored is not None
    assert stored.authorized is False


@pytest.mark.parametrize("action", ["Authorize", "TransactionEvent"])
async def test_no_authorization_is_accepted(action: str) -> None:
    token = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    async with open_world(Settings(unknown_tags="invalid")) as world:
        payload = token if action == "Authorize" else event("Started", 0, 0, **token)

        answer = await ChargingStation(world, version="ocpp2.0.1").call(action, payload)

    assert answer == {"idTokenInfo": {"status": "Accepted"}}


async def test_authorize_tells_group_and_expiry(world: World) -> None:
    await world.ports.tags.put(Tag("A1", parent="FLEET", expires="2027-01-01T00:00:00Z"))

    answer = await ChargingStation(world, version="ocpp2.0.1").call("Authorize", TOKEN)

    assert answer == {
        "idTokenInfo": {
            "status": "Accepted",
            "cacheExpiryDateTime": "2027-01-01T00:00:00.000Z",
            "groupIdToken": {"idToken": "FLEET", "type": "Central"},
        }
    }


async def test_a_contract_certificate_is_never_accepted_unchecked(world: World) -> None:
    answer = await ChargingStation(world, version="ocpp2.0.1").call("Authorize", TOKEN | {"certificate": "PEM"})

    assert answer == {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "NoCertificateAvailable"}


async def test_a_repeated_event_is_answered_from_the_stored_reply(any_world: World, station: ChargingStation) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    first = await station.call("TransactionEvent", STARTED, "m-1")
    await any_world.ports.tags.put(Tag("A1", status="Blocked"))

    repeated = await station.call("TransactionEvent", STARTED, "m-1")
    another = await station.call("TransactionEvent", STARTED, "m-2")

    statuses = [answer["idTokenInfo"]["status"] for answer in (first, repeated, another)]
    assert statuses == ["Accepted", "Accepted", "Blocked"]


async def test_the_meter_values_of_an_event_are_the_last_of_its_evse(world: World) -> None:
    await ChargingStation(world, version="ocpp2.0.1").call("TransactionEvent", STARTED)

    assert await world.note_of("CS-1", "meter/2") == STARTED

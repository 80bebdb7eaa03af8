"""Transactions of 1.x: a start always gets an id, a stop is always accepted, and a repeat is not a second one."""

from typing import Any

import msgspec
import pytest

from csms_ocpp.version import StationId
from csms_platform.ports import Tag, Transaction
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

CS = StationId("CS-1")
START = {"connectorId": 1, "idTag": "A1", "meterStart": 100, "timestamp": "2026-01-01T12:00:00Z"}
STOP = {"meterStop": 350, "timestamp": "2026-01-01T13:00:00Z"}


async def started(station: ChargingStation, **changes: Any) -> int:
    answer = await station.call("StartTransaction", START | changes)
    number = answer["transactionId"]
    assert isinstance(number, int)
    return number


async def test_a_started_transaction_is_stored_and_its_tag_is_charging(any_world: World) -> None:
    station = ChargingStation(any_world)

    answer = await station.call("StartTransaction", START | {"reservationId": 5})

    number = answer["transactionId"]
    stored = await any_world.ports.transactions.get(CS, str(number))
    assert answer == {"idTagInfo": {"status": "Accepted"}, "transactionId": number}
    assert stored is not None
    assert stored == Transaction(
        CS,
        str(number),
        key=stored.key,
        version="ocpp1.6",
        connector=1,
        tag="A1",
        meter_start=100,
        started="2026-01-01T12:00:00Z",
        reservation=5,
        authorized=True,
        reply=stored.reply,
    )
    assert await any_world.ports.transactions.active("a1") == 1


async def test_transaction_ids_are_positive_31_bits_and_different(station: ChargingStation) -> None:
    numbers = {await started(station, meterStart=n) for n in range(20)}

    assert len(numbers) == 20
    assert all(0 < number < 2**31 for number in numbers)


async def test_a_stopped_transaction_is_stored_and_its_tag_is_free(any_world: World) -> None:
    station = ChargingStation(any_world)
    number = await started(station)

    answer = await station.call("StopTransaction", STOP | {"transactionId": number, "idTag": "A1", "reason": "Remote"})

    stored = await any_world.ports.transactions.get(CS, str(number))
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert stored is not None
    assert (stored.meter_stop, stored.stopped, stored.reason) == (350, "2026-01-01T13:00:00Z", "Remote")
    assert await any_world.ports.transactions.active("A1") == 0


async def test_a_stop_without_reason_was_local(world: World, station: ChargingStation) -> None:
    number = await started(station)

    answer = await station.call("StopTransaction", STOP | {"transactionId": number})

    stored = await world.ports.transactions.get(CS, str(number))
    assert answer == {}
    assert stored is not None
    assert stored.reason == "Local"


@pytest.mark.parametrize("number", [-1, 0, 4_711, 2**31])
async def test_the_stop_of_a_transaction_that_nobody_knows_is_accepted(station: ChargingStation, number: int) -> None:
    answers = [
        await station.call("StopTransaction", STOP | {"transactionId": number}),
        await station.call("StopTransaction", STOP | {"transactionId": number, "idTag": "A1"}),
    ]

    assert answers == [{}, {"idTagInfo": {"status": "Accepted"}}]


async def test_a_second_stop_is_accepted_and_the_first_one_stands(any_world: World) -> None:
    station = ChargingStation(any_world)
    number = await started(station)
    await station.call("StopTransaction", STOP | {"transactionId": number})

    answer = await station.call("StopTransaction", STOP | {"transactionId": number, "meterStop": 999})

    stored = await any_world.ports.transactions.get(CS, str(number))
    assert answer == {}
    assert stored is not None
    assert stored.meter_stop == 350


async def test_stations_do_not_stop_each_others_transactions(world: World, station: ChargingStation) -> None:
    number = await started(station)

    await ChargingStation(world, "CS-2").call("StopTransaction", STOP | {"transactionId": number})

    stored = await world.ports.transactions.get(CS, str(number))
    assert stored is not None
    assert stored.stopped == ""


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        (Tag("A1", status="Blocked"), "Blocked"),
        (Tag("A1", expires="2025-01-01T00:00:00Z"), "Expired"),
        (Tag("A1", status="Invalid"), "Invalid"),
        (None, "Invalid"),
    ],
)
async def test_a_bad_tag_is_told_so_and_gets_a_transaction_id_all_the_same(tag: Tag | None, status: str) -> None:
    async with open_world(Settings(unknown_tags="invalid")) as world:
        if tag is not None:
            await world.ports.tags.put(tag)

        answer = await ChargingStation(world).call("StartTransaction", START)
        active = await world.ports.transactions.active("A1")

    assert answer["idTagInfo"]["status"] == status
    assert answer["transactionId"] > 0
    assert active == 0


async def test_a_tag_that_charges_already_is_concurrent_until_it_stopped(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    one, two = ChargingStation(any_world), ChargingStation(any_world, "CS-2")
    number = await started(one)

    second = await two.call("StartTransaction", START)
    await one.call("StopTransaction", STOP | {"transactionId": number})
    third = await two.call("StartTransaction", START | {"meterStart": 101})

    statuses = [second["idTagInfo"]["status"], third["idTagInfo"]["status"]]
    assert statuses == ["ConcurrentTx", "Accepted"]


async def test_a_tag_whose_stop_was_lost_may_charge_again_once_its_connector_is_used_again(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    one, two = ChargingStation(any_world), ChargingStation(any_world, "CS-2")
    await started(one)

    elsewhere = await two.call("StartTransaction", START)
    same_connector = await one.call("StartTransaction", START | {"meterStart": 900})

    statuses = [elsewhere["idTagInfo"]["status"], same_connector["idTagInfo"]["status"]]
    assert statuses == ["ConcurrentTx", "Accepted"]


async def test_two_starts_at_the_same_moment_do_not_both_get_the_last_place(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1", limit=2))
    stations = [ChargingStation(any_world, f"CS-{number}") for number in range(5)]

    replies = await any_world.bus.deliver(*(station.asks("StartTransaction", START) for station in stations))

    statuses = [msgspec.json.decode(reply.payload)["idTagInfo"]["status"] for reply in replies]
    assert sorted(statuses) == ["Accepted"] * 2 + ["ConcurrentTx"] * 3
    assert await any_world.ports.transactions.active("A1") == 2


async def test_a_tag_that_charges_may_still_be_authorized(world: World, station: ChargingStation) -> None:
    await world.ports.tags.put(Tag("A1", parent="FLEET", expires="2027-01-01T00:00:00Z"))
    await started(station)

    answer = await station.call("Authorize", {"idTag": "a1"})

    assert answer == {
        "idTagInfo": {"status": "Accepted", "expiryDate": "2027-01-01T00:00:00.000Z", "parentIdTag": "FLEET"}
    }


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (Settings(), "Accepted"),
        (Settings(auth="registered"), "Invalid"),
        (Settings(unknown_tags="invalid"), "Invalid"),
        (Settings(auth="registered", unknown_tags="accept"), "Accepted"),
    ],
)
async def test_whether_a_tag_that_is_not_on_the_list_may_charge_is_policy(settings: Settings, status: str) -> None:
    async with open_world(settings) as world:
        answer = await ChargingStation(world).call("Authorize", {"idTag": "A1"})

    assert answer == {"idTagInfo": {"status": status}}


async def test_a_start_repeated_with_its_id_is_the_same_transaction(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    station = ChargingStation(any_world)

    answers = [await station.call("StartTransaction", START, "m-1") for _ in range(2)]

    assert answers[0] == answers[1]
    assert await any_world.ports.transactions.active("A1") == 1


async def test_a_start_repeated_under_a_new_id_is_the_same_transaction(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    station = ChargingStation(any_world)

    answers = [await station.call("StartTransaction", START) for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0]["idTagInfo"] == {"status": "Accepted"}
    assert await any_world.ports.transactions.active("A1") == 1


@pytest.mark.parametrize(
    "change", [{"connectorId": 2}, {"idTag": "A2"}, {"meterStart": 101}, {"timestamp": "2026-01-01T12:00:01Z"}]
)
async def test_another_start_under_the_same_message_id_is_another_transaction(
    station: ChargingStation, change: dict[str, Any]
) -> None:
    first = await station.call("StartTransaction", START, "1")
    second = await station.call("StartTransaction", START | change, "1")

    assert first["transactionId"] != second["transactionId"]


async def test_the_same_start_of_another_station_is_another_transaction(world: World) -> None:
    first = await ChargingStation(world, "CS-1").call("StartTransaction", START, "1")
    second = await ChargingStation(world, "CS-2").call("StartTransaction", START, "1")

    assert first["transactionId"] != second["transactionId"]


async def test_a_station_without_a_clock_starts_a_new_transaction_after_it_stopped_one(any_world: World) -> None:
    station = ChargingStation(any_world)
    number = await started(station)
    await station.call("StopTransaction", STOP | {"transactionId": number})

    again = [await station.call("StartTransaction", START, "m-9") for _ in range(2)]

    assert again[0]["transactionId"] != number
    assert again[0] == again[1]


async def test_a_late_repeat_of_a_start_that_was_stopped_since_starts_nothing(any_world: World) -> None:
    station = ChargingStation(any_world)
    first = await station.call("StartTransaction", START, "m-1")
    await station.call("StopTransaction", STOP | {"transactionId": first["transactionId"]})

    late = await station.call("StartTransaction", START, "m-1")

    assert late == first
    assert await any_world.ports.transactions.active("A1") == 0


async def test_a_stop_repeated_is_answered_as_it_was_though_the_tag_was_blocked_since(any_world: World) -> None:
    await any_world.ports.tags.put(Tag("A1"))
    station = ChargingStation(any_world)
    stop = STOP | {"transactionId": await started(station), "idTag": "A1"}
    first = await station.call("StopTransaction", stop, "m-2")
    await any_world.ports.tags.put(Tag("A1", status="Blocked"))

    repeated = await station.call("StopTransaction", stop, "m-2")
    another = await station.call("StopTransaction", stop, "m-3")

    statuses = [answer["idTagInfo"]["status"] for answer in (first, repeated, another)]
    assert statuses == ["Accepted", "Accepted", "Blocked"]


async def test_the_same_message_id_after_a_reboot_is_answered_afresh(station: ChargingStation) -> None:
    first = await station.call("StartTransaction", START, "1")
    stopped = await station.call("StopTransaction", STOP | {"transactionId": first["transactionId"]}, "1")
    beat = await station.call("Heartbeat", {}, "1")

    assert stopped == {}
    assert beat == {"currentTime": "2026-01-01T12:00:00.000Z"}


async def test_answers_are_forgotten_after_reply_memory() -> None:
    async with open_world(Settings(reply_memory=60)) as world:
        await world.ports.tags.put(Tag("A1"))
        station = ChargingStation(world)
        stop = STOP | {"transactionId": -1, "idTag": "A1"}
        await station.call("StopTransaction", stop, "m-2")
        await world.ports.tags.put(Tag("A1", status="Blocked"))
        world.clock.now += 61

        answer = await station.call("StopTransaction", stop, "m-2")

    assert answer == {"idTagInfo": {"status": "Blocked"}}

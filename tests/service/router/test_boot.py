"""Registration: what BootNotification is answered, and what a station may do before it was accepted."""

from typing import Any

import pytest

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Kind
from csms_platform.ports import Station
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World, open_world

BOOT = {"chargePointVendor": "ACME", "chargePointModel": "One"}
BOOT_V2 = {"chargingStation": {"vendorName": "ACME", "model": "One"}, "reason": "PowerUp"}


def new(world: World, **fields: Any) -> ChargingStation:
    """A station that has just connected for the first time."""
    station = ChargingStation(world, **fields)
    station.capsule = Capsule(epoch=7)
    return station


@pytest.mark.parametrize(("version", "boot"), [("ocpp1.6", BOOT), ("ocpp2.0.1", BOOT_V2), ("ocpp2.1", BOOT_V2)])
async def test_a_station_nobody_knows_is_accepted_and_told_the_time_and_the_heartbeat_interval(
    world: World, version: str, boot: dict[str, Any]
) -> None:
    answer = await new(world, version=version).call("BootNotification", boot)

    assert answer == {"currentTime": "2026-01-01T12:00:00.000Z", "interval": 300, "status": "Accepted"}


async def test_1_5_calls_the_interval_by_its_own_name_and_knows_no_pending() -> None:
    async with open_world(Settings(registration="Pending")) as world:
        answer = await new(world, version="ocpp1.5").call("BootNotification", BOOT)

    assert answer == {"currentTime": "2026-01-01T12:00:00.000Z", "heartbeatInterval": 60, "status": "Rejected"}


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
async def test_a_station_on_record_is_answered_what_the_record_says(world: World, status: str) -> None:
    await world.ports.stations.put(Station(StationId("CS-1"), registration=status))
    station = new(world)

    answer = await station.call("BootNotification", BOOT)

    assert (answer["status"], answer["interval"]) == (status, 300 if status == "Accepted" else 60)
    assert station.capsule == Capsule(epoch=7, registration=status)


async def test_a_station_disabled_while_connected_is_rejected(world: World) -> None:
    await world.ports.stations.put(Station(StationId("CS-1"), disabled=True))

    answer = await new(world).call("BootNotification", BOOT)

    assert answer["status"] == "Rejected"


async def test_under_policy_registered_a_station_without_a_record_is_rejected() -> None:
    async with open_world(Settings(auth="registered")) as world:
        answer = await new(world).call("BootNotification", BOOT)

    assert answer["status"] == "Rejected"


async def test_the_boot_and_its_answer_are_remembered(world: World) -> None:
    await new(world).call("BootNotification", BOOT)

    assert await world.note_of("CS-1", "boot") == BOOT
    assert await world.note_of("CS-1", "registration") == "Accepted"
    assert await world.note_of("CS-1", "interval") == 300


@pytest.mark.parametrize("registration", ["", "Pending", "Rejected"])
@pytest.mark.parametrize(("version", "action"), [("ocpp1.6", "Heartbeat"), ("ocpp2.0.1", "Authorize")])
async def test_before_it_was_accepted_a_stations_calls_get_security_error(
    world: World, registration: str, version: str, action: str
) -> None:
    station = ChargingStation(world, version=version)
    station.capsule = Capsule(epoch=7, registration=registration)

    answer = await station.call(
        action, {"idToken": {"idToken": "A1", "type": "Local"}} if action == "Authorize" else {}
    )

    assert answer == "SecurityError"


async def test_what_the_csms_triggered_is_answered_while_pending(world: World) -> None:
    station = ChargingStation(world)
    station.capsule = Capsule(epoch=7, registration="Pending")

    answer = await station.call("Heartbeat", {}, triggered=True)

    assert answer == {"currentTime": "2026-01-01T12:00:00.000Z"}


async def test_a_boot_that_is_accepted_opens_the_way(world: World) -> None:
    station = new(world)
    await station.call("BootNotification", BOOT)

    answer = await station.call("Heartbeat", {})

    assert answer == {"currentTime": "2026-01-01T12:00:00.000Z"}


async def test_a_stations_offline_transactions_are_never_refused_even_before_it_boots(world: World) -> None:
    one, two = new(world), new(world, identity="CS-2", version="ocpp2.0.1")
    stop = {"transactionId": 5, "meterStop": 1, "timestamp": "2026-01-01T11:00:00Z"}
    event = {
        "eventType": "Ended",
        "timestamp": "2026-01-01T11:00:00Z",
        "triggerReason": "EVDeparted",
        "seqNo": 9,
        "transactionInfo": {"transactionId": "t"},
    }

    answers = [await one.call("StopTransaction", stop), await two.call("TransactionEvent", event)]

    assert answers == [{}, {}]


async def test_boot_required_can_be_switched_off() -> None:
    async with open_world(Settings(boot_required=False)) as world:
        answer = await new(world).call("Heartbeat", {})

    assert answer == {"currentTime": "2026-01-01T12:00:00.000Z"}


@pytest.mark.parametrize("boot_required", [True, False])
async def test_without_a_capsule_nobody_has_let_the_station_in(boot_required: bool) -> None:
    async with open_world(Settings(boot_required=boot_required)) as world:
        station = new(world)
        station.capsule = None

        answer = await station.call("Heartbeat", {}, triggered=True)

    assert answer == "SecurityError"


async def test_an_accepted_station_that_reconnects_is_served_without_a_boot(any_world: World) -> None:
    station = new(any_world)
    await station.call("BootNotification", BOOT)

    await station.connect()

    assert station.capsule is not None
    assert station.capsule.registration == "Accepted"
    assert await station.call("Heartbeat", {}) == {"currentTime": "2026-01-01T12:00:00.000Z"}


async def test_an_acceptance_that_the_record_took_back_does_not_survive_a_reconnect(world: World) -> None:
    station = new(world)
    await station.call("BootNotification", BOOT)
    await world.ports.stations.put(Station(StationId("CS-1"), registration="Pending"))

    await station.connect()

    assert await station.call("Heartbeat", {}) == "SecurityError"


async def test_a_pending_station_that_reconnects_is_still_pending(world: World) -> None:
    await world.ports.stations.put(Station(StationId("CS-1"), registration="Pending"))
    station = new(world)
    await station.call("BootNotification", BOOT)
    await world.ports.stations.put(Station(StationId("CS-1"), registration="Accepted"))

    await station.connect()

    assert await station.call("Heartbeat", {}) == "SecurityError"


async def test_the_answer_names_who_asked_what(world: World) -> None:
    station = new(world)
    asked = station.asks("BootNotification", BOOT, "m-1", account="acme")

    (reply,) = await world.bus.deliver(asked)

    named = ("kind", "identity", "account", "version", "transport", "unique_id", "action", "deadline", "session")
    assert {name: getattr(reply, name) for name in named} == {
        "kind": Kind.RESULT,
        "identity": "CS-1",
        "account": "acme",
        "version": "ocpp1.6",
        "transport": "json",
        "unique_id": "m-1",
        "action": "BootNotification",
        "deadline": asked.deadline,
        "session": Capsule(epoch=7, registration="Accepted"),
    }

"""The emulator against a foreign central system: it boots, charges, obeys, comes back, and leaves properly."""

import asyncio
from http import HTTPStatus

import pytest
from ocpp.v16 import call

from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign import ForeignCentral, Peer, foreign_central

EMU = "EMU-00001"
FAST = 600.0
BRISK = 20.0  # a driver presents his card within 0.6 s, and comes by himself after 1 s at the soonest
SLOW = 0.001  # no driver comes by himself during a test


async def accepted(central: ForeignCentral) -> Peer:
    """The one station, after it has told all its statuses."""
    await central.hears("StatusNotification", times=2)
    return central.peers[EMU]


async def started(central: ForeignCentral) -> int:
    """The id of the one transaction, once it is charging."""
    ((_, _, start),) = await central.hears("StartTransaction")
    await central.until(lambda: "Charging" in statuses(central))
    number: int = start["given"]
    return number


def statuses(central: ForeignCentral) -> list[str]:
    return [fields["status"] for _, action, fields in central.heard if action == "StatusNotification"]


async def test_a_fleet_connects_under_its_names_boots_and_charges() -> None:
    async with foreign_central() as central, emulated(central.url, count=3, pace=FAST):
        for identity in ("EMU-00001", "EMU-00002", "EMU-00003"):
            await central.hears("BootNotification", "Authorize", "MeterValues", "StopTransaction", peer=identity)

    assert sorted(set(central.paths)) == ["/ocpp/EMU-00001", "/ocpp/EMU-00002", "/ocpp/EMU-00003"]


async def test_energy_is_told_in_order_and_adds_up() -> None:
    async with foreign_central() as central, emulated(central.url, pace=FAST):
        await central.hears("StopTransaction")

    start = next(fields for _, action, fields in central.heard if action == "StartTransaction")
    stop = next(fields for _, action, fields in central.heard if action == "StopTransaction")
    energies = [
        int(fields["meter_value"][0]["sampled_value"][0]["value"])
        for _, action, fields in central.heard
        if action == "MeterValues" and fields["transaction_id"] == start["given"] == stop["transaction_id"]
    ]
    assert [start["meter_start"], *energies, stop["meter_stop"]] == sorted(
        [start["meter_start"], *energies, stop["meter_stop"]]
    )
    assert len(energies) > 3


async def test_remote_start_and_stop() -> None:
    async with foreign_central() as central, emulated(central.url, pace=BRISK):
        peer = await accepted(central)
        await peer.call(call.ChangeConfiguration("MeterValueSampleInterval", "0"))
        start = await peer.call(call.RemoteStartTransaction("TAG", connector_id=1))
        number = await started(central)
        stop = await peer.call(call.RemoteStopTransaction(number))
        ((_, _, told),) = await central.hears("StopTransaction")

    assert (start.status, stop.status) == ("Accepted", "Accepted")
    assert (told["transaction_id"], told["reason"]) == (number, "Remote")


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_a_reset_ends_the_transaction_and_the_station_boots_again(kind: str, reason: str) -> None:
    async with foreign_central() as central, emulated(central.url, pace=BRISK):
        peer = await accepted(central)
        await peer.call(call.RemoteStartTransaction("TAG"))
        number = await started(central)
        answer = await peer.call(call.Reset(kind))
        await central.hears("BootNotification", times=2)
        await central.hears("StopTransaction")

    stop = next(fields for _, action, fields in central.heard if action == "StopTransaction")
    assert answer.status == "Accepted"
    assert (stop["transaction_id"], stop["reason"]) == (number, reason)
    assert central.closes[0] == 1000


@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ],
)
async def test_every_message_can_be_triggered(message: str) -> None:
    async with foreign_central() as central, emulated(central.url, pace=SLOW):
        peer = await accepted(central)
        central.heard.clear()
        answer = await peer.call(call.TriggerMessage(message, connector_id=1))
        ((_, told, _),) = await central.hears(message)

    assert (answer.status, told) == ("Accepted", message)


async def test_configuration_is_told_and_changed() -> None:
    async with foreign_central() as central, emulated(central.url, pace=SLOW):
        peer = await accepted(central)
        changed = [
            (await peer.call(call.ChangeConfiguration(key, value))).status
            for key, value in (("HeartbeatInterval", "1"), ("NumberOfConnectors", "9"), ("Colour", "red"))
        ]
        told = await peer.call(call.GetConfiguration(["HeartbeatInterval", "Colour"]))
        await central.hears("Heartbeat")

    assert changed == ["Accepted", "Rejected", "NotSupported"]
    assert (told.configuration_key, told.unknown_key) == (
        [{"key": "HeartbeatInterval", "readonly": False, "value": "1"}],
        ["Colour"],
    )


async def test_a_transaction_survives_the_central_system_going_away(free_port: int) -> None:
    async with emulated(f"ws://127.0.0.1:{free_port}/ocpp", pace=BRISK):
        async with foreign_central(port=free_port) as central:
            peer = await accepted(central)
            await peer.call(call.RemoteStartTransaction("TAG"))
            number = await started(central)
        async with foreign_central(port=free_port) as again:
            await again.until(lambda: EMU in again.peers)
            answer = await again.peers[EMU].call(call.RemoteStopTransaction(number))
            ((_, _, stop),) = await again.hears("StopTransaction")

    assert answer.status == "Accepted"
    assert stop["transaction_id"] == number
    assert "BootNotification" not in [action for _, action, _ in again.heard]


async def test_leaving_ends_the_transaction_and_closes_with_1000() -> None:
    async with foreign_central() as central:
        async with emulated(central.url, pace=BRISK):
            peer = await accepted(central)
            await peer.call(call.RemoteStartTransaction("TAG"))
            number = await started(central)
        await central.until(lambda: not central.peers)

    stop = next(fields for _, action, fields in central.heard if action == "StopTransaction")
    assert (stop["transaction_id"], stop["reason"]) == (number, "Other")
    assert central.closes == [1000]


async def test_leaving_while_nobody_listens_takes_no_time() -> None:
    loop = asyncio.get_running_loop()
    async with foreign_central(refuse=HTTPStatus.SERVICE_UNAVAILABLE) as central, emulated(central.url, count=3):
        await central.until(lambda: len(set(central.paths)) == 3)
        leaving = loop.time()

    assert loop.time() - leaving < 2


async def test_leaving_before_anything_began_is_fine() -> None:
    async with foreign_central() as central, emulated(central.url, count=5, ramp=10.0):
        pass

    assert central.heard == []


async def test_basic_credentials_let_the_station_in() -> None:
    async with foreign_central(password="geheim") as central, emulated(central.url, pace=SLOW, password="geheim"):
        peer = await accepted(central)

    assert peer.id == EMU


async def test_an_identity_with_spaces_and_slashes_stays_one_path_segment() -> None:
    async with foreign_central() as central, emulated(central.url, identity="RDAM 1/2", pace=SLOW):
        await central.hears("BootNotification")

    assert central.paths == ["/ocpp/RDAM%201%2F2"]

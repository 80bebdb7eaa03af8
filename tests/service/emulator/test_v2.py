"""2.0.1 stations against a foreign central system: they boot, charge, obey, come back, and leave properly."""

import asyncio
from typing import Any

import pytest
from ocpp.v201 import call
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign_v2 import ForeignCentral, Peer, foreign_central

EMU = "EMU-00001"
FAST = 600.0
BRISK = 20.0  # a driver presents his card within 0.6 s, and comes by himself after 1 s at the soonest
TOKEN = {"id_token": "TAG", "type": "ISO14443"}


async def accepted(central: ForeignCentral) -> Peer:
    """The one station, after it has told its status."""
    await central.hears("StatusNotification")
    return central.peers[EMU]


async def charging(central: ForeignCentral) -> tuple[Peer, str]:
    """The one station, and the id of the transaction that was started there by remote."""
    peer = await accepted(central)
    answer = await peer.call(call.RequestStartTransaction(TOKEN, remote_start_id=7, evse_id=1))
    await central.until(lambda: len(central.events()) >= 2)
    assert answer.status == "Accepted"
    return peer, central.events()[0]["transaction_info"]["transaction_id"]


def ended(central: ForeignCentral) -> list[dict[str, Any]]:
    return [event for event in central.events() if event["event_type"] == "Ended"]


async def test_a_fleet_connects_under_its_names_boots_and_charges() -> None:
    async with foreign_central() as central, emulated(central.url, version="2.0.1", count=2, pace=FAST):
        for identity in ("EMU-00001", "EMU-00002"):
            await central.hears("BootNotification", "Authorize", peer=identity)
            await central.until(lambda: len(ended(central)) >= 2)

    assert sorted({identity for identity, _, _ in central.heard}) == ["EMU-00001", "EMU-00002"]


async def test_a_transaction_is_told_without_gaps() -> None:
    async with foreign_central() as central, emulated(central.url, version="2.0.1", pace=FAST):
        await central.until(lambda: bool(ended(central)))

    uuid = central.events()[0]["transaction_info"]["transaction_id"]
    events = [event for event in central.events() if event["transaction_info"]["transaction_id"] == uuid]
    assert [event["seq_no"] for event in events] == list(range(len(events)))
    assert [event["event_type"] for event in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]


async def test_remote_start_and_stop() -> None:
    async with foreign_central() as central, emulated(central.url, version="2.0.1", pace=BRISK):
        peer, uuid = await charging(central)
        stop = await peer.call(call.RequestStopTransaction(uuid))
        await central.until(lambda: bool(ended(central)))

    (event,) = ended(central)
    assert stop.status == "Accepted"
    assert central.events()[0]["transaction_info"]["remote_start_id"] == 7
    assert event["trigger_reason"] == "RemoteStop"
    assert event["transaction_info"]["stopped_reason"] == "Remote"


@pytest.mark.parametrize(("kind", "status"), [("Immediate", "Accepted"), ("OnIdle", "Scheduled")])
async def test_a_reset_and_the_station_boots_again(kind: str, status: str) -> None:
    async with foreign_central() as central, emulated(central.url, version="2.0.1", pace=BRISK):
        peer, uuid = await charging(central)
        answer = await peer.call(call.Reset(kind))
        if answer.status == "Scheduled":
            await peer.call(call.RequestStopTransaction(uuid))
        boots = await central.hears("BootNotification", times=2)

    assert answer.status == status
    assert len(ended(central)) >= 1
    assert [fields["reason"] for _, _, fields in boots] == [
        "PowerUp",
        "RemoteReset" if kind == "Immediate" else "ScheduledReset",
    ]
    assert central.closes[0] == 1000


async def test_a_transaction_survives_the_central_system_going_away(free_port: int) -> None:
    async with emulated(f"ws://127.0.0.1:{free_port}/ocpp", version="2.0.1", pace=BRISK):
        async with foreign_central(port=free_port) as central:
            _, uuid = await charging(central)
        async with foreign_central(port=free_port) as again:
            await again.until(lambda: EMU in again.peers)
            answer = await again.peers[EMU].call(call.RequestStopTransaction(uuid))
            await again.until(lambda: bool(ended(again)))

    assert answer.status == "Accepted"
    assert ended(again)[0]["transaction_info"]["transaction_id"] == uuid
    assert "BootNotification" not in [action for _, action, _ in again.heard]


async def test_leaving_ends_the_transaction_and_closes_with_1000() -> None:
    async with foreign_central() as central:
        async with emulated(central.url, version="2.0.1", pace=BRISK):
            await charging(central)
        await central.until(lambda: not central.peers)

    assert ended(central)[0]["transaction_info"]["stopped_reason"] == "Other"
    assert central.closes == [1000]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_station_offers_its_version_only(version: str) -> None:
    offered: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    def choose(socket: ServerConnection, names: Any) -> Subprotocol:
        offered.set_result([*names])
        return Subprotocol(names[0])

    async def listen(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(listen, "127.0.0.1", 0, select_subprotocol=choose) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with emulated(f"ws://127.0.0.1:{port}/ocpp", version=version):
            told = await asyncio.wait_for(offered, 5)

    assert told == [f"ocpp{version}"]

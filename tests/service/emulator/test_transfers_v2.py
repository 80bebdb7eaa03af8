"""Files of 2.x stations, as a central system's commands bring them about; and streams, which nobody answers."""

import asyncio
import json
from hashlib import md5
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.service.emulator.file_servers import ftp_server, http_server
from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign_v2 import ForeignCentral, Peer, foreign_central
from tests.unit.emulator.papers import Authority, text

EMU = "EMU-00001"
SLOW = 0.001  # no driver comes by himself during a test
BRISK = 100.0
PAST = "2020-01-01T00:00:00Z"
NOW = "2024-01-01T00:00:00Z"
CHECKSUM = md5(b"firmware", usedforsecurity=False).hexdigest()
ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "OpenPeriodicEventStream": {"status": "Accepted"},
}


async def accepted(central: ForeignCentral) -> Peer:
    """The one station, after it has told everything it tells after its boot."""
    await central.hears("SecurityEventNotification")
    return central.peers[EMU]


def told(central: ForeignCentral, action: str) -> list[str]:
    return [fields["status"] for _, name, fields in central.heard if name == action]


@pytest.mark.parametrize("files", [http_server, ftp_server])
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_log_arrives_at_the_server_under_the_name_that_was_told(version: str, files: type) -> None:
    async with (
        foreign_central(version) as central,
        files() as server,
        emulated(central.url, version=version, pace=SLOW),
    ):
        await accepted(central)
        log = {"logType": "DiagnosticsLog", "requestId": 3, "log": {"remoteLocation": f"{server.url}/logs"}}
        answer = await central.ask(EMU, "GetLog", log)
        await central.hears("LogStatusNotification", times=2)

    ((path, content),) = server.files.items()
    assert path.strip("/") == f"logs/{answer['filename']}"
    assert b"accepted heartbeat=300" in content
    assert told(central, "LogStatusNotification") == ["Uploading", "Uploaded"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_signed_firmware_is_fetched_verified_and_the_station_comes_back_with_its_version(version: str) -> None:
    maker = Authority("Maker")
    async with foreign_central(version) as central, http_server() as server:
        server.files["/station-3.1.bin"] = b"firmware"
        async with emulated(central.url, version=version, pace=BRISK):
            await accepted(central)
            await central.ask(EMU, "ChangeAvailability", {"operationalStatus": "Inoperative"})
            firmware = {
                "location": f"{server.url}/station-3.1.bin",
                "retrieveDateTime": PAST,
                "signingCertificate": text(maker.root),
                "signature": maker.sign(b"firmware"),
            }
            await central.ask(EMU, "UpdateFirmware", {"requestId": 4, "firmware": firmware})
            await central.until(lambda: "Installed" in told(central, "FirmwareStatusNotification"))
            await central.hears("SecurityEventNotification", times=4)

    boots = [fields for _, action, fields in central.heard if action == "BootNotification"]
    assert [(boot["reason"], boot["charging_station"]["firmware_version"]) for boot in boots] == [
        ("PowerUp", "1.0"),
        ("FirmwareUpdate", "3.1"),
    ]
    assert told(central, "FirmwareStatusNotification") == [
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "Installing",
        "InstallRebooting",
        "Installed",
    ]
    assert [fields["type"] for _, action, fields in central.heard if action == "SecurityEventNotification"] == [
        "StartupOfTheDevice",
        "FirmwareUpdated",
        "ResetOrReboot",
        "StartupOfTheDevice",
    ]


async def test_firmware_for_others_is_fetched_and_its_checksum_compared() -> None:
    async with foreign_central() as central, http_server() as server:
        server.files["/station-3.1.bin"] = b"firmware"
        async with emulated(central.url, version="2.0.1", pace=SLOW):
            await accepted(central)
            request = {"location": f"{server.url}/station-3.1.bin", "checksum": CHECKSUM, "requestId": 5}
            await central.ask(EMU, "PublishFirmware", request)
            await central.hears("PublishFirmwareStatusNotification", times=4)

    steps = ["Downloading", "Downloaded", "ChecksumVerified", "Published"]
    assert told(central, "PublishFirmwareStatusNotification") == steps


async def test_a_stream_is_told_in_messages_that_want_no_answer() -> None:
    sent: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
    monitor = {
        "component": {"name": "ChargingStation"},
        "variable": {"name": "Temperature"},
        "type": "Periodic",
        "value": 1,
        "severity": 4,
        "periodicEventStream": {"values": 2},
    }

    async def listen(socket: ServerConnection) -> None:
        async for message in socket:
            kind, unique_id, *rest = json.loads(message)
            if kind == 2:
                await socket.send(json.dumps([3, unique_id, ANSWERS.get(rest[0], {})]))
            if kind == 2 and rest[0] == "SecurityEventNotification":
                request = {"setMonitoringData": [monitor]}
                await socket.send(json.dumps([2, "1", "SetVariableMonitoring", request]))
            if kind == 6 and not sent.done():
                sent.set_result(rest)

    async with serve(listen, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp2.1")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with emulated(f"ws://127.0.0.1:{port}/ocpp", version="2.1", pace=SLOW):
            action, payload = await asyncio.wait_for(sent, 5)

    assert action == "NotifyPeriodicEventStream"
    assert [value["v"] for value in payload["data"]] == ["25.0", "25.0"]
    assert (payload["id"], payload["pending"]) == (1, 0)

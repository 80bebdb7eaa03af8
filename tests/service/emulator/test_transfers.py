"""Transfers against servers, alone and as the commands of a central system bring them about."""

import asyncio

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType, Log

from csms_emulator.actions import Transfer, Transferred
from csms_emulator.transfers import carry_out
from tests.service.emulator.file_servers import ftp_server, http_server
from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign import ForeignCentral, Peer, foreign_central
from tests.unit.emulator.papers import Authority, text

EMU = "EMU-00001"
SLOW = 0.001  # no driver comes by himself during a test
BRISK = 100.0
PAST = "2020-01-01T00:00:00Z"


async def accepted(central: ForeignCentral) -> Peer:
    """The one station, after it has told all its statuses."""
    await central.hears("StatusNotification", times=2)
    return central.peers[EMU]


async def out_of_service(central: ForeignCentral) -> Peer:
    """The one station, where nobody can charge: firmware is not installed meanwhile."""
    peer = await accepted(central)
    await peer.call(call.ChangeAvailability(connector_id=0, type=AvailabilityType.inoperative))
    return peer


def told(central: ForeignCentral, action: str) -> list[str]:
    return [fields["status"] for _, name, fields in central.heard if name == action]


async def test_http_takes_a_file_into_a_directory_and_gives_it_back() -> None:
    async with http_server() as server:
        up = await carry_out(Transfer(f"{server.url}/logs/", 1, b"log", "a b.log"))
        down = await carry_out(Transfer(f"{server.url}/logs/a%20b.log", 2))

    assert (up, down, server.files) == (Transferred(), Transferred(b"log"), {"/logs/a b.log": b"log"})


async def test_a_server_without_directories_gets_a_post() -> None:
    async with http_server() as server:
        outcome = await carry_out(Transfer(f"{server.url}/form", 1, b"log", "a.log"))

    assert (outcome, server.asked, server.files) == (
        Transferred(),
        [("PUT", "/form/a.log"), ("POST", "/form")],
        {"/form": b"log"},
    )


async def test_what_a_server_refuses_says_how() -> None:
    async with http_server() as server:
        denied = await carry_out(Transfer(f"{server.url}/denied", 1, b"log", "a.log"))
        missing = await carry_out(Transfer(f"{server.url}/nothing", 2))

    assert denied == Transferred(failure="denied", reason="the server answered HTTP 403")
    assert missing == Transferred(failure="failed", reason="the server answered HTTP 404")


async def test_a_redirect_does_not_lead_to_a_file_of_the_host() -> None:
    async with http_server() as server:
        down = await carry_out(Transfer(f"{server.url}/away", 1))
        up = await carry_out(Transfer(f"{server.url}/away", 2, b"log", "a.log"))

    assert (bool(down.failure), down.content) == (True, b"")
    assert up == Transferred(failure="failed", reason="the server answered HTTP 302")


async def test_a_file_that_is_too_large_is_not_fetched() -> None:
    async with http_server() as http, ftp_server() as ftp:
        http.files["/file"] = ftp.files["file"] = bytes(1001)
        outcomes = [await carry_out(Transfer(f"{server.url}/file", 1), 1000) for server in (http, ftp)]

    assert outcomes == [Transferred(failure="failed", reason="the file is larger than 1000 bytes")] * 2


async def test_ftp_takes_a_file_into_a_directory_and_gives_it_back() -> None:
    async with ftp_server() as server:
        up = await carry_out(Transfer(f"{server.url}/logs", 1, b"log", "a b.log"))
        down = await carry_out(Transfer(f"{server.url}/logs/a%20b.log", 2))

    assert (up, down, server.files) == (Transferred(), Transferred(b"log"), {"logs/a b.log": b"log"})


async def test_what_an_ftp_server_refuses_says_how() -> None:
    async with ftp_server("wrong") as strict, ftp_server() as server:
        denied = await carry_out(Transfer(f"{strict.url}/a", 1))
        missing = await carry_out(Transfer(f"{server.url}/a", 2))

    assert denied == Transferred(failure="denied", reason="FTP: 530 Out")
    assert missing == Transferred(failure="failed", reason="FTP: 550 Nothing")


@pytest.mark.parametrize("files", [http_server, ftp_server])
async def test_diagnostics_arrive_at_the_server_under_the_name_that_was_told(files: type) -> None:
    async with foreign_central() as central, files() as server, emulated(central.url, pace=SLOW):
        peer = await accepted(central)
        answer = await peer.call(call.GetDiagnostics(location=f"{server.url}/logs"))
        await central.hears("DiagnosticsStatusNotification", times=2)

    ((path, content),) = server.files.items()
    assert path.strip("/") == f"logs/{answer.file_name}"
    assert b"accepted heartbeat=300" in content
    assert told(central, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]


async def test_a_log_arrives_at_the_server() -> None:
    async with foreign_central() as central, http_server() as server, emulated(central.url, pace=SLOW):
        peer = await accepted(central)
        where = {"remote_location": f"{server.url}/logs"}
        answer = await peer.call(call.GetLog(log=where, log_type=Log.diagnostics_log, request_id=3))
        await central.hears("LogStatusNotification", times=2)

    assert [*server.files] == [f"/logs/{answer.filename}"]
    assert told(central, "LogStatusNotification") == ["Uploading", "Uploaded"]


async def test_firmware_is_fetched_and_the_station_comes_back_with_its_version() -> None:
    async with foreign_central() as central, http_server() as server, emulated(central.url, pace=BRISK):
        server.files["/station-3.1.bin"] = b"firmware"
        peer = await out_of_service(central)
        await peer.call(call.UpdateFirmware(location=f"{server.url}/station-3.1.bin", retrieve_date=PAST))
        boots = await central.hears("BootNotification", times=2)

    assert [fields["firmware_version"] for _, _, fields in boots] == ["1.0", "3.1"]
    assert told(central, "FirmwareStatusNotification") == ["Downloading", "Downloaded", "Installing", "Installed"]


async def test_signed_firmware_is_fetched_verified_and_installed() -> None:
    maker = Authority("Maker")
    async with foreign_central() as central, http_server() as server, emulated(central.url, pace=BRISK):
        server.files["/station-3.1.bin"] = b"firmware"
        peer = await out_of_service(central)
        firmware = {
            "location": f"{server.url}/station-3.1.bin",
            "retrieve_date_time": PAST,
            "signing_certificate": text(maker.root),
            "signature": maker.sign(b"firmware"),
        }
        await peer.call(call.SignedUpdateFirmware(request_id=4, firmware=firmware))
        await central.until(lambda: "Installed" in told(central, "SignedFirmwareStatusNotification"))
        await central.hears("SecurityEventNotification", times=2)

    events = [fields["type"] for _, action, fields in central.heard if action == "SecurityEventNotification"]
    assert told(central, "SignedFirmwareStatusNotification") == [
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "Installing",
        "InstallRebooting",
        "Installed",
    ]
    assert events == ["FirmwareUpdated", "ResetOrReboot"]


async def test_a_station_that_leaves_gives_up_its_transfers() -> None:
    silent = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server, foreign_central() as central:
        port = server.sockets[0].getsockname()[1]
        async with emulated(central.url, pace=SLOW, grace=0.1):
            peer = await accepted(central)
            await peer.call(call.GetDiagnostics(location=f"http://127.0.0.1:{port}/"))
            async with asyncio.timeout(5):
                await silent.wait()

    assert told(central, "DiagnosticsStatusNotification") == ["Uploading"]


async def test_a_certificate_is_asked_for_and_used() -> None:
    authority = Authority("Root")
    async with foreign_central() as central, emulated(central.url, pace=SLOW):
        peer = await accepted(central)
        await peer.call(call.ExtendedTriggerMessage(requested_message="SignChargePointCertificate"))
        ((_, _, asked),) = await central.hears("SignCertificate")
        answer = await peer.call(call.CertificateSigned(certificate_chain=authority.answer(asked["csr"])))

    assert answer.status == "Accepted"

"""UpdateFirmware and SignedUpdateFirmware."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from csms_emulator.actions import Transfer, Transferred
from csms_emulator.firmware import version
from tests.unit.emulator.driving import Central, booted, charging
from tests.unit.emulator.papers import Authority, text

WHOLE = ["Downloading", "Downloaded", "Installing", "Installed"]
PAST = "2023-11-14T00:00:00Z"
LOCATION = "https://example.org/station-2.7.1.bin"
CONTENT = Transferred(b"firmware")
MISSED = Transferred(failure="failed", reason="nobody is there")
SIGNED = "SignedFirmwareStatusNotification"


def update(central: Central, at: str = PAST, **fields: Any) -> object:
    return central.command("UpdateFirmware", {"location": LOCATION, "retrieveDate": at, **fields})


def update_signed(central: Central, maker: Authority, signature: str, **fields: Any) -> object:
    firmware = {
        "location": LOCATION,
        "retrieveDateTime": PAST,
        "signingCertificate": text(maker.root),
        "signature": signature,
        **fields,
    }
    return central.command("SignedUpdateFirmware", {"requestId": 7, "firmware": firmware})


def told(central: Central, action: str = "FirmwareStatusNotification") -> list[str]:
    return [payload["status"] for payload in central.payloads(action)]


def downloaded(central: Central) -> None:
    central.run(1)
    central.transferred(CONTENT)


def restart(central: Central) -> None:
    central.run_until(lambda: central.leaving, 600)
    central.disconnect()
    central.now += central.reconnect or 0
    central.connect()
    central.settle()


def events(central: Central) -> list[str]:
    return [payload["type"] for payload in central.payloads("SecurityEventNotification")]


def test_an_update_tells_its_statuses_in_order() -> None:
    central = booted()

    answer = update(central)
    central.run(1)
    transfer = central.transferred(CONTENT)
    central.run(240)

    assert (answer, told(central)) == ({}, WHOLE)
    assert transfer == Transfer(LOCATION, 1)


def test_the_station_boots_with_the_version_that_was_installed() -> None:
    central = booted()
    update(central)
    downloaded(central)
    restart(central)

    (boot,) = central.payloads("BootNotification")

    assert boot["firmwareVersion"] == "2.7.1"
    assert events(central) == ["FirmwareUpdated", "ResetOrReboot"]


def test_a_download_is_tried_again_as_often_as_it_was_asked_for() -> None:
    central = booted()

    update(central, retries=2, retryInterval=5)
    central.run(1)
    central.transferred(MISSED)
    central.run(4)
    waiting = [*central.transfers]
    central.run(2)
    central.transferred(MISSED)
    central.run(60)

    assert (waiting, central.transfers, told(central)) == ([], [], ["Downloading", "DownloadFailed"])


def test_after_a_failure_the_station_is_idle() -> None:
    central = booted()
    update(central)
    central.run(1)
    central.transferred(Transferred(failure="unsupported", reason="no gopher"))
    central.settle()
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})

    assert told(central) == ["Idle"]


def test_nothing_is_installed_while_somebody_charges() -> None:
    central = charging()
    update(central)
    downloaded(central)
    central.run(120)
    before = told(central)

    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.run(240)

    assert (before, told(central)) == (WHOLE[:2], WHOLE)


def test_an_update_waits_for_its_time() -> None:
    central = booted()

    update(central, "2023-11-14T22:16:00")
    central.run(59)
    before = told(central)
    central.run(2)

    assert (before, told(central)) == ([], ["Downloading"])


def test_a_trigger_tells_how_far_it_is() -> None:
    central = booted()
    update(central)
    central.run(1)
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})

    assert told(central) == ["Downloading"]


def test_a_restart_forgets_the_update() -> None:
    central = booted()
    update(central)
    central.run(1)
    central.command("Reset", {"type": "Hard"})
    restart(central)
    central.transferred(CONTENT)
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    central.run(300)

    assert told(central) == ["Idle"]


def test_a_time_that_no_calendar_knows_means_now() -> None:
    central = booted()

    update(central, "2016-12-31T23:59:60Z")
    central.run(1)

    assert told(central) == ["Downloading"]


@pytest.mark.parametrize(
    ("location", "known"),
    [
        ("https://example.org/v1.2/fw_10.20.3-rc1.bin?x=9.9", "10.20.3"),
        ("ftp://example.org/", "c3bf47ea"),
        ("https://example.org/latest.bin", "c3bf47ea"),
        ("https://example.org/" + "1." * 60 + "1", ("1." * 60)[:50]),
    ],
)
def test_the_version_is_that_of_the_file_name_or_follows_from_the_content(location: str, known: str) -> None:
    assert version(location, b"firmware") == known


@pytest.mark.parametrize("key", ["EC", "RSA"])
def test_signed_firmware_is_verified_and_installed(key: str) -> None:
    maker = Authority("Maker", rsa.generate_private_key(65537, 2048) if key == "RSA" else None)
    central = booted()

    answer = update_signed(central, maker, maker.sign(b"firmware"))
    downloaded(central)
    restart(central)

    assert answer == {"status": "Accepted"}
    assert told(central, SIGNED) == [
        "Downloading",
        "Downloaded",
        "SignatureVerified",
        "Installing",
        "InstallRebooting",
        "Installed",
    ]
    assert {payload["requestId"] for payload in central.payloads(SIGNED)} == {7}
    assert central.station.board.upkeep.version == "2.7.1"


@pytest.mark.parametrize(
    "signature",
    ["", "no Base64!", "MEUCIQ==", pytest.param(Authority("Other").sign(b"firmware"), id="another's")],
)
def test_a_signature_that_is_not_the_makers_stops_the_update(signature: str) -> None:
    central = booted()
    update_signed(central, Authority("Maker"), signature)
    downloaded(central)

    central.run(300)

    assert told(central, SIGNED) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert events(central) == ["InvalidFirmwareSignature"]
    assert central.station.board.upkeep.version == "1.0"


def test_once_a_maker_is_trusted_no_other_one_is() -> None:
    maker, other = Authority("Maker"), Authority("Other")
    central = booted()
    root = {"certificateType": "ManufacturerRootCertificate", "certificate": text(maker.root)}
    central.command("InstallCertificate", root)

    answers = [update_signed(central, other, "x"), update_signed(central, maker, "x")]
    central.settle()

    assert answers == [{"status": "InvalidCertificate"}, {"status": "Accepted"}]
    assert events(central) == ["InvalidFirmwareSigningCertificate"]


def test_what_comes_later_is_scheduled() -> None:
    maker = Authority("Maker")
    central = booted()

    dates = {"retrieveDateTime": "2023-11-14T22:15:10Z", "installDateTime": "2023-11-14T22:16:30Z"}
    update_signed(central, maker, maker.sign(b"firmware"), **dates)
    central.run(11)
    central.transferred(CONTENT)
    central.run(78)
    before = told(central, SIGNED)
    central.run(2)

    scheduled = ["DownloadScheduled", "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"]
    assert (before, told(central, SIGNED)) == (scheduled, [*scheduled, "Installing"])


def test_a_signed_update_takes_the_place_of_the_one_before() -> None:
    maker = Authority("Maker")
    central = booted()
    update_signed(central, maker, "x")
    central.run(1)
    (canceled,) = central.transfers
    central.transfers.clear()

    answer = update_signed(central, maker, maker.sign(b"firmware"))
    central.run(1)

    (transfer,) = central.transfers
    assert (answer, transfer.number - canceled.number) == ({"status": "AcceptedCanceled"}, 1)

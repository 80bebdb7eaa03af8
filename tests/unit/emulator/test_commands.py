"""What a station answers when the central system asks, and does then."""

import pytest

from csms_emulator.actions import Refuse
from csms_emulator.commands import COMMANDS
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload, booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}

# The security extension is none of this station's affairs.
REQUESTS: dict[str, Payload] = {
    "CertificateSigned": {"certificateChain": "x"},
    "DeleteCertificate": {
        "certificateHashData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "0",
            "issuerKeyHash": "0",
            "serialNumber": "0",
        }
    },
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
    "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
    "GetLog": {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "ftp://example.org/"}},
    "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": "x"},
    "SignedUpdateFirmware": {
        "requestId": 1,
        "firmware": {
            "location": "ftp://example.org/",
            "retrieveDateTime": "2030-01-01T00:00:00Z",
            "signingCertificate": "x",
            "signature": "x",
        },
    },
}


def test_every_command_of_the_catalog_is_either_answered_or_known_to_be_refused() -> None:
    catalog = set(asked_by(Role.CSMS, Version.V1_6))

    assert catalog == COMMANDS.keys() | REQUESTS.keys()


@pytest.mark.parametrize("action", sorted(REQUESTS))
def test_what_the_station_cannot_do_is_not_supported(action: str) -> None:
    central = booted()

    answer = central.command(action, REQUESTS[action])

    assert answer == Refuse("c1", "NotSupported", f"This station has no {action}.")


def test_a_connector_out_of_service_serves_nobody_until_it_is_brought_back() -> None:
    central = booted()

    out = central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    central.run(3600)
    start = central.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})
    idle = central.payloads("Authorize")
    back = central.command("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
    central.run(3600)

    assert (out, start, idle, back) == (ACCEPTED, REJECTED, [], ACCEPTED)
    assert central.statuses()[:3] == ["Unavailable", "Available", "Preparing"]


def test_a_busy_connector_is_taken_out_of_service_when_its_driver_has_left() -> None:
    central = charging()

    answer = central.command("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.run(60)

    assert answer == {"status": "Scheduled"}
    assert central.statuses() == ["Finishing", "Available", "Unavailable"]
    assert central.statuses(0) == ["Unavailable"]


def test_being_out_of_service_survives_a_reset() -> None:
    central = booted()
    central.command("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    central.command("Reset", {"type": "Hard"})

    central.disconnect()
    central.connect()
    central.settle()

    assert central.statuses()[-1] == "Unavailable"


def test_the_availability_of_an_unknown_connector_is_rejected() -> None:
    assert booted().command("ChangeAvailability", {"connectorId": 5, "type": "Operative"}) == REJECTED


def test_unlocking_a_busy_connector_ends_its_transaction() -> None:
    central = charging()

    answer = central.command("UnlockConnector", {"connectorId": 1})

    assert answer == {"status": "Unlocked"}
    assert [p["reason"] for p in central.payloads("StopTransaction")] == ["UnlockCommand"]


def test_small_answers() -> None:
    central = booted()

    assert {
        "ClearCache": central.command("ClearCache"),
        "DataTransfer": central.command("DataTransfer", {"vendorId": "Acme"}),
        "GetDiagnostics": central.command("GetDiagnostics", {"location": "ftp://example.org/"}),
        "GetLocalListVersion": central.command("GetLocalListVersion"),
        "UnlockConnector": central.command("UnlockConnector", {"connectorId": 9}),
    } == {
        "ClearCache": ACCEPTED,
        "DataTransfer": {"status": "UnknownVendorId"},
        "GetDiagnostics": {},
        "GetLocalListVersion": {"listVersion": 0},
        "UnlockConnector": {"status": "NotSupported"},
    }


def test_smart_charging_is_answered_as_by_a_station_that_has_none() -> None:
    central = booted()
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]},
    }

    assert {
        "SetChargingProfile": central.command("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile}),
        "ClearChargingProfile": central.command("ClearChargingProfile"),
        "GetCompositeSchedule": central.command("GetCompositeSchedule", {"connectorId": 1, "duration": 60}),
    } == {
        "SetChargingProfile": {"status": "NotSupported"},
        "ClearChargingProfile": {"status": "Unknown"},
        "GetCompositeSchedule": REJECTED,
    }


def test_a_cleared_cache_forgets_who_may_charge_offline() -> None:
    central = booted(seed=4, id_tags=("KNOWN",))
    central.run_until(lambda: bool(central.payloads("StopTransaction")))
    central.command("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": "false"})
    central.command("ClearCache")
    central.settle()
    central.take()

    central.disconnect()
    central.run(3600)
    central.connect()
    central.settle()

    assert central.payloads("StartTransaction") == []

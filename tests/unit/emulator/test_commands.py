"""What a station answers when the central system asks, and does then."""

from csms_emulator.commands import COMMANDS
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from tests.unit.emulator.driving import booted, charging

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def test_every_command_of_the_catalog_is_answered() -> None:
    assert set(asked_by(Role.CSMS, Version.V1_6)) == COMMANDS.keys()


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


def test_what_was_scheduled_is_done_by_a_reset() -> None:
    central = charging()
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
        "GetDiagnostics": {"fileName": "EMU-00001-diagnostics-20231114T221500Z.log"},
        "GetLocalListVersion": {"listVersion": 0},
        "UnlockConnector": {"status": "NotSupported"},
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

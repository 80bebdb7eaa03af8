"""Logs, firmware, customers and security events of a 2.x station, up to the transfers themselves."""

from hashlib import md5

import pytest

from csms_emulator.actions import Failure, Transfer, Transferred
from csms_emulator.deeds import PowerCycle, Skew
from csms_ocpp.version import Version
from tests.service.router.samples import fullest, smallest
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.papers import Authority, text
from tests.unit.emulator.v2.driving import ACCEPTED, OTHER, REJECTED, TOKEN, Central, booted, charging

VERSIONS = [Version.V2_0_1, Version.V2_1]
NAME = "EMU-00001-diagnostics-20231114T221500Z.log"
LOGS = "ftp://example.org/logs"
LOG = b"""\
# EMU-00001, an emulated charging station with firmware 1.0
2023-11-14T22:15:00.000Z info connected
2023-11-14T22:15:00.000Z info accepted heartbeat=300
"""
PAST = "2023-11-14T00:00:00Z"
LOCATION = "https://example.org/station-2.7.1.bin"
CONTENT = Transferred(b"firmware")
CHECKSUM = md5(b"firmware", usedforsecurity=False).hexdigest()
MISSED = Transferred(failure="failed", reason="nobody is there")
STEPS = ["Downloading", "Downloaded", "Installing", "InstallRebooting"]


def get_log(central: Central, number: int = 5, kind: str = "DiagnosticsLog", **fields: object) -> object:
    request = {"logType": kind, "requestId": number, "log": {"remoteLocation": LOGS}, **fields}
    answer = central.command("GetLog", request)
    central.run(1)
    return answer


def update(central: Central, number: int = 7, **fields: str) -> object:
    firmware = {"location": LOCATION, "retrieveDateTime": PAST, **fields}
    answer = central.command("UpdateFirmware", {"requestId": number, "firmware": firmware, "retries": 1})
    central.run(1)
    return answer


def publish(central: Central, checksum: str = CHECKSUM, **fields: int) -> object:
    answer = central.command("PublishFirmware", {"location": LOCATION, "checksum": checksum, "requestId": 3, **fields})
    central.run(1)
    return answer


def ended(central: Central, outcome: Transferred | None = None) -> Transfer:
    """The transfer under way ends, and everything that follows at once is heard."""
    transfer = central.transferred(outcome)
    central.settle()
    return transfer


def restart(central: Central) -> None:
    central.run_until(lambda: central.leaving, 600)
    central.disconnect()
    central.now += central.reconnect or 0
    central.connect()
    central.settle()


def told(central: Central, action: str) -> list[str]:
    return [payload["status"] for payload in central.payloads(action)]


def firmware(central: Central) -> list[str]:
    return told(central, "FirmwareStatusNotification")


def events(central: Central) -> list[str]:
    return [payload["type"] for payload in central.payloads("SecurityEventNotification")]


def triggered(central: Central, message: str) -> Payload:
    """The message that follows a TriggerMessage."""
    central.take()
    assert central.command("TriggerMessage", {"requestedMessage": message}) == ACCEPTED
    central.settle()
    ((_, body),) = central.take()
    return body


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "action", ["CustomerInformation", "GetLog", "PublishFirmware", "UnpublishFirmware", "UpdateFirmware"]
)
def test_the_smallest_and_the_fullest_request_are_answered_validly(version: Version, action: str) -> None:
    central = booted(version=version)

    for request in (smallest, fullest, fullest):
        central.command(action, request(version, action))
        central.run(100)


# --- logs -------------------------------------------------------------------------------------------------------------


def test_a_log_is_uploaded_under_the_number_of_its_request() -> None:
    central = booted()

    answer = get_log(central)
    transfer = ended(central)

    assert answer == {"status": "Accepted", "filename": NAME}
    assert transfer == Transfer(LOGS, 1, LOG, NAME)
    assert central.take() == [
        ("LogStatusNotification", {"status": "Uploading", "requestId": 5}),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 5}),
    ]


def test_the_security_log_has_the_security_events() -> None:
    central = booted()
    central.command("CertificateSigned", {"certificateChain": "x"})

    get_log(central, kind="SecurityLog")

    assert (central.transferred().content or b"").splitlines()[1:] == [
        b"2023-11-14T22:15:00.000Z StartupOfTheDevice",
        b"2023-11-14T22:15:00.000Z InvalidChargingStationCertificate",
    ]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("failed", "UploadFailure"),
        ("denied", "PermissionDenied"),
        ("malformed", "BadMessage"),
        ("unsupported", "NotSupportedOperation"),
    ],
)
def test_a_log_that_is_not_taken_says_why(failure: Failure, status: str) -> None:
    central = booted()
    get_log(central, retries=1)

    ended(central, Transferred(failure=failure, reason="no"))

    assert told(central, "LogStatusNotification") == ["Uploading", status]


def test_an_upload_is_tried_again_as_often_as_it_was_asked_for() -> None:
    central = booted()

    get_log(central, retries=2, retryInterval=10)
    ended(central, MISSED)
    central.run(8)
    waiting = [*central.transfers]
    central.run(3)
    ended(central, MISSED)
    central.run(100)

    assert (waiting, central.transfers) == ([], [])
    assert told(central, "LogStatusNotification") == ["Uploading", "UploadFailure"]


def test_a_second_log_cancels_the_first() -> None:
    central = booted()
    get_log(central)
    (first,) = central.transfers
    central.transfers.clear()

    answer = get_log(central, 6)
    central.station.transferred(first.number, MISSED, central.now)
    ended(central)

    assert isinstance(answer, dict)
    assert answer["status"] == "AcceptedCanceled"
    assert [(p["status"], p["requestId"]) for p in central.payloads("LogStatusNotification")] == [
        ("Uploading", 5),
        ("AcceptedCanceled", 5),
        ("Uploading", 6),
        ("Uploaded", 6),
    ]


def test_a_log_that_the_station_does_not_keep_is_refused() -> None:
    refusal = {**REJECTED, "statusInfo": {"reasonCode": "UnsupportedParam"}}

    assert get_log(booted(), kind="DataCollectorLog") == refusal


# --- firmware ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_tells_its_steps_and_the_station_boots_with_what_was_installed(version: Version) -> None:
    central = booted(version=version)

    answer = update(central)
    transfer = ended(central, CONTENT)
    restart(central)

    (boot,) = central.payloads("BootNotification")
    assert (answer, transfer) == (ACCEPTED, Transfer(LOCATION, 1))
    assert firmware(central) == [*STEPS, "Installed"]
    assert {payload["requestId"] for payload in central.payloads("FirmwareStatusNotification")} == {7}
    assert (boot["reason"], boot["chargingStation"]["firmwareVersion"]) == ("FirmwareUpdate", "2.7.1")
    assert events(central) == ["FirmwareUpdated", "ResetOrReboot", "StartupOfTheDevice"]


def test_signed_firmware_is_verified() -> None:
    maker = Authority("Maker")
    central = booted()

    update(central, signingCertificate=text(maker.root), signature=maker.sign(b"firmware"))
    ended(central, CONTENT)
    restart(central)

    assert firmware(central) == [*STEPS[:2], "SignatureVerified", *STEPS[2:], "Installed"]


def test_a_signature_that_is_not_the_makers_stops_the_update() -> None:
    central = booted()
    update(central, signingCertificate=text(Authority("Maker").root), signature=Authority("Other").sign(b"firmware"))

    ended(central, CONTENT)
    central.run(200)

    assert firmware(central) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert events(central) == ["InvalidFirmwareSignature"]


def test_once_a_maker_is_trusted_no_other_one_is() -> None:
    maker, other = Authority("Maker"), Authority("Other")
    central = booted()
    root = {"certificateType": "ManufacturerRootCertificate", "certificate": text(maker.root)}
    central.command("InstallCertificate", root)

    answers = [update(central, signingCertificate=text(one.root), signature="x") for one in (other, maker)]

    assert answers == [{"status": "InvalidCertificate"}, ACCEPTED]
    assert events(central) == ["InvalidFirmwareSigningCertificate"]


def test_what_comes_later_is_scheduled() -> None:
    central = booted()

    update(central, retrieveDateTime="2023-11-14T22:15:10Z", installDateTime="2023-11-14T22:16:30Z")
    central.run(10)
    ended(central, CONTENT)
    central.run(78)
    before = firmware(central)
    central.run(2)

    scheduled = ["DownloadScheduled", "Downloading", "Downloaded", "InstallScheduled"]
    assert (before, firmware(central)) == (scheduled, [*scheduled, "Installing"])


def test_an_update_takes_the_place_of_the_one_before_but_not_while_it_is_installed() -> None:
    central = booted()
    update(central)
    central.transfers.clear()

    canceled = update(central, 8)
    ended(central, CONTENT)
    central.run_until(lambda: "Installing" in firmware(central), 100)

    assert (canceled, update(central, 9)) == ({"status": "AcceptedCanceled"}, REJECTED)


@pytest.mark.parametrize(
    ("outcome", "steps"),
    [
        (MISSED, ["Downloading", "DownloadFailed"]),
        (Transferred(b""), ["Downloading", "Downloaded", "Installing", "InstallationFailed"]),
    ],
)
def test_an_update_that_fails_says_how_and_the_station_is_idle(outcome: Transferred, steps: list[str]) -> None:
    central = booted()
    update(central)

    ended(central, outcome)
    central.run(150)

    assert firmware(central) == steps
    assert triggered(central, "FirmwareStatusNotification") == {"status": "Idle"}


def test_nothing_is_installed_while_somebody_charges() -> None:
    central = charging()
    update(central)
    ended(central, CONTENT)
    central.run(120)
    before = firmware(central)

    central.command("RequestStopTransaction", {"transactionId": central.uuid()})
    central.run(240)

    assert (before, firmware(central)) == (STEPS[:2], STEPS)


def test_a_trigger_tells_how_far_everything_is() -> None:
    central = booted()
    get_log(central)
    update(central)
    publish(central)

    messages = ("LogStatusNotification", "FirmwareStatusNotification", "PublishFirmwareStatusNotification")
    found = [triggered(central, message) for message in messages]

    assert found == [
        {"status": "Uploading", "requestId": 5},
        {"status": "Downloading", "requestId": 7},
        {"status": "Downloading", "requestId": 3},
    ]


def test_a_restart_forgets_what_was_under_way() -> None:
    central = booted()
    get_log(central)
    update(central)
    publish(central)
    central.command("Reset", {"type": "Immediate"})
    restart(central)
    for transfer in central.transfers:
        central.station.transferred(transfer.number, CONTENT, central.now)

    messages = ("LogStatusNotification", "FirmwareStatusNotification", "PublishFirmwareStatusNotification")

    assert [triggered(central, message) for message in messages] == [{"status": "Idle"}] * 3


# --- firmware for others ----------------------------------------------------------------------------------------------


def test_firmware_is_published_with_its_place_and_unpublished_once() -> None:
    central = booted()

    answer = publish(central, CHECKSUM.upper())
    transfer = ended(central, CONTENT)
    unpublished = [central.command("UnpublishFirmware", {"checksum": CHECKSUM}) for _ in range(2)]

    *steps, last = central.payloads("PublishFirmwareStatusNotification")
    assert (answer, transfer) == (ACCEPTED, Transfer(LOCATION, 1))
    assert [step["status"] for step in steps] == ["Downloading", "Downloaded", "ChecksumVerified"]
    assert last == {"status": "Published", "requestId": 3, "location": [LOCATION]}
    assert unpublished == [{"status": "Unpublished"}, {"status": "NoFirmware"}]


def test_firmware_with_another_checksum_is_not_published() -> None:
    central = booted()
    publish(central, "c0ffee")

    ended(central, CONTENT)

    assert told(central, "PublishFirmwareStatusNotification") == ["Downloading", "Downloaded", "InvalidChecksum"]
    assert central.command("UnpublishFirmware", {"checksum": "c0ffee"}) == {"status": "NoFirmware"}


def test_firmware_for_others_is_fetched_again_as_often_as_it_was_asked_for() -> None:
    central = booted()

    publish(central, retries=2, retryInterval=5)
    ended(central, MISSED)
    central.run(6)
    ended(central, MISSED)
    central.run(100)

    assert told(central, "PublishFirmwareStatusNotification") == ["Downloading", "DownloadFailed"]


def test_one_file_is_published_at_a_time() -> None:
    central = booted()
    publish(central)

    second = publish(central, "c0ffee")
    unpublished = central.command("UnpublishFirmware", {"checksum": CHECKSUM})

    assert second == {**REJECTED, "statusInfo": {"reasonCode": "FwUpdateInProgress"}}
    assert unpublished == {"status": "DownloadOngoing"}


# --- customers --------------------------------------------------------------------------------------------------------


def ask_about(central: Central, report: bool, clear: bool, **whose: object) -> object:
    return central.command("CustomerInformation", {"requestId": 6, "report": report, "clear": clear, **whose})


def test_a_customer_of_whom_nothing_is_known_is_told_so() -> None:
    central = booted()

    answer = ask_about(central, True, False, customerIdentifier="Jo")

    body = {"data": "No customer data stored", "seqNo": 0, "tbc": False, "generatedAt": "2023-11-14T22:15:00.000Z"}
    assert (answer, central.take()) == (ACCEPTED, [("NotifyCustomerInformation", {**body, "requestId": 6})])


def test_what_is_known_of_a_customer_is_told_and_cleared_but_nobody_elses() -> None:
    central = charging()
    entries = [{"idToken": token, "idTokenInfo": {"status": "Blocked"}} for token in (TOKEN, OTHER)]
    request = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}
    central.command("SendLocalList", request)
    central.station.board.remember(TOKEN, {"status": "Accepted", "groupIdToken": OTHER})

    ask_about(central, True, True, idToken=TOKEN)
    ask_about(central, True, False, idToken=TOKEN)
    central.settle()

    transaction = f"Transaction at EVSE 1: {central.uuid()}"
    first = f"Authorization cache: Accepted\nGroup: OTHER\nLocal authorization list: Blocked\n{transaction}"
    assert [p["data"] for p in central.payloads("NotifyCustomerInformation")] == [first, transaction]
    assert central.station.device.get("LocalAuthListCtrlr", "Entries") == "1"


def test_what_is_too_long_for_one_message_comes_in_parts() -> None:
    central = booted(connectors=12)
    for evse in central.station.evses.values():
        evse.transaction = evse.begin("Authorized", central.now)
        evse.transaction.id_tag = TOKEN["idToken"]

    ask_about(central, True, False, idToken=TOKEN)
    central.settle()

    parts = central.payloads("NotifyCustomerInformation")
    lines = "".join(part["data"] for part in parts).splitlines()
    assert [(part["seqNo"], part["tbc"]) for part in parts] == [(0, True), (1, False)]
    assert [line.partition(":")[0] for line in lines] == [f"Transaction at EVSE {number}" for number in range(1, 13)]


def test_customer_information_needs_one_reference_and_something_to_do() -> None:
    central = booted()

    answers = [
        ask_about(central, True, False),
        ask_about(central, True, False, customerIdentifier="Jo", idToken=TOKEN),
        ask_about(central, False, False, customerIdentifier="Jo"),
    ]

    assert answers == [{"status": "Invalid"}, {"status": "Invalid"}, REJECTED]
    assert central.take() == []


# --- security events --------------------------------------------------------------------------------------------------


def test_a_power_cycle_is_a_startup_and_a_reset_is_told_too() -> None:
    central = booted()

    central.by_hand(PowerCycle())
    restart(central)
    cycled = events(central)
    central.take()
    central.command("Reset", {"type": "Immediate"})
    restart(central)

    assert (cycled, events(central)) == (["StartupOfTheDevice"], ["ResetOrReboot", "StartupOfTheDevice"])


def test_a_new_connection_is_no_startup() -> None:
    central = booted()

    central.disconnect()
    central.connect()
    central.settle()

    assert events(central) == []


def test_a_security_event_that_nobody_has_heard_is_told_later() -> None:
    central = booted()
    central.command("CertificateSigned", {"certificateChain": "x"})

    central.disconnect()
    central.connect()
    central.settle()

    assert events(central) == ["InvalidChargingStationCertificate"] * 2


@pytest.mark.parametrize(("seconds", "told"), [(15, []), (3600, ["SettingSystemTime"])])
def test_a_clock_that_is_far_off_is_a_security_event(seconds: int, told: list[str]) -> None:
    central = booted()

    central.by_hand(Skew(seconds))
    central.run(301)

    assert events(central) == told


def test_new_values_of_security_variables_are_told() -> None:
    central = booted()

    central.variable("SecurityCtrlr", "OrganizationName", "Others")
    central.variable("OCPPCommCtrlr", "HeartbeatInterval", "60")
    central.settle()

    (event,) = central.payloads("SecurityEventNotification")
    assert (event["type"], event["techInfo"]) == ("ReconfigurationOfSecurityParameters", "OrganizationName")

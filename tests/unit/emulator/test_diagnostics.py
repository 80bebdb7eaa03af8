"""GetDiagnostics and GetLog, up to the upload itself."""

import pytest

from csms_emulator.actions import Failure, Transfer, Transferred
from tests.unit.emulator.driving import Central, Payload, booted

NAME = "EMU-00001-diagnostics-20231114T221500Z.log"
LOG = b"""\
# EMU-00001, an emulated charging station with firmware 1.0
2023-11-14T22:15:00.000Z info connected
2023-11-14T22:15:00.000Z info accepted heartbeat=300
"""


def get_diagnostics(central: Central, **fields: object) -> object:
    answer = central.command("GetDiagnostics", {"location": "ftp://example.org/logs", **fields})
    central.run(1)
    return answer


def get_log(central: Central, kind: str = "DiagnosticsLog", number: int = 5, **fields: object) -> object:
    log: Payload = {"remoteLocation": "ftp://example.org/logs"}
    answer = central.command("GetLog", {"logType": kind, "requestId": number, "log": log, **fields})
    central.run(1)
    return answer


def test_the_station_uploads_its_log_and_tells_how_that_went() -> None:
    central = booted()

    answer = get_diagnostics(central)
    transfer = central.transferred()
    central.settle()

    assert answer == {"fileName": NAME}
    assert transfer == Transfer("ftp://example.org/logs", 1, LOG, NAME)
    assert central.take() == [
        ("DiagnosticsStatusNotification", {"status": "Uploading"}),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}),
    ]


def test_the_log_is_cut_to_the_times_that_were_asked_for() -> None:
    central = booted()

    get_diagnostics(central, startTime="2023-11-14T22:15:01Z", stopTime="2023-11-15T00:00:00Z")

    assert central.transferred().content == LOG.splitlines(keepends=True)[0]


def test_an_upload_is_tried_again_as_often_as_it_was_asked_for() -> None:
    central = booted()

    get_diagnostics(central, retries=2, retryInterval=10)
    central.transferred(Transferred(failure="failed", reason="no"))
    central.run(8)
    waiting = [*central.transfers]
    central.run(3)
    central.transferred(Transferred(failure="failed", reason="no"))
    central.run(100)

    assert (waiting, central.transfers) == ([], [])
    assert [p["status"] for p in central.payloads("DiagnosticsStatusNotification")] == ["Uploading", "UploadFailed"]


@pytest.mark.parametrize("number", [-(10**30), 10**30])
def test_retries_out_of_all_proportion_do_no_harm(number: int) -> None:
    central = booted()

    answer = get_diagnostics(central, retries=number, retryInterval=number)
    central.transferred(Transferred(failure="failed", reason="no"))

    assert answer == {"fileName": NAME}


def test_a_trigger_tells_how_far_the_upload_is() -> None:
    central = booted()
    get_diagnostics(central)
    central.take()

    central.command("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"})

    assert central.take() == [("DiagnosticsStatusNotification", {"status": "Uploading"})]


def test_a_log_is_uploaded_under_the_number_of_its_request() -> None:
    central = booted()

    answer = get_log(central)
    transfer = central.transferred()
    central.settle()

    assert answer == {"status": "Accepted", "filename": NAME}
    assert transfer == Transfer("ftp://example.org/logs", 1, LOG, NAME)
    assert central.take() == [
        ("LogStatusNotification", {"status": "Uploading", "requestId": 5}),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 5}),
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

    central.transferred(Transferred(failure=failure, reason="no"))
    central.settle()

    assert central.take()[-1] == ("LogStatusNotification", {"status": status, "requestId": 5})


def test_a_second_log_cancels_the_first() -> None:
    central = booted()
    get_log(central)
    (first,) = central.transfers
    central.transfers.clear()

    answer = get_log(central, number=6)
    central.behaviour.transferred(first.number, Transferred(failure="failed", reason="no"), central.now)
    central.transferred()
    central.settle()

    assert isinstance(answer, dict)
    assert answer["status"] == "AcceptedCanceled"
    assert central.take()[-1] == ("LogStatusNotification", {"status": "Uploaded", "requestId": 6})


def test_the_security_log_has_the_security_events() -> None:
    central = booted()
    central.command("CertificateSigned", {"certificateChain": "x"})

    get_log(central, "SecurityLog")

    content = central.transferred().content or b""
    assert content.splitlines()[1:] == [b"2023-11-14T22:15:00.000Z InvalidChargePointCertificate"]

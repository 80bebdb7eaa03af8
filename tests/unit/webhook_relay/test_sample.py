import pytest
from msgspec import Raw

from csms_platform.envelope import Envelope, Kind
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply
from csms_webhook_relay.sample import Finding, explain, finding

UNREACHABLE = Failed("no connection to localhost:8080")


def asked(action: str) -> Envelope:
    return Envelope(Kind.CALL, "WEBHOOK-TEST", version="ocpp1.6", action=action)


@pytest.mark.parametrize(
    ("action", "found", "policy", "reply", "told", "fine"),
    [
        ("Heartbeat", Answered(Raw(b'{"a":1}')), "builtin", "CALLRESULT", '{"a":1}', True),
        ("DataTransfer", Refused("NotSupported", "no"), "reject", "CALLERROR", "NotSupported: no", True),
        ("DataTransfer", Refused("NotSupported", ""), "reject", "CALLERROR", "NotSupported", True),
        ("StopTransaction", Refused("GenericError", "no"), "spool", "CALLERROR",
         "yes; its message becomes a dead letter", False),
        ("MeterValues", Final("HTTP status 404"), "spool", "HTTP status 404",
         "yes; its message becomes a dead letter", False),
        ("Authorize", Final("HTTP status 404"), "builtin", "HTTP status 404",
         "policy builtin: what the router answers by itself", False),
        ("MeterValues", UNREACHABLE, "spool", UNREACHABLE.reason,
         "policy spool: its message is stored, and delivered later", False),
        ("SignCertificate", UNREACHABLE, "error", UNREACHABLE.reason, "policy error: CALLERROR InternalError", False),
    ],
)  # fmt: skip
def test_a_finding_says_what_the_station_is_told(
    action: str, found: Reply, policy: str, reply: str, told: str, fine: bool
) -> None:
    assert finding("default", asked(action), found, policy) == Finding("default", "ocpp1.6", action, reply, told, fine)


def test_the_table_marks_what_failed_and_counts() -> None:
    findings = [
        Finding("default", "ocpp1.6", "Heartbeat", "CALLRESULT", '{"currentTime":"now"}', True),
        Finding("default", "ocpp1.6", "Authorize", "HTTP status 500", "policy builtin", False),
    ]

    assert explain(findings) == (
        "  ENDPOINT  VERSION  ACTION     REPLY            THE STATION IS TOLD\n"
        '  default   ocpp1.6  Heartbeat  CALLRESULT       {"currentTime":"now"}\n'
        "! default   ocpp1.6  Authorize  HTTP status 500  policy builtin\n"
        "1 of 2 are answered by the endpoint.\n"
    )


def test_what_the_endpoint_says_cannot_steer_the_terminal_nor_flood_it() -> None:
    line = explain([Finding("default", "ocpp1.6", "Heartbeat", "\x1b[2J", "x" * 1000, True)]).splitlines()[1]

    assert line == "  default   ocpp1.6  Heartbeat  �[2J   " + "x" * 89 + "…"

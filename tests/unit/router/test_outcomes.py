"""How the end of a command reads: as an operator's reply, as an envelope, as an event."""

import json
from typing import Any

import pytest
from msgspec import UNSET, Raw
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import Command, Event
from csms_router import outcomes

NOW = 1_767_268_800.0
RESULT = Command(
    StationId("CS-1"),
    "r-1",
    "Reset",
    Raw(b'{"type":"Soft"}'),
    created=1_767_268_799_000,
    deadline=0,
    overdue=0,
    status="ended",
    gateway="east",
    account="acme",
    version="ocpp1.6",
    outcome="result",
    answer=Raw(b'{"status":"Accepted"}'),
    ended=1_767_268_800_000,
)
ERROR = replace(
    RESULT, outcome="error", error_code="NotSupported", error_description="No.", answer=Raw(b'{"why":"so"}')
)
NAMES = {"identity": "CS-1", "uniqueId": "r-1", "action": "Reset"}


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (RESULT, {"outcome": "result", "payload": {"status": "Accepted"}}),
        (
            ERROR,
            {
                "outcome": "error",
                "errorCode": "NotSupported",
                "errorDescription": "No.",
                "errorDetails": {"why": "so"},
            },
        ),
        (
            replace(RESULT, outcome="NotConnected", answer=Raw(b"{}")),
            {
                "outcome": "NotConnected",
                "errorDescription": "The station is not connected.",
                "errorDetails": {},
            },
        ),
        (
            replace(RESULT, outcome="Refused", answer=Raw(b"{}")),
            {
                "outcome": "Refused",
                "errorDescription": "32 commands wait for the station already.",
                "errorDetails": {},
            },
        ),
    ],
)
def test_an_operator_reads_the_payload_or_what_went_wrong(ended: Command, expected: dict[str, Any]) -> None:
    assert json.loads(outcomes.reply(ended)) == NAMES | expected


def test_a_service_of_ours_gets_it_as_an_envelope() -> None:
    envelopes = [outcomes.envelope(RESULT), outcomes.envelope(ERROR)]

    assert envelopes == [
        Envelope(
            Kind.RESULT,
            "CS-1",
            version="ocpp1.6",
            unique_id="r-1",
            action="Reset",
            payload=Raw(b'{"status":"Accepted"}'),
            outcome="result",
        ),
        Envelope(
            Kind.ERROR,
            "CS-1",
            version="ocpp1.6",
            unique_id="r-1",
            action="Reset",
            payload=Raw(b'{"why":"so"}'),
            error_code="NotSupported",
            error_description="No.",
            outcome="error",
        ),
    ]


def test_an_event_tells_all_of_it() -> None:
    events = [replace(outcomes.event(ended, NOW), id="") for ended in (RESULT, ERROR)]

    told = Event(
        id="",
        time="2026-01-01T12:00:00.000Z",
        type="command",
        identity="CS-1",
        account="acme",
        version="ocpp1.6",
        gateway="east",
        unique_id="r-1",
        action="Reset",
        request=Raw(b'{"type":"Soft"}'),
        outcome="result",
        response=Raw(b'{"status":"Accepted"}'),
        milliseconds=1000,
    )
    assert events == [
        told,
        replace(
            told,
            outcome="error",
            response=UNSET,
            error_code="NotSupported",
            error_description="No.",
            error_details=Raw(b'{"why":"so"}'),
        ),
    ]


def test_an_event_holds_no_password() -> None:
    changed = replace(RESULT, action="ChangeConfiguration", payload=Raw(b'{"key":"AuthorizationKey","value":"secret"}'))

    assert outcomes.event(changed, NOW).request == Raw(b'{"key":"AuthorizationKey","value":"***"}')

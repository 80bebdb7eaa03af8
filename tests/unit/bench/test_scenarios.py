"""What the stations of the benchmark say is valid, and a session is a whole one."""

import json

import pytest

from bench.scenarios import SCENARIOS
from csms_emulator.load.scripts import BOOT, Play
from csms_emulator.load.wire import CallTemplate
from csms_ocpp.frames import Call, decode
from csms_ocpp.schemas import REQUEST, table
from csms_ocpp.version import DIALECTS, Version

ID = b"0000000001"
STARTED = b'[3,"0000000001",{"idTagInfo":{"status":"Accepted"},"transactionId":77}]'


def call_of(template: CallTemplate) -> Call:
    frame = template.frame(ID)
    read = decode(frame[frame.index(b"[") :], DIALECTS[Version.V1_6])
    assert isinstance(read, Call)
    return read


def said(scenario: str, count: int) -> list[Call]:
    play, calls = Play(SCENARIOS[scenario]("BENCH-000001")), []
    for _ in range(count):
        calls.append(call_of(play.upcoming))
        play.advance(STARTED)
    return calls


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_call_is_valid(scenario: str) -> None:
    calls = [call_of(BOOT), *said(scenario, 25)]

    assert [table(Version.V1_6)[call.action, REQUEST].check(call.payload) for call in calls] == [None] * 26


def test_a_session_is_ten_calls_and_begins_again() -> None:
    actions = [call.action for call in said("session", 11)]

    assert actions == [
        "Authorize",
        "StartTransaction",
        "StatusNotification",
        *["MeterValues"] * 5,
        "StopTransaction",
        "StatusNotification",
        "Authorize",
    ]


def test_a_session_uses_the_transaction_id_that_it_was_given() -> None:
    payloads = [json.loads(bytes(call.payload)) for call in said("session", 10)]

    assert [payload.get("transactionId") for payload in payloads] == [None, None, None, *[77] * 6, None]


def test_no_two_starts_are_alike() -> None:
    starts = [bytes(call.payload) for call in said("session", 50) if call.action == "StartTransaction"]

    assert len(set(starts)) == 5

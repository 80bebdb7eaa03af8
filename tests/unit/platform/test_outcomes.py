"""Which commands a station may not get yet, and which make it send something."""

import pytest
from msgspec import Raw

from csms_platform.outcomes import Recent, refusal, triggered_by


@pytest.mark.parametrize(
    ("action", "payload", "triggered"),
    [
        ("TriggerMessage", b'{"requestedMessage":"StatusNotification","connectorId":1}', "StatusNotification"),
        ("ExtendedTriggerMessage", b'{"requestedMessage":"SignChargePointCertificate"}', "SignCertificate"),
        ("TriggerMessage", b'{"requestedMessage":"SignV2GCertificate"}', "SignCertificate"),
        ("TriggerMessage", b'{"requestedMessage":"BootNotification","evse":{"id":1}}', "BootNotification"),
        ("GetBaseReport", b'{"requestId":1,"reportBase":"FullInventory"}', "NotifyReport"),
        ("GetReport", b'{"requestId":1}', "NotifyReport"),
        ("Reset", b'{"type":"Soft","requestedMessage":"Heartbeat"}', ""),
        ("TriggerMessage", b"{}", ""),
        ("TriggerMessage", b'{"requestedMessage":7}', ""),
        ("TriggerMessage", b"[]", ""),
        ("TriggerMessage", b"nonsense", ""),
        ("TriggerMessage", b'{"requestedMessage":"\xff"}', ""),
        ("TriggerMessage", b'{"x":' + b"[" * 100_000, ""),
    ],
)
def test_what_a_station_sends_because_of_a_command(action: str, payload: bytes, triggered: str) -> None:
    assert triggered_by(action, Raw(payload)) == triggered


@pytest.mark.parametrize(
    "action",
    ["RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction"],
)
@pytest.mark.parametrize("registration", ["Pending", "Rejected"])
def test_no_transaction_is_started_or_stopped_before_the_station_is_accepted(action: str, registration: str) -> None:
    assert refusal(action, registration) == f"The station's registration is {registration}."


@pytest.mark.parametrize(
    ("action", "registration"),
    [("RemoteStartTransaction", "Accepted"), ("RemoteStartTransaction", ""), ("TriggerMessage", "Pending")],
)
def test_everything_else_may_be_sent(action: str, registration: str) -> None:
    assert refusal(action, registration) == ""


def test_what_was_seen_is_known_until_enough_came_after_it() -> None:
    recent = Recent(most=2)

    assert [recent.seen(thing) for thing in "aabbcabc"] == [False, True, False, True, False, False, False, False]

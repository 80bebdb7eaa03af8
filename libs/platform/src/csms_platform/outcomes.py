"""What every gateway must know about commands: which a station may not get yet, and which make it send something.

And how it tells how one ended, and which it has had already.
"""

from collections.abc import Hashable

import msgspec
from msgspec import Raw

from csms_ocpp.session import Outcome
from csms_platform.envelope import Envelope, Kind


class _Trigger(msgspec.Struct, rename="camel"):
    requested_message: str = ""


_trigger = msgspec.json.Decoder(_Trigger).decode

# OCPP 2.0.1 names some triggers after what they are for, not after the action that follows.
_ACTIONS = {
    "SignChargePointCertificate": "SignCertificate",
    "SignChargingStationCertificate": "SignCertificate",
    "SignV2GCertificate": "SignCertificate",
    "SignV2G20Certificate": "SignCertificate",
    "SignCombinedCertificate": "SignCertificate",
}

_REPORTS = frozenset({"GetBaseReport", "GetReport"})
_TRIGGERS = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})
_STARTS_AND_STOPS = frozenset(
    {"RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction"}
)


def triggered_by(action: str, payload: Raw) -> str:
    """The action that a station sends because of this command, "" when none does."""
    if action in _REPORTS:
        return "NotifyReport"
    if action not in _TRIGGERS:
        return ""
    try:
        requested = _trigger(payload).requested_message
    except (ValueError, RecursionError):
        return ""
    return _ACTIONS.get(requested, requested)


def refusal(action: str, registration: str) -> str:
    """Why the station must not be sent this command in its registration status; "" when it may."""
    # OCPP 1.6 §4.2: while Pending, "the Central System … SHALL NOT" remote start or stop transactions.
    if action in _STARTS_AND_STOPS and registration in ("Pending", "Rejected"):
        return f"The station's registration is {registration}."
    return ""


def told_outcome(command: Envelope, outcome: Outcome, code: str, description: str, payload: Raw) -> Envelope:
    """How `command` ended. `code` is the station's or the schema's; an outcome that has none is named by itself."""
    return Envelope(
        Kind.RESULT if outcome is Outcome.RESULT else Kind.ERROR,
        command.identity,
        command.account,
        command.version,
        command.transport,
        unique_id=command.unique_id,
        action=command.action,
        payload=payload,
        error_code=code or ("" if outcome is Outcome.RESULT else outcome.value),
        error_description=description,
        outcome=outcome.value,
        attempt=command.attempt,
        traceparent=command.traceparent,
    )


class Recent:
    """The last `most` things that were seen."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[Hashable, None] = {}

    def seen(self, thing: Hashable) -> bool:
        """Whether `thing` is among them; from now on it is."""
        if thing in self._seen:
            return True
        self._seen[thing] = None
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return False

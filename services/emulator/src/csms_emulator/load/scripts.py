"""What a station says in each profile: a generator that yields CALLs and is sent the answers.

Nothing here knows time, sockets or how many stations there are. OCPP 1.6, the version of most stations in the field.
"""

import json
import re
from collections.abc import Callable, Generator
from itertools import count

from csms_emulator.load.wire import CallTemplate

Script = Generator[CallTemplate, bytes, None]

START = "2024-05-01T10:00:00.000Z"
_TRANSACTION_ID = re.compile(rb'"transactionId" ?: ?(-?\d+)')


def call(action: str, **payload: object) -> CallTemplate:
    """The CALL of an action."""
    return CallTemplate(action, json.dumps(payload, separators=(",", ":")).encode())


def meter_values(transaction_id: int | None = None, at: str = START) -> CallTemplate:
    """Energy, power and current of one connector: about 350 bytes."""
    sampled = [
        {"value": "12345.6", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "7360.0", "measurand": "Power.Active.Import", "unit": "W"},
        {"value": "32.0", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
    ]
    transaction = {} if transaction_id is None else {"transactionId": transaction_id}
    meter_value = [{"timestamp": at, "sampledValue": sampled}]
    return call("MeterValues", connectorId=1, **transaction, meterValue=meter_value)


BOOT = call(
    "BootNotification",
    chargePointVendor="csms",
    chargePointModel="load",
    chargePointSerialNumber="0001",
    firmwareVersion="1.0",
)
_HEARTBEAT = call("Heartbeat")
_METER_VALUES = meter_values()
_CHARGING = call("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
_AVAILABLE = call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")


def heartbeats(identity: str, at: str = START) -> Script:
    """Heartbeats without end."""
    while True:
        yield _HEARTBEAT


def metervalues(identity: str, at: str = START) -> Script:
    """Meter values without end, and without a transaction."""
    while True:
        yield _METER_VALUES


def sessions(identity: str, at: str = START) -> Script:
    """Charging sessions without end, ten CALLs each, all of them at the time `at`.

    No two starts are alike, or they would be taken for a repeat.
    """
    id_tag = identity[-20:]
    authorize = call("Authorize", idTag=id_tag)
    for meter in count(0, 1000):
        yield authorize
        answer = yield call("StartTransaction", connectorId=1, idTag=id_tag, meterStart=meter, timestamp=at)
        transaction_id = _transaction_id(answer)
        yield _CHARGING
        metering = meter_values(transaction_id, at)
        for _ in range(5):
            yield metering
        yield call(
            "StopTransaction",
            transactionId=transaction_id,
            idTag=id_tag,
            meterStop=meter + 1000,
            timestamp=at,
            reason="Local",
        )
        yield _AVAILABLE


IDLE = "idle"
"""The profile of stations that boot, and from then on only answer."""

PROFILES: dict[str, Callable[[str, str], Script]] = {
    "charging": sessions,
    "heartbeat": heartbeats,
    "metervalues": metervalues,
}
NAMES = (*PROFILES, IDLE)


class Play:
    """A script and the CALL it says next; `advance(answer)` moves on when that is answered."""

    __slots__ = ("_script", "upcoming")

    def __init__(self, script: Script) -> None:
        self._script = script
        self.upcoming = next(script)

    def advance(self, answer: bytes) -> None:
        self.upcoming = self._script.send(answer)


def _transaction_id(answer: bytes) -> int:
    """The id in a StartTransaction's answer; -1 when there is none, as a station that started offline would say."""
    found = _TRANSACTION_ID.search(answer)
    return int(found[1]) if found else -1

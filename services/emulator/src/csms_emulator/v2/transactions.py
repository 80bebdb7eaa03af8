"""A 2.x transaction and the TransactionEvents that tell of it: each numbered, each saying only what is new.

Knows neither drivers nor the connection.
"""

from enum import StrEnum
from random import Random
from uuid import UUID

from csms_emulator import outbox
from csms_emulator.actions import Payload


class ChargingState(StrEnum):
    """OCPP 2.0.1 ChargingStateEnumType."""

    IDLE = "Idle"
    EV_CONNECTED = "EVConnected"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"


class Transaction(outbox.Transaction, eq=False, kw_only=True):
    """`connector` is the EVSE. `authorized`: the idToken of the driver (`id_tag`, its text) has been told."""

    uuid: str
    state: ChargingState = ChargingState.EV_CONNECTED
    authorized: bool = False
    events: int = 0

    def event(self, kind: str, trigger: str, timestamp: str, *, offline: bool) -> Payload:
        """The next TransactionEvent; the caller adds what else is new.

        OCPP 2.0.1 E01: seqNo starts at 0, and evse is told once, in the first event.
        """
        body: Payload = {
            "eventType": kind,
            "timestamp": timestamp,
            "triggerReason": trigger,
            "seqNo": self.events,
            "transactionInfo": {"transactionId": self.uuid},
        }
        if self.events == 0:
            body["evse"] = {"id": self.connector, "connectorId": 1}
        if offline:
            body["offline"] = True
        self.events += 1
        return body


def begin(evse: int, meter: int, now: float, random: Random) -> Transaction:
    """A transaction that nobody has been told of."""
    identity = UUID(int=random.getrandbits(128), version=4)
    return Transaction(connector=evse, id_tag="", meter_start=meter, started=now, uuid=str(identity))

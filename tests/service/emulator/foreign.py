"""A central system of 1.6 that is not ours, made with the PyPI package `ocpp`."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from ocpp.v16 import ChargePoint, call, call_result

from tests.service.emulator.foreign_central import (
    Answers,
    Fields,
    ForeignCentral,
    central_system,
    now,
    peer_class,
)
from tests.service.emulator.foreign_central import Listening as Peer

__all__ = ["ForeignCentral", "Peer", "foreign_central"]


def _start(central: ForeignCentral) -> Fields:
    return {"transaction_id": next(central.numbers), "id_tag_info": {"status": "Accepted"}}


ANSWERS: Answers = {
    "Authorize": lambda central: {"id_tag_info": {"status": "Accepted"}},
    "BootNotification": ForeignCentral.boot,
    "DataTransfer": lambda central: {"status": "Accepted"},
    "DiagnosticsStatusNotification": lambda central: {},
    "FirmwareStatusNotification": lambda central: {},
    "Heartbeat": lambda central: {"current_time": now()},
    "LogStatusNotification": lambda central: {},
    "MeterValues": lambda central: {},
    "SecurityEventNotification": lambda central: {},
    "SignCertificate": lambda central: {"status": "Accepted"},
    "SignedFirmwareStatusNotification": lambda central: {},
    "StartTransaction": _start,
    "StatusNotification": lambda central: {},
    "StopTransaction": lambda central: {},
}
PEER = peer_class(ChargePoint, call, call_result, ANSWERS)


def foreign_central(**how: Any) -> AbstractAsyncContextManager[ForeignCentral]:
    """One on a free loopback port; `central_system` says how else."""
    return central_system(PEER, "ocpp1.6", **how)

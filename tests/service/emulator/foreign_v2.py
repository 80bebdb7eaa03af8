"""Central systems of 2.0.1 and of 2.1 that are not ours, made with the PyPI package `ocpp`."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from ocpp import v21, v201

from tests.service.emulator.foreign_central import Answers, Fields, ForeignCentral, central_system, now, peer_class
from tests.service.emulator.foreign_central import Listening as Peer

__all__ = ["ForeignCentral", "Peer", "foreign_central"]

_SILENT = (
    "ClearedChargingLimit",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "StatusNotification",
    "TransactionEvent",
)
_SILENT_2_1 = (
    "BatterySwap",
    "ClosePeriodicEventStream",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "ReportDERControl",
)
_ACCEPTED = ("DataTransfer", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "SignCertificate")


def _unknown() -> Fields:
    hashes = {"hash_algorithm": "SHA256", "issuer_name_hash": "0", "issuer_key_hash": "0", "serial_number": "1"}
    return {"certificate_hash_data": hashes, "source": "OCSP", "status": "Unknown", "next_update": now()}


ANSWERS: Answers = {
    **dict.fromkeys(_SILENT, lambda central: {}),
    **dict.fromkeys(_ACCEPTED, lambda central: {"status": "Accepted"}),
    "Authorize": lambda central: {"id_token_info": {"status": "Accepted"}},
    "BootNotification": ForeignCentral.boot,
    "Get15118EVCertificate": lambda central: {"status": "Accepted", "exi_response": "ZXhp"},
    "GetCertificateStatus": lambda central: {"status": "Failed"},
    "Heartbeat": lambda central: {"current_time": now()},
}
# The package does not know the SEND messages that would follow an OpenPeriodicEventStream.
ANSWERS_2_1: Answers = {
    **ANSWERS,
    **dict.fromkeys(_SILENT_2_1, lambda central: {}),
    "GetCertificateChainStatus": lambda central: {"certificate_status": [_unknown()]},
    "OpenPeriodicEventStream": lambda central: {"status": "Rejected"},
    "PullDynamicScheduleUpdate": lambda central: {"status": "Rejected"},
    "VatNumberValidation": lambda central: {"status": "Rejected", "vat_number": "NL1"},
}
PEERS = {
    "2.0.1": peer_class(v201.ChargePoint, v201.call, v201.call_result, ANSWERS),
    "2.1": peer_class(v21.ChargePoint, v21.call, v21.call_result, ANSWERS_2_1),
}


def foreign_central(version: str = "2.0.1", **how: Any) -> AbstractAsyncContextManager[ForeignCentral]:
    """One on a free loopback port that speaks nothing but this version; `central_system` says how else."""
    return central_system(PEERS[version], f"ocpp{version}", **how)

"""The messages that TriggerMessage can ask for in 2.x, except BootNotification, which is the station's own.

Each function is given the EVSEs that are meant; what it posts leaves even while the registration is pending.
"""

from collections.abc import Callable

from csms_emulator.certificates16 import Certificates
from csms_emulator.v2.board import Board
from csms_emulator.v2.evse import Evse

Trigger = Callable[[Board, list[Evse], float], None]


def _status(board: Board, evses: list[Evse], now: float) -> None:
    for evse in evses:
        evse.report(now, triggered=True)


def _meter_values(board: Board, evses: list[Evse], now: float) -> None:
    for evse in evses:
        body = {"evseId": evse.number, "meterValue": evse.sampled("Trigger", now)}
        board.outbox.post("MeterValues", body, triggered=True)


def _transaction_event(board: Board, evses: list[Evse], now: float) -> None:
    for evse in evses:
        evse.tell_on_request(now)


def _heartbeat(board: Board, evses: list[Evse], now: float) -> None:
    board.outbox.post("Heartbeat", {}, triggered=True)


def _firmware(board: Board, evses: list[Evse], now: float) -> None:
    board.outbox.post("FirmwareStatusNotification", board.upkeep.update.told, triggered=True)


def _log(board: Board, evses: list[Evse], now: float) -> None:
    board.outbox.post("LogStatusNotification", board.upkeep.log.told, triggered=True)


def _publishing(board: Board, evses: list[Evse], now: float) -> None:
    told = board.device.memory.publication.told
    board.outbox.post("PublishFirmwareStatusNotification", told, triggered=True)


def _station_certificate(board: Board, evses: list[Evse], now: float) -> None:
    _sign(board, "ChargingStationCertificate", board.device.memory.keyring.station)


def _v2g_certificate(board: Board, evses: list[Evse], now: float) -> None:
    _sign(board, "V2GCertificate", board.device.memory.keyring.v2g)


def _sign(board: Board, kind: str, certificates: Certificates) -> None:
    serial = board.device.get("ChargingStation", "SerialNumber")
    csr = certificates.request(serial, board.device.get("SecurityCtrlr", "OrganizationName"))
    board.outbox.post("SignCertificate", {"csr": csr, "certificateType": kind}, triggered=True)


TRIGGERS: dict[str, Trigger] = {
    "FirmwareStatusNotification": _firmware,
    "Heartbeat": _heartbeat,
    "LogStatusNotification": _log,
    "MeterValues": _meter_values,
    "PublishFirmwareStatusNotification": _publishing,
    "SignChargingStationCertificate": _station_certificate,
    "SignV2GCertificate": _v2g_certificate,
    "StatusNotification": _status,
    "TransactionEvent": _transaction_event,
}

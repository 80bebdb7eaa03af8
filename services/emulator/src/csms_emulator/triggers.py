"""The messages that TriggerMessage can ask for (OCPP 1.6 §5.17), except BootNotification, which is the station's own.

The connector is None for all of them, 0 for the station as a whole.
"""

from collections.abc import Callable, Mapping

from csms_emulator.board import Board
from csms_emulator.charging import sample
from csms_emulator.connector import Connector

Trigger = Callable[[Board, Mapping[int, Connector], int | None, float], None]


def report_station(board: Board, connectors: Mapping[int, Connector], now: float, *, triggered: bool = False) -> None:
    """StatusNotification of connector 0: the station as a whole."""
    status = "Available" if any(c.operative for c in connectors.values()) else "Unavailable"
    body = {"connectorId": 0, "errorCode": "NoError", "status": status, "timestamp": board.timestamp(now)}
    board.outbox.post("StatusNotification", body, triggered=triggered)


def _status(board: Board, connectors: Mapping[int, Connector], wanted: int | None, now: float) -> None:
    if not wanted:
        report_station(board, connectors, now, triggered=True)
    for connector in _chosen(connectors, wanted):
        connector.report(now, triggered=True)


def _meter_values(board: Board, connectors: Mapping[int, Connector], wanted: int | None, now: float) -> None:
    if wanted == 0:
        _main_meter(board, connectors, now)
    for connector in _chosen(connectors, wanted):
        body = {"connectorId": connector.number, "meterValue": connector.sampled("Trigger", now)}
        if connector.transaction and connector.transaction.id is not None:
            body["transactionId"] = connector.transaction.id
        board.outbox.post("MeterValues", body, triggered=True)


def _main_meter(board: Board, connectors: Mapping[int, Connector], now: float) -> None:
    for connector in connectors.values():
        connector.measure(now)
    total = sum(int(connector.register) for connector in connectors.values())
    values = sample(total, None, [], "Trigger", board.random)
    reading = {"timestamp": board.timestamp(now), "sampledValue": values}
    board.outbox.post("MeterValues", {"connectorId": 0, "meterValue": [reading]}, triggered=True)


def _heartbeat(board: Board, connectors: Mapping[int, Connector], wanted: int | None, now: float) -> None:
    board.outbox.post("Heartbeat", {}, triggered=True)


def _firmware(board: Board, connectors: Mapping[int, Connector], wanted: int | None, now: float) -> None:
    # OCPP 1.6 §4.5: Idle is only for an answer to a TriggerMessage, when no firmware is being installed.
    board.outbox.post("FirmwareStatusNotification", {"status": board.upkeep.update.plain_status}, triggered=True)


def _diagnostics(board: Board, connectors: Mapping[int, Connector], wanted: int | None, now: float) -> None:
    board.outbox.post("DiagnosticsStatusNotification", {"status": board.upkeep.diagnostics.status}, triggered=True)


def _chosen(connectors: Mapping[int, Connector], wanted: int | None) -> list[Connector]:
    return [connector for number, connector in connectors.items() if wanted in (None, number)]


TRIGGERS: dict[str, Trigger] = {
    "DiagnosticsStatusNotification": _diagnostics,
    "FirmwareStatusNotification": _firmware,
    "Heartbeat": _heartbeat,
    "MeterValues": _meter_values,
    "StatusNotification": _status,
}

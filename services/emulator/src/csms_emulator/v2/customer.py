"""What concerns a driver: their data, the cost of their transaction, their battery; and the messages of vendors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.local_list import key

if TYPE_CHECKING:
    from csms_emulator.v2.board import Board
    from csms_emulator.v2.station import Station

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
NO_DATA = "No customer data stored"
REFERENCES = ("customerIdentifier", "idToken", "customerCertificate")
LONGEST = 512  # OCPP 2.0.1 NotifyCustomerInformationRequest: of `data`


def customer_information(station: Station, request: Payload, now: float) -> Payload:
    """CustomerInformation. OCPP 2.0.1 N09, N10: one of three references says whose.

    A station knows its customers by their idTokens only.
    """
    references = [name for name in REFERENCES if name in request]
    if len(references) != 1:
        return {"status": "Invalid"}
    if not (request["report"] or request["clear"]):
        return REJECTED
    id_token = request.get("idToken")
    known = [*_known(station, id_token)] if id_token else []
    if id_token and request["clear"]:
        _clear(station.board, id_token)
    # OCPP 2.0.1 N09: the notification follows whether there is something to tell or not; N10: so it does for a clear.
    _notify(station.board, request["requestId"], known if request["report"] else [], now)
    return ACCEPTED


def _known(station: Station, id_token: Payload) -> Iterator[str]:
    board = station.board
    if key(id_token) in board.cache:
        yield "Authorization cache: Accepted"
    if key(id_token) in board.groups:
        yield f"Group: {board.groups[key(id_token)]['idToken']}"
    if status := board.local_list.status(id_token):
        yield f"Local authorization list: {status}"
    for evse in station.evses.values():
        if evse.transaction and evse.transaction.id_tag.lower() == id_token["idToken"].lower():
            yield f"Transaction at EVSE {evse.number}: {evse.transaction.uuid}"


def _clear(board: Board, id_token: Payload) -> None:
    # What a transaction under way needs is not cleared.
    board.cache.discard(key(id_token))
    board.groups.pop(key(id_token), None)
    if board.local_list.forget(id_token):
        board.device.set("LocalAuthListCtrlr", "Entries", str(len(board.local_list)))


def _notify(board: Board, request_id: int, lines: list[str], now: float) -> None:
    text = "\n".join(lines) or NO_DATA
    pieces = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
    for number, piece in enumerate(pieces):
        told = {"data": piece, "seqNo": number, "tbc": number < len(pieces) - 1, "generatedAt": board.timestamp(now)}
        board.outbox.post("NotifyCustomerInformation", {**told, "requestId": request_id}, triggered=True)


def cost_updated(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """CostUpdated: shown to the driver; kept as the last known."""
    device.memory.costs = {request["transactionId"]: request["totalCost"]}
    return {}, []


def data_transfer(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """DataTransfer: OCPP 2.0.1 P01, no vendor has an implementation here."""
    return {"status": "UnknownVendorId"}, []


def request_battery_swap(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """RequestBatterySwap (2.1): this station has no batteries to swap."""
    return {**REJECTED, "statusInfo": {"reasonCode": "UnsupportedRequest"}}, []


def notify_web_payment_started(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """NotifyWebPaymentStarted (2.1)."""
    return {}, []

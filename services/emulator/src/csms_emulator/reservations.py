"""ReserveNow and CancelReservation (OCPP 1.6 §5.13, §5.2): a connector waits for one idTag until its time is up.

Connector 0 is any of them: as many as are reserved so remain available for those who reserved them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.status import Status

if TYPE_CHECKING:
    from csms_emulator.board import Board
    from csms_emulator.connector import Connector
    from csms_emulator.station import Station

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


class Reservation(msgspec.Struct, frozen=True):
    """Nobody but `id_tag` may charge, until this time on the caller's clock."""

    id: int
    id_tag: str
    until: float


def reserve_now(station: Station, request: Payload, now: float) -> Payload:
    """ReserveNow."""
    connectors = station.at(request["connectorId"])
    until = station.board.instant(request["expiryDate"])
    known = bool(connectors) or request["connectorId"] == 0
    if not known or not station.serving or until <= now:
        return REJECTED
    reservation = Reservation(request["reservationId"], request["idTag"], until)
    return _reserve(station, connectors[0], reservation, now) if connectors else _reserve_any(station, reservation, now)


def cancel_reservation(station: Station, request: Payload, now: float) -> Payload:
    """CancelReservation."""
    standing(station.board, now)
    return ACCEPTED if _drop(station, request["reservationId"], now) else REJECTED


def standing(board: Board, now: float) -> dict[int, Reservation]:
    """The reservations of the station as a whole that are not over, by their ids."""
    board.reserved = {number: one for number, one in board.reserved.items() if one.until > now}
    return board.reserved


def is_kept(board: Board, id_tag: str, now: float) -> bool:
    """Whether the connectors that are available now are kept for others."""
    reserved = standing(board, now).values()
    others = [one for one in reserved if one.id_tag != id_tag]
    return bool(others) and len(others) == len(reserved) and len(board.available) <= len(others)


def _reserve(station: Station, connector: Connector, reservation: Reservation, now: float) -> Payload:
    holder = _holder(station, reservation.id)
    if connector is not holder and connector.status is not Status.AVAILABLE:
        return {"status": _WHY.get(connector.status, "Occupied")}
    if connector is not holder and _all_kept(station.board, reservation.id, now):
        return {"status": "Occupied"}
    if holder is not connector:
        # OCPP 1.6 §5.13: a reservation with the id of another replaces it.
        _drop(station, reservation.id, now)
    connector.reserve(reservation, now)
    return ACCEPTED


def _reserve_any(station: Station, reservation: Reservation, now: float) -> Payload:
    board = station.board
    if _holder(station, reservation.id) is None and _all_kept(board, reservation.id, now):
        statuses = {_WHY.get(connector.status, "Occupied") for connector in station.connectors.values()}
        return {"status": statuses.pop() if len(statuses) == 1 else "Occupied"}
    _drop(station, reservation.id, now)
    board.reserved[reservation.id] = reservation
    return ACCEPTED


def _all_kept(board: Board, number: int, now: float) -> bool:
    """Whether every connector that is available is kept by another reservation than this one."""
    return len(board.available) <= sum(1 for other in standing(board, now) if other != number)


_WHY = {Status.UNAVAILABLE: "Unavailable", Status.FAULTED: "Faulted"}


def _drop(station: Station, number: int, now: float) -> bool:
    """The reservation with this id is over, if there is one; answers whether."""
    holder = _holder(station, number)
    if holder:
        holder.release(now)
    return bool(station.board.reserved.pop(number, None) or holder)


def _holder(station: Station, number: int) -> Connector | None:
    """The connector that waits for this reservation's driver."""
    waiting = (c for c in station.connectors.values() if c.status is Status.RESERVED and c.reservation)
    return next((c for c in waiting if c.reservation and c.reservation.id == number), None)

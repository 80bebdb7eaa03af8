"""ReserveNow and CancelReservation (OCPP 1.6 §5.13, §5.2): a connector waits for one idTag until its time is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.status import Status

if TYPE_CHECKING:
    from csms_emulator.connector import Connector
    from csms_emulator.station import Station


class Reservation(msgspec.Struct, frozen=True):
    """Nobody but `id_tag` may charge, until this time on the caller's clock."""

    id: int
    id_tag: str
    until: float


def reserve_now(station: Station, request: Payload, now: float) -> Payload:
    """ReserveNow. Connector 0 is Rejected, as where ReserveConnectorZeroSupported is not true."""
    connectors = station.at(request["connectorId"])
    until = station.board.instant(request["expiryDate"])
    if not connectors or not station.serving or until <= now:
        return {"status": "Rejected"}
    connector, standing = connectors[0], _standing(station, request["reservationId"])
    if connector is not standing and connector.status is not Status.AVAILABLE:
        return {"status": "Unavailable" if connector.status is Status.UNAVAILABLE else "Occupied"}
    if standing and standing is not connector:
        # OCPP 1.6 §5.13: a reservation with the id of another replaces it.
        standing.release(now)
    connector.reserve(Reservation(request["reservationId"], request["idTag"], until), now)
    return {"status": "Accepted"}


def cancel_reservation(station: Station, request: Payload, now: float) -> Payload:
    """CancelReservation."""
    standing = _standing(station, request["reservationId"])
    if standing is None:
        return {"status": "Rejected"}
    standing.release(now)
    return {"status": "Accepted"}


def _standing(station: Station, number: int) -> Connector | None:
    """The connector that waits for this reservation's driver."""
    waiting = (c for c in station.connectors.values() if c.status is Status.RESERVED and c.reservation)
    return next((c for c in waiting if c.reservation and c.reservation.id == number), None)

"""ReserveNow and CancelReservation of 2.x: an EVSE waits for one driver, or for his group, until its time is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.v2.local_list import key

if TYPE_CHECKING:
    from csms_emulator.v2.evse import Evse
    from csms_emulator.v2.station import Station

_REFUSALS = {"Unavailable": "Unavailable", "Occupied": "Occupied", "Reserved": "Occupied", "Faulted": "Faulted"}


class Reservation(msgspec.Struct, frozen=True):
    """Nobody but `id_token`, or somebody of `group`, may charge until this time on the caller's clock."""

    id: int
    id_token: Payload
    until: float
    group: Payload | None = None

    def fits(self, id_token: Payload, group: Payload | None = None) -> bool:
        """Whether this driver may use it."""
        if self.group and group and key(self.group) == key(group):
            return True
        return key(self.id_token) == key(id_token)


def reserve_now(station: Station, request: Payload, now: float) -> Payload:
    """ReserveNow. Without an evseId the station chooses one that is Available."""
    until = station.board.instant(request["expiryDateTime"])
    wanted = request.get("evseId")
    candidates = [*station.evses.values()] if wanted is None else station.at(wanted)
    if not candidates or not station.serving or until <= now:
        return {"status": "Rejected"}
    standing = _standing(station, request["id"])
    evse = next((e for e in candidates if e is standing or e.status == "Available"), None)
    if evse is None:
        return {"status": _REFUSALS[candidates[0].status]}
    if standing and standing is not evse:
        # OCPP 2.0.1 H01: a reservation with the id of another replaces it.
        standing.release(now)
    evse.reserve(Reservation(request["id"], request["idToken"], until, request.get("groupIdToken")), now)
    return {"status": "Accepted"}


def cancel_reservation(station: Station, request: Payload, now: float) -> Payload:
    """CancelReservation."""
    standing = _standing(station, request["reservationId"])
    if standing is None:
        return {"status": "Rejected"}
    standing.release(now)
    return {"status": "Accepted"}


def _standing(station: Station, number: int) -> Evse | None:
    """The EVSE that waits for this reservation's driver."""
    waiting = (e for e in station.evses.values() if e.reservation and e.car is None)
    return next((e for e in waiting if e.reservation and e.reservation.id == number), None)

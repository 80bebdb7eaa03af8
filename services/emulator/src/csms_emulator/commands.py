"""What a station answers when the central system asks, and what it then does: one function a command, and their table.

A command that is not in the table is refused as NotSupported. What follows from a command leaves after its answer:
functions only write into outbox and agenda.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from csms_emulator.actions import Payload
from csms_emulator.profiles import TRANSACTION
from csms_emulator.reservations import cancel_reservation, reserve_now
from csms_emulator.security16 import COMMANDS16
from csms_emulator.smart_charging import (
    clear_charging_profile,
    get_composite_schedule,
    set_charging_profile,
    understood,
)

if TYPE_CHECKING:
    from csms_emulator.station import Station

Command = Callable[["Station", Payload, float], Payload]

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def remote_start(station: Station, request: Payload, now: float) -> Payload:
    """RemoteStartTransaction.

    OCPP 1.6 §5.11: a chargingProfile is a TxProfile; it has no transactionId, as there is no transaction yet.
    """
    profile = understood(station, request["chargingProfile"]) if "chargingProfile" in request else None
    if "chargingProfile" in request and not (profile and (profile.purpose, profile.transaction) == (TRANSACTION, None)):
        return REJECTED
    wanted = request.get("connectorId")
    candidates = station.connectors.values() if wanted is None else station.at(wanted)
    connector = next((c for c in candidates if c.free(request["idTag"], now)), None)
    if connector is None or not station.serving:
        return REJECTED
    connector.remote_start(request["idTag"], now, profile)
    return ACCEPTED


def remote_stop(station: Station, request: Payload, now: float) -> Payload:
    """RemoteStopTransaction."""
    for connector in station.connectors.values():
        if connector.transaction and connector.transaction.id == request["transactionId"] and station.serving:
            connector.stop("Remote", now)
            return ACCEPTED
    return REJECTED


def reset(station: Station, request: Payload, now: float) -> Payload:
    """Reset, of the emulated station only."""
    station.reset(hard=request["type"] == "Hard", now=now)
    return ACCEPTED


def trigger_message(station: Station, request: Payload, now: float) -> Payload:
    """TriggerMessage: the six messages of OCPP 1.6 §7.22, for one connector or for all."""
    connector = request.get("connectorId")
    known = connector is None or connector in (0, *station.connectors)
    if not known or not station.may_be_triggered:
        return REJECTED
    station.trigger(request["requestedMessage"], connector, now)
    return ACCEPTED


def get_configuration(station: Station, request: Payload, now: float) -> Payload:
    """GetConfiguration."""
    return station.configuration.report(request.get("key", []))


def change_configuration(station: Station, request: Payload, now: float) -> Payload:
    """ChangeConfiguration; a changed interval counts from now."""
    status = station.configuration.change(request["key"], request["value"])
    if status == "Accepted":
        station.rearm(request["key"], now)
    return {"status": status}


def change_availability(station: Station, request: Payload, now: float) -> Payload:
    """ChangeAvailability; connector 0 stands for all of them."""
    wanted = request["connectorId"]
    connectors = [*station.connectors.values()] if wanted == 0 else station.at(wanted)
    if not connectors:
        return REJECTED
    operative = request["type"] == "Operative"
    answers = [connector.set_operative(operative, now) for connector in connectors]
    if wanted == 0:
        station.report(now)
    return {"status": "Scheduled" if "Scheduled" in answers else "Accepted"}


def unlock_connector(station: Station, request: Payload, now: float) -> Payload:
    """UnlockConnector. OCPP 1.6 §5.18: a transaction on it is finished first, as in StopTransaction."""
    connectors = station.at(request["connectorId"])
    if not connectors:
        return {"status": "NotSupported"}
    connectors[0].stop("UnlockCommand", now)
    return {"status": "Unlocked"}


def clear_cache(station: Station, request: Payload, now: float) -> Payload:
    """ClearCache."""
    station.board.cache.clear()
    return ACCEPTED


def data_transfer(station: Station, request: Payload, now: float) -> Payload:
    """DataTransfer: OCPP 1.6 §5.6, no vendor has an implementation here."""
    return {"status": "UnknownVendorId"}


def get_local_list_version(station: Station, request: Payload, now: float) -> Payload:
    """GetLocalListVersion: OCPP 1.6 §5.10, 0 says that the list is empty."""
    return {"listVersion": station.board.local_list.version}


def send_local_list(station: Station, request: Payload, now: float) -> Payload:
    """SendLocalList."""
    return {"status": station.board.local_list.update(request)}


COMMANDS: dict[str, Command] = {
    "CancelReservation": cancel_reservation,
    "ChangeAvailability": change_availability,
    "ChangeConfiguration": change_configuration,
    "ClearCache": clear_cache,
    "ClearChargingProfile": clear_charging_profile,
    "DataTransfer": data_transfer,
    "GetCompositeSchedule": get_composite_schedule,
    "GetConfiguration": get_configuration,
    "GetLocalListVersion": get_local_list_version,
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": remote_stop,
    "ReserveNow": reserve_now,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
    "TriggerMessage": trigger_message,
    "UnlockConnector": unlock_connector,
    **COMMANDS16,
}

"""What a 2.x station answers when it is asked about charging, and what it then does: a function a command, and a table.

What follows from a command leaves after its answer: functions only write into outbox and agenda. Commands that only
concern the device model are `other_commands`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from csms_emulator.actions import Payload
from csms_emulator.v2.customer import customer_information
from csms_emulator.v2.dynamic import rejected, update_dynamic_schedule, use_priority_charging
from csms_emulator.v2.profiles import UnfitError
from csms_emulator.v2.publishing import publish_firmware, unpublish_firmware
from csms_emulator.v2.reservations import cancel_reservation, reserve_now
from csms_emulator.v2.smart_charging import (
    check_requested,
    clear_charging_profile,
    get_charging_profiles,
    get_composite_schedule,
    set_charging_profile,
)
from csms_emulator.v2.triggers import TRIGGERS
from csms_emulator.v2.upkeep import get_log, update_firmware

if TYPE_CHECKING:
    from csms_emulator.v2.evse import Evse
    from csms_emulator.v2.station import Station

Command = Callable[["Station", Payload, float], Payload]

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
CONNECTOR = 1  # each EVSE has one


def request_start(station: Station, request: Payload, now: float) -> Payload:
    """RequestStartTransaction. Its chargingProfile is installed when the transaction begins."""
    profile = request.get("chargingProfile")
    try:
        if profile:
            check_requested(station, profile, now)
    except UnfitError as unfit:
        return rejected(str(unfit))
    return _start_by_remote(station, request, now)


def _start_by_remote(station: Station, request: Payload, now: float) -> Payload:
    wanted, id_token = request.get("evseId"), request["idToken"]
    candidates = [*station.evses.values()] if wanted is None else station.at(wanted)
    evse = next((e for e in candidates if e.free(id_token, request.get("groupIdToken"))), None)
    if evse is None or not station.serving:
        return REJECTED
    # OCPP 2.0.1 F01: the transactionId is told when the transaction had started before, with the cable.
    begun = {"transactionId": evse.transaction.uuid} if evse.transaction else {}
    evse.requested = request.get("chargingProfile")
    evse.remote_start(id_token, request["remoteStartId"], now, request.get("groupIdToken"))
    return {**ACCEPTED, **begun}


def request_stop(station: Station, request: Payload, now: float) -> Payload:
    """RequestStopTransaction."""
    evse = _charging(station, request["transactionId"])
    if evse is None or not station.serving:
        return REJECTED
    evse.revoke("RemoteStop", "Remote", now)
    return ACCEPTED


def get_transaction_status(station: Station, request: Payload, now: float) -> Payload:
    """GetTransactionStatus. OCPP 2.0.1 E14: without a transactionId there is no ongoingIndicator."""
    wanted = request.get("transactionId")
    answer = {"messagesInQueue": station.board.outbox.speaks_of(wanted)}
    return answer if wanted is None else {"ongoingIndicator": _charging(station, wanted) is not None, **answer}


def reset(station: Station, request: Payload, now: float) -> Payload:
    """Reset, of the emulated station or of one of its EVSEs only; just the whole station resumes transactions (2.1)."""
    number, kind = request.get("evseId", 0), request["type"]
    if number and (number not in station.evses or kind == "ImmediateAndResume"):
        return REJECTED
    return {"status": station.reset(number, kind, now)}


def trigger_message(station: Station, request: Payload, now: float) -> Payload:
    """TriggerMessage: the messages that this station can send at any time, for one EVSE or for all."""
    message, target = request["requestedMessage"], request.get("evse")
    if message != "BootNotification" and message not in TRIGGERS:
        return {"status": "NotImplemented"}
    evses = _targets(station, target)
    # OCPP 2.0.1 F06: "StatusNotification messages can only be sent at connector level."
    aimless = message == "StatusNotification" and target is None
    silent = message == "TransactionEvent" and not any(e.transaction for e in evses)
    if not evses or aimless or silent or not station.may_be_triggered:
        return REJECTED
    return {"status": station.trigger(message, evses, now)}


def change_availability(station: Station, request: Payload, now: float) -> Payload:
    """ChangeAvailability of the station, of an EVSE, or of its connector: each keeps its own setting."""
    target = request.get("evse")
    evses = _targets(station, target)
    if not evses:
        return REJECTED
    level = "station" if target is None else "connector" if "connectorId" in target else "evse"
    operative = request["operationalStatus"] == "Operative"
    answers = [e.reopen(level, now) if operative else e.close(level, now) for e in evses]
    return {"status": "Scheduled" if "Scheduled" in answers else "Accepted"}


def unlock_connector(station: Station, request: Payload, now: float) -> Payload:
    """UnlockConnector. OCPP 2.0.1 F05: not while there is an authorized transaction."""
    evses = _targets(station, {"id": request["evseId"], "connectorId": request["connectorId"]})
    if not evses:
        return {"status": "UnknownConnector"}
    transaction = evses[0].transaction
    return {"status": "OngoingAuthorizedTransaction" if transaction and transaction.authorized else "Unlocked"}


def clear_cache(station: Station, request: Payload, now: float) -> Payload:
    """ClearCache. OCPP 2.0.1 C11: Rejected where the cache is not in use."""
    if not station.board.flag("AuthCacheCtrlr", "Enabled"):
        return REJECTED
    station.board.cache.clear()
    return ACCEPTED


def get_local_list_version(station: Station, request: Payload, now: float) -> Payload:
    """GetLocalListVersion."""
    return {"versionNumber": station.board.local_list.version}


def send_local_list(station: Station, request: Payload, now: float) -> Payload:
    """SendLocalList."""
    if not station.board.flag("LocalAuthListCtrlr", "Enabled"):
        return {"status": "Failed"}
    status = station.board.local_list.update(request)
    station.device.set("LocalAuthListCtrlr", "Entries", str(len(station.board.local_list)))
    return {"status": status}


def _targets(station: Station, target: Payload | None) -> list[Evse]:
    """The EVSEs that an EVSEType means: all without one, none when there is no such EVSE or connector."""
    if target is None:
        return [*station.evses.values()]
    return station.at(target["id"]) if target.get("connectorId", CONNECTOR) == CONNECTOR else []


def _charging(station: Station, uuid: str) -> Evse | None:
    return next((e for e in station.evses.values() if e.transaction and e.transaction.uuid == uuid), None)


COMMANDS: dict[str, Command] = {
    "CancelReservation": cancel_reservation,
    "ChangeAvailability": change_availability,
    "ClearCache": clear_cache,
    "ClearChargingProfile": clear_charging_profile,
    "CustomerInformation": customer_information,
    "GetChargingProfiles": get_charging_profiles,
    "GetCompositeSchedule": get_composite_schedule,
    "GetLocalListVersion": get_local_list_version,
    "GetLog": get_log,
    "GetTransactionStatus": get_transaction_status,
    "PublishFirmware": publish_firmware,
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": request_stop,
    "ReserveNow": reserve_now,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
    "TriggerMessage": trigger_message,
    "UnlockConnector": unlock_connector,
    "UnpublishFirmware": unpublish_firmware,
    "UpdateDynamicSchedule": update_dynamic_schedule,
    "UpdateFirmware": update_firmware,
    "UsePriorityCharging": use_priority_charging,
}

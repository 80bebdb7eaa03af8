"""The commands of smart charging (OCPP 2.0.1 functional block K); what follows from the profiles is in `limits`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from csms_emulator.actions import Payload
from csms_emulator.profiles import DEFAULT, TRANSACTION, Profile
from csms_emulator.v2.dynamic import ACCEPTED, rejected
from csms_emulator.v2.limits import composed, count
from csms_emulator.v2.profiles import EXTERNAL, PRIORITY, WHOLE, Entry, UnfitError, read

if TYPE_CHECKING:
    from csms_emulator.schedule import Limit
    from csms_emulator.v2.evse import Evse
    from csms_emulator.v2.station import Station

LONGEST = 366 * 86_400  # seconds that a composite schedule covers
SOURCE = "CSO"  # OCPP 2.0.1 ChargingLimitSourceEnumType: who set the profiles is the operator
ITEMS = 10  # profiles in one report


def set_charging_profile(station: Station, request: Payload, now: float) -> Payload:
    """SetChargingProfile (K01)."""
    try:
        _install(station, request["evseId"], request["chargingProfile"], now)
    except UnfitError as unfit:
        return rejected(str(unfit))
    count(station)
    return ACCEPTED


def clear_charging_profile(station: Station, request: Payload, now: float) -> Payload:
    """ClearChargingProfile (K10): the one with this id, or all that meet every criterion."""
    criteria = request.get("chargingProfileCriteria", {})

    def matches(evse: int, profile: Profile) -> bool:
        if "chargingProfileId" in request:
            return bool(profile.id == request["chargingProfileId"])
        return _meets(evse, profile, criteria)

    cleared = station.board.profiles.clear(matches)
    count(station)
    return {"status": "Accepted" if cleared else "Unknown"}


def get_charging_profiles(station: Station, request: Payload, now: float) -> Payload:
    """GetChargingProfiles (K09); the profiles follow in ReportChargingProfiles, those of one EVSE together."""
    wanted = request["chargingProfile"]
    place = {"evseId": request["evseId"]} if "evseId" in request else {}
    chosen = [
        entry
        for entry in station.board.profiles.entries()
        if _meets(entry.evse, entry.profile, wanted | place)
        and entry.profile.id in wanted.get("chargingProfileId", [entry.profile.id])
        and SOURCE in wanted.get("chargingLimitSource", [SOURCE])
    ]
    for body in _reports(request["requestId"], chosen):
        station.board.outbox.post("ReportChargingProfiles", body)
    return {"status": "Accepted" if chosen else "NoProfiles"}


def get_composite_schedule(station: Station, request: Payload, now: float) -> Payload:
    """GetCompositeSchedule (K08); 0 is what all EVSEs together may take from the grid."""
    number, duration = request["evseId"], min(max(1, request["duration"]), LONGEST)
    evses = [*station.evses.values()] if number == 0 else station.at(number)
    if not evses:
        return rejected("UnknownEvse")
    unit = request.get("chargingRateUnit") or _usual_unit(evses)
    if unit not in _units(station):
        return rejected("UnsupportedRateUnit")
    steps, covered = composed(station, evses, duration, now)
    planned = {
        "evseId": number,
        "duration": covered,
        "scheduleStart": station.board.timestamp(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [_period(at, limit, unit) for at, limit in steps.items()],
    }
    return {**ACCEPTED, "schedule": planned}


def check_requested(station: Station, payload: Payload, now: float) -> None:
    """The chargingProfile of RequestStartTransaction. Raises `UnfitError` when no transaction could have it."""
    # OCPP 2.0.1 F01, K05: it is a TxProfile, and its transactionId is not known yet.
    if payload["chargingProfilePurpose"] != TRANSACTION or "transactionId" in payload:
        raise UnfitError("InvalidProfile")
    read(payload, now, station.board.instant, _units(station))


def install_requested(station: Station, now: float) -> None:
    """Install what was requested for transactions that have begun, and forget it where the driver has left."""
    for evse in station.evses.values():
        if evse.requested and not evse.awaited:
            payload, evse.requested = evse.requested, None
            if evse.transaction and evse.transaction.authorized:
                _start_with(station, evse, payload, now)


def _start_with(station: Station, evse: Evse, payload: Payload, now: float) -> None:
    owned = {**payload, "transactionId": evse.transaction.uuid if evse.transaction else ""}
    try:
        _install(station, evse.number, owned, now)
    except UnfitError as unfit:
        station.board.log("charging profile dropped", "warning", evse=evse.number, reason=str(unfit))


def _install(station: Station, number: int, payload: Payload, now: float) -> None:
    board = station.board
    # OCPP 2.0.1 K01.FR.28
    if number != 0 and number not in station.evses:
        raise UnfitError("UnknownEvse")
    profile = read(payload, now, board.instant, _units(station))
    _check_place(station, number, profile)
    if board.profiles.doubles(number, profile):
        raise UnfitError("DuplicateProfile")
    board.profiles.keep(number, profile, payload)


def _check_place(station: Station, number: int, profile: Profile) -> None:
    # External constraints come from outside, not from the central system.
    if profile.purpose == EXTERNAL or (profile.purpose in WHOLE and number != 0):
        raise UnfitError("InvalidProfile")
    if profile.purpose in (*WHOLE, DEFAULT, PRIORITY):
        return
    # OCPP 2.0.1 K01.FR.03, K01.FR.16: a TxProfile names its transaction, and is for one EVSE.
    if number == 0 or profile.transaction is None:
        raise UnfitError("InvalidProfile")
    # OCPP 2.0.1 K01.FR.09, K01.FR.33
    transaction = station.evses[number].transaction
    if transaction is None or transaction.uuid != profile.transaction:
        raise UnfitError("TxNotFound")


def _meets(evse: int, profile: Profile, criteria: Payload) -> bool:
    found = {"evseId": evse, "chargingProfilePurpose": profile.purpose, "stackLevel": profile.stack_level}
    return all(found[name] == criteria[name] for name in found if name in criteria)


def _reports(request_id: int, chosen: list[Entry]) -> list[Payload]:
    placed = groupby(sorted(chosen, key=lambda entry: entry.evse), key=lambda entry: entry.evse)
    pieces = [(evse, piece) for evse, entries in placed for piece in _pieces([e.payload for e in entries])]
    return [
        {
            "requestId": request_id,
            "chargingLimitSource": SOURCE,
            "evseId": evse,
            "chargingProfile": piece,
            "tbc": position < len(pieces),
        }
        for position, (evse, piece) in enumerate(pieces, 1)
    ]


def _pieces(payloads: list[Payload]) -> list[list[Payload]]:
    return [payloads[start : start + ITEMS] for start in range(0, len(payloads), ITEMS)]


def _units(station: Station) -> list[str]:
    return station.board.names("SmartChargingCtrlr", "RateUnit")


def _usual_unit(evses: list[Evse]) -> str:
    return "W" if any(evse.outlet.kind == "DC" for evse in evses) else "A"


def _period(at: int, limit: Limit, unit: str) -> Payload:
    return {"startPeriod": at, "limit": limit.rate(unit), "numberPhases": limit.phases}

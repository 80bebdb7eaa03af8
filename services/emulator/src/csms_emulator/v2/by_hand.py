"""What a person does at an EVSE of 2.x: each deed, and when it is possible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from csms_emulator.actions import Payload
from csms_emulator.by_hand import ERROR_CODES
from csms_emulator.deeds import Clear, Depart, Fault, Park, PlaceDeed, Plug, Swipe, Unplug
from csms_ocpp.version import Version

if TYPE_CHECKING:
    from csms_emulator.v2.evse import Evse

# OCPP 2.0.1 IdTokenEnumType; in 2.1 it is any text of this length.
KINDS = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
LONGEST_KIND = 20
LONGEST_ID = {Version.V2_0_1: 36, Version.V2_1: 255}

_MAC = re.compile(r"(?:[0-9A-F]{2}[:-]?){5}[0-9A-F]{2}", re.IGNORECASE)
# ISO 15118-2 H.1: country, provider, instance and check digit, with or without hyphens.
_EMAID = re.compile(r"[A-Z]{2}-?[A-Z0-9]{3}-?C?[A-Z0-9]{8}(?:-?[A-Z0-9])?", re.IGNORECASE)

_SHUT = ("Unavailable", "Faulted")


def check(deed: PlaceDeed, version: Version) -> None:
    """Raises `ValueError`, with a sentence, for a deed that no station of this version can live through."""
    match deed:
        case Fault() if deed.error not in ERROR_CODES:
            raise ValueError(f"{deed.error!r} is no errorCode of OCPP 1.6.")
        case Swipe():
            _check_kind(deed.kind, version)
            if not deed.id_tag and deed.kind != "NoAuthorization":
                raise ValueError(f"An idToken of type {deed.kind} is not empty.")
            _check_length(deed.id_tag, version)
        case Plug():
            _check_length(deed.vehicle, version)


def _check_kind(kind: str, version: Version) -> None:
    if version is Version.V2_0_1 and kind not in KINDS:
        raise ValueError(f"{kind!r} is no IdTokenEnumType of OCPP 2.0.1: {', '.join(KINDS)}.")
    if not 0 < len(kind) <= LONGEST_KIND:
        raise ValueError(f"The type of an idToken has 1 to {LONGEST_KIND} characters.")


def _check_length(text: str, version: Version) -> None:
    if len(text) > LONGEST_ID[version]:
        raise ValueError(f"An idToken has at most {LONGEST_ID[version]} characters.")


def presented(vehicle: str, version: Version) -> Payload:
    """The idToken of a car that tells this about itself: its contract, its MAC address, or another name it has."""
    if _MAC.fullmatch(vehicle):
        return {"idToken": vehicle, "type": "MacAddress"}
    if _EMAID.fullmatch(vehicle):
        return {"idToken": vehicle, "type": "eMAID"}
    # 2.0.1 has no other type for what a vehicle says that is not its contract.
    return {"idToken": vehicle, "type": "MacAddress" if version is Version.V2_0_1 else "EVCCID"}


def do(evse: Evse, deed: PlaceDeed, now: float) -> bool:
    """Do it; False, and nothing has changed, when that is not possible now."""
    match deed:
        case Park():
            return _park(evse, now)
        case Depart():
            return _depart(evse, now)
        case Plug():
            return _plug(evse, deed.vehicle, now)
        case Unplug():
            return _unplug(evse, now)
        case Swipe():
            return _swipe(evse, {"idToken": deed.id_tag, "type": deed.kind}, now)
        case Fault():
            evse.fault(deed.error, now)
            return True
        case Clear():
            return _clear(evse, now)
        case _:
            assert_never(deed)


def _park(evse: Evse, now: float) -> bool:
    possible = not evse.parked
    if possible:
        evse.park(now)
    return possible


def _depart(evse: Evse, now: float) -> bool:
    possible = evse.parked
    if evse.car:
        evse.unplug(now)
    if evse.parked:
        evse.depart(now)
    return possible


def _plug(evse: Evse, vehicle: str, now: float) -> bool:
    possible = evse.car is None and evse.status not in _SHUT
    if possible:
        evse.plug_in(now)
        if vehicle and not evse.promised and evse.holder is None:
            evse.swipe(presented(vehicle, evse.board.device.version), now)
    return possible


def _unplug(evse: Evse, now: float) -> bool:
    possible = evse.car is not None
    if possible:
        evse.unplug(now)
    return possible


def _swipe(evse: Evse, id_token: Payload, now: float) -> bool:
    possible = evse.status not in _SHUT and not evse.promised
    if possible:
        evse.swipe(id_token, now)
    return possible


def _clear(evse: Evse, now: float) -> bool:
    possible = bool(evse.error)
    if possible:
        evse.mend(now)
    return possible

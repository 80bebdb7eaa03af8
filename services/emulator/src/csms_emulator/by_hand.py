"""What a person does at a connector of 1.6: each deed, and when it is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from csms_emulator.deeds import Clear, Depart, Fault, Park, PlaceDeed, Plug, Swipe, Unplug
from csms_emulator.status import Status

if TYPE_CHECKING:
    from csms_emulator.connector import Connector

# OCPP 1.6 §7.6 ChargePointErrorCode, without NoError.
ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)


def check(deed: PlaceDeed) -> None:
    """Raises `ValueError`, with a sentence, for a deed that no station of this version can live through."""
    if isinstance(deed, Fault) and deed.error not in ERROR_CODES:
        raise ValueError(f"{deed.error!r} is no errorCode of OCPP 1.6.")
    if isinstance(deed, Swipe) and not 0 < len(deed.id_tag) <= 20:
        raise ValueError("An id tag has 1 to 20 characters.")


def do(connector: Connector, deed: PlaceDeed, now: float) -> bool:
    """Do it; False, and nothing has changed, when that is not possible now."""
    match deed:
        case Park():
            return _park(connector)
        case Depart():
            return _depart(connector, now)
        case Plug():
            return _plug(connector, deed.vehicle, now)
        case Unplug():
            return _unplug(connector, now)
        case Swipe():
            return _swipe(connector, deed.id_tag, now)
        case Fault():
            connector.fault(deed.error, now)
            return True
        case Clear():
            return _clear(connector, now)
        case _:
            assert_never(deed)


def _park(connector: Connector) -> bool:
    possible = not connector.parked
    connector.parked = True
    return possible


def _depart(connector: Connector, now: float) -> bool:
    possible = connector.parked
    if connector.car:
        _unplug(connector, now)
    connector.parked = False
    return possible


def _plug(connector: Connector, vehicle: str, now: float) -> bool:
    possible = connector.status in (Status.AVAILABLE, Status.RESERVED, Status.PREPARING) and connector.car is None
    if possible:
        connector.plug_in(now)
        if vehicle and connector.transaction is None:
            # Plug and charge as 1.6 has it: what the car tells about itself is presented as an idTag.
            connector.swipe(vehicle[:20], now)
    return possible


def _unplug(connector: Connector, now: float) -> bool:
    if connector.car is None:
        return False
    # StopTransactionOnEVSideDisconnect is true here.
    connector.stop("EVDisconnected", now)
    if connector.status is Status.FAULTED:
        connector.car = None
    else:
        connector.unplug(now)
    return True


def _swipe(connector: Connector, id_tag: str, now: float) -> bool:
    possible = connector.status not in (Status.UNAVAILABLE, Status.FAULTED) and not connector.promised
    if possible:
        connector.swipe(id_tag, now)
    return possible


def _clear(connector: Connector, now: float) -> bool:
    possible = connector.status is Status.FAULTED
    if possible:
        connector.mend(now)
    return possible

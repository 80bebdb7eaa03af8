"""What the device model says of the EVSEs: how they are made, whether they can be used, and what is wrong with them."""

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.charging import Outlet
from csms_emulator.v2.device import Device
from csms_emulator.v2.variables import key

CONNECTOR = 1  # each EVSE has one
CONNECTOR_TYPES = {"AC1": "cType2", "AC3": "cType2", "DC": "cCCS2"}

# Of a station: the first that one of its EVSEs is.
_FIRST = ("Available", "Reserved", "Occupied", "Unavailable", "Faulted")


def make(device: Device, evse: int, outlet: Outlet) -> None:
    """Tell how this EVSE is made: for how much power, and of which current."""
    # OCPP 2.0.1 EVSE.SupplyPhases: 0 where no phase alternates.
    phases = "0" if outlet.kind == "DC" else str(outlet.phases)
    device.set("EVSE", "SupplyPhases", phases, evse=evse)
    device.set("Connector", "SupplyPhases", phases, evse=evse, connector=CONNECTOR)
    device.set("Connector", "ConnectorType", CONNECTOR_TYPES[outlet.kind], evse=evse, connector=CONNECTOR)
    _limit_power(device, evse, outlet.power)


def _limit_power(device: Device, evse: int, watts: float) -> None:
    place = (*key("EVSE", None), evse, 0)
    component = device.components[place]
    power = msgspec.structs.replace(component.variables[key("Power", None)], max=watts)
    changed = msgspec.structs.replace(component, variables={**component.variables, key("Power", None): power})
    device.components = {**device.components, place: changed}
    device.keep(changed, power, str(watts), "MaxSet")


def keep(device: Device, evse: int, status: str) -> None:
    """Tell what can be done here now, and on the station as a whole."""
    _tell(device, evse, "AvailabilityState", status)
    _tell(device, evse, "Problem", str(status == "Faulted").lower())
    states = {device.get("EVSE", "AvailabilityState", evse=n) for n in range(1, device.evses + 1)}
    device.set("ChargingStation", "AvailabilityState", next(state for state in _FIRST if state in states))
    device.set("ChargingStation", "Problem", str("Faulted" in states).lower())


def _tell(device: Device, evse: int, variable: str, value: str) -> None:
    device.set("EVSE", variable, value, evse=evse)
    device.set("Connector", variable, value, evse=evse, connector=CONNECTOR)


def problem(device: Device, evse: int, error: str, now: float) -> Payload:
    """NotifyEvent: something is broken at the connector ("": not any more)."""
    device.memory.events += 1
    told = {
        "eventId": device.memory.events,
        "timestamp": device.time(now),
        "trigger": "Delta",
        "actualValue": str(bool(error)).lower(),
        "cleared": not error,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": evse, "connectorId": CONNECTOR}},
        "variable": {"name": "Problem"},
        **({"techCode": error} if error else {}),
    }
    return {"generatedAt": device.time(now), "seqNo": 0, "tbc": False, "eventData": [told]}

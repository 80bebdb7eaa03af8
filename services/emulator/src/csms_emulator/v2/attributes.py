"""GetVariables and SetVariables: the attributes of the device model, one answer for each that is asked for."""

from collections.abc import Iterator

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.variables import ACTUAL, Component, Variable, key

TOO_MANY = "TooManyElements"


class Outcome(msgspec.Struct, frozen=True):
    """How it went with an attribute: the wire's status, and a reasonCode where the status does not say it all."""

    status: str
    reason: str = ""


def get_variables(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetVariables."""
    device.adjust(now)
    wanted = request["getVariableData"]
    most = device.number("DeviceDataCtrlr", "ItemsPerMessage", instance="GetVariables")
    answers = [_got(device, item) for item in wanted[:most]]
    return {"getVariableResult": [*answers, *_too_many(wanted[most:])]}, []


def set_variables(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetVariables; each one on its own, so that a refused one does not hold up its neighbours."""
    wanted = request["setVariableData"]
    most = device.number("DeviceDataCtrlr", "ItemsPerMessage", instance="SetVariables")
    answers = [_told(item, _set(device, item)) for item in wanted[:most]]
    return {"setVariableResult": [*answers, *_too_many(wanted[most:])]}, []


def find(device: Device, item: Payload) -> tuple[Component, Variable] | Outcome:
    """What an item with `component` and `variable` names."""
    component = device.find(item["component"])
    if component is None:
        return Outcome("UnknownComponent")
    name = item["variable"]
    variable = component.variables.get(key(name["name"], name.get("instance")))
    return Outcome("UnknownVariable") if variable is None else (component, variable)


def _got(device: Device, item: Payload) -> Payload:
    found = find(device, item)
    if isinstance(found, Outcome):
        return _told(item, found)
    value = device.value(*found, item.get("attributeType", ACTUAL))
    # OCPP 2.0.1 B06: what is WriteOnly is not told.
    if found[1].mutability == "WriteOnly":
        return _told(item, Outcome("Rejected", "WriteOnly"))
    if value is None and item.get("attributeType", ACTUAL) != ACTUAL:
        return _told(item, Outcome("NotSupportedAttributeType"))
    return {**_told(item, Outcome("Accepted")), "attributeValue": value or ""}


def _set(device: Device, item: Payload) -> Outcome:
    found = find(device, item)
    if isinstance(found, Outcome):
        return found
    component, variable = found
    attribute = item.get("attributeType", ACTUAL)
    if attribute != ACTUAL and attribute not in variable.attributes:
        return Outcome("NotSupportedAttributeType")
    if variable.mutability == "ReadOnly":
        return Outcome("Rejected", "ReadOnly")
    try:
        device.keep(component, variable, variable.read(item["attributeValue"]), attribute)
    except ValueError:
        return Outcome("Rejected", "InvalidValue")
    return Outcome("RebootRequired" if variable.reboot else "Accepted")


def _told(item: Payload, outcome: Outcome) -> Payload:
    names: Payload = {name: item[name] for name in ("attributeType", "component", "variable") if name in item}
    why = {"attributeStatusInfo": {"reasonCode": outcome.reason}} if outcome.reason else {}
    return {**names, "attributeStatus": outcome.status, **why}


def _too_many(rest: list[Payload]) -> Iterator[Payload]:
    # OCPP 2.0.1 B05, B06: not more than ItemsPerMessage. The first ones are served all the same.
    return (_told(item, Outcome("Rejected", TOO_MANY)) for item in rest)

"""GetBaseReport and GetReport: the device model told in NotifyReport messages, a part at a time."""

from collections.abc import Callable, Iterable, Iterator

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.variables import ACTUAL, Component, Variable, variable_payload

Entry = tuple[Component, Variable]

ITEMS = 40  # in one message
ATTRIBUTES = (ACTUAL, "Target", "MinSet", "MaxSet")
CONDITIONS = frozenset({"Active", "Problem", "Tripped", "Overload", "Fallback"})

ACCEPTED = {"status": "Accepted"}
EMPTY = {"status": "EmptyResultSet"}


def get_base_report(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetBaseReport."""
    device.adjust(now)
    chosen = _BASES[request["reportBase"]](device)
    return _report(device, request["requestId"], chosen, now)


def get_report(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetReport. OCPP 2.0.1 B08: criteria are alternatives of each other, and both kinds of them must be met."""
    device.adjust(now)
    chosen = entries(device)
    if criteria := request.get("componentCriteria"):
        chosen = ((c, v) for c, v in chosen if any(_meets(device, c, criterion) for criterion in criteria))
    if wanted := request.get("componentVariable"):
        if len(wanted) > device.number("DeviceDataCtrlr", "ItemsPerMessage", instance="GetReport"):
            return {"status": "Rejected", "statusInfo": {"reasonCode": "TooManyElements"}}, []
        chosen = ((c, v) for c, v in chosen if any(names(item, c, v) for item in wanted))
    return _report(device, request["requestId"], chosen, now)


def entries(device: Device) -> Iterator[Entry]:
    """Every variable of every component."""
    for component in device.components.values():
        for variable in component.variables.values():
            yield component, variable


def names(item: Payload, component: Component, variable: Variable) -> bool:
    """Whether a ComponentVariableType means this variable; what it leaves out may be anything."""
    wanted, at = item["component"], item["component"].get("evse", {})
    name = item.get("variable", {})
    return (
        _same(wanted["name"], component.name)
        and not wanted.get("instance")
        and at.get("id", component.evse) == component.evse
        and at.get("connectorId", component.connector) == component.connector
        and _same(name.get("name", variable.name), variable.name)
        and _same(name.get("instance", variable.instance), variable.instance)
    )


def parts(action: str, common: Payload, name: str, items: list[Payload]) -> Calls:
    """CALLs that tell the items as `name`, ITEMS at most in each; `tbc` says whether another follows."""
    pieces = [items[start : start + ITEMS] for start in range(0, len(items), ITEMS)]
    return [
        (action, {**common, name: piece, "seqNo": number, "tbc": number < len(pieces) - 1})
        for number, piece in enumerate(pieces)
    ]


def _report(device: Device, request_id: int, chosen: Iterable[Entry], now: float) -> tuple[Payload, Calls]:
    items = [_told(device, component, variable) for component, variable in chosen]
    if not items:
        return EMPTY, []
    common = {"requestId": request_id, "generatedAt": device.time(now)}
    return ACCEPTED, parts("NotifyReport", common, "reportData", items)


def _told(device: Device, component: Component, variable: Variable) -> Payload:
    return {
        "component": component.payload,
        "variable": variable_payload(variable),
        "variableAttribute": [*_attributes(device, component, variable)],
        "variableCharacteristics": variable.characteristics(device.version),
    }


def _attributes(device: Device, component: Component, variable: Variable) -> Iterator[Payload]:
    for attribute in ATTRIBUTES:
        if attribute != ACTUAL and attribute not in variable.attributes:
            continue
        value = device.value(component, variable, attribute)
        # OCPP 2.0.1 B06: a WriteOnly attribute has no value to tell.
        told = {} if value is None or variable.mutability == "WriteOnly" else {"value": value}
        yield {"type": attribute, **told, "mutability": variable.mutability, "constant": variable.constant}


def _configuration(device: Device) -> Iterator[Entry]:
    # OCPP 2.0.1 B07: what the operator can set.
    return ((c, v) for c, v in entries(device) if v.mutability != "ReadOnly")


def _summary(device: Device) -> Iterator[Entry]:
    # OCPP 2.0.1 B07: whether charging is possible now, and what is the matter with any component.
    for component, variable in entries(device):
        abnormal = variable.name in CONDITIONS and device.value(component, variable) == "true"
        if variable.name == "AvailabilityState" or abnormal:
            yield component, variable


def _meets(device: Device, component: Component, criterion: str) -> bool:
    variable = component.variables.get((criterion.lower(), ""))
    return variable is not None and device.value(component, variable) == "true"


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


_BASES: dict[str, Callable[[Device], Iterable[Entry]]] = {
    "ConfigurationInventory": _configuration,
    "FullInventory": entries,
    "SummaryInventory": _summary,
}

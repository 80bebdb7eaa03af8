"""Monitors: what the central system wants to be told about when a variable changes, and the report of them.

They are kept and reported here; `events` tells what they see. A station has no hard-wired or factory monitors.
"""

from collections.abc import Iterator

from csms_emulator.actions import Payload
from csms_emulator.v2.attributes import TOO_MANY, Outcome, find
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.reports import ACCEPTED, EMPTY, names, parts
from csms_emulator.v2.streams import fits
from csms_emulator.v2.variables import Component, Variable, variable_payload
from csms_emulator.v2.watch import DELTAS, LONGEST, PERIODIC, SHORTEST, THRESHOLDS, watch
from csms_ocpp.version import Version

REJECTED = {"status": "Rejected"}
MOST_SEVERE, LEAST_SEVERE = 0, 9
CRITERIA = {
    **dict.fromkeys(THRESHOLDS, "ThresholdMonitoring"),
    **dict.fromkeys(DELTAS, "DeltaMonitoring"),
    **dict.fromkeys(PERIODIC, "PeriodicMonitoring"),
}


def set_variable_monitoring(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetVariableMonitoring: new monitors, and new values for those whose id is told."""
    most = device.number("MonitoringCtrlr", "ItemsPerMessage", instance="SetVariableMonitoring")
    wanted = request["setMonitoringData"]
    answers = [_set(device, item, now) for item in wanted[:most]]
    refused = [_told_back(item, "Rejected", TOO_MANY) for item in wanted[most:]]
    return {"setMonitoringResult": answers + refused}, []


def clear_variable_monitoring(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """ClearVariableMonitoring."""
    most = device.number("MonitoringCtrlr", "ItemsPerMessage", instance="ClearVariableMonitoring")
    wanted = request["id"]
    answers = [{"id": number, "status": _cleared(device, number)} for number in wanted[:most]]
    refused = [{"id": n, **REJECTED, "statusInfo": {"reasonCode": TOO_MANY}} for n in wanted[most:]]
    return {"clearMonitoringResult": answers + refused}, []


def set_monitoring_base(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetMonitoringBase. OCPP 2.0.1 N03: FactoryDefault and HardWiredOnly take away what was set since."""
    base = request["monitoringBase"]
    if base != "All":
        device.memory.monitors.clear()
        device.memory.watches.clear()
    told = "HardwiredOnly" if base == "HardWiredOnly" else base
    for variable in ("ActiveMonitoringBase", "MonitoringBase"):
        device.set("MonitoringCtrlr", variable, told)
    return ACCEPTED, []


def set_monitoring_level(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetMonitoringLevel: events of this severity and graver ones are told."""
    severity = request["severity"]
    if not MOST_SEVERE <= severity <= LEAST_SEVERE:
        return {**REJECTED, "statusInfo": {"reasonCode": "ValueOutOfRange"}}, []
    for variable in ("ActiveMonitoringLevel", "MonitoringLevel"):
        device.set("MonitoringCtrlr", variable, str(severity))
    return ACCEPTED, []


def get_monitoring_report(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetMonitoringReport."""
    items = [*_watched(device, request)]
    if not items:
        return EMPTY, []
    common = {"requestId": request["requestId"], "generatedAt": device.time(now)}
    return ACCEPTED, parts("NotifyMonitoringReport", common, "monitor", items)


def _set(device: Device, item: Payload, now: float) -> Payload:
    found = find(device, item)
    if isinstance(found, Outcome):
        return _told_back(item, found.status)
    component, variable = found
    # "Target…" would need a variable with a Target that may be watched: there is none.
    kinds = ("Delta", *PERIODIC, *(THRESHOLDS if variable.numeric else ()))
    if not variable.monitored or item["type"] not in kinds:
        return _told_back(item, "UnsupportedMonitorType")
    if reason := _fault(device, item, component, variable):
        return _told_back(item, "Rejected", reason)
    if _taken(device, item, component, variable):
        return _told_back(item, "Duplicate")
    number = item.get("id", max(device.memory.monitors, default=0) + 1)
    at = {"component": component.payload, "variable": variable_payload(variable)}
    device.memory.monitors[number] = {**item, **at, "id": number}
    value = device.value(component, variable) or ""
    device.memory.watches[number] = watch(item, value, now, device.since_1970(now))
    return {**_told_back(item, "Accepted"), "id": number}


def _fault(device: Device, item: Payload, component: Component, variable: Variable) -> str:
    """The reasonCode of a monitor that cannot be."""
    known = device.memory.monitors.get(item["id"]) if "id" in item else None
    if not MOST_SEVERE <= item["severity"] <= LEAST_SEVERE:
        return "ValueOutOfRange"
    # OCPP 2.0.1 N04: an id that is told exists, for just this variable.
    if "id" in item and (known is None or not names(known, component, variable)):
        return "NotFound"
    if "periodicEventStream" in item and item["type"] in THRESHOLDS:
        # An alarm does not wait until its stream is sent.
        return "UnsupportedParam"
    if not fits(item.get("periodicEventStream", {})):
        return "ValueOutOfRange"
    return "" if _allows(variable, item["type"], item["value"]) else "ValueOutOfRange"


def _allows(variable: Variable, kind: str, value: float) -> bool:
    if kind in PERIODIC:
        return SHORTEST <= value <= LONGEST
    # OCPP 2.0.1 N04: a Delta is not negative.
    return value >= 0 if kind == "Delta" else _least(variable) <= value <= _most(variable)


def _least(variable: Variable) -> float:
    return float("-inf") if variable.min is None else variable.min


def _most(variable: Variable) -> float:
    return float("inf") if variable.max is None else variable.max


def _taken(device: Device, item: Payload, component: Component, variable: Variable) -> bool:
    # OCPP 2.0.1 N04: two monitors of one variable differ in type or severity.
    return any(
        monitor["id"] != item.get("id")
        and (monitor["type"], monitor["severity"]) == (item["type"], item["severity"])
        and names(monitor, component, variable)
        for monitor in device.memory.monitors.values()
    )


def _told_back(item: Payload, status: str, reason: str = "") -> Payload:
    asked: Payload = {name: item[name] for name in ("id", "type", "severity", "component", "variable") if name in item}
    return {**asked, "status": status, **({"statusInfo": {"reasonCode": reason}} if reason else {})}


def _cleared(device: Device, number: int) -> str:
    device.memory.watches.pop(number, None)
    return "NotFound" if device.memory.monitors.pop(number, None) is None else "Accepted"


def _watched(device: Device, request: Payload) -> Iterator[Payload]:
    """The reported monitors, gathered by variable."""
    gathered: dict[str, Payload] = {}
    for monitor in device.memory.monitors.values():
        if not _asked(device, request, monitor):
            continue
        at = {"component": monitor["component"], "variable": monitor["variable"]}
        gathered.setdefault(repr(at), {**at, "variableMonitoring": []})["variableMonitoring"].append(
            _told(device, monitor)
        )
    yield from gathered.values()


def _asked(device: Device, request: Payload, monitor: Payload) -> bool:
    criteria, wanted = request.get("monitoringCriteria"), request.get("componentVariable")
    found = find(device, monitor)
    if isinstance(found, Outcome) or (criteria and CRITERIA[monitor["type"]] not in criteria):
        return False
    return not wanted or any(names(item, *found) for item in wanted)


def _told(device: Device, monitor: Payload) -> Payload:
    fields = {name: monitor[name] for name in ("id", "value", "type", "severity")}
    # 2.1 tells who made a monitor; 2.0.1 has no word for it.
    origin = {} if device.version is Version.V2_0_1 else {"eventNotificationType": "CustomMonitor"}
    return {**fields, "transaction": monitor.get("transaction", False), **origin}

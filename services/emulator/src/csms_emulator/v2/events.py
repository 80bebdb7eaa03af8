"""What monitors have to tell: the values of monitored variables looked at again, and NotifyEvent for what happened.

`events` is asked after anything may have changed, and at `next_event`; it never asks for itself.
"""

import math
from collections.abc import Iterator

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.v2.attributes import Outcome, find
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.reports import parts
from csms_emulator.v2.watch import THRESHOLDS, Watch


class Happening(msgspec.Struct, frozen=True):
    """One thing to tell of a monitor; `cleared`: a threshold is respected again."""

    number: int
    trigger: str
    value: str
    cleared: bool | None = None


def events(device: Device, now: float) -> Calls:
    """The NotifyEvent CALLs that are due. A monitor whose severity is beyond the level sees, and is silent."""
    if not device.memory.monitors:
        return []
    device.adjust(now)
    level = device.number("MonitoringCtrlr", "ActiveMonitoringLevel")
    happened = [*_happened(device, now)]
    if not device.flag("MonitoringCtrlr", "Enabled"):
        return []
    loud = [one for one in happened if device.memory.monitors[one.number]["severity"] <= level]
    told = [_told(device, one, now) for one in loud]
    return parts("NotifyEvent", {"generatedAt": device.time(now)}, "eventData", told)


def next_event(device: Device) -> float | None:
    """When a periodic monitor is due, on the station's clock; None: no time matters."""
    return min((w.due for w in device.memory.watches.values() if w.due is not None), default=None)


def _happened(device: Device, now: float) -> Iterator[Happening]:
    for number, monitor in device.memory.monitors.items():
        found = find(device, monitor)
        assert not isinstance(found, Outcome)  # a monitor is only set on what there is
        yield from _seen(number, monitor, device.memory.watches[number], device.value(*found) or "", now)


def _seen(number: int, monitor: Payload, watch: Watch, value: str, now: float) -> Iterator[Happening]:
    kind = monitor["type"]
    if kind in THRESHOLDS:
        exceeded = _exceeds(monitor, value)
        if exceeded != watch.exceeded:
            watch.exceeded = exceeded
            yield Happening(number, "Alerting", value, not exceeded)
    elif watch.due is None:
        if _differs(monitor, watch.value, value):
            watch.value = value
            yield Happening(number, "Delta", value)
    elif now >= watch.due:
        # What was missed meanwhile is not made up for.
        watch.due += (math.floor((now - watch.due) / monitor["value"]) + 1) * monitor["value"]
        yield Happening(number, "Periodic", value)


def _exceeds(monitor: Payload, value: str) -> bool:
    above = monitor["type"] == "UpperThreshold"
    return bool(float(value) > monitor["value"] if above else float(value) < monitor["value"])


def _differs(monitor: Payload, old: str, new: str) -> bool:
    try:
        return bool(old != new and abs(float(new) - float(old)) >= monitor["value"])
    except ValueError:
        # OCPP 2.0.1 MonitorEnumType: what is no number has changed when it is another.
        return old != new


def _told(device: Device, happening: Happening, now: float) -> Payload:
    monitor = device.memory.monitors[happening.number]
    device.memory.events += 1
    cleared = {} if happening.cleared is None else {"cleared": happening.cleared}
    return {
        "eventId": device.memory.events,
        "timestamp": device.time(now),
        "trigger": happening.trigger,
        "actualValue": happening.value,
        **cleared,
        "component": monitor["component"],
        "variable": monitor["variable"],
        "variableMonitoringId": happening.number,
        "eventNotificationType": "CustomMonitor",
    }

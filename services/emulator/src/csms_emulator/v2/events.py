"""What monitors have to tell: the values of monitored variables looked at again, and NotifyEvent for what happened.

`tell` is asked after anything may have changed, and at `next_event`; it never asks for itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.outbox import Message
from csms_emulator.v2.attributes import Outcome, find
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.reports import parts
from csms_emulator.v2.variables import Variable
from csms_emulator.v2.watch import THRESHOLDS, Watch

if TYPE_CHECKING:
    from csms_emulator.v2.board import Board

NOTIFY = "NotifyEvent"
# Seconds between two events of a number that changes all the time: the answer to one is a reason to look again.
REST = 1.0


class Happening(msgspec.Struct, frozen=True):
    """One thing to tell of a monitor; `cleared`: a threshold is respected again."""

    number: int
    trigger: str
    value: str
    cleared: bool | None = None


def tell(board: Board, now: float) -> None:
    """Tell what is due; what nobody hears now is kept for later, if it is grave enough, or given up."""
    device = board.device
    if board.online:
        for action, body in events(device, now):
            board.outbox.post(action, body)
    elif device.memory.monitors:
        # OCPP 2.0.1 N07: while offline, events up to OfflineMonitoringEventQueuingSeverity are queued.
        most = device.number("MonitoringCtrlr", "OfflineQueuingSeverity")
        for _, body in events(device, now, most):
            _keep(board, body)


def tell_unheard(board: Board) -> None:
    """The central system listens."""
    unheard = board.device.memory.unheard
    while unheard:
        board.outbox.post(NOTIFY, unheard.popleft())


def lost(board: Board, messages: Iterable[Message]) -> None:
    """These were lost with the connection: what would have been kept without one is kept."""
    device = board.device
    most = device.number("MonitoringCtrlr", "OfflineQueuingSeverity")
    for message in messages:
        if message.action == NOTIFY and _is_grave(device, message.body, most):
            _keep(board, message.body)


def events(device: Device, now: float, most: int | None = None) -> Calls:
    """The NotifyEvent CALLs that are due; what has a stream goes there instead.

    A monitor whose severity is beyond the level, or beyond `most`, sees, and is silent.
    """
    if not device.memory.monitors:
        return []
    device.adjust(now)
    level = device.number("MonitoringCtrlr", "ActiveMonitoringLevel")
    happened = [*_happened(device, now)]
    if not device.flag("MonitoringCtrlr", "Enabled"):
        return []
    loud = [one for one in happened if device.memory.monitors[one.number]["severity"] <= level]
    told = [_told(device, one, now) for one in loud if not _streams(device, one, now) and _within(device, one, most)]
    return parts(NOTIFY, {"generatedAt": device.time(now)}, "eventData", told)


def next_event(device: Device) -> float | None:
    """When a monitor has to be looked at again, on the station's clock; None: no time matters."""
    return min((w.next for w in device.memory.watches.values() if w.next is not None), default=None)


def _keep(board: Board, body: Payload) -> None:
    unheard = board.device.memory.unheard
    if len(unheard) == unheard.maxlen:
        board.log("event given up")
    unheard.append(body)


def _is_grave(device: Device, body: Payload, most: int) -> bool:
    monitors = (device.memory.monitors.get(event.get("variableMonitoringId")) for event in body["eventData"])
    return any(monitor and monitor["severity"] <= most for monitor in monitors)


def _within(device: Device, happening: Happening, most: int | None) -> bool:
    return most is None or bool(device.memory.monitors[happening.number]["severity"] <= most)


def _streams(device: Device, happening: Happening, now: float) -> bool:
    stream = device.memory.streams.get(happening.number)
    return stream is not None and stream.take(happening.value, now)


def _happened(device: Device, now: float) -> Iterator[Happening]:
    for number, monitor in device.memory.monitors.items():
        found = find(device, monitor)
        assert not isinstance(found, Outcome)  # a monitor is only set on what there is
        value = device.value(*found) or ""
        yield from _seen(number, monitor, found[1], device.memory.watches[number], value, now)


def _seen(
    number: int, monitor: Payload, variable: Variable, watch: Watch, value: str, now: float
) -> Iterator[Happening]:
    kind = monitor["type"]
    if kind in THRESHOLDS:
        exceeded = _exceeds(monitor, value)
        if exceeded != watch.exceeded:
            watch.exceeded = exceeded
            yield Happening(number, "Alerting", value, not exceeded)
    elif watch.due is None:
        differs = _differs(monitor, watch.value, value)
        watch.late = differs and now < watch.rest
        if differs and not watch.late:
            watch.value, watch.rest = value, now + REST if variable.numeric else now
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

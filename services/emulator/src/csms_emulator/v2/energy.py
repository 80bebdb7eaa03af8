"""Commands of 2.1 about how energy is charged that this station does not go along with, and its event streams: none."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

REJECTED = {"status": "Rejected"}


def notify_allowed_energy_transfer(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """NotifyAllowedEnergyTransfer (2.1): it concerns ISO 15118, which this station's cars do not speak."""
    return {**REJECTED, "statusInfo": {"reasonCode": "UnsupportedRequest"}}, []


def update_dynamic_schedule(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """UpdateDynamicSchedule (2.1): no charging profile here is dynamic."""
    return {**REJECTED, "statusInfo": {"reasonCode": "NoProfile"}}, []


def use_priority_charging(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """UsePriorityCharging (2.1): there is no profile of that purpose."""
    return {"status": "NoProfile"}, []


def get_periodic_event_stream(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetPeriodicEventStream (2.1): the station has opened none."""
    return {}, []


def adjust_periodic_event_stream(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """AdjustPeriodicEventStream (2.1)."""
    return {**REJECTED, "statusInfo": {"reasonCode": "NotFound"}}, []

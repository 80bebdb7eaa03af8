"""A command of 2.1 that this station does not go along with: how cars ask for energy."""

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

REJECTED = {"status": "Rejected"}


def notify_allowed_energy_transfer(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """NotifyAllowedEnergyTransfer (2.1): it concerns ISO 15118, which this station's cars do not speak."""
    return {**REJECTED, "statusInfo": {"reasonCode": "UnsupportedRequest"}}, []

"""SetNetworkProfile: how a 2.x station would reach its central system, kept by slot.

Where it connects to is decided by the emulator's own settings.
"""

from urllib.parse import urlsplit

from csms_emulator.actions import Payload
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
SCHEMES = ("ws", "wss")
ENCRYPTED = 2  # security profiles from this one on need TLS


def set_network_profile(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """SetNetworkProfile. OCPP 2.0.1 B09: Rejected where the slot or what it holds cannot be."""
    profile = request["connectionData"]
    if reason := _fault(device, request["configurationSlot"], profile):
        return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}, []
    device.memory.profiles[request["configurationSlot"]] = profile
    return ACCEPTED, []


def _fault(device: Device, slot: int, profile: Payload) -> str:
    slots = device.components["ocppcommctrlr", "", 0, 0].variables["networkconfigurationpriority", ""].values
    if str(slot) not in slots:
        return "InvalidConfSlot"
    # OCPP 2.0.1 B09: a station does not go back to a lower security profile.
    if not device.number("SecurityCtrlr", "SecurityProfile") <= profile["securityProfile"] <= 3:
        return "NoSecurityDowngrade"
    if profile["ocppTransport"] != "JSON" or not _is_reachable(profile):
        return "InvalidNetworkConf"
    return ""


def _is_reachable(profile: Payload) -> bool:
    try:
        url = urlsplit(profile["ocppCsmsUrl"])
    except ValueError:
        return False
    encrypted = profile["securityProfile"] >= ENCRYPTED
    return url.scheme in (SCHEMES[1:] if encrypted else SCHEMES) and bool(url.hostname)

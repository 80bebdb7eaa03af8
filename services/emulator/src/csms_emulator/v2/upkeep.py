"""Logs, firmware and certificates of a 2.x station. No file is fetched, and none is sent: the steps are only told."""

from collections.abc import Iterator

from csms_emulator.actions import Payload
from csms_emulator.certificates16 import parsed
from csms_emulator.v2.certificates import CHARGING_STATION
from csms_emulator.v2.device import Calls, Device

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def get_log(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetLog."""
    told = [{"status": status, "requestId": request["requestId"]} for status in ("Uploading", "Uploaded")]
    name = f"{request['logType']}-{request['requestId']}.log"
    return {**ACCEPTED, "filename": name}, [("LogStatusNotification", body) for body in told]


def update_firmware(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """UpdateFirmware. OCPP 2.0.1 L01: with a certificate, its maker must be trusted; no file is there to verify."""
    firmware = request["firmware"]
    if "signingCertificate" in firmware and not _trusts(device, firmware["signingCertificate"], now):
        return {"status": "InvalidCertificate"}, [_event(device, "InvalidFirmwareSigningCertificate", now)]
    told = [{"status": status, "requestId": request["requestId"]} for status in _steps(device, firmware, now)]
    return ACCEPTED, [("FirmwareStatusNotification", body) for body in told]


def publish_firmware(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """PublishFirmware."""
    device.memory.published[request["checksum"]] = request["location"]
    number = {"requestId": request["requestId"]}
    steps = [{"status": status, **number} for status in ("Downloading", "Downloaded", "ChecksumVerified")]
    # OCPP 2.0.1 L03: `location` is told with Published.
    published = {"status": "Published", "location": [request["location"]], **number}
    return ACCEPTED, [("PublishFirmwareStatusNotification", body) for body in (*steps, published)]


def unpublish_firmware(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """UnpublishFirmware."""
    known = device.memory.published.pop(request["checksum"], None)
    return {"status": "NoFirmware" if known is None else "Unpublished"}, []


def install_certificate(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """InstallCertificate."""
    kind, pem = request["certificateType"], request["certificate"]
    status = device.memory.keyring.install(kind, pem, device.since_1970(now))
    _count(device)
    reasons = {"Rejected": _why("InvalidCertificate"), "Failed": _why("OutOfStorage")}
    return {"status": status, **reasons.get(status, {})}, []


def get_installed_certificate_ids(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """GetInstalledCertificateIds."""
    found = device.memory.keyring.hashes(request.get("certificateType", []))
    return {**ACCEPTED, "certificateHashDataChain": found} if found else {"status": "NotFound"}, []


def delete_certificate(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """DeleteCertificate."""
    status = device.memory.keyring.delete(request["certificateHashData"])
    _count(device)
    return {"status": status}, []


def certificate_signed(device: Device, request: Payload, now: float) -> tuple[Payload, Calls]:
    """CertificateSigned. OCPP 2.0.1 A02: an invalid certificate is discarded, and a security event tells of it."""
    kind = request.get("certificateType", CHARGING_STATION)
    if device.memory.keyring.adopt(kind, request["certificateChain"], device.since_1970(now)):
        return ACCEPTED, []
    return {**REJECTED, **_why("InvalidCertificate")}, [_event(device, "InvalidChargingStationCertificate", now)]


def _steps(device: Device, firmware: Payload, now: float) -> Iterator[str]:
    if not device.reached(firmware["retrieveDateTime"], now):
        yield "DownloadScheduled"
    yield from ("Downloading", "Downloaded")
    if "signature" in firmware and "signingCertificate" in firmware:
        yield "SignatureVerified"
    if "installDateTime" in firmware and not device.reached(firmware["installDateTime"], now):
        yield "InstallScheduled"
    yield from ("Installing", "Installed")


def _trusts(device: Device, pem: str, now: float) -> bool:
    return bool(parsed(pem)) and device.memory.keyring.station.trusts_maker(pem, device.since_1970(now))


def _event(device: Device, kind: str, now: float) -> tuple[str, Payload]:
    return "SecurityEventNotification", {"type": kind, "timestamp": device.time(now)}


def _why(reason: str) -> Payload:
    return {"statusInfo": {"reasonCode": reason}}


def _count(device: Device) -> None:
    device.set("SecurityCtrlr", "CertificateEntries", str(len(device.memory.keyring.hashes([]))))

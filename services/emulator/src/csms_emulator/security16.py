"""The commands of file transfers and of the security extension (OCPP 1.6 security white paper, edition 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csms_emulator.actions import Payload
from csms_emulator.diagnostics import get_diagnostics, get_log
from csms_emulator.firmware import signed_update_firmware, update_firmware

if TYPE_CHECKING:
    from csms_emulator.commands import Command
    from csms_emulator.station import Station

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


def install_certificate(station: Station, request: Payload, now: float) -> Payload:
    """InstallCertificate."""
    board = station.board
    at = board.epoch + now
    return {"status": board.upkeep.certificates.install(request["certificateType"], request["certificate"], at)}


def get_installed_certificate_ids(station: Station, request: Payload, now: float) -> Payload:
    """GetInstalledCertificateIds."""
    found = station.board.upkeep.certificates.ids(request["certificateType"])
    return {"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"}


def delete_certificate(station: Station, request: Payload, now: float) -> Payload:
    """DeleteCertificate."""
    return {"status": station.board.upkeep.certificates.delete(request["certificateHashData"])}


def certificate_signed(station: Station, request: Payload, now: float) -> Payload:
    """CertificateSigned, for the key of the last SignCertificate."""
    board = station.board
    if board.upkeep.certificates.adopt(request["certificateChain"], board.epoch + now):
        board.upkeep.event(board, "ReconfigurationOfSecurityParameters", now, "certificate of the charge point")
        return ACCEPTED
    board.upkeep.event(board, "InvalidChargePointCertificate", now)
    return REJECTED


def extended_trigger_message(station: Station, request: Payload, now: float) -> Payload:
    """ExtendedTriggerMessage: what TriggerMessage knows, and the messages of the security extension."""
    connector, message = request.get("connectorId"), request["requestedMessage"]
    known = connector is None or connector in (0, *station.connectors)
    if not known or not station.may_be_triggered:
        return REJECTED
    trigger(station, message, connector, now)
    return ACCEPTED


def trigger(station: Station, message: str, connector: int | None, now: float) -> None:
    """Send what was asked for."""
    outbox, upkeep = station.board.outbox, station.board.upkeep
    if message == "FirmwareStatusNotification":
        outbox.post("SignedFirmwareStatusNotification", upkeep.update.signed_told, triggered=True)
    elif message == "LogStatusNotification":
        outbox.post("LogStatusNotification", upkeep.log.told, triggered=True)
    elif message == "SignChargePointCertificate":
        csr = upkeep.certificates.request(upkeep.serial, station.configuration.text("CpoName"))
        outbox.post("SignCertificate", {"csr": csr}, triggered=True)
    else:
        station.trigger(message, connector, now)


COMMANDS16: dict[str, Command] = {
    "CertificateSigned": certificate_signed,
    "DeleteCertificate": delete_certificate,
    "ExtendedTriggerMessage": extended_trigger_message,
    "GetDiagnostics": get_diagnostics,
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "GetLog": get_log,
    "InstallCertificate": install_certificate,
    "SignedUpdateFirmware": signed_update_firmware,
    "UpdateFirmware": update_firmware,
}

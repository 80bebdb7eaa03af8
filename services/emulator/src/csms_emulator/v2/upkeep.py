"""Logs, firmware, certificates and security events of a 2.x station.

How files are transferred, and in which steps, is 1.6's (`csms_emulator.upkeep`); here stands what 2.x says differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from csms_emulator import diagnostics, firmware, upkeep
from csms_emulator.actions import Payload, Transferred
from csms_emulator.diagnostics import LOG
from csms_emulator.firmware import FIRMWARE, PLAIN
from csms_emulator.outbox import Message
from csms_emulator.v2 import events, publishing, streams
from csms_emulator.v2.certificates import CHARGING_STATION
from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.publication import Publication
from csms_emulator.v2.publishing import PUBLISH

if TYPE_CHECKING:
    from csms_emulator.v2.board import Board
    from csms_emulator.v2.station import Station

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
CANCELED = "AcceptedCanceled"
LOGS = ("DiagnosticsLog", "SecurityLog")


def get_log(station: Station, request: Payload, now: float) -> Payload:
    """GetLog. A second one cancels the first, and that is told."""
    if request["logType"] not in LOGS:
        return {**REJECTED, **_why("UnsupportedParam")}
    board = station.board
    board.upkeep.version = board.device.get("ChargingStation", "FirmwareVersion")
    before = board.upkeep.log.told
    answer = diagnostics.get_log(station, request, now)
    if answer["status"] == CANCELED:
        # OCPP 2.0.1 N01: the upload that was canceled is told to be.
        board.outbox.post(LOG, {**before, "status": CANCELED}, triggered=True)
    return answer


def update_firmware(station: Station, request: Payload, now: float) -> Payload:
    """UpdateFirmware. OCPP 2.0.1 L01: what comes with a certificate is from a maker who is trusted."""
    return firmware.order(station.board, PLAIN, request, now)


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


def _event(device: Device, kind: str, now: float) -> tuple[str, Payload]:
    return upkeep.SECURITY_EVENT, {"type": kind, "timestamp": device.time(now)}


def _why(reason: str) -> Payload:
    return {"statusInfo": {"reasonCode": reason}}


def _count(device: Device) -> None:
    device.set("SecurityCtrlr", "CertificateEntries", str(len(device.memory.keyring.hashes([]))))


# --- what follows from the station's life -----------------------------------------------------------------------------


def started(board: Board, now: float) -> None:
    """The station has power, and there is a connection for the first time since."""
    board.upkeep.event(board, "StartupOfTheDevice", now, after_boot=True)


def restarted(board: Board) -> None:
    """What was under way is forgotten."""
    board.upkeep.restarted()
    board.device.memory.publication = Publication()
    streams.restarted(board)


def listen(board: Board) -> None:
    """The central system listens (again): tell what has waited for that."""
    streams.listen(board)
    upkeep.tell_untold(board)
    events.tell_unheard(board)


def lost(board: Board, messages: list[Message]) -> None:
    """These were lost with the connection."""
    upkeep.lost(board, messages)
    events.lost(board, messages)


def post(board: Board, calls: Calls, now: float) -> None:
    """What follows a command. OCPP 2.0.1 B02: what was asked for is told while Pending, too."""
    for action, body in calls:
        if action == upkeep.SECURITY_EVENT:
            board.upkeep.event(board, body["type"], now)
        else:
            board.outbox.post(action, body, triggered=True)


def look(board: Board, now: float) -> None:
    """After every input: what monitors see, and where it is told."""
    streams.keep_up(board, now)
    events.tell(board, now)
    streams.flow(board, now)
    board.upkeep.record(board.actions, now)


def next_look(board: Board) -> float | None:
    """When to look without an input."""
    times = (events.next_event(board.device), streams.next_step(board))
    return min((at for at in times if at is not None), default=None)


def reconfigured(board: Board, results: Iterable[Payload], now: float) -> None:
    """Variables were set: those that security depends on are told."""
    for result in results:
        taken = result["attributeStatus"] in ("Accepted", "RebootRequired")
        if taken and result["component"]["name"].lower() == "securityctrlr":
            name = result["variable"]["name"]
            board.upkeep.event(board, "ReconfigurationOfSecurityParameters", now, name)


def transferred(station: Station, number: int, outcome: Transferred, now: float) -> None:
    """A transfer has ended; nobody asks for it any more when it was canceled, or when the station has restarted."""
    if station.device.memory.publication.number == number:
        publishing.transferred(station.board, outcome, now)
    else:
        upkeep.transferred(station, number, outcome, now)


OCCASIONS: dict[str, Callable[[Station, float], None]] = {
    LOG: upkeep.OCCASIONS[LOG],
    FIRMWARE: upkeep.OCCASIONS[FIRMWARE],
    PUBLISH: publishing.step,
}

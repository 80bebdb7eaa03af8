"""An update of the firmware: it is fetched for certain, a signed one is checked, and then a new version is pretended.

UpdateFirmware and SignedUpdateFirmware have the same steps; only the latter's statuses tell every one of them. The
restart is the emulated station's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from csms_emulator import certificates16
from csms_emulator.actions import Payload, Transferred
from csms_emulator.diagnostics import Tries, tries

if TYPE_CHECKING:
    from csms_emulator.board import Board
    from csms_emulator.station import Station

FIRMWARE = "firmware"

IDLE = "Idle"
PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"

TAKES = (15.0, 60.0)  # emulated seconds that an installation needs, from … to
AFTER_TRANSACTIONS = 30.0  # emulated seconds until it is looked again whether all transactions have ended

LONGEST_VERSION = 50  # OCPP 1.6 §6.3: firmwareVersion is a CiString50Type


class Signed(msgspec.Struct, frozen=True):
    """What a SignedUpdateFirmware has beyond an UpdateFirmware; the certificate is PEM, the signature Base64."""

    request_id: int
    certificate: str
    signature: str


class Update(msgspec.Struct):
    """How far it is. `number` is the Transfer's, 0 while there is none; `version` is known once it is downloaded."""

    location: str = ""
    tries: Tries = msgspec.field(default_factory=Tries)
    install_at: float = 0.0
    signed: Signed | None = None
    status: str = IDLE
    number: int = 0
    version: str = ""

    @property
    def plain_status(self) -> str:
        """The status for FirmwareStatusNotification."""
        return IDLE if self.signed else self.status

    @property
    def signed_told(self) -> Payload:
        """The payload of SignedFirmwareStatusNotification.

        OCPP 1.6 security §5.18: requestId is left out only when the status is Idle.
        """
        return {"status": self.status, "requestId": self.signed.request_id} if self.signed else {"status": IDLE}


def update_firmware(station: Station, request: Payload, now: float) -> Payload:
    """UpdateFirmware; one that is under way begins anew."""
    board = station.board
    board.upkeep.update = Update(request["location"], tries(request))
    board.agenda.set(max(now, board.instant(request["retrieveDate"])), FIRMWARE)
    return {}


def signed_update_firmware(station: Station, request: Payload, now: float) -> Payload:
    """SignedUpdateFirmware; one that is being installed already is not given up."""
    board, firmware = station.board, request["firmware"]
    before = board.upkeep.update.status
    if before in ("Installing", "InstallRebooting"):
        return {"status": "Rejected"}
    if not board.upkeep.certificates.trusts_maker(firmware["signingCertificate"], board.epoch + now):
        board.upkeep.event(board, "InvalidFirmwareSigningCertificate", now)
        return {"status": "InvalidCertificate"}
    begin_signed(board, request, now)
    return {"status": "Accepted" if before == IDLE else "AcceptedCanceled"}


def begin_signed(board: Board, request: Payload, now: float) -> None:
    """Begin when it is time to; until then it is scheduled."""
    firmware = request["firmware"]
    signed = Signed(request["requestId"], firmware["signingCertificate"], firmware["signature"])
    install_at = board.instant(firmware["installDateTime"]) if "installDateTime" in firmware else now
    update = board.upkeep.update = Update(firmware["location"], tries(request), install_at, signed)
    at = max(now, board.instant(firmware["retrieveDateTime"]))
    board.agenda.set(at, FIRMWARE)
    if at > now:
        _tell(board, update, "DownloadScheduled")


def step(station: Station, now: float) -> None:
    """It is time for what follows the present status."""
    _STEPS[station.board.upkeep.update.status](station, station.board.upkeep.update, now)


def transferred(station: Station, outcome: Transferred, now: float) -> None:
    """The download under way has ended."""
    board, update = station.board, station.board.upkeep.update
    update.number = 0
    if outcome.failure:
        _missed(board, update, outcome, now)
        return
    update.version = version(update.location, outcome.content)
    _tell(board, update, "Downloaded")
    if update.signed and not _verified(board, update, update.signed, outcome.content, now):
        return
    if update.signed and update.install_at > now:
        _tell(board, update, "InstallScheduled")
    board.agenda.set(max(update.install_at, board.later(now, *TAKES)), FIRMWARE)


def version(location: str, content: bytes) -> str:
    """What the file's name says of its version; a name that says nothing leaves it to the content."""
    name = unquote(urlsplit(location).path.rpartition("/")[2])
    numbers = re.search(r"\d+(?:\.\d+)+", name)
    return numbers[0][:LONGEST_VERSION] if numbers else sha256(content).hexdigest()[:8]


def _missed(board: Board, update: Update, outcome: Transferred, now: float) -> None:
    board.log("download failed", "warning", reason=outcome.reason)
    if outcome.failure != "unsupported" and update.tries.again():
        board.agenda.set(now + update.tries.pause, FIRMWARE)
    else:
        _give_up(board, update, "DownloadFailed")


def _verified(board: Board, update: Update, signed: Signed, content: bytes, now: float) -> bool:
    if certificates16.has_signed(signed.certificate, signed.signature, content):
        _tell(board, update, "SignatureVerified")
        return True
    board.upkeep.event(board, "InvalidFirmwareSignature", now)
    _give_up(board, update, "InvalidSignature")
    return False


def _download(station: Station, update: Update, now: float) -> None:
    _tell(station.board, update, "Downloading")
    _fetch(station, update, now)


def _fetch(station: Station, update: Update, now: float) -> None:
    update.number = station.board.upkeep.transfer(station.board, update.location)


def _install(station: Station, update: Update, now: float) -> None:
    board = station.board
    if any(connector.transaction for connector in station.connectors.values()):
        # OCPP 1.6 §6.49 leaves it to the station; whoever charges is not to be interrupted.
        board.agenda.set(board.later(now, AFTER_TRANSACTIONS, AFTER_TRANSACTIONS), FIRMWARE)
        return
    _tell(board, update, "Installing")
    board.agenda.set(board.later(now, *TAKES), FIRMWARE)


def _finish(station: Station, update: Update, now: float) -> None:
    board = station.board
    if not (station.serving and board.online):
        # The restart would take the last status with it.
        board.agenda.set(board.later(now, *TAKES), FIRMWARE)
        return
    board.upkeep.version = update.version
    board.log("firmware installed", version=update.version)
    if update.signed:
        _tell(board, update, "InstallRebooting")
        board.upkeep.untold.append((SIGNED, {"status": "Installed", "requestId": update.signed.request_id}))
    else:
        _tell(board, update, "Installed")
    board.upkeep.event(board, "FirmwareUpdated", now, update.version, after_boot=True)
    station.reset(hard=False, now=now)


def _tell(board: Board, update: Update, status: str) -> None:
    update.status = status
    if update.signed:
        board.outbox.post(SIGNED, update.signed_told)
    else:
        board.outbox.post(PLAIN, {"status": status})


def _give_up(board: Board, update: Update, status: str) -> None:
    _tell(board, update, status)
    board.upkeep.update = Update()


_STEPS: dict[str, Callable[[Station, Update, float], None]] = {
    IDLE: _download,
    "DownloadScheduled": _download,
    "Downloading": _fetch,
    "Downloaded": _install,
    "SignatureVerified": _install,
    "InstallScheduled": _install,
    "Installing": _finish,
}

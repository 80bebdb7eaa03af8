"""An update of the firmware: it is fetched for certain, a signed one is checked, and then a new version is pretended.

UpdateFirmware and SignedUpdateFirmware have the same steps; only the latter's statuses tell every one of them, as
those of 2.x do, whose UpdateFirmware may be signed. The restart is the emulated station's own.
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
    from csms_emulator.desk import Desk
    from csms_emulator.owner import Owner
    from csms_emulator.station import Station

FIRMWARE = "firmware"

IDLE = "Idle"
INSTALLING = ("Installing", "InstallRebooting")
PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"

TAKES = (15.0, 60.0)  # emulated seconds that an installation needs, from … to
AFTER_TRANSACTIONS = 30.0  # emulated seconds until it is looked again whether all transactions have ended

LONGEST_VERSION = 50  # OCPP 1.6 §6.3: firmwareVersion is a CiString50Type


class Signed(msgspec.Struct, frozen=True):
    """What a SignedUpdateFirmware has beyond an UpdateFirmware; the certificate is PEM, the signature Base64."""

    certificate: str
    signature: str


class Update(msgspec.Struct):
    """How far it is, as `action` tells it; with a `request_id` it tells every step.

    `number` is the Transfer's, 0 while there is none; `version` is known once it is downloaded, "" for an empty file.
    """

    action: str = PLAIN
    location: str = ""
    tries: Tries = msgspec.field(default_factory=Tries)
    install_at: float = 0.0
    request_id: int | None = None
    signed: Signed | None = None
    status: str = IDLE
    number: int = 0
    version: str = ""

    @property
    def plain_status(self) -> str:
        """The status for FirmwareStatusNotification."""
        return IDLE if self.action == SIGNED else self.status

    @property
    def signed_told(self) -> Payload:
        """The payload of SignedFirmwareStatusNotification.

        OCPP 1.6 security §5.18: requestId is left out only when the status is Idle.
        """
        return self.told if self.action == SIGNED else {"status": IDLE}

    @property
    def told(self) -> Payload:
        """The payload of `action`."""
        known = {} if self.request_id is None else {"requestId": self.request_id}
        return {"status": self.status, **known}


def update_firmware(station: Station, request: Payload, now: float) -> Payload:
    """UpdateFirmware; one that is under way begins anew."""
    board = station.board
    board.upkeep.update = Update(PLAIN, request["location"], tries(request))
    board.agenda.set(max(now, board.instant(request["retrieveDate"])), FIRMWARE)
    return {}


def signed_update_firmware(station: Station, request: Payload, now: float) -> Payload:
    """SignedUpdateFirmware."""
    return order(station.board, SIGNED, request, now)


def order(board: Desk, action: str, request: Payload, now: float) -> Payload:
    """What a request with a `firmware` is answered, `action` telling its steps.

    What is being installed already is not given up.
    """
    before, firmware = board.upkeep.update.status, request["firmware"]
    if before in INSTALLING:
        return {"status": "Rejected"}
    maker = firmware.get("signingCertificate")
    if maker is not None and not board.upkeep.certificates.trusts_maker(maker, board.epoch + now):
        board.upkeep.event(board, "InvalidFirmwareSigningCertificate", now)
        return {"status": "InvalidCertificate"}
    _begin(board, action, request, now)
    return {"status": "Accepted" if before == IDLE else "AcceptedCanceled"}


def _begin(board: Desk, action: str, request: Payload, now: float) -> None:
    """Begin when it is time to; until then it is scheduled."""
    firmware, request_id = request["firmware"], request["requestId"]
    install_at = board.instant(firmware["installDateTime"]) if "installDateTime" in firmware else now
    update = Update(action, firmware["location"], tries(request), install_at, request_id, _signed(firmware))
    board.upkeep.update = update
    at = max(now, board.instant(firmware["retrieveDateTime"]))
    board.agenda.set(at, FIRMWARE)
    if at > now:
        _tell(board, update, "DownloadScheduled")


def _signed(firmware: Payload) -> Signed | None:
    # Without either there is nothing to verify.
    if "signature" not in firmware or "signingCertificate" not in firmware:
        return None
    return Signed(firmware["signingCertificate"], firmware["signature"])


def step(station: Owner, now: float) -> None:
    """It is time for what follows the present status."""
    _STEPS[station.board.upkeep.update.status](station, station.board.upkeep.update, now)


def transferred(station: Owner, outcome: Transferred, now: float) -> None:
    """The download under way has ended."""
    board, update = station.board, station.board.upkeep.update
    update.number = 0
    if outcome.failure:
        _missed(board, update, outcome, now)
        return
    update.version = version(update.location, outcome.content) if outcome.content else ""
    _tell(board, update, "Downloaded")
    if update.signed and not _verified(board, update, update.signed, outcome.content, now):
        return
    if update.request_id is not None and update.install_at > now:
        _tell(board, update, "InstallScheduled")
    board.agenda.set(max(update.install_at, board.later(now, *TAKES)), FIRMWARE)


def version(location: str, content: bytes) -> str:
    """What the file's name says of its version; a name that says nothing leaves it to the content."""
    name = unquote(urlsplit(location).path.rpartition("/")[2])
    numbers = re.search(r"\d+(?:\.\d+)+", name)
    return numbers[0][:LONGEST_VERSION] if numbers else sha256(content).hexdigest()[:8]


def _missed(board: Desk, update: Update, outcome: Transferred, now: float) -> None:
    board.log("download failed", "warning", reason=outcome.reason)
    if outcome.failure != "unsupported" and update.tries.again():
        board.agenda.set(now + update.tries.pause, FIRMWARE)
    else:
        _give_up(board, update, "DownloadFailed")


def _verified(board: Desk, update: Update, signed: Signed, content: bytes, now: float) -> bool:
    if certificates16.has_signed(signed.certificate, signed.signature, content):
        _tell(board, update, "SignatureVerified")
        return True
    board.upkeep.event(board, "InvalidFirmwareSignature", now)
    _give_up(board, update, "InvalidSignature")
    return False


def _download(station: Owner, update: Update, now: float) -> None:
    _tell(station.board, update, "Downloading")
    _fetch(station, update, now)


def _fetch(station: Owner, update: Update, now: float) -> None:
    update.number = station.board.upkeep.transfer(station.board, update.location)


def _install(station: Owner, update: Update, now: float) -> None:
    board = station.board
    if not station.idle:
        # OCPP 1.6 §6.49 leaves it to the station; whoever charges is not to be interrupted. So OCPP 2.0.1 L01.
        board.agenda.set(board.later(now, AFTER_TRANSACTIONS, AFTER_TRANSACTIONS), FIRMWARE)
        return
    _tell(board, update, "Installing")
    board.agenda.set(board.later(now, *TAKES), FIRMWARE)


def _finish(station: Owner, update: Update, now: float) -> None:
    board = station.board
    if not update.version:
        _give_up(board, update, "InstallationFailed")
        return
    if not (station.serving and board.online):
        # The restart would take the last status with it.
        board.agenda.set(board.later(now, *TAKES), FIRMWARE)
        return
    board.upkeep.version = update.version
    board.log("firmware installed", version=update.version)
    if update.request_id is not None:
        _tell(board, update, "InstallRebooting")
        board.upkeep.untold.append((update.action, {**update.told, "status": "Installed"}))
    else:
        _tell(board, update, "Installed")
    board.upkeep.event(board, "FirmwareUpdated", now, update.version, after_boot=True)
    station.renew(now)


def _tell(board: Desk, update: Update, status: str) -> None:
    update.status = status
    board.outbox.post(update.action, update.told)


def _give_up(board: Desk, update: Update, status: str) -> None:
    _tell(board, update, status)
    board.upkeep.update = Update()


_STEPS: dict[str, Callable[[Owner, Update, float], None]] = {
    IDLE: _download,
    "DownloadScheduled": _download,
    "Downloading": _fetch,
    "Downloaded": _install,
    "SignatureVerified": _install,
    "InstallScheduled": _install,
    "Installing": _finish,
}

"""Uploads of the station's own log: GetDiagnostics, and GetLog of the security extension, which differ in their words.

What is uploaded is written when it is asked for; the upload begins after the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from csms_emulator.actions import Payload, Transferred

if TYPE_CHECKING:
    from csms_emulator.desk import Desk
    from csms_emulator.owner import Owner
    from csms_emulator.station import Station

DIAGNOSTICS, LOG = "DiagnosticsStatusNotification", "LogStatusNotification"

IDLE, UPLOADING, UPLOADED = "Idle", "Uploading", "Uploaded"
FAILED = {
    DIAGNOSTICS: dict.fromkeys(("failed", "denied", "malformed", "unsupported"), "UploadFailed"),
    LOG: {
        "failed": "UploadFailure",
        "denied": "PermissionDenied",
        "malformed": "BadMessage",
        "unsupported": "NotSupportedOperation",
    },
}

# OCPP 1.6 §6.9, §6.49: without `retries` and `retryInterval` "it is left to Charge Point to decide".
ATTEMPTS, PAUSE = 3, 30.0
MOST_ATTEMPTS, MOST_PAUSE = 100, 86_400.0

Entries = Iterable[tuple[float, str]]


class Tries(msgspec.Struct):
    """How often a transfer is tried yet, and the pause between, in real seconds: the central system dictates it."""

    left: int = ATTEMPTS
    pause: float = PAUSE

    def again(self) -> bool:
        """Whether there is another try after one that failed."""
        self.left -= 1
        return self.left > 0


class Upload(msgspec.Struct):
    """What is uploaded, and how far that is, as `action` tells it. `number` is the Transfer's, 0 between two tries."""

    action: str
    status: str = IDLE
    request_id: int | None = None
    url: str = ""
    name: str = ""
    content: bytes = b""
    tries: Tries = msgspec.field(default_factory=Tries)
    number: int = 0

    @property
    def told(self) -> Payload:
        """The payload of `action`."""
        known = {} if self.request_id is None else {"requestId": self.request_id}
        return {"status": self.status, **known}


def tries(request: Payload) -> Tries:
    """What a request says of `retries` and `retryInterval`; out of all proportion it is less."""
    left, pause = request.get("retries", ATTEMPTS), request.get("retryInterval", PAUSE)
    return Tries(int(min(max(left, 1), MOST_ATTEMPTS)), float(min(max(pause, 0), MOST_PAUSE)))


def begin(board: Desk, upload: Upload, now: float) -> None:
    """Upload it from now on, instead of whatever was being uploaded with the same words."""
    board.upkeep.uploads[upload.action] = upload
    board.agenda.set(now, upload.action)


def step(action: str, station: Owner, now: float) -> None:
    """Try what this action tells of, for the first time or again."""
    board = station.board
    upload = board.upkeep.uploads[action]
    if upload.status != UPLOADING:
        _tell(board, upload, UPLOADING)
    upload.number = board.upkeep.transfer(board, upload.url, upload.content, upload.name)


def transferred(board: Desk, upload: Upload, outcome: Transferred, now: float) -> None:
    """The try under way has ended."""
    upload.number = 0
    if outcome.failure:
        board.log("upload failed", "warning", reason=outcome.reason)
    if outcome.failure and outcome.failure != "unsupported" and upload.tries.again():
        board.agenda.set(now + upload.tries.pause, upload.action)
        return
    _tell(board, upload, FAILED[upload.action][outcome.failure] if outcome.failure else UPLOADED)
    board.upkeep.uploads[upload.action] = Upload(upload.action)


def get_diagnostics(station: Station, request: Payload, now: float) -> Payload:
    """GetDiagnostics: the station's log, between `startTime` and `stopTime` where they are given."""
    board = station.board
    name = file_name(board, "diagnostics", now)
    content = text(board, board.upkeep.journal, request.get("startTime"), request.get("stopTime"))
    begin(board, Upload(DIAGNOSTICS, IDLE, None, request["location"], name, content, tries(request)), now)
    return {"fileName": name}


def get_log(station: Owner, request: Payload, now: float) -> Payload:
    """GetLog: the station's log, or its security events. A second one cancels the first."""
    board, log = station.board, request["log"]
    security = request["logType"] == "SecurityLog"
    name = file_name(board, "security" if security else "diagnostics", now)
    entries = board.upkeep.security_log if security else board.upkeep.journal
    content = text(board, entries, log.get("oldestTimestamp"), log.get("latestTimestamp"))
    canceled = board.upkeep.log.request_id is not None
    upload = Upload(LOG, IDLE, request["requestId"], log["remoteLocation"], name, content, tries(request))
    begin(board, upload, now)
    return {"status": "AcceptedCanceled" if canceled else "Accepted", "filename": name}


def file_name(board: Desk, kind: str, now: float) -> str:
    """A name that no other station's file has, and none of this one's a second earlier."""
    serial = re.sub(r"[^A-Za-z0-9._-]", "_", board.upkeep.serial)[:100]
    moment = datetime.fromtimestamp(board.epoch + now, UTC)
    return f"{serial}-{kind}-{moment:%Y%m%dT%H%M%SZ}.log"


def text(board: Desk, entries: Entries, oldest: str | None, latest: str | None) -> bytes:
    """The entries between two of the wire's times, one a line, under a heading."""
    least = board.instant(oldest) if oldest else float("-inf")
    most = board.instant(latest) if latest else float("inf")
    lines = [f"{board.timestamp(at)} {entry}" for at, entry in entries if least <= at <= most]
    heading = f"# {board.upkeep.serial}, an emulated charging station with firmware {board.upkeep.version}"
    return ("\n".join([heading, *lines]) + "\n").encode()


def _tell(board: Desk, upload: Upload, status: str) -> None:
    upload.status = status
    board.outbox.post(upload.action, upload.told)

"""PublishFirmware and UnpublishFirmware: a file is fetched for certain, and its checksum is compared.

What is published is only remembered: an emulated station serves no files, so the place it tells is where it had the
file from.
"""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING

from csms_emulator.actions import Payload, Transferred
from csms_emulator.diagnostics import IDLE, tries
from csms_emulator.v2.publication import Publication

if TYPE_CHECKING:
    from csms_emulator.v2.board import Board
    from csms_emulator.v2.station import Station

PUBLISH = "PublishFirmwareStatusNotification"

ACCEPTED = {"status": "Accepted"}


def publish_firmware(station: Station, request: Payload, now: float) -> Payload:
    """PublishFirmware; one at a time."""
    board = station.board
    memory = board.device.memory
    if memory.publication.status != IDLE:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "FwUpdateInProgress"}}
    where, checksum = request["location"], request["checksum"].lower()
    memory.publication = Publication(IDLE, request["requestId"], where, checksum, tries(request))
    _tell(board, "Downloading")
    board.agenda.set(now, PUBLISH)
    return ACCEPTED


def unpublish_firmware(station: Station, request: Payload, now: float) -> Payload:
    """UnpublishFirmware."""
    memory, checksum = station.board.device.memory, request["checksum"].lower()
    if memory.publication.checksum == checksum:
        return {"status": "DownloadOngoing"}
    return {"status": "NoFirmware" if memory.published.pop(checksum, None) is None else "Unpublished"}


def step(station: Station, now: float) -> None:
    """Fetch the file, for the first time or again."""
    board = station.board
    publication = board.device.memory.publication
    publication.number = board.upkeep.transfer(board, publication.location)


def transferred(board: Board, outcome: Transferred, now: float) -> None:
    """The download under way has ended."""
    publication = board.device.memory.publication
    publication.number = 0
    if not outcome.failure:
        _publish(board, publication, outcome.content)
        return
    board.log("download failed", "warning", reason=outcome.reason)
    if outcome.failure != "unsupported" and publication.tries.again():
        board.agenda.set(now + publication.tries.pause, PUBLISH)
    else:
        _end(board, "DownloadFailed")


def _publish(board: Board, publication: Publication, content: bytes) -> None:
    _tell(board, "Downloaded")
    # OCPP 2.0.1 L03: the checksum is the MD5 of the whole file, in hexadecimal.
    if md5(content, usedforsecurity=False).hexdigest() != publication.checksum:
        _end(board, "InvalidChecksum")
        return
    _tell(board, "ChecksumVerified")
    board.device.memory.published[publication.checksum] = publication.location
    _end(board, "Published")


def _tell(board: Board, status: str) -> None:
    publication = board.device.memory.publication
    publication.status = status
    board.outbox.post(PUBLISH, publication.told, triggered=True)


def _end(board: Board, status: str) -> None:
    _tell(board, status)
    board.device.memory.publication = Publication()

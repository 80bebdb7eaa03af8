"""An update of the firmware as the central system sees it: statuses in their order. Nothing is fetched or installed."""

from csms_emulator.board import Board

FIRMWARE = "firmware"

IDLE, INSTALLED = "Idle", "Installed"
STEPS = {IDLE: "Downloading", "Downloading": "Downloaded", "Downloaded": "Installing", "Installing": INSTALLED}
TAKES = (15.0, 60.0)  # emulated seconds, from … to


def update(board: Board, at: float) -> None:
    """Begin at this time; an update that is under way begins anew."""
    board.firmware = IDLE
    board.agenda.set(at, FIRMWARE)


def step(board: Board, now: float) -> None:
    """The next status has come."""
    board.firmware = STEPS[board.firmware]
    board.outbox.post("FirmwareStatusNotification", {"status": board.firmware})
    if board.firmware == INSTALLED:
        board.firmware = IDLE
    else:
        board.agenda.set(board.later(now, *TAKES), FIRMWARE)

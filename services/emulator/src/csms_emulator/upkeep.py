"""What a station keeps of itself: its logs, its firmware's version, its certificates, and the transfers of files.

It survives restarts, except what was under way: `Upkeep.restarted`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from csms_emulator import diagnostics, firmware
from csms_emulator.actions import Action, Log, Payload, Transfer, Transferred
from csms_emulator.certificates16 import Certificates
from csms_emulator.diagnostics import DIAGNOSTICS, LOG, Upload
from csms_emulator.firmware import FIRMWARE, Update

if TYPE_CHECKING:
    from csms_emulator.desk import Desk
    from csms_emulator.outbox import Message
    from csms_emulator.owner import Owner

SECURITY_EVENT = "SecurityEventNotification"
MOST_LINES = 300
MOST_UNTOLD = 100
SECURITY_KEYS = {"authorizationkey", "cponame", "securityprofile"}


def _idle() -> dict[str, Upload]:
    return {action: Upload(action) for action in (DIAGNOSTICS, LOG)}


@dataclass(slots=True)
class Upkeep:
    """`security`: whether the central system has words for security events.

    `untold` are messages that wait for the next boot or connection; the logs are of (time, line), oldest first.
    """

    serial: str = ""
    security: bool = True
    version: str = "1.0"
    journal: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    security_log: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    untold: deque[tuple[str, Payload]] = field(default_factory=lambda: deque(maxlen=MOST_UNTOLD))
    uploads: dict[str, Upload] = field(default_factory=_idle)
    update: Update = field(default_factory=Update)
    certificates: Certificates = field(default_factory=Certificates)
    numbers: int = 0

    @property
    def diagnostics(self) -> Upload:
        """The upload that GetDiagnostics asked for."""
        return self.uploads[DIAGNOSTICS]

    @property
    def log(self) -> Upload:
        """The upload that GetLog asked for."""
        return self.uploads[LOG]

    def record(self, actions: Iterable[Action], now: float) -> None:
        """Enter the log entries of one input into the journal."""
        for action in actions:
            if isinstance(action, Log):
                fields = " ".join(f"{name}={value}" for name, value in action.fields.items())
                self.journal.append((now, f"{action.level} {action.event} {fields}".rstrip()))

    def transfer(self, board: Desk, url: str, content: bytes | None = None, name: str = "") -> int:
        """Have it carried out; answers its number."""
        self.numbers += 1
        board.actions.append(Transfer(url, self.numbers, content, name))
        return self.numbers

    def event(self, board: Desk, kind: str, now: float, info: str = "", *, after_boot: bool = False) -> None:
        """Something that security depends on has happened: SecurityEventNotification, as soon as it can be heard.

        Without `security` only the log has it.
        """
        self.security_log.append((now, f"{kind} {info}".rstrip()))
        if not self.security:
            return
        told = {"type": kind, "timestamp": board.timestamp(now), **({"techInfo": info[:255]} if info else {})}
        if board.online and not after_boot:
            board.outbox.post(SECURITY_EVENT, told)
        else:
            # OCPP 1.6 security §2.13: a notification of a critical event is queued until it can be delivered.
            self.untold.append((SECURITY_EVENT, told))

    def restarted(self) -> None:
        """What was under way is forgotten."""
        self.uploads, self.update = _idle(), Update()


def tell_untold(board: Desk) -> None:
    """The central system listens."""
    untold, board.upkeep.untold = board.upkeep.untold, deque(maxlen=MOST_UNTOLD)
    for action, payload in untold:
        board.outbox.post(action, payload)


def lost(board: Desk, messages: Iterable[Message]) -> None:
    """These were lost with the connection; security events are told when there is one again."""
    board.upkeep.untold.extend((m.action, m.body) for m in messages if m.action == SECURITY_EVENT)


def will_reset(board: Desk, now: float) -> None:
    """The station is about to restart."""
    board.upkeep.event(board, "ResetOrReboot", now, after_boot=True)


def reconfigured(board: Desk, key: str, now: float) -> None:
    """A configuration key has changed."""
    if key.lower() in SECURITY_KEYS:
        board.upkeep.event(board, "ReconfigurationOfSecurityParameters", now, key)


def transferred(station: Owner, number: int, outcome: Transferred, now: float) -> None:
    """A transfer has ended; nobody asks for it any more when it was canceled, or when the station has restarted."""
    upkeep = station.board.upkeep
    for upload in upkeep.uploads.values():
        if upload.number == number:
            diagnostics.transferred(station.board, upload, outcome, now)
            return
    if upkeep.update.number == number:
        firmware.transferred(station, outcome, now)


OCCASIONS: dict[str, Callable[[Owner, float], None]] = {
    DIAGNOSTICS: partial(diagnostics.step, DIAGNOSTICS),
    LOG: partial(diagnostics.step, LOG),
    FIRMWARE: firmware.step,
}

"""What a station and its central system have said to each other, as it can be watched from outside."""

from typing import Any, Literal

import msgspec

from csms_emulator.actions import Payload

Sender = Literal["station", "csms"]
Kind = Literal["call", "result", "error", "send"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `at` is in seconds on the watcher's clock, `sender` who said it.

    `action` is also told for answers. An "error" has `code` and `description`; so has the end of a CALL that nobody
    has answered (`code` "Timeout", say): its sender is whoever should have.
    """

    at: float
    sender: Sender
    kind: Kind
    action: str
    payload: Payload = {}
    code: str = ""
    description: str = ""

    def __str__(self) -> str:
        """One line for a reader."""
        arrow = "→" if self.sender == "station" else "←"
        what: Any = f"{self.code}: {self.description}" if self.kind == "error" else self.payload
        return f"{arrow} {self.action} {self.kind} {what}"

"""What an answer may use: the clock, the settings, the stores, and a place for facts to remember.

One `Desk` lives as long as one batch of envelopes. Handlers that need no store note facts on it; the service writes
them together before those answers leave.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from csms_platform.envelope import Capsule, Envelope
from csms_platform.ports import Note, Stations, Tags, Transactions
from csms_router.settings import Settings
from csms_router.times import iso_8601

# EVSEs or connectors of one station; notes about others are not kept, so that a peer cannot fill the store.
MOST_PLACES = 1000


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A CALLRESULT's payload. `session`: the connection's new capsule, None when it stays. `repeated`: as stored."""

    payload: msgspec.Raw
    session: Capsule | None = None
    repeated: bool = False


@dataclass(slots=True)
class Desk:
    """`now` is when the batch came, `time` the same in ISO 8601; `clock` goes on (for answers that waited)."""

    clock: Callable[[], float]
    settings: Settings
    stations: Stations
    tags: Tags
    transactions: Transactions
    now: float = 0.0
    time: bytes = b""
    notes: list[Note] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.clock()
        self.time = iso_8601(self.now).encode()

    def note(self, envelope: Envelope, about: str) -> None:
        """Remember the envelope's payload as the last one about `about`."""
        self.notes.append(Note(envelope.identity, about, bytes(envelope.payload)))

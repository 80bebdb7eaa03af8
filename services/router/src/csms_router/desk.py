"""What an answer may use: the clock, the settings, the stores, and a place for facts to remember.

One `Desk` lives as long as one batch of envelopes. Handlers that need no store note facts on it; the service writes
them together before those answers leave.
"""

from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field

import msgspec

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope
from csms_platform.ports import Note, Stations, Tags, Transactions
from csms_platform.times import iso_8601
from csms_router.authorize import ALLOWED, INVALID, Decision
from csms_router.settings import Settings

# EVSEs or connectors of one station; notes about others are not kept, so that a peer cannot fill the store.
MOST_PLACES = 1000

Release = Callable[[StationId], Awaitable[None]]
"""Sends the commands that wait for a station, which may be sent them now. Never raises."""

Booted = Callable[[Envelope], Awaitable[None]]
"""Does what follows when this BootNotification (or its answer) was Accepted and the station told so. Never raises."""

_VERDICTS = {"accept": ALLOWED, "reject": Decision(INVALID)}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A CALLRESULT's payload. `session`: the connection's new capsule, None when it stays. `repeated`: as stored.

    `booted`: the station is Accepted now, and what waits for it may be sent after this.
    """

    payload: msgspec.Raw
    session: Capsule | None = None
    repeated: bool = False
    booted: bool = False


@dataclass(slots=True)
class Desk:
    """`now` is when the batch came, `time` the same in ISO 8601; `clock` goes on (for answers that waited).

    `verdict` is what every tag is told, whatever the stores say about it, and in its own word every station that boots
    and everything else that is asked for a yes or a no; None: each is judged by itself.
    """

    clock: Callable[[], float]
    settings: Settings
    stations: Stations
    tags: Tags
    transactions: Transactions
    now: float = 0.0
    time: bytes = b""
    notes: list[Note] = field(default_factory=list)
    verdict: Decision | None = None

    def __post_init__(self) -> None:
        self.now = self.clock()
        self.time = iso_8601(self.now).encode()

    @property
    def rejects(self) -> bool:
        """Whether the verdict is no."""
        return self.verdict is not None and not self.verdict.accepted

    def under(self, backend: str) -> "Desk":
        """A desk with the same notes, for a CALL whose envelope names this backend."""
        other = copy(self)
        other.verdict = _VERDICTS.get(backend)
        return other

    def note(self, envelope: Envelope, about: str) -> None:
        """Remember the envelope's payload as the last one about `about`."""
        self.notes.append(Note(envelope.identity, about, bytes(envelope.payload)))

"""What the central system had a 2.x station keep, besides the values of its variables."""

from collections import deque
from dataclasses import dataclass, field

from csms_emulator.actions import Payload
from csms_emulator.v2.certificates import Keyring
from csms_emulator.v2.publication import Publication
from csms_emulator.v2.stream import Stream
from csms_emulator.v2.watch import Watch

MOST_UNHEARD = 100


@dataclass(slots=True)
class Memory:
    """Each in the wire's form, as it came, except for names, which are spelt as in the device model.

    `displays` by message id · `monitors` by monitor id: the setMonitoringData, and as `watches` what each has seen ·
    `events`: how many were told, and as `unheard` the NotifyEvents that wait for a connection · `streams` by the id of
    their monitor, `opened` how many there were ever · `profiles` network profiles by slot · `published` firmware by
    checksum: where it came from, and `publication` the one under way · `tariffs` default tariffs by EVSE · `der`
    SetDERControl requests by isDefault and controlId · `costs` of transactions, as told last.
    """

    displays: dict[int, Payload] = field(default_factory=dict)
    monitors: dict[int, Payload] = field(default_factory=dict)
    watches: dict[int, Watch] = field(default_factory=dict)
    events: int = 0
    unheard: deque[Payload] = field(default_factory=lambda: deque(maxlen=MOST_UNHEARD))
    streams: dict[int, Stream] = field(default_factory=dict)
    opened: int = 0
    profiles: dict[int, Payload] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    publication: Publication = field(default_factory=Publication)
    tariffs: dict[int, Payload] = field(default_factory=dict)
    der: dict[tuple[bool, str], Payload] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    keyring: Keyring = field(default_factory=Keyring)

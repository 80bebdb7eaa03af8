"""Two sessions back to back, no socket: what one transmits the other receives (the idea of h11's `ConnectionPair`)."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.session import CallReceived, Event, Session, Validation
from csms_ocpp.version import DIALECTS, Version

JSON_VERSIONS = [Version.V1_6, Version.V2_0_1, Version.V2_1]
V1_6, V2_0_1, V2_1 = JSON_VERSIONS
EMPTY = Raw(b"{}")
STREAM = b'{"id":1,"pending":0,"basetime":"2026-01-01T10:00:00Z","data":[{"t":0,"v":"1"}]}'

every_version = pytest.mark.parametrize("version", JSON_VERSIONS)

HEARTBEAT_ANSWER = b'{"currentTime":"2026-01-01T10:00:00Z"}'
MESSAGE = b'{"requestedMessage":"Heartbeat"}'  # a TriggerMessage of every version
ACCEPTED = b'{"status":"Accepted"}'


def session(version: Version, role: Role = Role.CSMS, **options: Any) -> Session:
    """A session whose own message ids are `<role>-1`, `<role>-2` …"""
    numbers = count(1)
    return Session(DIALECTS[version], role, new_id=lambda: f"{role}-{next(numbers)}", **options)


def wire(messages: list[bytes]) -> list[Any]:
    """The messages as Python values."""
    return [msgspec.json.decode(message) for message in messages]


def call(unique_id: object, action: object, payload: str = "{}") -> str:
    """The text of a CALL."""
    return f"[2,{msgspec.json.encode(unique_id).decode()},{msgspec.json.encode(action).decode()},{payload}]"


@dataclass
class Pair:
    """A CSMS and a station; `carry` moves what either has transmitted, until nothing moves any more."""

    version: Version
    csms_validation: Validation = Validation.STRICT
    station_validation: Validation = Validation.STRICT
    max_waiting: int = 32
    now: float = 0.0
    transmitted: list[tuple[Role, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        options: dict[str, Any] = {"max_waiting": self.max_waiting}
        self.csms = session(self.version, Role.CSMS, validation=self.csms_validation, **options)
        self.station = session(self.version, Role.STATION, validation=self.station_validation, **options)

    def carry(self) -> dict[Role, list[Event]]:
        """Deliver everything; the events of each end. What went over the wire is in `transmitted`."""
        events: dict[Role, list[Event]] = {Role.CSMS: [], Role.STATION: []}
        moved = True
        while moved:
            moved = False
            for sender, receiver in ((self.csms, self.station), (self.station, self.csms)):
                for message in sender.take_output():
                    moved = True
                    self.transmitted.append((sender.role, msgspec.json.decode(message)))
                    events[receiver.role] += receiver.receive(message, self.now)
        return events


def told(csms: Session, text: str | bytes) -> tuple[list[Any], list[Any]]:
    """The peer says `text`: the kinds of events that follow, and what goes back."""
    events = csms.receive(text, 0.0)
    return [getattr(event, "kind", event) for event in events], wire(csms.take_output())


def still_serves(csms: Session) -> bool:
    """Whether a Heartbeat is answered as if nothing had happened."""
    asked = csms.receive(call("still", "Heartbeat"), 0.0)
    csms.answer("still", HEARTBEAT_ANSWER)
    answer = [[3, "still", {"currentTime": "2026-01-01T10:00:00Z"}]]
    return asked == [CallReceived("still", "Heartbeat", EMPTY)] and wire(csms.take_output()) == answer

"""A periodic event stream of 2.1: what a monitor sees, gathered until it is sent."""

import math
from collections import deque
from enum import Enum

import msgspec

from csms_emulator.actions import Payload

MOST_GATHERED = 500  # while nobody listens the oldest give way
MOST_SENT = 100  # in one message


class State(Enum):
    """How far its OpenPeriodicEventStream is."""

    NEW = "new"
    OPEN = "open"
    REFUSED = "refused"


def _gathered() -> deque[tuple[float, str]]:
    return deque(maxlen=MOST_GATHERED)


class Stream(msgspec.Struct):
    """`wanted` is what its monitor says of it, `params` what is true now; `due` is when its interval ends.

    `asked` is when it was to be opened last, `attempts` how often. `data` are (time, value), oldest first.
    """

    id: int
    monitor: int
    wanted: Payload
    params: Payload
    state: State = State.NEW
    asked: float | None = None
    attempts: int = 0
    due: float | None = None
    data: deque[tuple[float, str]] = msgspec.field(default_factory=_gathered)

    @property
    def told(self) -> Payload:
        """The wire's ConstantStreamDataType."""
        return {"id": self.id, "variableMonitoringId": self.monitor, "params": self.params}

    def take(self, value: str, now: float) -> bool:
        """Gather it; not when the central system does not want the stream."""
        if self.state is State.REFUSED:
            return False
        self.data.append((now, value))
        return True

    def adjust(self, params: Payload, now: float) -> None:
        """Follow these from now on."""
        self.params = params
        self.due = now + params["interval"] if params.get("interval") else None

    def ready(self, now: float) -> list[list[tuple[float, str]]]:
        """What is to be sent now, a message each; it is not gathered any more."""
        over = self._interval_over(now)
        values = self.params.get("values") or 0
        size = min(values or MOST_SENT, MOST_SENT)
        if over or (self.due is None and not values):
            return [self._taken(size) for _ in range(math.ceil(len(self.data) / size))]
        # More than one message holds does not wait for all that were wanted.
        return [self._taken(size) for _ in range(len(self.data) // size)]

    def _interval_over(self, now: float) -> bool:
        if self.due is None or now < self.due:
            return False
        interval = self.params["interval"]
        self.due += (math.floor((now - self.due) / interval) + 1) * interval
        return True

    def _taken(self, most: int) -> list[tuple[float, str]]:
        return [self.data.popleft() for _ in range(min(most, len(self.data)))]

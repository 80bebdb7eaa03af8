"""Whether the central system has accepted the station: BootNotification until it has, Heartbeat from then on.

The part that is the same in every version.
"""

from abc import ABC, abstractmethod

from csms_emulator.actions import Payload
from csms_emulator.desk import Desk

ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"

# In seconds, and real ones: they spare the central system, not the drivers.
BOOT_RETRY = 30.0  # when the central system names no interval, or does not answer
BOOT_AGAIN = 2.0  # when it has forgotten the station

BOOT = "boot"
HEARTBEAT = "heartbeat"


class Admission(ABC):
    """`status` is the last BootNotification's, "" from a restart until the first answer."""

    def __init__(self, desk: Desk) -> None:
        self.status = ""
        self._desk = desk

    @property
    def accepted(self) -> bool:
        """Whether the station may say everything it wants."""
        return self.status == ACCEPTED

    @property
    def waiting(self) -> bool:
        """Whether the next BootNotification has its time already."""
        return (BOOT, 0) in self._desk.agenda

    def answered(self, reply: Payload, now: float) -> bool:
        """BootNotification was answered; answers whether the station is accepted."""
        before, self.status = self.status, reply["status"]
        interval = max(0, int(reply["interval"]))
        self._desk.agenda.cancel(BOOT)
        if self.accepted:
            # OCPP 1.6 §4.2, OCPP 2.0.1 B01: at Accepted, `interval` is the heartbeat interval.
            if interval:
                self.interval = interval
            self._desk.log("accepted", heartbeat=self.interval)
            return True
        self._suspend()
        # OCPP 1.6 §4.2, OCPP 2.0.1 B02, B03: when not Accepted, `interval` is the least wait before the next
        # BootNotification; at 0 the station chooses one that does not flood the central system.
        pause = interval or BOOT_RETRY
        self._desk.agenda.set(now + pause, BOOT)
        if before != self.status:
            self._desk.log("refused", reason=f"registration {self.status}", retry_in=pause)
        return False

    def unanswered(self, now: float) -> None:
        """BootNotification failed: try again later."""
        self._desk.agenda.set(now + BOOT_RETRY, BOOT)

    def forgotten(self, now: float) -> None:
        """A central system that lost its memory answers SecurityError until it has seen a BootNotification."""
        self.status = ""
        self._suspend()
        self._desk.agenda.set(now + BOOT_AGAIN, BOOT)

    def expect_heartbeat(self, now: float) -> None:
        """Arm the heartbeat anew; an interval of 0 means none."""
        self._desk.agenda.cancel(HEARTBEAT)
        if interval := self.interval:
            self._desk.agenda.set(now + interval, HEARTBEAT)

    def heartbeat(self, now: float) -> None:
        """Send Heartbeat, and expect the next."""
        self._post("Heartbeat", {})
        self.expect_heartbeat(now)

    def _suspend(self) -> None:
        self._desk.online = False
        self._desk.agenda.cancel(HEARTBEAT)

    def restarted(self, reason: str) -> None:
        """The station begins anew; `reason` is for the BootNotification of versions that tell it."""
        self.status = ""

    # --- what differs -------------------------------------------------------------------------------------------------

    @abstractmethod
    def boot(self, *, triggered: bool = False) -> None:
        """Send BootNotification; versions that tell why they boot tell that it was `triggered`."""

    @property
    @abstractmethod
    def interval(self) -> int:
        """The heartbeat's, in seconds."""

    @interval.setter
    @abstractmethod
    def interval(self, seconds: int) -> None: ...

    @abstractmethod
    def _post(self, action: str, body: Payload) -> None:
        """Say it once, soon."""

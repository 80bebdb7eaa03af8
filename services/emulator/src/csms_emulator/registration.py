"""Whether the central system has accepted the station: BootNotification until it has, Heartbeat from then on."""

from csms_emulator.actions import Payload
from csms_emulator.board import Board

ACCEPTED, PENDING = "Accepted", "Pending"

MODEL = {
    "chargePointVendor": "CSMS",
    "chargePointModel": "Emulator",
    "meterType": "Arithmetic",
}

# The next two are in seconds, and real ones: they spare the central system, not the drivers.
BOOT_RETRY = 30.0  # when the central system names no interval, or does not answer
BOOT_AGAIN = 2.0  # when it has forgotten the station

BOOT = "boot"
HEARTBEAT = "heartbeat"


class Registration:
    """`status` is the last BootNotification's, "" from a restart until the first answer."""

    def __init__(self, serial: str, board: Board) -> None:
        self.status = ""
        self._serial = serial
        self._board = board

    @property
    def accepted(self) -> bool:
        """Whether the station may say everything it wants."""
        return self.status == ACCEPTED

    @property
    def waiting(self) -> bool:
        """Whether the next BootNotification has its time already."""
        return (BOOT, 0) in self._board.agenda

    def boot(self) -> None:
        """Send BootNotification."""
        versions = {"firmwareVersion": self._board.upkeep.version}
        self._board.outbox.post("BootNotification", {**MODEL, **versions, "chargePointSerialNumber": self._serial[:25]})

    def answered(self, reply: Payload, now: float) -> bool:
        """BootNotification was answered; answers whether the station is accepted."""
        before, self.status = self.status, reply["status"]
        interval = max(0, int(reply["interval"]))
        self._board.agenda.cancel(BOOT)
        if self.accepted:
            self._adopt(interval)
            return True
        self._suspend()
        # OCPP 1.6 §4.2: when not Accepted, `interval` is the least wait before the next BootNotification; at 0 the
        # station chooses one that does not flood the central system.
        pause = interval or BOOT_RETRY
        self._board.agenda.set(now + pause, BOOT)
        if before != self.status:
            self._board.log("refused", reason=f"registration {self.status}", retry_in=pause)
        return False

    def unanswered(self, now: float) -> None:
        """BootNotification failed: try again later."""
        self._board.agenda.set(now + BOOT_RETRY, BOOT)

    def forgotten(self, now: float) -> None:
        """A central system that lost its memory answers SecurityError until it has seen a BootNotification."""
        self.status = ""
        self._suspend()
        self._board.agenda.set(now + BOOT_AGAIN, BOOT)

    def expect_heartbeat(self, now: float) -> None:
        """Arm the heartbeat anew."""
        self._board.agenda.set(now + self._board.configuration.number("HeartbeatInterval"), HEARTBEAT)

    def heartbeat(self, now: float) -> None:
        """Send Heartbeat, and expect the next."""
        self._board.outbox.post("Heartbeat", {})
        self.expect_heartbeat(now)

    def _adopt(self, interval: int) -> None:
        # OCPP 1.6 §4.2: at Accepted, `interval` is the heartbeat interval.
        if interval:
            self._board.configuration.set("HeartbeatInterval", interval)
        self._board.log("accepted", heartbeat=self._board.configuration.number("HeartbeatInterval"))

    def _suspend(self) -> None:
        self._board.online = False
        self._board.agenda.cancel(HEARTBEAT)

"""Whether the central system has accepted a 2.x station: BootNotification until it has, Heartbeat from then on."""

from csms_emulator.actions import Payload
from csms_emulator.registration import ACCEPTED, BOOT, BOOT_AGAIN, BOOT_RETRY, HEARTBEAT
from csms_emulator.v2.board import Board

REJECTED = "Rejected"

_MODEL = {
    "vendorName": "VendorName",
    "model": "Model",
    "firmwareVersion": "FirmwareVersion",
    "serialNumber": "SerialNumber",
}


class Registration:
    """`status` is the last BootNotification's, "" from a restart until the first answer; `reason` why it booted."""

    def __init__(self, serial: str, board: Board) -> None:
        self.status = ""
        self.reason = "PowerUp"
        self._board = board
        board.device.set("ChargingStation", "SerialNumber", serial[:25])
        board.device.set("SecurityCtrlr", "Identity", serial[:48])

    @property
    def accepted(self) -> bool:
        """Whether the station may say everything it wants."""
        return self.status == ACCEPTED

    @property
    def waiting(self) -> bool:
        """Whether the next BootNotification has its time already."""
        return (BOOT, 0) in self._board.agenda

    def boot(self, *, triggered: bool = False) -> None:
        """Send BootNotification."""
        device, reason = self._board.device, "Triggered" if triggered else self.reason
        model = {field: device.get("ChargingStation", variable) for field, variable in _MODEL.items()}
        self._board.outbox.post("BootNotification", {"reason": reason, "chargingStation": model})

    def restarted(self, reason: str) -> None:
        """The station begins anew, for this reason."""
        self.status, self.reason = "", reason

    def answered(self, reply: Payload, now: float) -> bool:
        """BootNotification was answered; answers whether the station is accepted."""
        before, self.status = self.status, reply["status"]
        interval = max(0, int(reply["interval"]))
        self._board.agenda.cancel(BOOT)
        if self.accepted:
            self._adopt(interval)
            return True
        self._suspend()
        # OCPP 2.0.1 B02, B03: when not Accepted, `interval` is the least wait before the next BootNotification; at 0
        # the station chooses one that does not flood the central system.
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
        """Arm the heartbeat anew; an interval of 0 means none."""
        self._board.agenda.cancel(HEARTBEAT)
        if interval := self._board.number("OCPPCommCtrlr", "HeartbeatInterval"):
            self._board.agenda.set(now + interval, HEARTBEAT)

    def heartbeat(self, now: float) -> None:
        """Send Heartbeat, and expect the next."""
        self._board.outbox.post("Heartbeat", {})
        self.expect_heartbeat(now)

    def _adopt(self, interval: int) -> None:
        # OCPP 2.0.1 B01: at Accepted, `interval` is the heartbeat interval.
        if interval:
            self._board.device.set("OCPPCommCtrlr", "HeartbeatInterval", str(interval))
        self._board.log("accepted", heartbeat=self._board.number("OCPPCommCtrlr", "HeartbeatInterval"))

    def _suspend(self) -> None:
        self._board.online = False
        self._board.agenda.cancel(HEARTBEAT)

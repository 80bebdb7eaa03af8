"""Registration of a 2.x station: its BootNotification, and where it keeps the heartbeat's interval."""

from csms_emulator.actions import Payload
from csms_emulator.admission import Admission
from csms_emulator.v2.board import Board

_MODEL = {
    "vendorName": "VendorName",
    "model": "Model",
    "firmwareVersion": "FirmwareVersion",
    "serialNumber": "SerialNumber",
}
_INTERVAL = "OCPPCommCtrlr", "HeartbeatInterval"


class Registration(Admission):
    """See `Admission`. `reason` is why the station booted."""

    def __init__(self, serial: str, board: Board) -> None:
        super().__init__(board)
        self.reason = "PowerUp"
        self._board = board
        board.device.set("ChargingStation", "SerialNumber", serial[:25])
        board.device.set("SecurityCtrlr", "Identity", serial[:48])

    def boot(self, *, triggered: bool = False) -> None:
        """Send BootNotification."""
        device, reason = self._board.device, "Triggered" if triggered else self.reason
        model = {field: device.get("ChargingStation", variable) for field, variable in _MODEL.items()}
        self._post("BootNotification", {"reason": reason, "chargingStation": model})

    def restarted(self, reason: str) -> None:
        """The station begins anew, for this reason."""
        self.status, self.reason = "", reason

    @property
    def interval(self) -> int:
        """The variable of the device model."""
        return self._board.number(*_INTERVAL)

    @interval.setter
    def interval(self, seconds: int) -> None:
        self._board.device.set(*_INTERVAL, str(seconds))

    def _post(self, action: str, body: Payload) -> None:
        self._board.outbox.post(action, body)

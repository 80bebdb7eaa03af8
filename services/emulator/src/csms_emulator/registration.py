"""Registration of a 1.6 station: its BootNotification, and where it keeps the heartbeat's interval."""

from csms_emulator.actions import Payload
from csms_emulator.admission import Admission
from csms_emulator.board import Board

MODEL = {
    "chargePointVendor": "CSMS",
    "chargePointModel": "Emulator",
    "meterType": "Arithmetic",
}
_INTERVAL = "HeartbeatInterval"


class Registration(Admission):
    """See `Admission`."""

    def __init__(self, serial: str, board: Board) -> None:
        super().__init__(board)
        self._serial = serial
        self._board = board

    def boot(self, *, triggered: bool = False) -> None:
        """Send BootNotification."""
        versions = {"firmwareVersion": self._board.upkeep.version}
        self._post("BootNotification", {**MODEL, **versions, "chargePointSerialNumber": self._serial[:25]})

    @property
    def interval(self) -> int:
        """The configuration key."""
        return self._board.configuration.number(_INTERVAL)

    @interval.setter
    def interval(self, seconds: int) -> None:
        self._board.configuration.set(_INTERVAL, seconds)

    def _post(self, action: str, body: Payload) -> None:
        self._board.outbox.post(action, body)

"""An EVSE as somebody sees it who stands before it: its status, whether it is in service, and for whom it waits.

Knows of drivers only when the next one may come; what they do is `evse.Evse`'s affair.
"""

from csms_emulator.charging import Outlet as Made
from csms_emulator.place import DRIVER
from csms_emulator.use import ARRIVES, RESERVATION
from csms_emulator.v2 import condition
from csms_emulator.v2.board import Board
from csms_emulator.v2.outlet import Outlet
from csms_emulator.v2.reservations import Reservation

RESET = "reset"
NO_ERROR = ""


class Place(Outlet):
    """`reservation` is there until its driver charges, or until it is over.

    `closed` names who has taken the EVSE out of service: "station", "evse", "connector", or RESET while one is awaited
    or under way. `parked`: a car is in the bay. `error` is an errorCode of 1.6 while something is broken.
    """

    def __init__(self, number: int, board: Board, outlet: Made) -> None:
        super().__init__(number, board, outlet)
        self.closed: set[str] = set()
        self.reservation: Reservation | None = None
        self.parked = False
        self.error = NO_ERROR
        self._reported = ""
        self._told_error: str | None = NO_ERROR

    @property
    def in_use(self) -> bool:
        """Whether somebody is here."""
        return self.car is not None or self.transaction is not None

    @property
    def status(self) -> str:
        """OCPP 2.0.1 ConnectorStatusEnumType."""
        if self.error:
            return "Faulted"
        if self.in_use:
            return "Occupied"
        if self.closed:
            return "Unavailable"
        return "Reserved" if self.reservation else "Available"

    def report(self, now: float, *, triggered: bool = False) -> None:
        """StatusNotification."""
        board = self.board
        if not (board.online or triggered):
            return
        body = {
            "timestamp": board.timestamp(now),
            "connectorStatus": self.status,
            "evseId": self.number,
            "connectorId": 1,
        }
        board.outbox.post("StatusNotification", body, connector=self.number, triggered=triggered)
        self._reported = self.status

    def close(self, level: str, now: float) -> str:
        """What ChangeAvailability answers: Accepted, or Scheduled while somebody uses the EVSE."""
        self.closed.add(level)
        if self.in_use:
            return "Scheduled"
        self.board.agenda.cancel(DRIVER, self.number)
        if self.reservation and level != RESET:
            self._tell_reservation("Removed")
            self._forget_reservation()
        self._notice(now)
        return "Accepted"

    def reopen(self, level: str, now: float) -> str:
        """Back into service, as far as this level goes."""
        self.closed.discard(level)
        self._welcome(now)
        return "Accepted"

    def reserve(self, reservation: Reservation, now: float) -> None:
        """Wait for this driver only; while Available, or instead of another reservation."""
        self.reservation = reservation
        self.board.agenda.set(reservation.until, RESERVATION, self.number)
        self._notice(now)
        self._at(now, ARRIVES)

    def release(self, now: float) -> None:
        """The reservation is over, and anybody may come."""
        self._forget_reservation()
        self._welcome(now)

    def _expire(self, now: float) -> None:
        self._tell_reservation("Expired")
        self.release(now)

    def _tell_reservation(self, status: str) -> None:
        if self.reservation:
            body = {"reservationId": self.reservation.id, "reservationUpdateStatus": status}
            self.board.outbox.post("ReservationStatusUpdate", body, connector=self.number)

    def _forget_reservation(self) -> None:
        self.reservation = None
        self.board.agenda.cancel(RESERVATION, self.number)

    def _at(self, now: float, span: tuple[float, float]) -> None:
        if self.board.drivers:
            self.board.agenda.set(self.board.later(now, *span), DRIVER, self.number)

    def _notice(self, now: float) -> None:
        """Report the status, or a problem, if it has changed; the device model knows it in any case."""
        condition.keep(self.board.device, self.number, self.status)
        if self.status != self._reported:
            self.report(now)
        if self.error != self._told_error and self.board.online:
            self._told_error = self.error
            told = condition.problem(self.board.device, self.number, self.error, now)
            self.board.outbox.post("NotifyEvent", told, connector=self.number)

    def _welcome(self, now: float) -> None:
        """Report the status if it has changed, and let a driver come."""
        self._notice(now)
        if self.status in ("Available", "Reserved") and (DRIVER, self.number) not in self.board.agenda:
            self._at(now, ARRIVES)

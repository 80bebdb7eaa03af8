"""One connector: drivers come, plug in, present a card, charge, and leave.

Knows neither the connection nor the registration: what is to be said goes to the board's outbox, and the station hands
back what the central system answered.
"""

from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.board import Board
from csms_emulator.charging import Car, arrive, sample
from csms_emulator.outbox import Transaction
from csms_emulator.reservations import Reservation
from csms_emulator.status import TRANSITIONS, Occasion, Status

DRIVER = "driver"
METER = "meter"
RESERVATION = "reservation"

# Emulated seconds, from … to, until the driver does the next thing.
ARRIVES = (20.0, 240.0)
PRESENTS_CARD = (3.0, 12.0)
STAYS = (600.0, 2700.0)
UNPLUGS = (5.0, 30.0)


class Connector:
    """The connector `number` (from 1) of a station.

    `car` is there while one is plugged in, `reservation` until its driver charges, or until it is over.
    """

    def __init__(self, number: int, board: Board) -> None:
        self.number = number
        self.status = Status.AVAILABLE
        self.operative = True
        self.transaction: Transaction | None = None
        self.car: Car | None = None
        self.reservation: Reservation | None = None
        self.register = float(board.random.randrange(50_000))  # Wh, as the meter shows
        self._board = board
        self._id_tag = ""
        self._by_remote = False
        self._asking = False
        self._measured = 0.0
        self._reported: Status | None = None

    # --- the station's side -------------------------------------------------------------------------------------------

    def open(self, now: float, *, booted: bool) -> None:
        """The central system listens (again): tell the status it does not know, and let drivers come."""
        if booted or self._reported != self.status:
            self.report(now)
        if self.status is Status.AVAILABLE and (DRIVER, self.number) not in self._board.agenda:
            self._expect_driver(now)

    def disconnected(self, lost: set[str], now: float) -> None:
        """The connection is gone, and with it the messages named in `lost`."""
        if "StatusNotification" in lost:
            self._reported = None
        if self._asking:
            self.authorized(None, now)

    def handle_timer(self, occasion: str, now: float) -> None:
        """The time for this occasion (DRIVER, METER or RESERVATION) has come."""
        if occasion == METER:
            self._sample_periodically(now)
        elif occasion == RESERVATION:
            self.release(now)
        else:
            self._next_deed(now)

    def abort(self, reason: str, now: float) -> None:
        """The station is about to leave: a transaction ends for `reason`, and none begins any more."""
        self._asking = False
        self.stop(reason, now)

    def reboot(self) -> None:
        """The station restarts, after `abort`; the cable is free afterwards."""
        self.status = Status.AVAILABLE if self.operative else Status.UNAVAILABLE
        self.car, self.reservation, self._by_remote = None, None, False

    def report(self, now: float, *, triggered: bool = False) -> None:
        """StatusNotification."""
        board = self._board
        if not (board.online or triggered):
            return
        body = {
            "connectorId": self.number,
            "errorCode": "NoError",
            "status": self.status.value,
            "timestamp": board.timestamp(now),
        }
        board.outbox.post("StatusNotification", body, connector=self.number, triggered=triggered)
        self._reported = self.status

    # --- commands -----------------------------------------------------------------------------------------------------

    def free(self, id_tag: str) -> bool:
        """Whether a remote start can be taken for `id_tag`."""
        waits = self.status is Status.PREPARING and not self._asking and not self._by_remote
        kept = self.status is Status.RESERVED and self.reservation and self.reservation.id_tag == id_tag
        return self.operative and (self.status is Status.AVAILABLE or waits or bool(kept))

    def reserve(self, reservation: Reservation, now: float) -> None:
        """Wait for this driver only; while Available, or instead of another reservation."""
        self.reservation = reservation
        self._board.agenda.set(reservation.until, RESERVATION, self.number)
        if self.status is Status.AVAILABLE:
            self._change(Occasion.RESERVED, now)
        self._expect_driver(now)

    def release(self, now: float) -> None:
        """The reservation is over, and anybody may come; while Reserved."""
        self._forget_reservation()
        self._change(Occasion.RELEASED, now)
        self._expect_driver(now)

    def remote_start(self, id_tag: str, now: float) -> None:
        """Charge for `id_tag`; only while `free`. A driver is there to plug in."""
        if self.status in (Status.AVAILABLE, Status.RESERVED):
            self._plug_in(now)
        self._id_tag = id_tag
        self._by_remote = True
        self._at(now, PRESENTS_CARD)

    def stop(self, reason: str, now: float, id_tag: str = "") -> None:
        """End the transaction; only while there is one."""
        transaction, board = self.transaction, self._board
        if transaction is None:
            return
        self.measure(now)
        body = {"meterStop": int(self.register), "timestamp": board.timestamp(now), "reason": reason}
        if id_tag:
            body["idTag"] = id_tag
        board.outbox.keep("StopTransaction", body, transaction)
        energy = int(self.register) - transaction.meter_start
        board.log("charging stopped", connector=self.number, kwh=round(energy / 1000, 2), reason=reason)
        self.transaction = None
        board.agenda.cancel(METER, self.number)
        self._change(Occasion.STOPPED, now)
        self._at(now, UNPLUGS)

    def set_operative(self, operative: bool, now: float) -> str:
        """What ChangeAvailability answers: Accepted, or Scheduled while somebody uses the connector."""
        self.operative = operative
        if not operative and self.status in (Status.AVAILABLE, Status.RESERVED):
            self._board.agenda.cancel(DRIVER, self.number)
            self._forget_reservation()
            self._change(Occasion.TAKEN_OUT, now)
        elif operative and self.status is Status.UNAVAILABLE:
            self._change(Occasion.BROUGHT_BACK, now)
            self._expect_driver(now)
        in_use = self.status not in (Status.AVAILABLE, Status.UNAVAILABLE)
        return "Scheduled" if in_use and not operative else "Accepted"

    def sampled(self, context: str, now: float) -> list[Payload]:
        """A `meterValue` list with one sample of now."""
        self.measure(now)
        board = self._board
        measurands = board.configuration.names("MeterValuesSampledData")
        values = sample(self.register, self.car if self.transaction else None, measurands, context, board.random)
        return [{"timestamp": board.timestamp(now), "sampledValue": values}]

    def sample_from(self, now: float) -> None:
        """Arm the periodic sample anew: a transaction began, or the interval changed."""
        interval = self._board.configuration.number("MeterValueSampleInterval")
        self._board.agenda.cancel(METER, self.number)
        if self.transaction and interval:
            self._board.agenda.set(now + interval / self._board.pace, METER, self.number)

    # --- answers ------------------------------------------------------------------------------------------------------

    def authorized(self, status: str | None, now: float) -> None:
        """What the central system says about the driver's card, if one waits; None: it could not be asked."""
        if not self._asking:
            return
        self._asking = False
        if status is None:
            status = "Accepted" if self._board.trusts_offline(self._id_tag) else "unknown while offline"
        if status == "Accepted":
            self._start(now)
        else:
            self._board.log("refused", connector=self.number, id_tag=self._id_tag, reason=status)
            self._unplug(now)

    def started(self, transaction: Transaction, reply: dict[str, Any], now: float) -> None:
        """StartTransaction of `transaction` was answered."""
        status = reply["idTagInfo"]["status"]
        transaction.id = int(reply["transactionId"])
        self._board.remember(transaction.id_tag, status)
        if status != "Accepted" and transaction is self.transaction:
            # OCPP 1.6 §4.8: the idTag was refused, and StopTransactionOnInvalidId is true here.
            self._board.log("refused", connector=self.number, id_tag=transaction.id_tag, reason=status)
            self.stop("DeAuthorized", now)

    # --- what a driver does -------------------------------------------------------------------------------------------

    def _next_deed(self, now: float) -> None:
        match self.status:
            case Status.AVAILABLE | Status.RESERVED:
                self._plug_in(now)
                self._id_tag = self.reservation.id_tag if self.reservation else self._board.card()
                self._at(now, PRESENTS_CARD)
            case Status.PREPARING:
                self._present_card(now)
            case Status.CHARGING | Status.SUSPENDED_EV:
                self._leave(now)
            case Status.FINISHING:
                self._unplug(now)
            case Status.UNAVAILABLE:
                pass

    def _plug_in(self, now: float) -> None:
        self.car = arrive(self._board.random)
        self._by_remote = False
        self._board.agenda.cancel(RESERVATION, self.number)
        self._change(Occasion.PLUGGED_IN, now)

    def _present_card(self, now: float) -> None:
        if self._asking:
            return
        if self._by_remote and not self._board.configuration.flag("AuthorizeRemoteTxRequests"):
            self._start(now)
            return
        self._asking = True
        if self._board.online:
            self._board.outbox.post("Authorize", {"idTag": self._id_tag}, connector=self.number)
        else:
            self.authorized(None, now)

    def _start(self, now: float) -> None:
        board = self._board
        meter = int(self.register)
        self.transaction = Transaction(self.number, self._id_tag, meter, now)
        body = {
            "connectorId": self.number,
            "idTag": self._id_tag,
            "meterStart": meter,
            "timestamp": board.timestamp(now),
        }
        if self.reservation and self.reservation.id_tag == self._id_tag:
            body["reservationId"] = self.reservation.id
        self.reservation = None
        board.outbox.keep("StartTransaction", body, self.transaction)
        board.log("charging started", connector=self.number, id_tag=self._id_tag)
        self._measured = now
        self._change(Occasion.ENERGY_FLOWS, now)
        self.sample_from(now)
        self._at(now, STAYS)

    def _leave(self, now: float) -> None:
        if self._board.random.random() < 0.3:
            self.stop("EVDisconnected", now)
        else:
            self.stop("Local", now, self._id_tag)

    def _unplug(self, now: float) -> None:
        self.car = self.reservation = None
        self._change(Occasion.UNPLUGGED, now)
        if self.operative:
            self._expect_driver(now)
        else:
            self._change(Occasion.TAKEN_OUT, now)

    def _forget_reservation(self) -> None:
        self.reservation = None
        self._board.agenda.cancel(RESERVATION, self.number)

    def _expect_driver(self, now: float) -> None:
        self._at(now, ARRIVES)

    # --- the meter ----------------------------------------------------------------------------------------------------

    def measure(self, now: float) -> None:
        """Let the energy flow that flowed since the last time."""
        if self.transaction and self.car:
            self.register += self.car.charge((now - self._measured) * self._board.pace)
            self._measured = now

    def _sample_periodically(self, now: float) -> None:
        if self.transaction is None:
            return
        body = {"connectorId": self.number, "meterValue": self.sampled("Sample.Periodic", now)}
        self._board.outbox.keep("MeterValues", body, self.transaction)
        self.sample_from(now)
        if self.car and self.car.full and self.status is Status.CHARGING:
            self._change(Occasion.CAR_FULL, now)

    # --- small things -------------------------------------------------------------------------------------------------

    def _at(self, now: float, span: tuple[float, float]) -> None:
        self._board.agenda.set(self._board.later(now, *span), DRIVER, self.number)

    def _change(self, occasion: Occasion, now: float) -> None:
        self.status = TRANSITIONS[self.status][occasion]
        self.report(now)

"""One connector: drivers come, plug in, present a card, charge, and leave.

Knows neither the connection nor the registration: what is to be said goes to the board's outbox, and the station hands
back what the central system answered.
"""

from random import Random
from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.board import Board
from csms_emulator.charging import USUAL, Car, Kind, Outlet, arrive
from csms_emulator.metering import END, Allowance
from csms_emulator.outbox import Transaction
from csms_emulator.place import ALLOWANCE, NO_ERROR, Place
from csms_emulator.place import DRIVER as DRIVER
from csms_emulator.place import METER as METER
from csms_emulator.profiles import Profile
from csms_emulator.reservations import Reservation, is_kept, standing
from csms_emulator.status import Occasion, Status

RESERVATION = "reservation"
TIMEOUT = "timeout"

# Emulated seconds, from … to, until the driver does the next thing.
ARRIVES = (20.0, 240.0)
PRESENTS_CARD = (3.0, 12.0)
STAYS = (600.0, 2700.0)
UNPLUGS = (5.0, 30.0)

CARD_FIRST = 0.1  # how many drivers present their card before they plug in
FORGETS_TO_PLUG_IN = 0.2  # how many of them


class Connector(Place):
    """The connector `number` (from 1) of a station.

    `reservation` is there until its driver charges, or until it is over. `power` is in W.
    """

    def __init__(self, number: int, board: Board, *, kind: Kind = "AC3", power: float = USUAL.power) -> None:
        super().__init__(number, board, Outlet(kind, power))
        self.reservation: Reservation | None = None
        self._habits = Random(int(self.register))  # of the drivers here
        self._id_tag = ""
        self._by_remote = self._asking = self._admitted = False
        self._requested: Profile | None = None

    # --- the station's side -------------------------------------------------------------------------------------------

    def open(self, now: float, *, booted: bool) -> None:
        """The central system listens (again): tell the status it does not know, and let drivers come."""
        if booted or self._reported != self.status:
            self.report(now)
        if self.status is Status.AVAILABLE and (DRIVER, self.number) not in self.board.agenda:
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
        elif occasion == TIMEOUT:
            self._time_out(now)
        elif occasion == ALLOWANCE:
            self._watch_allowance(now)
        else:
            self._next_deed(now)

    def abort(self, reason: str, now: float) -> None:
        """The station is about to leave: a transaction ends for `reason`, and none begins any more."""
        self._forget_use()
        self.stop(reason, now)

    def reboot(self) -> None:
        """The station restarts, after `abort`; the cable is free afterwards. A fault goes on."""
        self.car = self.reservation = None
        self._forget_use()
        self._turn(Status.FAULTED if self._error != NO_ERROR else self._idle)

    # --- commands -----------------------------------------------------------------------------------------------------

    def free(self, id_tag: str, now: float) -> bool:
        """Whether a remote start can be taken for `id_tag`."""
        waits = self.status is Status.PREPARING and not self.promised
        kept = self.status is Status.RESERVED and self.reservation and self.reservation.id_tag == id_tag
        open_to_all = self.status is Status.AVAILABLE and not is_kept(self.board, id_tag, now)
        return self.operative and (open_to_all or waits or bool(kept))

    @property
    def promised(self) -> bool:
        """Whether somebody has shown a card, or was started by remote, who does not charge yet."""
        return self._asking or self._by_remote or self._admitted

    def reserve(self, reservation: Reservation, now: float) -> None:
        """Wait for this driver only; while Available, or instead of another reservation."""
        self.reservation = reservation
        self.board.agenda.set(reservation.until, RESERVATION, self.number)
        if self.status is Status.AVAILABLE:
            self._change(Occasion.RESERVED, now)
        self._expect_driver(now)

    def release(self, now: float) -> None:
        """The reservation is over, and anybody may come."""
        self._forget_reservation()
        if self.status is Status.RESERVED:
            self._change(Occasion.RELEASED, now)
            self._expect_driver(now)

    def remote_start(self, id_tag: str, now: float, profile: Profile | None = None) -> None:
        """Charge for `id_tag`, by `profile`; only while `free`. A driver is there to plug in, if there are drivers."""
        if self.status in (Status.AVAILABLE, Status.RESERVED):
            (self.plug_in if self.board.drivers else self.begin_use)(now)
        self._id_tag, self._requested = id_tag, profile
        self._by_remote = True
        if self.board.drivers:
            self._at(now, PRESENTS_CARD)
        else:
            self._present_card(now)

    def stop(self, reason: str, now: float, id_tag: str = "") -> None:
        """End the transaction; only while there is one."""
        if self.transaction:
            self._end(self.transaction, reason, now, id_tag)
            self._change(Occasion.STOPPED, now)
            self._at(now, UNPLUGS)

    def _end(self, transaction: Transaction, reason: str, now: float, id_tag: str = "") -> None:
        self.measure(now)
        board = self.board
        self.meter.note(END, self.car, now)
        body = {"meterStop": int(self.register), "timestamp": board.timestamp(now), "reason": reason}
        body |= {"idTag": id_tag} if id_tag else {}
        body |= {"transactionData": self.meter.data} if self.meter.data else {}
        board.outbox.keep("StopTransaction", body, transaction)
        energy = int(self.register) - transaction.meter_start
        board.log("charging stopped", connector=self.number, kwh=round(energy / 1000, 2), reason=reason)
        self.transaction = None
        board.profiles.transaction_ended(self.number)
        for occasion in (METER, ALLOWANCE):
            board.agenda.cancel(occasion, self.number)
        self._forget_use()

    def set_operative(self, operative: bool, now: float) -> str:
        """What ChangeAvailability answers: Accepted, or Scheduled while somebody uses the connector."""
        self.operative = operative
        if not operative and self.status in (Status.AVAILABLE, Status.RESERVED):
            self.board.agenda.cancel(DRIVER, self.number)
            self._forget_reservation()
            self._change(Occasion.TAKEN_OUT, now)
        elif operative and self.status is Status.UNAVAILABLE:
            self._change(Occasion.BROUGHT_BACK, now)
            self._expect_driver(now)
        in_use = self.status not in (Status.AVAILABLE, Status.UNAVAILABLE, Status.FAULTED)
        return "Scheduled" if in_use and not operative else "Accepted"

    # --- answers ------------------------------------------------------------------------------------------------------

    def authorized(self, status: str | None, now: float) -> None:
        """What the central system says about the driver's card, if one waits; None: it could not be asked."""
        if not self._asking:
            return
        self._asking = False
        if status is None:
            status = "Accepted" if self.board.trusts_offline(self._id_tag) else "unknown while offline"
        if status == "Accepted":
            self._admit(now)
            return
        self.board.log("refused", connector=self.number, id_tag=self._id_tag, reason=status)
        if self.board.drivers or self.car is None:
            self.unplug(now)
        self._forget_use()

    def started(self, transaction: Transaction, reply: dict[str, Any], now: float) -> None:
        """StartTransaction of `transaction` was answered."""
        status = reply["idTagInfo"]["status"]
        transaction.id = int(reply["transactionId"])
        self.board.remember(transaction.id_tag, status)
        if status != "Accepted" and transaction is self.transaction:
            self.board.log("refused", connector=self.number, id_tag=transaction.id_tag, reason=status)
            self._deauthorized(now)

    def _deauthorized(self, now: float) -> None:
        # OCPP 1.6 §4.8: with StopTransactionOnInvalidId the transaction ends; without, only the energy does, once
        # MaxEnergyOnInvalidId has flowed.
        if self.board.configuration.flag("StopTransactionOnInvalidId"):
            self.stop("DeAuthorized", now)
            return
        self.measure(now)
        self._allowance = Allowance(self.register + self.board.configuration.number("MaxEnergyOnInvalidId"))
        self._watch_allowance(now)

    # --- what a driver does -------------------------------------------------------------------------------------------

    def _next_deed(self, now: float) -> None:
        match self.status:
            case Status.AVAILABLE | Status.RESERVED:
                self._arrive(now)
            case Status.PREPARING if self._admitted:
                self.plug_in(now)
            case Status.PREPARING:
                self._present_card(now)
            case Status.CHARGING | Status.SUSPENDED_EV | Status.SUSPENDED_EVSE:
                self._leave(now)
            case Status.FINISHING:
                self.unplug(now)
            case Status.UNAVAILABLE | Status.FAULTED:
                pass

    def _arrive(self, now: float) -> None:
        """The next driver is there: one for whom it is kept, or anybody."""
        card_first = self._habits.random() < CARD_FIRST
        (self.begin_use if card_first else self.plug_in)(now)
        self._id_tag = self.reservation.id_tag if self.reservation else self._card(now)
        if card_first:
            self._present_card(now)
        else:
            self._at(now, PRESENTS_CARD)

    def _card(self, now: float) -> str:
        card = self.board.card()
        # Just now this connector has ceased to be available: with it they were as many as are reserved, or more.
        reserved = standing(self.board, now).values()
        return next((one.id_tag for one in reserved), card) if len(self.board.available) < len(reserved) else card

    def plug_in(self, now: float, car: Car | None = None) -> None:
        """A car comes to the cable, while Available, Reserved or, after the card, Preparing."""
        self.car = car or arrive(self.board.random, self.outlet)
        if self._admitted:
            self._start(now)
            return
        self._by_remote = False
        self.begin_use(now, Occasion.PLUGGED_IN)

    def begin_use(self, now: float, occasion: Occasion = Occasion.CARD_SHOWN) -> None:
        """Somebody is there, while Available, Reserved or, for a card, Finishing."""
        for entry in (DRIVER, RESERVATION):
            self.board.agenda.cancel(entry, self.number)
        if self.status is not Status.PREPARING:
            self._change(occasion, now)

    def swipe(self, id_tag: str, now: float) -> None:
        """A card is presented: to begin, or to end what the same one began."""
        mine = self.transaction is not None and self.transaction.id_tag == id_tag
        if self.transaction:
            if mine:
                self.stop("Local", now, id_tag)
            else:
                self.board.log("refused", connector=self.number, id_tag=id_tag, reason="another driver charges")
        elif (self.reservation and self.reservation.id_tag != id_tag) or self._is_kept(id_tag, now):
            self.board.log("refused", connector=self.number, id_tag=id_tag, reason="reserved for another driver")
        else:
            self.begin_use(now)
            self._id_tag, self._by_remote = id_tag, False
            self._present_card(now)

    def _is_kept(self, id_tag: str, now: float) -> bool:
        return self.status is Status.AVAILABLE and is_kept(self.board, id_tag, now)

    def _present_card(self, now: float) -> None:
        if self._asking:
            return
        configuration = self.board.configuration
        trusted = self._by_remote and not configuration.flag("AuthorizeRemoteTxRequests")
        if trusted or (configuration.flag("LocalPreAuthorize") and self.board.knows(self._id_tag)):
            self._admit(now)
            return
        self._asking = True
        if self.board.online:
            self.board.outbox.post("Authorize", {"idTag": self._id_tag}, connector=self.number)
        else:
            self.authorized(None, now)

    def _admit(self, now: float) -> None:
        """The driver may charge: at once, or once a car is there."""
        if self.car:
            self._start(now)
            return
        self._admitted = True
        if wait := self.board.configuration.number("ConnectionTimeOut"):
            self.board.agenda.set(now + wait / self.board.pace, TIMEOUT, self.number)
        if self.board.drivers and self._habits.random() >= FORGETS_TO_PLUG_IN:
            self._at(now, PRESENTS_CARD)

    def _time_out(self, now: float) -> None:
        # OCPP 1.6 §9.1 ConnectionTimeOut: from presenting the card until the cable is plugged in.
        if self._admitted and self.car is None:
            self.board.log("not plugged in", connector=self.number, id_tag=self._id_tag)
            self.unplug(now)

    def _start(self, now: float) -> None:
        board = self.board
        meter = int(self.register)
        self.transaction = Transaction(self.number, self._id_tag, meter, now)
        body = {
            "connectorId": self.number,
            "idTag": self._id_tag,
            "meterStart": meter,
            "timestamp": board.timestamp(now),
        }
        board.outbox.keep("StartTransaction", body | self._used_reservation(now), self.transaction)
        board.log("charging started", connector=self.number, id_tag=self._id_tag)
        if self._requested:
            board.profiles.install(self.number, self._requested)
        self._forget_use()
        self.meter.begin(self.car, now)
        self._change(Occasion.ENERGY_FLOWS, now)
        self.sample_from(now)
        self._at(now, STAYS)

    def _used_reservation(self, now: float) -> Payload:
        """What StartTransaction says of the reservation that the driver had here, or anywhere; it is over."""
        own, self.reservation = self.reservation, None
        if own and own.id_tag == self._id_tag:
            return {"reservationId": own.id}
        used = next((one for one in standing(self.board, now).values() if one.id_tag == self._id_tag), None)
        if used is None:
            return {}
        del self.board.reserved[used.id]
        return {"reservationId": used.id}

    def _leave(self, now: float) -> None:
        if self.board.random.random() < 0.3:
            self.stop("EVDisconnected", now)
        else:
            self.stop("Local", now, self._id_tag)

    def unplug(self, now: float) -> None:
        """The use is over, and the cable is free; while Preparing or Finishing."""
        self.car = self.reservation = None
        self._forget_use()
        self._change(Occasion.UNPLUGGED, now)
        if self.operative:
            self._expect_driver(now)
        else:
            self._change(Occasion.TAKEN_OUT, now)

    def _forget_use(self) -> None:
        """Whoever was to charge here does, has left, or has been refused."""
        self._asking = self._admitted = self._by_remote = False
        self._requested = self._allowance = None
        self.board.agenda.cancel(TIMEOUT, self.number)

    def _forget_reservation(self) -> None:
        self.reservation = None
        self.board.agenda.cancel(RESERVATION, self.number)

    def _expect_driver(self, now: float) -> None:
        self._at(now, ARRIVES)

    # --- faults -------------------------------------------------------------------------------------------------------

    def fault(self, error: str, now: float) -> None:
        """Something is broken: a transaction ends, and nobody charges until it is mended."""
        if self.transaction:
            self._end(self.transaction, "Other", now)
        self._forget_use()
        self.board.agenda.cancel(DRIVER, self.number)
        self._error = error
        self._turn(Status.FAULTED)
        self.report(now)

    def mend(self, now: float) -> None:
        """The fault is over; whoever is plugged in may present a card."""
        self._error = NO_ERROR
        reserved = self.reservation and self.reservation.until > now
        self._turn(Status.PREPARING if self.car else Status.RESERVED if reserved else self._idle)
        self.report(now)
        if self.car:
            self._at(now, PRESENTS_CARD)
        elif self.operative:
            self._expect_driver(now)

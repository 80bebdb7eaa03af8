"""One use of a connector after the other: somebody plugs in and presents a card, in either order, charges, and leaves.

Knows neither the connection nor the registration: what is to be said goes to the board's outbox, and the station hands
back what the central system answered.
"""

from random import Random
from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.board import Board
from csms_emulator.charging import Car, Outlet, arrive
from csms_emulator.metering import END, Allowance
from csms_emulator.outbox import Transaction
from csms_emulator.place import ALLOWANCE, DRIVER, METER, Place
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

FORGETS_TO_PLUG_IN = 0.2  # how many of the drivers who present their card first


class Use(Place):
    """`reservation` is there until its driver charges, or until it is over."""

    def __init__(self, number: int, board: Board, outlet: Outlet) -> None:
        super().__init__(number, board, outlet)
        self.reservation: Reservation | None = None
        self._habits = Random(int(self.register))  # of the drivers here
        self._id_tag = ""
        self._by_remote = self._asking = self._admitted = False
        self._requested: Profile | None = None

    @property
    def promised(self) -> bool:
        """Whether somebody has shown a card, or was started by remote, who does not charge yet."""
        return self._asking or self._by_remote or self._admitted

    # --- it begins ----------------------------------------------------------------------------------------------------

    def plug_in(self, now: float, car: Car | None = None) -> None:
        """A car comes to the cable, while Available, Reserved or, after the card, Preparing."""
        self.car, self.parked = car or arrive(self.board.random, self.outlet), True
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
        elif self._is_kept(id_tag, now):
            self.board.log("refused", connector=self.number, id_tag=id_tag, reason="reserved for another driver")
        else:
            self.begin_use(now)
            self._id_tag, self._by_remote = id_tag, False
            self._present_card(now)

    def _is_kept(self, id_tag: str, now: float) -> bool:
        if self.reservation and self.is_reserved(now):
            return self.reservation.id_tag != id_tag
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

    # --- the transaction ----------------------------------------------------------------------------------------------

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

    # --- it is over ---------------------------------------------------------------------------------------------------

    def unplug(self, now: float) -> None:
        """The use is over, and the cable is free; while Preparing or Finishing. What is reserved still is so again."""
        self.car, self.parked = None, self.parked and not self.board.drivers
        self._forget_use()
        self._change(Occasion.UNPLUGGED, now)
        if self.operative:
            self._wait_again(now)
        else:
            self.reservation = None
            self._change(Occasion.TAKEN_OUT, now)

    def _wait_again(self, now: float) -> None:
        if self.is_reserved(now) and self.reservation:
            self.board.agenda.set(self.reservation.until, RESERVATION, self.number)
            self._change(Occasion.RESERVED, now)
        else:
            self.reservation = None
        self._expect_driver(now)

    def is_reserved(self, now: float) -> bool:
        """Whether there is a reservation that is not over."""
        return self.reservation is not None and self.reservation.until > now

    def _forget_use(self) -> None:
        """Whoever was to charge here does, has left, or has been refused."""
        self._asking = self._admitted = self._by_remote = False
        self._requested = self._allowance = None
        self.board.agenda.cancel(TIMEOUT, self.number)

    def _expect_driver(self, now: float) -> None:
        self._at(now, ARRIVES)

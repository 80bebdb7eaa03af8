"""One EVSE with its one connector: drivers come, plug in, present a card, charge, and leave.

Knows neither the connection nor the registration: what is to be said goes to the board's outbox, and the station hands
back what the central system answered.
"""

from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.charging import arrive
from csms_emulator.connector import DRIVER, PRESENTS_CARD, RESERVATION, STAYS, UNPLUGS
from csms_emulator.deeds import PlaceDeed
from csms_emulator.outbox import Message
from csms_emulator.v2 import by_hand
from csms_emulator.v2.board import Board
from csms_emulator.v2.place import RESET, Place
from csms_emulator.v2.transactions import ChargingState

# TxStartPoint: what begins a transaction before anybody is authorized.
EARLY = {"EVConnected", "ParkingBayOccupancy"}


class Evse(Place):
    """The EVSE `number` (from 1) of a station."""

    def __init__(self, number: int, board: Board) -> None:
        super().__init__(number, board)
        self._id_token: Payload = {}
        self._remote_start_id: int | None = None
        self._asking = False
        self._served = False  # the car that is plugged in has had its transaction
        self._resumes = False  # the transaction outlived a restart, and nobody has been told yet

    # --- the station's side -------------------------------------------------------------------------------------------

    def open(self, now: float, *, booted: bool) -> None:
        """The central system listens (again): tell the status it does not know, and let drivers come."""
        if booted:
            self._reported = ""
        if self._resumes:
            self._resume(now)
        self._welcome(now)

    def disconnected(self, lost: set[str], now: float) -> None:
        """The connection is gone, and with it the messages named in `lost`."""
        if "StatusNotification" in lost:
            self._reported = ""
        if self._asking:
            self.authorized(None, now)

    def handle_timer(self, occasion: str, now: float) -> None:
        """The time for this occasion (DRIVER, METER, RESERVATION or RESET) has come."""
        match occasion:
            case "meter":
                self.sample_periodically(now)
            case "reservation":
                self._expire(now)
            case "reset":
                self.reopen(RESET, now)
            case _:
                self._next_deed(now)

    def pause(self, now: float) -> None:
        """The station is about to restart, and the transaction is to go on afterwards."""
        self._asking = False
        self.measure(now)

    def reboot(self, now: float) -> None:
        """The station restarts. Without a transaction the cable is free afterwards; reservations go on."""
        self._resumes = self.transaction is not None
        if self.transaction is None:
            self.car, self._remote_start_id, self._served = None, None, False
        self.closed.discard(RESET)
        if self.reservation and self.reservation.until <= now:
            self._expire(now)
        elif self.reservation:
            self.board.agenda.set(self.reservation.until, RESERVATION, self.number)

    # --- commands -----------------------------------------------------------------------------------------------------

    def free(self, id_token: Payload, group: Payload | None = None) -> bool:
        """Whether a remote start can be taken for this driver."""
        if self.closed or self._asking or self._served or self._remote_start_id is not None:
            return False
        if self.reservation:
            return self.reservation.fits(id_token, group)
        return self.transaction is None or not self.transaction.authorized

    def remote_start(self, id_token: Payload, remote_start_id: int, now: float) -> None:
        """Charge for `id_token`; only while `free`. A driver is there to plug in."""
        if self.car is None:
            self._plug_in(now)
        self._id_token, self._remote_start_id = id_token, remote_start_id
        self._at(now, PRESENTS_CARD)

    def stop(self, trigger: str, reason: str, now: float, **more: Payload) -> None:
        """End the transaction, if there is one; and none begins with the card that waits for its answer."""
        self._asking = False
        if self.transaction:
            self.end(trigger, reason, now, **more)
            self._served = True
            self._at(now, UNPLUGS)

    def restart(self, pause: float, now: float) -> None:
        """Reset of this EVSE alone: the transaction ends, and for `pause` seconds nobody can use it."""
        self.stop("ResetCommand", "ImmediateReset", now)
        if self.car:
            # A driver whose card was being looked at does not wait any longer, either.
            self._served = True
            self._at(now, UNPLUGS)
        self.close(RESET, now)
        self.board.agenda.set(now + pause, RESET, self.number)

    # --- answers ------------------------------------------------------------------------------------------------------

    def authorized(self, status: str | None, now: float) -> None:
        """What the central system says about the driver's card, if one waits; None: it could not be asked."""
        if not self._asking:
            return
        self._asking = False
        if status is None:
            status = "Accepted" if self.board.trusts_offline(self._id_token) else "unknown while offline"
        if status == "Accepted":
            self._charge(now)
        else:
            self._refused(self._id_token, status)
            self._unplug(now)

    def answered(self, message: Message, reply: Payload, now: float) -> None:
        """A TransactionEvent of this EVSE was answered."""
        id_token, status = message.body.get("idToken"), reply.get("idTokenInfo", {}).get("status")
        if not id_token or not status:
            return
        self.board.remember(id_token, status)
        if status == "Accepted" or message.transaction is not self.transaction:
            return
        self._refused(id_token, status)
        if self.board.flag("TxCtrlr", "StopTxOnInvalidId"):
            self.stop("Deauthorized", "DeAuthorized", now)
        else:
            # OCPP 2.0.1 E05: the transaction goes on, without energy.
            self.turn(ChargingState.SUSPENDED_EVSE, now)

    # --- what a driver does -------------------------------------------------------------------------------------------

    def _next_deed(self, now: float) -> None:
        if self.car is None:
            if self.status != "Unavailable":
                self._plug_in(now)
                self._id_token = self.reservation.id_token if self.reservation else self.board.card()
                self._at(now, PRESENTS_CARD)
        elif self.transaction and self.transaction.authorized:
            self._leave(now)
        elif self._served:
            self._unplug(now)
        else:
            self._present_card(now)

    def _plug_in(self, now: float) -> None:
        self.car = arrive(self.board.random)
        self.board.agenda.cancel(RESERVATION, self.number)
        self._notice(now)
        if EARLY.intersection(self.board.names("TxCtrlr", "TxStartPoint")):
            self.begin("CablePluggedIn", now)

    def _present_card(self, now: float) -> None:
        if self._asking:
            return
        if self._remote_start_id is not None and not self.board.flag("AuthCtrlr", "AuthorizeRemoteStart"):
            self._charge(now)
            return
        self._asking = True
        if self.board.online:
            self.board.outbox.post("Authorize", {"idToken": self._id_token}, connector=self.number)
        else:
            self.authorized(None, now)

    def _charge(self, now: float) -> None:
        """The driver may charge: tell so, and let the energy flow."""
        more: dict[str, Any] = {"idToken": self._id_token}
        if self.reservation:
            more["reservationId"] = self.reservation.id
        trigger = "Authorized"
        if self._remote_start_id is not None:
            trigger, more["remoteStartId"] = "RemoteStart", self._remote_start_id
        self._remote_start_id = self.reservation = None
        if self.transaction:
            self.tell("Updated", trigger, now, **more)
        else:
            self.transaction = self.begin(trigger, now, **more)
        self.transaction.authorized, self.transaction.id_tag = True, self._id_token["idToken"]
        self.board.log("charging started", evse=self.number, id_token=self._id_token["idToken"])
        self.turn(ChargingState.CHARGING, now)
        self._at(now, STAYS)

    def _leave(self, now: float) -> None:
        if self.board.random.random() < 0.3:
            self._unplug(now)
        else:
            self.stop("StopAuthorized", "Local", now, idToken=self._id_token)

    def _unplug(self, now: float) -> None:
        self.stop("EVCommunicationLost", "EVDisconnected", now)
        self.car = self._remote_start_id = None
        self._served = False
        self.board.agenda.cancel(DRIVER, self.number)
        if self.reservation:
            self.board.agenda.set(self.reservation.until, RESERVATION, self.number)
        self._welcome(now)

    def _resume(self, now: float) -> None:
        self._resumes = False
        if self.transaction:
            self.resume(now)
            self._at(now, STAYS if self.transaction.authorized else PRESENTS_CARD)

    def _refused(self, id_token: Payload, reason: str) -> None:
        self.board.log("refused", evse=self.number, id_token=id_token["idToken"], reason=reason)

    # --- by hand ------------------------------------------------------------------------------------------------------

    def do(self, deed: PlaceDeed, now: float) -> bool:
        """What a person does here; False when that is not possible now."""
        return by_hand.do(self, deed, now)

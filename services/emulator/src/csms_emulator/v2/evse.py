"""One EVSE with its one connector: what the station, the central system and drivers of their own accord do with it."""

from random import Random

from csms_emulator.actions import Payload
from csms_emulator.charging import USUAL, Outlet
from csms_emulator.connector import CARD_FIRST
from csms_emulator.deeds import PlaceDeed
from csms_emulator.place import ALLOWANCE, METER
from csms_emulator.use import ARRIVES, FORGETS_TO_PLUG_IN, PRESENTS_CARD, RESERVATION, STAYS, TIMEOUT, UNPLUGS
from csms_emulator.v2 import by_hand, condition, points
from csms_emulator.v2.board import Board
from csms_emulator.v2.local_list import key
from csms_emulator.v2.metering import ENDED
from csms_emulator.v2.place import NO_ERROR, RESET
from csms_emulator.v2.use import Use

__all__ = ["ARRIVES", "PRESENTS_CARD", "STAYS", "UNPLUGS", "Evse"]


class Evse(Use):
    """The EVSE `number` (from 1) of a station."""

    def __init__(self, number: int, board: Board, outlet: Outlet = USUAL) -> None:
        super().__init__(number, board, outlet)
        self.requested: Payload | None = None  # the charging profile of the remote start
        self._resumes = False  # the transaction outlived a restart, and nobody has been told yet
        self._habits = Random(int(self.register))  # of the drivers here

    # --- the station's side -------------------------------------------------------------------------------------------

    def open(self, now: float, *, booted: bool) -> None:
        """The central system listens (again): tell the status it does not know, and let drivers come."""
        if booted:
            self._reported, self._told_error = "", NO_ERROR
        if self._resumes:
            self._resume(now)
        self._welcome(now)

    def disconnected(self, lost: set[str], now: float) -> None:
        """The connection is gone, and with it the messages named in `lost`."""
        if "StatusNotification" in lost:
            self._reported = ""
        if "NotifyEvent" in lost:
            self._told_error = None
        if self._asking:
            self.authorized(None, now)

    def handle_timer(self, occasion: str, now: float) -> None:
        """The time for this occasion has come."""
        match occasion:
            case _ if occasion == METER:
                self.sample_periodically(now)
            case _ if occasion == ENDED:
                self.sample_for_the_end(now)
            case _ if occasion == RESERVATION:
                self._expire(now)
            case _ if occasion == RESET:
                self.reopen(RESET, now)
            case _ if occasion == TIMEOUT:
                self._time_out(now)
            case _ if occasion == ALLOWANCE:
                self._watch_allowance(now)
            case _:
                self._next_deed(now)

    def pause(self, now: float) -> None:
        """The station is about to restart, and the transaction is to go on afterwards."""
        self._asking = False
        self.measure(now)

    def reboot(self, now: float) -> None:
        """The station restarts. Without a transaction the cable is free afterwards; reservations and faults go on."""
        self._resumes = self.transaction is not None
        if self.transaction is None:
            self._forget_holder()
            self.car, self._served, self.parked = None, False, self.parked and not self.board.drivers
        self._holds = self._holding()
        self.closed.discard(RESET)
        if self.reservation and self.reservation.until <= now:
            self._expire(now)
        elif self.reservation:
            self.board.agenda.set(self.reservation.until, RESERVATION, self.number)
        condition.keep(self.board.device, self.number, self.status)

    def _resume(self, now: float) -> None:
        self._resumes = False
        if self.transaction:
            self.resume(now)
            self._at(now, STAYS if self.transaction.authorized else PRESENTS_CARD)
        if self.holder and self.car is None:
            self._await_cable(now)

    # --- commands -----------------------------------------------------------------------------------------------------

    def free(self, id_token: Payload, group: Payload | None = None) -> bool:
        """Whether a remote start can be taken for this driver."""
        if self.closed or self.error or self.promised or (self._served and self.board.drivers):
            return False
        if self.reservation:
            return self.may_begin and self.reservation.fits(id_token, group)
        return self.may_begin

    def remote_start(self, id_token: Payload, remote_start_id: int, now: float, group: Payload | None = None) -> None:
        """Charge for `id_token` of `group`; only while `free`. A driver is there to plug in, if there are drivers."""
        if group:
            self.board.groups[key(id_token)] = group
        self._id_token, self._remote_start_id = id_token, remote_start_id
        if self.board.drivers:
            if self.car is None:
                self.plug_in(now)
            self._at(now, PRESENTS_CARD)
        else:
            self._notice(now)
            self._present_card(now)

    def restart(self, pause: float, now: float) -> None:
        """Reset of this EVSE alone: the transaction ends, and for `pause` seconds nobody can use it."""
        self.stop("ResetCommand", "ImmediateReset", now)
        if self.car:
            # A driver whose card was being looked at does not wait any longer, either.
            self._served = True
            self._at(now, UNPLUGS)
        self.close(RESET, now)
        self.board.agenda.set(now + pause, RESET, self.number)

    # --- drivers who come by themselves -------------------------------------------------------------------------------

    def _next_deed(self, now: float) -> None:
        if self.error or self._asking:
            return
        if self.car is None:
            self._arrive(now)
        elif self.holder:
            self._leave(now)
        elif self._served or not self.may_begin:
            self.unplug(now)
        else:
            self._id_token = self._id_token or self.board.card()
            self._present_card(now)

    def _arrive(self, now: float) -> None:
        """The next driver is there: one for whom it is kept, or anybody; or he who has shown his card plugs in."""
        if self.status == "Unavailable":
            return
        if self.holder:
            self.plug_in(now)
            self._at(now, STAYS)
            return
        card_first = self._habits.random() < CARD_FIRST
        self._id_token = self.reservation.id_token if self.reservation else self.board.card()
        if card_first:
            self._present_card(now)
            return
        self.plug_in(now)
        self._at(now, STAYS if self.holder else PRESENTS_CARD)

    def _await_cable(self, now: float) -> None:
        super()._await_cable(now)
        if self._habits.random() >= FORGETS_TO_PLUG_IN:
            self._at(now, PRESENTS_CARD)

    def _leave(self, now: float) -> None:
        pulls = self.board.random.random() < 0.3
        ends = self.board.flag("TxCtrlr", "StopTxOnEVSideDisconnect") or self._stop_points != {points.AUTHORIZED}
        if self.transaction is None or (pulls and ends):
            self.unplug(now)
        elif self.holder:
            self.revoke("StopAuthorized", "Local", now, idToken=self.holder)

    # --- by hand ------------------------------------------------------------------------------------------------------

    def mend(self, now: float) -> None:
        """The fault is over; whoever is plugged in may present a card."""
        self.error = NO_ERROR
        self._await_next(now)
        if self.car:
            self._at(now, PRESENTS_CARD)

    def do(self, deed: PlaceDeed, now: float) -> bool:
        """What a person does here; False when that is not possible now."""
        return by_hand.do(self, deed, now)

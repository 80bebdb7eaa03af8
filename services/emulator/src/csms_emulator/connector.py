"""One connector: what the station, the central system and the drivers who come by themselves do with it."""

from csms_emulator import by_hand
from csms_emulator.board import Board
from csms_emulator.charging import USUAL, Kind, Outlet
from csms_emulator.deeds import PlaceDeed
from csms_emulator.place import ALLOWANCE, DRIVER, METER, NO_ERROR
from csms_emulator.profiles import Profile
from csms_emulator.reservations import Reservation, is_kept, standing
from csms_emulator.status import Occasion, Status
from csms_emulator.use import ARRIVES, PRESENTS_CARD, RESERVATION, STAYS, TIMEOUT, UNPLUGS, Use

__all__ = ["ARRIVES", "DRIVER", "METER", "PRESENTS_CARD", "RESERVATION", "STAYS", "UNPLUGS", "Connector"]

CARD_FIRST = 0.1  # how many drivers present their card before they plug in


class Connector(Use):
    """The connector `number` (from 1) of a station. `power` is in W."""

    def __init__(self, number: int, board: Board, *, kind: Kind = "AC3", power: float = USUAL.power) -> None:
        super().__init__(number, board, Outlet(kind, power))

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

    def reboot(self, now: float) -> None:
        """The station restarts, after `abort`; the cable is free afterwards. A fault goes on."""
        self.car = self.reservation = None
        self._forget_use()
        self._turn(Status.FAULTED if self.error != NO_ERROR else self._idle)

    # --- commands -----------------------------------------------------------------------------------------------------

    def free(self, id_tag: str, now: float) -> bool:
        """Whether a remote start can be taken for `id_tag`."""
        waits = self.status is Status.PREPARING and not self.promised
        kept = self.status is Status.RESERVED and self.reservation and self.reservation.id_tag == id_tag
        open_to_all = self.status is Status.AVAILABLE and not is_kept(self.board, id_tag, now)
        return self.operative and (open_to_all or waits or bool(kept))

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

    def _forget_reservation(self) -> None:
        self.reservation = None
        self.board.agenda.cancel(RESERVATION, self.number)

    # --- drivers who come by themselves -------------------------------------------------------------------------------

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

    def _leave(self, now: float) -> None:
        if self.board.random.random() < 0.3:
            self.stop("EVDisconnected", now)
        else:
            self.stop("Local", now, self._id_tag)

    # --- faults -------------------------------------------------------------------------------------------------------

    def fault(self, error: str, now: float) -> None:
        """Something is broken: a transaction ends, and nobody charges until it is mended."""
        if self.transaction:
            self._end(self.transaction, "Other", now)
        self._forget_use()
        self.board.agenda.cancel(DRIVER, self.number)
        self.error = error
        self._turn(Status.FAULTED)
        self.report(now)

    def mend(self, now: float) -> None:
        """The fault is over; whoever is plugged in may present a card."""
        self.error = NO_ERROR
        reserved = self.is_reserved(now)
        self._turn(Status.PREPARING if self.car else Status.RESERVED if reserved else self._idle)
        self.report(now)
        if self.car:
            self._at(now, PRESENTS_CARD)
        elif self.operative:
            self._expect_driver(now)

    # --- by hand ------------------------------------------------------------------------------------------------------

    def do(self, deed: PlaceDeed, now: float) -> bool:
        """What a person does here; False when that is not possible now."""
        return by_hand.do(self, deed, now)

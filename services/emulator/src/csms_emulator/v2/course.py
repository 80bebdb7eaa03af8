"""The course of a transaction at an EVSE: what it begins with and what it ends with, by TxStartPoint and TxStopPoint.

Everything that happens changes what is so there (`points`), and `_changed` sees what follows. Knows who is authorized,
and not how: cards are `use.Use`'s affair.
"""

from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.charging import Outlet, arrive
from csms_emulator.place import ALLOWANCE, DRIVER
from csms_emulator.use import RESERVATION, TIMEOUT, UNPLUGS
from csms_emulator.v2 import points
from csms_emulator.v2.board import Board
from csms_emulator.v2.place import NO_ERROR, Place
from csms_emulator.v2.transactions import ChargingState

# OCPP 2.0.1 ReasonEnumType, by the error that ends a transaction; Other for all others.
_FAULTS = {
    "GroundFailure": "GroundFault",
    "OverCurrentFailure": "OvercurrentFault",
    "OverVoltage": "PowerQuality",
    "UnderVoltage": "PowerQuality",
}


class Course(Place):
    """`holder` is whose idToken is authorized here: until it is over, with a transaction or without."""

    def __init__(self, number: int, board: Board, outlet: Outlet) -> None:
        super().__init__(number, board, outlet)
        self.holder: Payload | None = None
        self._remote_start_id: int | None = None
        self._asking = False
        self._served = False  # the car that is plugged in has had its transaction
        self._reason = ""  # why the transaction is to end: what came first counts
        self._holds: frozenset[str] = frozenset()

    @property
    def awaited(self) -> bool:
        """Whether a driver is to charge by remote, and does not yet."""
        return self._remote_start_id is not None

    @property
    def in_use(self) -> bool:
        """Whether somebody is here, or is about to plug in."""
        return super().in_use or self.holder is not None or self.awaited

    # --- the car ------------------------------------------------------------------------------------------------------

    def park(self, now: float) -> None:
        """A car drives into the bay."""
        self.parked = True
        self._changed("EVDetected", now, quiet=True)
        self._notice(now)

    def plug_in(self, now: float) -> None:
        """A car comes, if it is not there yet, and plugs in."""
        if not self.parked:
            self.park(now)
        self.car = arrive(self.board.random, self.outlet)
        for occasion in (DRIVER, RESERVATION, TIMEOUT):
            self.board.agenda.cancel(occasion, self.number)
        self._notice(now)
        self.rest(ChargingState.EV_CONNECTED, now)
        self._reason = "" if self.holder else self._reason
        self._changed("CablePluggedIn", now)

    def unplug(self, now: float) -> None:
        """The cable is pulled; with drivers who come by themselves the car leaves, too."""
        self.measure(now)
        self.car, self._served, self._asking = None, False, False
        self._reason = self._reason or "EVDisconnected"
        if self.transaction is None or self.board.flag("TxCtrlr", "StopTxOnEVSideDisconnect"):
            self._forget_holder()
        self.rest(ChargingState.IDLE, now)
        self._changed("EVCommunicationLost", now)
        if self.board.drivers:
            self.board.agenda.cancel(DRIVER, self.number)
            self.depart(now)
        self._await_next(now)

    def depart(self, now: float) -> None:
        """The car leaves the bay; after the cable is pulled."""
        self.parked = False
        self._reason = self._reason or "Other"
        self._changed("EVDeparted", now, quiet=True)
        self._await_next(now)

    # --- the end ------------------------------------------------------------------------------------------------------

    def revoke(self, trigger: str, reason: str, now: float, **more: Any) -> None:
        """Nobody is authorized here any more: the energy ceases; the transaction ends where TxStopPoint has it so."""
        if self.holder is None:
            self.stop(trigger, reason, now, **more)
            return
        self._reason = self._reason or reason
        self._forget_holder()
        self.rest(ChargingState.EV_CONNECTED if self.car else ChargingState.IDLE, now)
        self._changed(trigger, now, **more)
        if self.car:
            self._at(now, UNPLUGS)
        self._await_next(now)

    def stop(self, trigger: str, reason: str, now: float, **more: Any) -> None:
        """End the transaction whatever TxStopPoint says, if there is one; and none begins with a card that waits."""
        self._forget_holder()
        if self.transaction:
            self.end(trigger, reason, now, **more)
        self._holds = self._holding()
        self._await_next(now)

    def fault(self, error: str, now: float) -> None:
        """Something is broken: a transaction ends, and nobody charges until it is mended."""
        self.error = error
        self.stop("AbnormalCondition", _FAULTS.get(error, "Other"), now)
        self.board.agenda.cancel(DRIVER, self.number)

    def end(self, trigger: str, reason: str, now: float, **more: Any) -> None:
        """The transaction is over."""
        super().end(trigger, reason, now, **more)
        self._forget_holder()
        self._reason, self._served = "", self.car is not None
        if self.car:
            self._at(now, UNPLUGS)

    def turn(self, state: ChargingState, now: float) -> None:
        """The energy begins or ceases to flow; a transaction that is made of energy ends."""
        ceases = points.FLOWS in self._holds and state is not ChargingState.CHARGING
        if self.transaction and ceases and points.FLOWS in self._stop_points:
            self.rest(state, now)
            by_car = state is ChargingState.SUSPENDED_EV
            self.stop("ChargingStateChanged", "StoppedByEV" if by_car else "Other", now)
        else:
            super().turn(state, now)
            self._holds = self._holding()

    # --- what follows -------------------------------------------------------------------------------------------------

    @property
    def _stop_points(self) -> frozenset[str]:
        return points.real(self.board.names("TxCtrlr", "TxStopPoint"))

    @property
    def _start_points(self) -> frozenset[str]:
        return points.real(self.board.names("TxCtrlr", "TxStartPoint"))

    def _holding(self) -> frozenset[str]:
        authorized = self.holder is not None
        flows = self.transaction.state is ChargingState.CHARGING if self.transaction else self._could_flow
        return points.holding(parked=self.parked, connected=self.car is not None, authorized=authorized, flows=flows)

    @property
    def _could_flow(self) -> bool:
        return self.holder is not None and self.car is not None and not self.car.full

    def _changed(self, trigger: str, now: float, *, quiet: bool = False, **more: Any) -> None:
        """Something is so, or is not so any more: a transaction begins, or ends, or (but `quiet`) tells of it."""
        before, self._holds = self._holds, self._holding()
        if self.transaction is None:
            starting = (self._holds - before) & self._start_points
            if starting and self.error == NO_ERROR and not (self.closed and self.holder is None):
                self._begin(trigger, starting, now)
        elif (before - self._holds) & self._stop_points or self._endless:
            self.end(trigger, self._reason, now, **more)
        elif not quiet:
            self.tell("Updated", trigger, now, state=self.transaction.state, **self._untold(), **more)
        self._close_power_path(now)

    @property
    def _endless(self) -> bool:
        """Whether nothing is left here that could end a transaction."""
        return self.car is None and self.holder is None and not self._holds & self._stop_points

    def _begin(self, trigger: str, starting: frozenset[str], now: float) -> None:
        state = ChargingState.EV_CONNECTED if self.car else ChargingState.IDLE
        if starting == {points.FLOWS}:
            trigger, state = "ChargingStateChanged", ChargingState.CHARGING
        self._reason = ""
        self.begin(trigger, now, state, **self._untold())

    def _close_power_path(self, now: float) -> None:
        if self.transaction and self.holder and self.car and self.transaction.state is ChargingState.EV_CONNECTED:
            self.turn(ChargingState.CHARGING, now)
        self._holds = self._holding()

    def _untold(self) -> dict[str, Any]:
        """What the next TransactionEvent says of the driver; once."""
        if self.holder is None or (self.transaction and self.transaction.authorized):
            return {}
        told: dict[str, Any] = {"idToken": self.holder}
        told |= {"reservationId": self.reservation.id} if self.reservation else {}
        told |= {} if self._remote_start_id is None else {"remoteStartId": self._remote_start_id}
        self._remote_start_id = self.reservation = None
        self.board.agenda.cancel(RESERVATION, self.number)
        self.board.log("charging started", evse=self.number, id_token=self.holder["idToken"])
        return told

    def _await_next(self, now: float) -> None:
        """Tell the status; what is reserved still is so again, and the next driver may come."""
        if self.reservation and not self.in_use:
            self.board.agenda.set(self.reservation.until, RESERVATION, self.number)
        self._welcome(now)

    def _forget_holder(self) -> None:
        self.holder = self._remote_start_id = self._allowance = None
        self._asking = False
        for occasion in (TIMEOUT, ALLOWANCE):
            self.board.agenda.cancel(occasion, self.number)

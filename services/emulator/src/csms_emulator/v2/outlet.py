"""Where the energy comes out: how much an EVSE may give, and whether any flows.

Knows no drivers: who may charge, and when, is `evse.Evse`'s affair.
"""

from math import inf
from typing import Any

from csms_emulator import charging
from csms_emulator.charging import Car
from csms_emulator.metering import Allowance
from csms_emulator.place import ALLOWANCE
from csms_emulator.v2.board import Board
from csms_emulator.v2.metering import Metered
from csms_emulator.v2.transactions import ChargingState, Transaction


class Outlet(Metered):
    """Of the EVSE `number`."""

    def __init__(self, number: int, board: Board, outlet: charging.Outlet) -> None:
        super().__init__(number, board, outlet)
        self._held = False  # the energy does not flow, because a limit is 0
        self._allowance: Allowance | None = None

    # --- what it may give ---------------------------------------------------------------------------------------------

    @property
    def phases(self) -> int:
        """Those of the car, or else those of the outlet."""
        return self.car.phases if self.car and not self.car.direct else self.outlet.phases

    @property
    def hungry(self) -> bool:
        """Whether a part of the station's power is for this one."""
        if self.transaction is None or self._withheld:
            return False
        return self._held or self.transaction.state is ChargingState.CHARGING

    @property
    def limited(self) -> bool:
        """Whether it gives less than it could."""
        return self._withheld or (self.car is not None and self.car.ceiling < inf)

    def began(self, now: float) -> float:
        """When the transaction began; now, if there is none."""
        return self.transaction.started if self.transaction else now

    def offer(self, watts: float, now: float) -> None:
        """From now on the car may take so much, only during a transaction: tell so, where that is a difference."""
        if self.car is None or self.transaction is None:
            return
        watts = 0.0 if self._withheld else watts
        if watts != self.car.ceiling:
            self._limit(self.car, watts, now)
        if not watts and self.transaction.state is ChargingState.CHARGING:
            self.turn(ChargingState.SUSPENDED_EVSE, now)
            self._held = True
        elif watts and self._held:
            self.turn(ChargingState.CHARGING, now)

    def _limit(self, car: Car, watts: float, now: float) -> None:
        self.measure(now)
        before, car.ceiling = car.offered, watts
        flows = self.transaction is not None and self.transaction.state is ChargingState.CHARGING
        # OCPP 2.0.1 SmartChargingCtrlr.LimitChangeSignificance: in percent. What ceases to flow is told as such.
        percent = float(self.board.device.get("SmartChargingCtrlr", "LimitChangeSignificance"))
        if flows and watts and abs(car.offered - before) * 100 > percent * before:
            self.tell("Updated", "ChargingRateChanged", now)

    @property
    def _withheld(self) -> bool:
        return self._allowance is not None and not self._allowance.wait(self.register, self.outlet.power)

    def _watch_allowance(self, now: float) -> None:
        self.measure(now)
        if self._allowance and (wait := self._allowance.wait(self.register, self.outlet.power)):
            self.board.agenda.set(now + wait / self.board.pace, ALLOWANCE, self.number)

    # --- whether it flows ---------------------------------------------------------------------------------------------

    def begin(
        self, trigger: str, now: float, state: ChargingState = ChargingState.EV_CONNECTED, **more: Any
    ) -> Transaction:
        """A transaction begins: tell so."""
        self._held = False
        return super().begin(trigger, now, state, **more)

    def sample_periodically(self, now: float) -> None:
        """The time for a reading has come."""
        super().sample_periodically(now)
        if self.car and self.car.full and self.transaction and self.transaction.state is ChargingState.CHARGING:
            self.turn(ChargingState.SUSPENDED_EV, now)

    def turn(self, state: ChargingState, now: float) -> None:
        """The energy begins or ceases to flow: tell so; only while there is a transaction."""
        self._held = False
        if self.transaction and self.transaction.state is not state:
            self.measure(now)
            self.transaction.state = state
            self.tell("Updated", "ChargingStateChanged", now, state=state)

    def rest(self, state: ChargingState, now: float) -> None:
        """No energy flows from now on, and something else tells so; only while there is a transaction."""
        self.measure(now)
        self._held = False
        if self.transaction:
            self.transaction.state = state

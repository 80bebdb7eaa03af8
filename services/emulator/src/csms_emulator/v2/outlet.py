"""Where the energy comes out: the meter of an EVSE, and the TransactionEvents that tell what it measures.

Knows no drivers: who may charge, and when, is `evse.Evse`'s affair.
"""

from typing import Any

from csms_emulator.actions import Payload
from csms_emulator.charging import Car
from csms_emulator.connector import METER
from csms_emulator.v2.board import Board
from csms_emulator.v2.meter import meter_value
from csms_emulator.v2.transactions import ChargingState, Transaction, begin

_MEASURANDS = {
    "Transaction.Begin": ("SampledDataCtrlr", "TxStartedMeasurands"),
    "Transaction.End": ("SampledDataCtrlr", "TxEndedMeasurands"),
    "Trigger": ("AlignedDataCtrlr", "Measurands"),
}
_PERIODIC = ("SampledDataCtrlr", "TxUpdatedMeasurands")


class Outlet:
    """Of the EVSE `number`. `register` is in Wh, as the meter shows; `car` is there while one is plugged in."""

    def __init__(self, number: int, board: Board) -> None:
        self.number = number
        self.board = board
        self.car: Car | None = None
        self.transaction: Transaction | None = None
        self.register = float(board.random.randrange(50_000))
        self._measured = 0.0

    def measure(self, now: float) -> None:
        """Let the energy flow that flowed since the last time."""
        if self.transaction and self.car and self.transaction.state is ChargingState.CHARGING:
            self.register += self.car.charge((now - self._measured) * self.board.pace)
        self._measured = now

    def sampled(self, context: str, now: float) -> list[Payload]:
        """A `meterValue` list with one sample of now."""
        self.measure(now)
        board = self.board
        measurands = board.names(*_MEASURANDS.get(context, _PERIODIC))
        flowing = self.transaction and self.transaction.state is ChargingState.CHARGING
        car = self.car if flowing else None
        return meter_value(self.register, car, measurands, context, board.random, board.timestamp(now))

    def sample_from(self, now: float) -> None:
        """Arm the periodic sample anew: a transaction began, or the interval changed."""
        interval = self.board.number("SampledDataCtrlr", "TxUpdatedInterval")
        self.board.agenda.cancel(METER, self.number)
        if self.transaction and interval:
            self.board.agenda.set(now + interval / self.board.pace, METER, self.number)

    def begin(self, trigger: str, now: float, **more: Any) -> Transaction:
        """A transaction begins: tell so."""
        self._measured = now
        self.transaction = begin(self.number, int(self.register), now, self.board.random)
        self.tell("Started", trigger, now, "Transaction.Begin", state=self.transaction.state, **more)
        self.sample_from(now)
        return self.transaction

    def resume(self, now: float) -> None:
        """The transaction goes on after a restart, during which no energy flowed: tell so."""
        self._measured = now
        if self.transaction:
            self.tell("Updated", "TxResumed", now, state=self.transaction.state)
            self.sample_from(now)

    def tell_on_request(self, now: float) -> None:
        """TransactionEvent, because TriggerMessage wants it."""
        if self.transaction:
            self.tell("Updated", "Trigger", now, "Trigger", state=self.transaction.state)

    def turn(self, state: ChargingState, now: float) -> None:
        """The energy begins or ceases to flow: tell so; only while there is a transaction."""
        if self.transaction and self.transaction.state is not state:
            self.measure(now)
            self.transaction.state = state
            self.tell("Updated", "ChargingStateChanged", now, state=state)

    def end(self, trigger: str, reason: str, now: float, **more: Any) -> None:
        """The transaction is over: tell so; only while there is one."""
        transaction = self.transaction
        if transaction is None:
            return
        self.measure(now)
        transaction.state = ChargingState.IDLE if reason == "EVDisconnected" else ChargingState.EV_CONNECTED
        self.tell("Ended", trigger, now, "Transaction.End", state=transaction.state, reason=reason, **more)
        energy = int(self.register) - transaction.meter_start
        self.board.log("charging stopped", evse=self.number, kwh=round(energy / 1000, 2), reason=reason)
        self.transaction = None
        self.board.agenda.cancel(METER, self.number)

    def tell(
        self, kind: str, trigger: str, now: float, context: str = "", *, state: str = "", reason: str = "", **more: Any
    ) -> None:
        """TransactionEvent, with a reading in this `context`, and with what else is new; only during a transaction."""
        transaction, board = self.transaction, self.board
        if transaction is None:
            return
        body = transaction.event(kind, trigger, board.timestamp(now), offline=not board.online)
        body["transactionInfo"] |= {"chargingState": state} if state else {}
        body["transactionInfo"] |= {"stoppedReason": reason} if reason else {}
        if "remoteStartId" in more:
            body["transactionInfo"]["remoteStartId"] = more.pop("remoteStartId")
        if context:
            body["meterValue"] = self.sampled(context, now)
        board.outbox.keep("TransactionEvent", {**body, **more}, transaction)

    def sample_periodically(self, now: float) -> None:
        """The time for a reading has come."""
        self.tell("Updated", "MeterValuePeriodic", now, "Sample.Periodic")
        self.sample_from(now)
        if self.car and self.car.full and self.transaction and self.transaction.state is ChargingState.CHARGING:
            self.turn(ChargingState.SUSPENDED_EV, now)

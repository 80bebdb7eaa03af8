"""The meter of an EVSE, and the TransactionEvents that tell what it measures.

Knows neither who may charge (`use`) nor how much (`outlet`).
"""

from typing import Any

from csms_emulator import charging
from csms_emulator.actions import Payload
from csms_emulator.charging import Car
from csms_emulator.metering import ALIGNED, BEGIN, END, PERIODIC
from csms_emulator.place import METER
from csms_emulator.v2.board import Board
from csms_emulator.v2.meter import keep, meter_value
from csms_emulator.v2.transactions import ChargingState, Transaction, begin

ENDED = "ended"  # the occasion of a reading that the end of the transaction tells
TRIGGER = "Trigger"

SAMPLING = ("TxUpdatedInterval", "TxEndedInterval", "Enabled")  # a change of these arms the samples anew

_SAMPLED, _ALIGNED = "SampledDataCtrlr", "AlignedDataCtrlr"
_MEASURANDS = {
    BEGIN: (_SAMPLED, "TxStartedMeasurands"),
    PERIODIC: (_SAMPLED, "TxUpdatedMeasurands"),
    END: (_SAMPLED, "TxEndedMeasurands"),
    ALIGNED: (_ALIGNED, "Measurands"),
    TRIGGER: (_ALIGNED, "Measurands"),
}
_CONTROLLERS = {ALIGNED: _ALIGNED}  # whose Enabled decides, by context; SampledDataCtrlr's where it is not here


class Metered:
    """Of the EVSE `number`. `register` is in Wh, as the meter shows; `car` is there while one is plugged in."""

    def __init__(self, number: int, board: Board, outlet: charging.Outlet) -> None:
        self.number = number
        self.board = board
        self.outlet = outlet
        self.car: Car | None = None
        self.transaction: Transaction | None = None
        self.register = float(board.random.randrange(50_000))
        self._measured = 0.0
        self._before: dict[str, float] = {}  # the register at the last reading, by context
        self._kept: list[Payload] = []  # readings, for the end
        self._shown = 0.0  # the power that the device model tells, in W

    # --- readings -----------------------------------------------------------------------------------------------------

    def measure(self, now: float) -> None:
        """Let the energy flow that flowed since the last time."""
        if self.transaction and self.car and self.transaction.state is ChargingState.CHARGING:
            self.register += self.car.charge((now - self._measured) * self.board.pace)
        self._measured = now

    @property
    def power(self) -> float:
        """What the car takes now, in W."""
        flows = self.transaction is not None and self.transaction.state is ChargingState.CHARGING
        return self.car.power if self.car and flows else 0.0

    def show_power(self) -> None:
        """Tell the device model, where that is a difference."""
        watts = round(self.power, 1)
        if watts != self._shown:
            self._shown = watts
            self.board.device.set("EVSE", "Power", str(watts), evse=self.number)

    def sampled(self, context: str, now: float) -> list[Payload]:
        """A `meterValue` list with one sample of now."""
        reading = self._reading(_MEASURANDS[context], context, now)
        self._before[context] = self.register
        return [reading]

    def _reading(self, measurands: tuple[str, str], context: str, now: float) -> Payload:
        self.measure(now)
        board, register = self.board, self.register
        flowing = self.transaction and self.transaction.state is ChargingState.CHARGING
        return meter_value(
            register,
            self.car if flowing else None,
            board.names(*measurands),
            context,
            board.random,
            board.timestamp(now),
            interval=register - self._before.get(context, register),
        )

    def _note(self, controller: str, context: str, now: float) -> None:
        """Keep a reading for the end of the transaction, where that is wanted."""
        if self.board.flag(controller, "Enabled") and self.board.names(controller, "TxEndedMeasurands"):
            keep(self._kept, self._reading((controller, "TxEndedMeasurands"), context, now))

    # --- when ---------------------------------------------------------------------------------------------------------

    def sample_from(self, now: float) -> None:
        """Arm the periodic samples anew: a transaction began, or an interval changed."""
        for occasion, variable in ((METER, "TxUpdatedInterval"), (ENDED, "TxEndedInterval")):
            interval = self.board.number(_SAMPLED, variable)
            self.board.agenda.cancel(occasion, self.number)
            if self.transaction and interval and self.board.flag(_SAMPLED, "Enabled"):
                self.board.agenda.set(now + interval / self.board.pace, occasion, self.number)

    def sample_periodically(self, now: float) -> None:
        """The time for a reading has come."""
        self.tell("Updated", "MeterValuePeriodic", now, PERIODIC)
        if self.transaction and (interval := self.board.number(_SAMPLED, "TxUpdatedInterval")):
            self.board.agenda.set(now + interval / self.board.pace, METER, self.number)

    def sample_for_the_end(self, now: float) -> None:
        """The time has come for a reading that is told at the end."""
        if self.transaction and (interval := self.board.number(_SAMPLED, "TxEndedInterval")):
            self._note(_SAMPLED, PERIODIC, now)
            self.board.agenda.set(now + interval / self.board.pace, ENDED, self.number)

    def sample_aligned(self, now: float) -> None:
        """The clock says so: tell a reading, in a transaction or not, where there is anything to measure."""
        board = self.board
        if not board.names(_ALIGNED, "Measurands"):
            return
        # OCPP 2.0.1 AlignedDataCtrlr.SendDuringIdle: true means not while a transaction is ongoing.
        if self.transaction and not board.flag(_ALIGNED, "SendDuringIdle"):
            self.tell("Updated", "MeterValueClock", now, ALIGNED)
        elif self.transaction is None and board.online:
            body = {"evseId": self.number, "meterValue": self.sampled(ALIGNED, now)}
            board.outbox.post("MeterValues", body, connector=self.number)

    def sample_aligned_for_the_end(self, now: float) -> None:
        """The clock says so: keep a reading, in a transaction."""
        if self.transaction:
            self._note(_ALIGNED, ALIGNED, now)

    # --- the transaction ----------------------------------------------------------------------------------------------

    def begin(
        self, trigger: str, now: float, state: ChargingState = ChargingState.EV_CONNECTED, **more: Any
    ) -> Transaction:
        """A transaction begins: tell so."""
        self._measured, self._kept = now, []
        self._before = dict.fromkeys((PERIODIC, ALIGNED, END), self.register)
        self.transaction = begin(self.number, int(self.register), now, self.board.random)
        self.transaction.state = state
        if self.board.number(_SAMPLED, "TxEndedInterval"):
            self._note(_SAMPLED, BEGIN, now)
        self.tell("Started", trigger, now, BEGIN, state=state, **more)
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
            self.tell("Updated", "Trigger", now, TRIGGER, state=self.transaction.state)

    def end(self, trigger: str, reason: str, now: float, **more: Any) -> None:
        """The transaction is over: tell so; only while there is one."""
        transaction = self.transaction
        if transaction is None:
            return
        self.measure(now)
        transaction.state = ChargingState.EV_CONNECTED if self.car else ChargingState.IDLE
        self.tell("Ended", trigger, now, END, state=transaction.state, reason=reason, **more)
        energy = int(self.register) - transaction.meter_start
        self.board.log("charging stopped", evse=self.number, kwh=round(energy / 1000, 2), reason=reason)
        self.transaction = None
        for occasion in (METER, ENDED):
            self.board.agenda.cancel(occasion, self.number)

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
        if "idToken" in more and not transaction.authorized:
            transaction.authorized, transaction.id_tag = True, more["idToken"]["idToken"]
        body |= {"meterValue": values} if (values := self._told(context, now)) else {}
        board.outbox.keep("TransactionEvent", {**body, **more}, transaction)

    def _told(self, context: str, now: float) -> list[Payload]:
        """What an event tells of the meter: nothing, a reading, or at the end all that were kept for it."""
        self.measure(now)
        kept = self._kept if context == END else []
        if not context or not self.board.flag(_CONTROLLERS.get(context, _SAMPLED), "Enabled"):
            return kept
        return [*kept, *self.sampled(context, now)]

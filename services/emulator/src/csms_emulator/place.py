"""Where the energy comes out: the state of a connector, its meter, and what the car at it may take.

Knows neither cards nor drivers: who charges, and when, is `connector.Connector`'s affair.
"""

from math import inf

from csms_emulator.actions import Payload
from csms_emulator.board import Board
from csms_emulator.charging import Car, Outlet
from csms_emulator.metering import ALIGNED, PERIODIC, Allowance, Meter
from csms_emulator.outbox import Transaction
from csms_emulator.status import TRANSITIONS, Occasion, Status

DRIVER = "driver"
METER = "meter"
ALLOWANCE = "allowance"

NO_ERROR = "NoError"


class Place:
    """The connector `number` (from 1) of a station.

    `car` is there while one is plugged in, `parked` while one is in the bay; `error` is OCPP 1.6's errorCode.
    """

    def __init__(self, number: int, board: Board, outlet: Outlet) -> None:
        self.number = number
        self.status = Status.AVAILABLE
        self.operative = True
        self.transaction: Transaction | None = None
        self.car: Car | None = None
        self.outlet = outlet
        self.meter = Meter(board)
        self.board = board
        self.error = NO_ERROR
        self.parked = False
        self._allowance: Allowance | None = None
        self._reported: Status | None = None
        board.available.add(number)

    @property
    def register(self) -> float:
        """What the meter shows, in Wh."""
        return self.meter.register

    @register.setter
    def register(self, value: float) -> None:
        self.meter.register = value

    def report(self, now: float, *, triggered: bool = False) -> None:
        """StatusNotification."""
        board = self.board
        if not (board.online or triggered):
            return
        body = {
            "connectorId": self.number,
            "errorCode": self.error,
            "status": self.status.value,
            "timestamp": board.timestamp(now),
        }
        board.outbox.post("StatusNotification", body, connector=self.number, triggered=triggered)
        self._reported = self.status

    # --- the energy ---------------------------------------------------------------------------------------------------

    @property
    def phases(self) -> int:
        """Those of the car, or else those of the outlet."""
        return self.car.phases if self.car and not self.car.direct else self.outlet.phases

    @property
    def hungry(self) -> bool:
        """Whether a part of the station's power is for this one."""
        return self.transaction is not None and not self._withheld and self.status is not Status.SUSPENDED_EV

    @property
    def limited(self) -> bool:
        """Whether it gives less than it could."""
        return self._withheld or (self.car is not None and self.car.ceiling < inf)

    def began(self, now: float) -> float:
        """When the transaction began; now, if there is none."""
        return self.transaction.started if self.transaction else now

    def offer(self, watts: float, now: float) -> None:
        """From now on the car may take so much; only during a transaction."""
        watts = 0.0 if self._withheld else watts
        if self.car is None or watts == self.car.ceiling:
            return
        self.measure(now)
        self.car.ceiling = watts
        if not watts and self.status is Status.CHARGING:
            self._change(Occasion.WITHHELD, now)
        elif watts and self.status is Status.SUSPENDED_EVSE:
            self._change(Occasion.ENERGY_FLOWS, now)

    def measure(self, now: float) -> None:
        """Let the energy flow that flowed since the last time."""
        if self.transaction and self.car:
            self.meter.flow(self.car, now)

    @property
    def _withheld(self) -> bool:
        return self._allowance is not None and not self._allowance.wait(self.register, self.outlet.power)

    def _watch_allowance(self, now: float) -> None:
        self.measure(now)
        if self._allowance and (wait := self._allowance.wait(self.register, self.outlet.power)):
            self.board.agenda.set(now + wait / self.board.pace, ALLOWANCE, self.number)

    # --- the meter ----------------------------------------------------------------------------------------------------

    def sampled(self, context: str, now: float, key: str = "MeterValuesSampledData") -> list[Payload]:
        """A `meterValue` list with one sample of now."""
        self.measure(now)
        return [self.meter.reading(key, context, self.car if self.transaction else None, now)]

    def sample_from(self, now: float) -> None:
        """Arm the periodic sample anew: a transaction began, or the interval changed."""
        interval = self.board.configuration.number("MeterValueSampleInterval")
        self.board.agenda.cancel(METER, self.number)
        if self.transaction and interval:
            self.board.agenda.set(now + interval / self.board.pace, METER, self.number)

    def sample_aligned(self, now: float) -> None:
        """The clock says so: MeterValues, in a transaction or not, where there is anything to measure."""
        board = self.board
        if board.configuration.names("MeterValuesAlignedData"):
            body = {"connectorId": self.number, "meterValue": self.sampled(ALIGNED, now, "MeterValuesAlignedData")}
            if self.transaction:
                board.outbox.keep("MeterValues", body, self.transaction)
            elif board.online:
                board.outbox.post("MeterValues", body)
        if self.transaction:
            self.measure(now)
            self.meter.note(ALIGNED, self.car, now)
        self.meter.told(ALIGNED)

    def _sample_periodically(self, now: float) -> None:
        if self.transaction is None:
            return
        body = {"connectorId": self.number, "meterValue": self.sampled(PERIODIC, now)}
        self.board.outbox.keep("MeterValues", body, self.transaction)
        self.meter.note(PERIODIC, self.car, now)
        self.meter.told(PERIODIC)
        self.sample_from(now)
        if self.car and self.car.full and self.status is Status.CHARGING:
            self._change(Occasion.CAR_FULL, now)

    # --- small things -------------------------------------------------------------------------------------------------

    @property
    def _idle(self) -> Status:
        return Status.AVAILABLE if self.operative else Status.UNAVAILABLE

    def _at(self, now: float, span: tuple[float, float]) -> None:
        if self.board.drivers:
            self.board.agenda.set(self.board.later(now, *span), DRIVER, self.number)

    def _change(self, occasion: Occasion, now: float) -> None:
        self._turn(TRANSITIONS[self.status][occasion])
        self.report(now)

    def _turn(self, status: Status) -> None:
        self.status = status
        (self.board.available.add if status is Status.AVAILABLE else self.board.available.discard)(self.number)

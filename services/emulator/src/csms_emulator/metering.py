"""The meter of a connector: its register, and the readings taken of it, for MeterValues and for StopTransaction."""

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.board import Board
from csms_emulator.charging import Car, sample

MOST_READINGS = 500

PERIODIC, ALIGNED = "Sample.Periodic", "Sample.Clock"
BEGIN, END = "Transaction.Begin", "Transaction.End"

# Where the measurands of StopTransaction.transactionData are listed, by the context of the reading.
_STOP_KEYS = {
    BEGIN: "StopTxnSampledData",
    PERIODIC: "StopTxnSampledData",
    ALIGNED: "StopTxnAlignedData",
    END: "StopTxnSampledData",
}


class Meter:
    """`register` is in Wh, as the meter shows; `data` is what StopTransaction will tell."""

    def __init__(self, board: Board) -> None:
        self.register = float(board.random.randrange(50_000))
        self.data: list[Payload] = []
        self._board = board
        self._measured = 0.0
        self._before: dict[str, float] = {}

    def begin(self, car: Car | None, now: float) -> None:
        """A transaction begins."""
        self._measured, self.data = now, []
        self._before = dict.fromkeys((PERIODIC, ALIGNED), self.register)
        self.note(BEGIN, car, now)

    def flow(self, car: Car, now: float) -> None:
        """Let the energy flow that flowed since the last time, into this car."""
        self.register += car.charge((now - self._measured) * self._board.pace)
        self._measured = now

    def reading(self, key: str, context: str, car: Car | None, now: float) -> Payload:
        """A `meterValue` of now, with the measurands that this configuration key names."""
        board = self._board
        names = board.configuration.names(key)
        interval = self.register - self._before.get(context, self.register)
        values = sample(self.register, car, names, context, board.random, interval=interval)
        return {"timestamp": board.timestamp(now), "sampledValue": values}

    def note(self, context: str, car: Car | None, now: float) -> None:
        """Keep a reading for the end of the transaction, if the configuration wants it.

        Of more than `MOST_READINGS` the oldest go, but not the one of the beginning.
        """
        key = _STOP_KEYS[context]
        if not self._board.configuration.names(key):
            return
        if len(self.data) >= MOST_READINGS:
            del self.data[1]
        self.data.append(self.reading(key, context, car, now))

    def told(self, context: str) -> None:
        """The next interval of this context begins."""
        self._before[context] = self.register


class Allowance(msgspec.Struct):
    """The energy that is still given to somebody whom the central system has refused after the start."""

    until: float  # of the register, in Wh

    def wait(self, register: float, power: float) -> float:
        """The least emulated seconds until it is used up; 0 when it is."""
        left = self.until - register
        return max(1.0, left * 3600 / power) if left >= 1 else 0.0

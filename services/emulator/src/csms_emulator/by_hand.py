"""A station operated by hand: what a person at it, or a test, does, as inputs like the others.

A deed that cannot be done now (a car comes where one is) changes nothing but the log. `ValueError` for a connector
that is not there, or for an errorCode that OCPP 1.6 does not know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from csms_emulator.actions import Action
from csms_emulator.board import Board
from csms_emulator.status import Status

if TYPE_CHECKING:
    from csms_emulator.connector import Connector

# OCPP 1.6 §7.6 ChargePointErrorCode, without NoError.
ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)

Deed = Callable[["Connector", float], bool]


class ByHand(ABC):
    """What can be done at a station; every input answers the actions to carry out, in order."""

    board: Board
    connectors: dict[int, Connector]

    @property
    @abstractmethod
    def leaving(self) -> bool:
        """Whether it restarts, or goes for good; until then nothing can be done."""

    def plug(self, connector: int, now: float) -> list[Action]:
        """A car comes and plugs in."""
        return self._do("plug", connector, _plug, now)

    def unplug(self, connector: int, now: float) -> list[Action]:
        """The cable is pulled, which ends a transaction."""
        return self._do("unplug", connector, _unplug, now)

    def swipe(self, connector: int, id_tag: str, now: float) -> list[Action]:
        """A card is presented, to begin or to end; before the cable or after it."""
        return self._do("swipe", connector, partial(_swipe, id_tag), now)

    def fault(self, connector: int, error_code: str, now: float) -> list[Action]:
        """Something breaks; what is broken may break in another way."""
        if error_code not in ERROR_CODES:
            raise ValueError(f"{error_code!r} is no errorCode of OCPP 1.6.")
        return self._do("fault", connector, partial(_fault, error_code), now)

    def clear_fault(self, connector: int, now: float) -> list[Action]:
        """It is mended."""
        return self._do("clear_fault", connector, _clear_fault, now)

    @abstractmethod
    def _settle(self, now: float) -> None:
        """Close the input."""

    def _do(self, name: str, number: int, deed: Deed, now: float) -> list[Action]:
        if number not in self.connectors:
            raise ValueError(f"There is no connector {number}.")
        connector = self.connectors[number]
        with self.board.collect() as actions:
            if self.leaving or not deed(connector, now):
                self.board.log("impossible", "warning", deed=name, connector=number, status=connector.status.value)
            self._settle(now)
        return actions


def _plug(connector: Connector, now: float) -> bool:
    possible = connector.status in (Status.AVAILABLE, Status.RESERVED, Status.PREPARING) and connector.car is None
    if possible:
        connector.plug_in(now)
    return possible


def _unplug(connector: Connector, now: float) -> bool:
    if connector.car is None:
        return False
    # StopTransactionOnEVSideDisconnect is true here.
    connector.stop("EVDisconnected", now)
    if connector.status is Status.FAULTED:
        connector.car = None
    else:
        connector.unplug(now)
    return True


def _swipe(id_tag: str, connector: Connector, now: float) -> bool:
    possible = connector.status not in (Status.UNAVAILABLE, Status.FAULTED) and not connector.promised
    if possible:
        connector.swipe(id_tag, now)
    return possible


def _fault(error: str, connector: Connector, now: float) -> bool:
    connector.fault(error, now)
    return True


def _clear_fault(connector: Connector, now: float) -> bool:
    possible = connector.status is Status.FAULTED
    if possible:
        connector.mend(now)
    return possible

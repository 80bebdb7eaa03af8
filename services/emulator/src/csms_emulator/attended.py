"""A station as people meet it who stand before it: what they do there, and what they see.

The base of `life.Life`, which is the rest of a station's life.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from csms_emulator.actions import IMPOSSIBLE, Action
from csms_emulator.admission import Admission
from csms_emulator.deeds import Deed, PlaceDeed, PowerCycle, Skew
from csms_emulator.desk import Desk
from csms_emulator.view import ConnectorView, View


class Ending(msgspec.Struct):
    """The connection is to end: when everything is said, or at `until`; with a restart (`boot`: its reason), or not."""

    until: float
    boot: str = ""
    told: bool = False


class Place(Protocol):
    """A connector of 1.x, an EVSE of 2.x."""

    number: int

    def open(self, now: float, *, booted: bool) -> None:
        """The central system listens (again)."""

    def disconnected(self, lost: set[str], now: float) -> None:
        """The connection is gone, and with it the messages named in `lost`."""

    def handle_timer(self, occasion: str, now: float) -> None:
        """The time for this occasion has come."""

    def authorized(self, status: str | None, now: float) -> None:
        """What the central system says about the card that waits; None: it could not be asked."""

    def reboot(self, now: float) -> None:
        """The station restarts."""

    def do(self, deed: PlaceDeed, now: float) -> bool:
        """What somebody does here; False, and nothing has changed, when that is not possible now."""


B = TypeVar("B", bound=Desk)
P = TypeVar("P", bound=Place)


class Attended(ABC, Generic[B, P]):
    """Its board, its registration and its places; whether it is connected, and whether that is to end."""

    def __init__(self, board: B, registration: Admission, places: Mapping[int, P]) -> None:
        self.board = board
        self._registration = registration
        self._places = places
        self._connected = False
        self._ending: Ending | None = None

    def by_hand(self, deed: Deed, now: float) -> list[Action]:
        """What somebody does at the station.

        A deed that cannot be done now (a car comes where one is) changes nothing but the log ("impossible"). Raises
        `ValueError`, with a sentence, for a connector that is not there, an error code that nobody knows, and a time
        that no clock shows.
        """
        if isinstance(deed, Skew) and not self.board.can_show(deed.seconds, now):
            raise ValueError("The clock shows times from 1970 to 2100.")
        if not isinstance(deed, PowerCycle | Skew):
            self._check(deed)
        with self.board.collect() as actions:
            match deed:
                case PowerCycle():
                    self._lose_power(now)
                case Skew():
                    self.board.epoch += deed.seconds
                case _:
                    self._at_place(deed, now)
            self._settle(now)
        return actions

    # --- what others look at ------------------------------------------------------------------------------------------

    @property
    def serving(self) -> bool:
        """Whether transactions may start and stop now. OCPP 1.6 §4.2, 2.0.1 B02: not by remote while Pending."""
        return self._registration.accepted and self._ending is None

    @property
    def leaving(self) -> bool:
        """Whether the connection is to end, with a restart or for good."""
        return self._ending is not None

    def at(self, number: int) -> list[P]:
        """The connector or EVSE with this number, if there is one."""
        return [self._places[number]] if number in self._places else []

    def view(self, now: float) -> View:
        """What somebody sees who stands before it, and how far it has got with the central system."""
        board = self.board
        places = tuple(self._view_of(place, now) for place in self._places.values())
        return View(self._connected, self._registration.status, len(board.outbox), board.timestamp(now), places)

    # --- deeds --------------------------------------------------------------------------------------------------------

    def _at_place(self, deed: PlaceDeed, now: float) -> None:
        if self.leaving or not self._places[deed.connector].do(deed, now):
            name, status = type(deed).__name__.lower(), self._view_of(self._places[deed.connector], now).status
            self.board.log(IMPOSSIBLE, "warning", deed=name, connector=deed.connector, status=status)

    def _check(self, deed: PlaceDeed) -> None:
        if deed.connector not in self._places:
            raise ValueError(f"There is no connector {deed.connector}.")

    def _lose_power(self, now: float) -> None:
        self.board.log("power cycle")
        self._end(now, 0.0, "PowerLoss", boot="PowerUp")
        if not self._connected:
            self._ending = None
            self._restart("PowerUp", now)

    # --- the rest of its life -----------------------------------------------------------------------------------------

    @abstractmethod
    def _settle(self, now: float) -> None:
        """Close an input."""

    @abstractmethod
    def _end(self, now: float, grace: float, reason: str, *, boot: str = "") -> None:
        """End the transactions for this reason, and leave within `grace` seconds; `boot`: to come back."""

    @abstractmethod
    def _restart(self, reason: str, now: float) -> None:
        """Begin anew; `reason` is for the boot."""

    @abstractmethod
    def _view_of(self, place: P, now: float) -> ConnectorView:
        """What somebody sees who stands before this one."""

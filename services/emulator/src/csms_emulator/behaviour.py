"""A station as its link sees it: inputs with the time, actions that come back. `station.Station` says what is what."""

from typing import Protocol

from csms_emulator.actions import Action, Transferred
from csms_emulator.deeds import Deed
from csms_emulator.view import View
from csms_ocpp.session import Event


class Behaviour(Protocol):
    """What `station.Station` and `v15.Station` have in common."""

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None: only after another input."""
        ...

    def connected(self, now: float) -> list[Action]:
        """The central system can be asked now."""
        ...

    def disconnected(self, now: float) -> list[Action]:
        """It cannot, or not any more."""
        ...

    def session_event(self, event: Event, now: float) -> list[Action]:
        """The peer asked or answered."""
        ...

    def handle_timer(self, now: float) -> list[Action]:
        """The time has come for whatever is due."""
        ...

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """The Transfer of this number has ended; a station that wants none is never told so."""
        ...

    def by_hand(self, deed: Deed, now: float) -> list[Action]:
        """What somebody does at the station. Raises `ValueError`, with a sentence, for what can never be done."""
        ...

    def view(self, now: float) -> View:
        """What can be seen of it from outside."""
        ...

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave within `grace` seconds."""
        ...

"""A station to which nobody comes by himself: what happens there, the central system has begun."""

from csms_emulator import station
from csms_emulator.actions import Action
from csms_emulator.behaviour import Behaviour
from csms_emulator.connector import DRIVER
from csms_emulator.files.wrapper import Wrapper
from csms_emulator.v2 import station as v2


class Station(Wrapper):
    """`inner` without arrivals. A driver whom a remote start has called plugs in, and leaves when he has enough.

    `core` is the station itself, which `inner` is or translates.
    """

    def __init__(self, inner: Behaviour, core: station.Station | v2.Station) -> None:
        super().__init__(inner)
        self._agenda = core.board.agenda
        self._places = core.connectors if isinstance(core, station.Station) else core.evses

    def said(self, actions: list[Action]) -> list[Action]:
        """The same; whoever was to arrive stays away."""
        for number, place in self._places.items():
            if place.car is None:
                self._agenda.cancel(DRIVER, number)
        return actions

"""An emulated charging station for the tests of somebody who has a central system, or a webhook behind one.

async with Station("CP-1", url="ws://localhost:9220/ocpp") as station:
    await station.plug()
    await station.swipe("04A1B2C3")
    await station.expect("StartTransaction", where=lambda m: m.payload["idTag"] == "04A1B2C3")
    await station.status("Charging")
"""

from types import TracebackType
from typing import Any, Literal, Self

from csms_emulator.deeds import Clear, Deed, Depart, Fault, Park, Plug, PowerCycle, Skew, Swipe, Unplug
from csms_emulator.expectations import UnmetError
from csms_emulator.files import reading
from csms_emulator.messages import Message
from csms_emulator.player import WITHIN, CallError, Player
from csms_emulator.players import Players
from csms_emulator.view import ConnectorView, View

__all__ = [
    "CallError",
    "Clear",
    "ConnectorView",
    "Deed",
    "Depart",
    "Fault",
    "Message",
    "Park",
    "Player",
    "Players",
    "Plug",
    "PowerCycle",
    "Skew",
    "Station",
    "Swipe",
    "UnmetError",
    "Unplug",
    "View",
]

Version = Literal["1.5", "1.6", "2.0.1", "2.1"]


class Station(Player):
    """A charging station that runs while inside `async with`. Nobody comes to it but by hand.

    `url` is the central system's, over WebSocket without the identity. Whatever a `station.toml` may say of a station
    may be said here, too: `connectors`, `password`, `configuration`, `id_tags`, `vendor`, `certificate`, `ca`, `seed`
    … `pace` is how many emulated seconds cars and meters live in a real one. Entering waits `within` seconds for the
    central system to accept the station, and raises `UnmetError` when it does not; 0 does not wait.

    Raises `ValueError`, with a sentence, for what makes no station.
    """

    def __init__(
        self,
        identity: str = "CP-1",
        *,
        url: str = "",
        version: Version = "1.6",
        within: float = WITHIN,
        **more: Any,
    ) -> None:
        super().__init__(identity)
        given = {"drivers": False, "connectors": 1, "ramp": 0, **more, "url": url, "version": version}
        self._players = Players([reading.station(identity, given)], lambda name: self)
        self._within = within

    async def __aenter__(self) -> Self:
        """Start it, and wait until it is accepted."""
        await self._players.__aenter__()
        try:
            if self._within:
                await self.booted(self._within)
        except BaseException:
            await self._players.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let a transaction end, and hang up."""
        await self._players.__aexit__(kind, error, trace)

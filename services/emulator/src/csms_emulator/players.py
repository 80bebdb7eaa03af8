"""The stations of some fleets, running, each with its player."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from csms_emulator.files.specification import Specification
from csms_emulator.link import Link
from csms_emulator.park import Park
from csms_emulator.player import Player


class Players:
    """Runs the stations of `specifications` while inside `async with`; they connect by themselves.

    Everything is heard from each station's first word on; `player` makes who hears it. Leaving lets transactions end,
    and hangs up. Raises what keeps a fleet from running (`OSError`: its callback port is taken), and `ValueError` for
    two stations of one identity.
    """

    def __init__(self, specifications: Sequence[Specification], player: Callable[[str], Player] = Player) -> None:
        self._player = player
        self._park = Park(specifications, self._started)
        self._expected = _different([name for one in specifications for name in one.settings.identities()])
        self._players: dict[str, Player] = {}
        self._watching = AsyncExitStack()
        self._all_there = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start them, once; all have begun to connect when this returns."""
        if self._running:
            raise RuntimeError("These stations have run already: make new ones.")
        self._running = asyncio.create_task(self._park.run(), name="emulated stations")
        there = asyncio.create_task(self._all_there.wait())
        try:
            await asyncio.wait([self._running, there], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.__aexit__(None, None, None)
            raise
        finally:
            there.cancel()
        if self._running.done() and (error := self._running.exception()):
            raise _first(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them."""
        await self._park.stop()
        if self._running:
            await self._running
        await self._watching.aclose()

    def __getitem__(self, identity: str) -> Player:
        """The player of this station. Raises `LookupError`, with a sentence."""
        if identity not in self._players:
            raise LookupError(f"There is no station {identity}.")
        return self._players[identity]

    def __iter__(self) -> Iterator[Player]:
        """In the order in which they started."""
        return iter(self._players.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._players)

    def _started(self, identity: str, link: Link) -> None:
        player = self._players[identity] = self._player(identity)
        self._watching.callback(player.attach(link))
        if len(self._players) == self._expected:
            self._all_there.set()


def _different(identities: list[str]) -> int:
    """How many there are. Raises `ValueError` when two are the same."""
    for identity, times in Counter(identities).items():
        if times > 1:
            raise ValueError(f"There are {times} stations {identity}.")
    return len(identities)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

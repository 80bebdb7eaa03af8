"""The emulator as a service: entering starts the stations, leaving lets them end their transactions and hang up."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from csms_emulator.files.specification import Specification
from csms_emulator.fleet import Fleet, Started
from csms_emulator.link import Link
from csms_emulator.park import Park
from csms_emulator.settings import Settings

Spawn = Callable[[Coroutine[Any, Any, None], str], None]


def _unseen(identity: str, link: Link) -> None:
    """Nobody wants to know."""


def service(settings: Settings, *, spawn: Spawn, started: Started = _unseen) -> AbstractAsyncContextManager[None]:
    """Run the fleet of `settings`.

    Stations connect by themselves, in the background, whether or not the central system is there yet. `spawn` runs the
    fleet's task; it ends, without an error, before this returns, in at most `grace` and a few seconds. `started` is
    told of each station just before its first word.
    """
    return _running(Fleet(settings, started), spawn)


def park(
    specifications: Sequence[Specification], *, spawn: Spawn, started: Started = _unseen
) -> AbstractAsyncContextManager[None]:
    """Run the fleets of `specifications` together, as `service` runs one."""
    return _running(Park(specifications, started), spawn)


@asynccontextmanager
async def _running(stations: Fleet | Park, spawn: Spawn) -> AsyncIterator[None]:
    spawn(stations.run(), "emulator")
    try:
        yield
    finally:
        await stations.stop()

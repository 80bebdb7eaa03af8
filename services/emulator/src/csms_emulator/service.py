"""The emulator as a service: entering starts the fleet, leaving lets it end its transactions and hang up."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from csms_emulator.fleet import Fleet
from csms_emulator.settings import Settings


@asynccontextmanager
async def service(
    settings: Settings, *, spawn: Callable[[Coroutine[Any, Any, None], str], None]
) -> AsyncIterator[None]:
    """Run the fleet of `settings`.

    Stations connect by themselves, in the background, whether or not the central system is there yet. `spawn` runs the
    fleet's task; it ends, without an error, before this returns, in at most `grace` and a few seconds.
    """
    fleet = Fleet(settings)
    spawn(fleet.run(), "emulator")
    try:
        yield
    finally:
        await fleet.stop()

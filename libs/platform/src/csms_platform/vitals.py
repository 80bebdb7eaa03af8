"""How the event loop of this process is: whether it is late, which everything else in the process then is, too."""

import asyncio
from collections.abc import Callable

from csms_platform.metrics import Stopwatches

EVERY = 0.25  # seconds

_late = Stopwatches("loop_lag_seconds", "How late the event loop was for a timer").child()


async def watch() -> None:
    """Sample for ever."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + EVERY
        await asyncio.sleep(EVERY)
        _late.observe(max(0.0, clock() - due))


async def reassure(say: Callable[[], None], patience: float) -> None:
    """For ever, `say` twice in `patience` seconds that the loop turns."""
    while True:
        say()
        await asyncio.sleep(patience / 2)

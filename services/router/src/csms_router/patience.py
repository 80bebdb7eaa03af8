"""Asking a store again that cannot be reached now: with growing pauses and jitter, while somebody waits.

Never a hot loop, and never back to the queue: the envelope stays with the router that took it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from csms_platform.envelope import Envelope
from csms_platform.ports import Unavailable
from csms_router import metrics

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


def until(envelope: Envelope, now: float, patience: float) -> float:
    """When nobody waits any more for what `envelope` asks: its deadline, or `patience` seconds from `now`."""
    return envelope.deadline / 1000 if envelope.deadline else now + patience


async def patiently(
    ask: Callable[[], Awaitable[T]],
    *,
    until: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """The answer of `ask()`, asked again after every `Unavailable`.

    `until` is in seconds since 1970, like `clock()`: an attempt that would begin later is not made, and the last
    `Unavailable` is raised. `ask` must be safe to repeat.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await ask()
        except Unavailable:
            wait = pause * random.uniform(0.5, 1.0)
            if clock() + wait >= until:
                raise
            metrics.STORE_RETRIES.inc()
            await sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)

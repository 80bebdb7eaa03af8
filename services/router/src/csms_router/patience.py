"""Asking a store again that cannot be reached now, while somebody waits; counted.

Never back to the queue: the envelope stays with the router that took it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeVar

from csms_platform import patience as platform
from csms_platform.envelope import Envelope
from csms_router import metrics

T = TypeVar("T")

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
    began = perf_counter()
    try:
        return await platform.patiently(
            ask, until=until, clock=clock, sleep=sleep, longest=LONGEST_PAUSE, again=metrics.STORE_RETRIES.inc
        )
    finally:
        metrics.STORE.observe(perf_counter() - began)

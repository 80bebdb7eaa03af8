"""Doing again what the broker or the store was away for: with growing pauses and jitter. Never a hot loop."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from csms_platform.ports import Unavailable

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


def _nobody_counts() -> None:
    """For those who do not want to know how often it was done again."""


async def patiently(
    work: Callable[[], Awaitable[T]],
    *,
    until: float = math.inf,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    longest: float = LONGEST_PAUSE,
    again: Callable[[], None] = _nobody_counts,
) -> T:
    """The answer of `work()`, which is called again after every `Unavailable`; it must be safe to repeat.

    `until` is in seconds since 1970, like `clock()`: an attempt that would begin later is not made, and the last
    `Unavailable` is raised. Without it there is no other end than an answer or being cancelled. `again` is called
    before each pause, none of which is longer than `longest` seconds.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await work()
        except Unavailable:
            wait = pause * random.uniform(0.5, 1.0)
            if clock() + wait >= until:
                raise
            again()
            await sleep(wait)
            pause = min(pause * 2, longest)

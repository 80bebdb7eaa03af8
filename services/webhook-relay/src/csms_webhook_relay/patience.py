"""Doing again what the broker or the store was away for: with growing pauses and jitter, for as long as it takes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from csms_platform.ports import Unavailable

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


async def patiently(
    work: Callable[[], Awaitable[T]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> T:
    """The answer of `work()`, which is called again after every `Unavailable`; it must be safe to repeat.

    There is no other end than an answer or being cancelled.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await work()
        except Unavailable:
            await sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)

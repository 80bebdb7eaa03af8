"""What a router looks after from time to time, because nobody may come and tell: every router does, none twice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from csms_platform.logging import get_logger
from csms_platform.ports import Unavailable
from csms_router import metrics

_log = get_logger("router")

Sweep = Callable[[], Awaitable[None]]


class Sweeper:
    """Does every one of `sweeps` each `interval` seconds, from `run()` until `stop()`."""

    def __init__(self, sweeps: Sequence[Sweep], interval: float) -> None:
        self._sweeps = sweeps
        self._interval = interval
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """`run` returns after the sweep under way."""
        self._stopped.set()

    async def run(self) -> None:
        """Sweep until stopped. A store that is away is left alone until the next time."""
        while not await self._pause():
            for sweep in self._sweeps:
                try:
                    await sweep()
                except Unavailable as error:
                    metrics.STORE_RETRIES.inc()
                    _log.warning("cannot sweep", reason=str(error))

    async def _pause(self) -> bool:
        try:
            await asyncio.wait_for(self._stopped.wait(), self._interval)
        except TimeoutError:
            return False
        return True

"""Ends the sessions of gateways that died: their leases ran out, and nobody said goodbye for their stations.

Every router sweeps; the store gives each session to one of them only.
"""

import asyncio

from csms_platform.logging import get_logger
from csms_platform.ports import Sessions, Unavailable
from csms_router import metrics

_log = get_logger("router")
_MOST = 1000
_GATEWAY_LOST = "gateway lost"


class Sweeper:
    """Sweeps every `interval` seconds from `run()` until `stop()`."""

    def __init__(self, sessions: Sessions, interval: float) -> None:
        self._sessions = sessions
        self._interval = interval
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """`run` returns after the sweep under way."""
        self._stopped.set()

    async def run(self) -> None:
        """Sweep until stopped. A store that is away is left alone until the next time."""
        while not await self._pause():
            try:
                await self.sweep()
            except Unavailable as error:
                metrics.STORE_RETRIES.inc()
                _log.warning("cannot sweep", reason=str(error))

    async def sweep(self) -> None:
        """End all sessions of gateways whose lease has ended."""
        ended = metrics.DISCONNECTS.labels(_GATEWAY_LOST)
        full = True
        while full:
            sessions = await self._sessions.sweep(_MOST)
            full = len(sessions) == _MOST
            ended.inc(len(sessions))
            for session in sessions:
                _log.info(
                    "disconnected",
                    station=session.identity,
                    reason=_GATEWAY_LOST,
                    gateway=session.gateway,
                    epoch=session.epoch,
                )

    async def _pause(self) -> bool:
        try:
            await asyncio.wait_for(self._stopped.wait(), self._interval)
        except TimeoutError:
            return False
        return True

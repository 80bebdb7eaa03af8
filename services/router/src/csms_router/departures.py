"""Stations whose gateway died: its lease ran out, and nobody said goodbye for them.

Every router sweeps; the store gives each session to one of them only.
"""

from collections.abc import Callable
from uuid import uuid4

from csms_platform.logging import get_logger
from csms_platform.ports import Event, Events, SessionRecord, Sessions, event_key
from csms_platform.times import iso_8601
from csms_router import metrics

_log = get_logger("router")
_MOST = 1000
_NAME = "disconnected"
_GATEWAY_LOST = "gateway lost"


class Departures:
    """Ends sessions, and tells so. `now` is in seconds since 1970."""

    def __init__(self, sessions: Sessions, events: Events, now: Callable[[], float]) -> None:
        self._sessions = sessions
        self._events = events
        self._now = now

    async def sweep(self) -> None:
        """End all sessions of gateways whose lease has ended. Raises `Unavailable`."""
        full = True
        while full:
            sessions = await self._sessions.sweep(_MOST)
            full = len(sessions) == _MOST
            for session in sessions:
                self._tell(session)

    def _tell(self, session: SessionRecord) -> None:
        metrics.DISCONNECTS.labels(_GATEWAY_LOST).inc()
        _log.info(
            _NAME,
            station=session.identity,
            reason=_GATEWAY_LOST,
            gateway=session.gateway,
            epoch=session.epoch,
        )
        key = event_key(session.version, _NAME)
        if self._events.wanted(key):
            self._events.emit(key, _event(session, self._now()))


def _event(session: SessionRecord, now: float) -> Event:
    return Event(
        id=uuid4().hex,
        time=iso_8601(now),
        type=_NAME,
        identity=session.identity,
        account=session.account,
        version=session.version,
        gateway=session.gateway,
        epoch=session.epoch,
        reason=_GATEWAY_LOST,
    )

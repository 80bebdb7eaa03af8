"""Sessions of which no gateway tells that they ended: the gateway died, or the station never had one that could.

Their lease ran out, and nobody said goodbye for them. Every router sweeps; the store gives each session to one of them
only. A station without a connection that was replaced by one with another has nobody to say it either.
"""

from collections.abc import Callable
from uuid import uuid4

from csms_platform.logging import get_logger
from csms_platform.ports import Event, Events, SessionRecord, Sessions, event_key
from csms_platform.times import iso_8601
from csms_router import metrics
from csms_router.presence import SOAP

_log = get_logger("router")
_MOST = 1000
_NAME = "disconnected"
_GATEWAY_LOST = "gateway lost"
_SILENT = "not heard of"
_REPLACED = "replaced"


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
                self._tell(session, _SILENT if session.transport == SOAP else _GATEWAY_LOST)

    def replaced(self, session: SessionRecord) -> None:
        """The session of a station without a connection ended because the station came otherwise."""
        self._tell(session, _REPLACED)

    def _tell(self, session: SessionRecord, reason: str) -> None:
        metrics.DISCONNECTS.labels(reason).inc()
        _log.info(
            _NAME,
            station=session.identity,
            reason=reason,
            gateway=session.gateway,
            epoch=session.epoch,
        )
        key = event_key(session.version, _NAME)
        if self._events.wanted(key):
            self._events.emit(key, _event(session, reason, self._now()))


def _event(session: SessionRecord, reason: str, now: float) -> Event:
    unheld = session.transport == SOAP
    return Event(
        id=uuid4().hex,
        time=iso_8601(now),
        type=_NAME,
        identity=session.identity,
        account=session.account,
        version=session.version,
        transport=SOAP if unheld else "",
        gateway="" if unheld else session.gateway,
        epoch=session.epoch,
        reason=reason,
    )

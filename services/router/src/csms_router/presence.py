"""How long stations without a connection count as online: a few of the heartbeat intervals that they were told.

Such a station stands in its gateway's place, with a lease of its own (`ports.without_connection`), which is renewed
whenever it is heard of. Also how long a gateway may do without asking who it is.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.errors import UNREADABLE
from csms_ocpp.version import StationId
from csms_platform.logging import get_logger
from csms_platform.ports import Ports, Unavailable
from csms_router import metrics
from csms_router.settings import Settings

JSON, SOAP = "json", "soap"
INTERVAL = "interval"

_log = get_logger("router")
_LONGEST = 2**31 - 1  # both families: a 32-bit integer
_answer = msgspec.json.Decoder(dict[str, Any]).decode
_number = msgspec.json.Decoder(int).decode


class Presence:
    """Renews leases of sessions that live. Stateless."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._sessions = ports.sessions
        self._stations = ports.stations
        self._settings = settings

    async def renew(self, identity: StationId) -> None:
        """The station was heard of: its lease begins again, as long as its interval is now.

        Nothing when it is offline or has a connection. When the store is away, its next call will do it.
        """
        try:
            session, notes = await asyncio.gather(self._sessions.get(identity), self._stations.recall(identity))
            if session is not None and session.transport == SOAP:
                await self._sessions.renew(session.gateway, lease(self._settings, noted(notes)))
        except Unavailable as error:
            metrics.STORE_RETRIES.inc()
            _log.warning("cannot renew lease", station=identity, reason=str(error))


def lease(settings: Settings, interval: int) -> float:
    """Seconds that a station counts as online; `interval` is the heartbeat's, 0: nobody told it one."""
    return settings.presence_intervals * (interval or settings.heartbeat_interval)


def fresh_until(settings: Settings, accepted: bool, interval: int, now: float) -> int:
    """Until when a capsule stands in for an arrival (`Capsule.fresh_until`); `now` is in seconds since 1970.

    Not at all while the station must boot first: it may do so through another gateway, which this one does not hear of.
    """
    if settings.boot_required and not accepted:
        return 0
    return int((now + min(settings.soap_fresh, lease(settings, interval) / 4)) * 1000)


def told(answer: Raw) -> int:
    """The heartbeat interval in the answer to a BootNotification that was Accepted; 0: none that could be kept."""
    try:
        fields = _answer(answer)
    except UNREADABLE:
        return 0
    # 1.5 has a name of its own for it.
    return usable(fields.get("interval", fields.get("heartbeatInterval")))


def noted(notes: Mapping[str, bytes]) -> int:
    """The interval that was noted about a station; 0: none."""
    try:
        return usable(_number(notes.get(INTERVAL, b"0")))
    except UNREADABLE:
        return 0


def usable(interval: object) -> int:
    """`interval` if it is one, else 0."""
    if not isinstance(interval, int) or isinstance(interval, bool):
        return 0
    return interval if 0 < interval <= _LONGEST else 0

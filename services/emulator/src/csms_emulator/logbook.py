"""What a station did, as log lines for people and as numbers for Prometheus.

Lines are rationed for the whole process, so that a large fleet does not spend itself on its log.
"""

from csms_emulator.actions import Log
from csms_platform.logging import CallLog, get_logger
from csms_platform.metrics import counter, gauge

LINES_A_SECOND = 50

_log = get_logger("emulator")
_lines = CallLog(_log, LINES_A_SECOND)
_connected = gauge("emulator_stations_connected", "Emulated stations that are connected")
_happened = counter("emulator_happenings", "What happened to emulated stations", ("event",))


class Logbook:
    """The log of one station."""

    __slots__ = ("_identity", "_lost")

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._lost = ""

    def write(self, entry: Log) -> None:
        """An entry from the station itself."""
        if entry.level != "info":
            getattr(_log, entry.level)(entry.event, station=self._identity, **entry.fields)
            return
        _happened.labels(entry.event).inc()
        if _lines.take():
            _log.info(entry.event, station=self._identity, **entry.fields)

    def online(self, online: bool) -> None:
        """The station is connected, or not any more."""
        if online:
            self._lost = ""
            _connected.inc()
        else:
            _connected.dec()

    def lost(self, reason: str) -> None:
        """No connection, for `reason`; told once as long as the reason stays the same."""
        if reason != self._lost and _lines.take():
            _log.warning("not connected", station=self._identity, reason=reason)
        self._lost = reason

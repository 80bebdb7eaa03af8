"""What the WebSocket gateway counts. Children are kept: looking one up costs more than counting."""

from csms_ocpp.session import Outcome
from csms_platform.metrics import CallStopwatches, counter, gauge

sockets = gauge("ws_sockets", "Open sockets, handshakes included")
connections = gauge("ws_connections", "Connected stations")
evictions = counter("ws_evictions", "Connections closed because the station connected elsewhere")
repeated_commands = counter("ws_repeated_commands", "Commands that the bus delivered again, and that were left out")
unanswered = counter("ws_unanswered_calls", "Stations' CALLs that nobody answered in time")

_handshakes = counter("ws_handshakes", "Handshakes by HTTP status", ("status",))
# Actions come from the catalog: the protocol core let it through.
answered = CallStopwatches("ws_call_seconds", "From a station's CALL to its answer").answered
_commands = counter("ws_commands", "Commands to stations by outcome", ("version", "action", "outcome"))
_complaints = counter("ws_complaints", "Messages that something was wrong with", ("kind",))


def handshake(status: int) -> None:
    """Count a handshake."""
    _handshakes.labels(str(status)).inc()


def command(version: str, action: str, outcome: Outcome) -> None:
    """Count a command. A command with an action that is not in the catalog is INVALID and counts without its name."""
    _commands.labels(version, "" if outcome is Outcome.INVALID else action, outcome.value).inc()


def complaint(kind: str) -> None:
    """Count a complaint."""
    _complaints.labels(kind).inc()

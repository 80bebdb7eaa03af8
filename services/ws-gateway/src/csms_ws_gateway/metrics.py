"""What the WebSocket gateway counts. Children are kept: looking one up costs more than counting."""

from csms_ocpp.session import Outcome
from csms_platform.metrics import CallStopwatches, Stopwatches, counter, gauge

sockets = gauge("ws_sockets", "Open sockets, handshakes included")
connections = gauge("ws_connections", "Connected stations")
commands_under_way = gauge("ws_commands_under_way", "Commands that were sent to stations, or wait for their turn")
evictions = counter("ws_evictions", "Connections closed because the station connected elsewhere")
repeated_commands = counter("ws_repeated_commands", "Commands that the bus delivered again, and that were left out")
unanswered = counter("ws_unanswered_calls", "Stations' CALLs that nobody answered in time")

_handshakes = counter("ws_handshakes", "Handshakes by HTTP status", ("status",))
# Actions come from the catalog: the protocol core let it through.
answered = CallStopwatches("ws_call_seconds", "From a station's CALL to its answer").answered
_commands = Stopwatches(
    "ws_command_seconds", "From a command's arrival here to its outcome", ("version", "action", "outcome")
)
_complaints = counter("ws_complaints", "Messages that something was wrong with", ("kind",))
_violations = counter("ws_violations", "Payloads that their schema refuses, by its keyword", ("version", "rule"))


def handshake(status: int) -> None:
    """Count a handshake."""
    _handshakes.labels(str(status)).inc()


def command(version: str, action: str, outcome: Outcome, seconds: float) -> None:
    """Count a command. A command with an action that is not in the catalog is INVALID and counts without its name."""
    _commands.child(version, "" if outcome is Outcome.INVALID else action, outcome.value).observe(seconds)


def complaint(kind: str, version: str, rule: str) -> None:
    """Count a complaint; `rule` is the schema keyword of a violation."""
    _complaints.labels(kind).inc()
    if rule:
        _violations.labels(version, rule).inc()

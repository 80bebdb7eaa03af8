"""What the SOAP gateway counts about our calls to stations."""

from csms_ocpp.session import Outcome
from csms_platform.metrics import Stopwatches, counter, gauge

commands_under_way = gauge("soap_commands_under_way", "Commands that are being sent to stations, or wait for that")
repeated_commands = counter("soap_repeated_commands", "Commands that the bus delivered again, and that were left out")
misdirected = counter("soap_misdirected", "Envelopes at the shared address that are no commands, and were left out")

_commands = Stopwatches(
    "soap_command_seconds", "From a command's arrival here to its outcome", ("version", "action", "outcome")
)


def command(version: str, action: str, outcome: Outcome, seconds: float) -> None:
    """Count a command. `version` and `action` are "" unless they are known: anybody may have made them up."""
    _commands.child(version, action, outcome.value).observe(seconds)

"""The scenarios of the benchmark: what stations of the load generator say, and what is measured without them."""

from collections.abc import Callable

from csms_emulator.load.scripts import Script, heartbeats, metervalues, sessions

COMMANDS = "commands"
"""The other direction: commands through the REST API. The stations only answer; `active` are the API's clients."""

SOAP = "soap"
"""Heartbeats of stations that speak SOAP; `active` are those, each with a connection that it keeps."""

SCENARIOS: dict[str, Callable[[str], Script]] = {
    "heartbeat": heartbeats,
    "metervalues": metervalues,
    "session": sessions,
}
NAMES = (*SCENARIOS, COMMANDS, SOAP)

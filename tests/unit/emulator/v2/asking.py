"""A device asked by hand, in one version: every request, answer and follow-up is checked against the schemas."""

from functools import partial

from csms_emulator.v2.device import Calls, Device, utc
from csms_emulator.v2.other_commands import COMMANDS
from csms_ocpp import schemas
from csms_ocpp.version import Version
from tests.unit.emulator.driving import EPOCH, TIME, Payload, check

NOW = 0.0
ISO_NOW = TIME.replace("Z", ".000Z")
BEFORE, AFTER = "2023-11-14T22:13:19Z", "2023-11-14T22:13:21Z"

ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
EMPTY = {"status": "EmptyResultSet"}


def device(version: Version = Version.V2_1, evses: int = 2) -> Device:
    return Device(evses, 1, time=lambda now: utc(EPOCH + now), version=version)


def ask(device: Device, action: str, payload: Payload | None = None) -> tuple[Payload, Calls]:
    """The answer, and the CALLs that follow."""
    checked = partial(check, device.version)
    checked(action, schemas.REQUEST, payload or {})
    answer, calls = COMMANDS[action](device, payload or {}, NOW)
    checked(action, schemas.RESPONSE, answer)
    for follower, body in calls:
        checked(follower, schemas.REQUEST, body)
    return answer, calls


def named(component: str, variable: str, instance: str = "", **evse: int) -> Payload:
    """An item's component and variable; `id` and `connectorId` place it."""
    at = {"evse": evse} if evse else {}
    return {
        "component": {"name": component, **at},
        "variable": {"name": variable, **({"instance": instance} if instance else {})},
    }

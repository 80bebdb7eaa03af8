"""A webhook relay for router tests: hears what is forwarded, and settles it as the test's operator says."""

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.ports import WEBHOOK, Address, Command, GatewayId
from csms_router.settings import Settings
from tests.service.router.world import ChargingStation, World

SERVED = Settings(backend="webhook")
START = {"connectorId": 1, "idTag": "A1", "meterStart": 100, "timestamp": "2026-01-01T12:00:00Z"}
STOP = {"transactionId": 77, "meterStop": 350, "timestamp": "2026-01-01T13:00:00Z"}
BOOT = {"chargePointVendor": "ACME", "chargePointModel": "One"}
BOOT_ACCEPTED = {"currentTime": "2026-01-01T12:00:00Z", "interval": 60, "status": "Accepted"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}


def event(kind: str, seq_no: int, **more: Any) -> dict[str, Any]:
    """A TransactionEvent of transaction t-1."""
    return {
        "eventType": kind,
        "timestamp": f"2026-01-01T12:{seq_no:02}:00Z",
        "triggerReason": "Trigger",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "t-1"},
        **more,
    }


def heard(world: World) -> list[Envelope]:
    """Everything that the router has sent to the relay."""
    return [envelope for address, envelope in world.bus.sent if address == WEBHOOK]


def told(world: World, gateway: str = "east") -> list[Envelope]:
    """Everything that the router has sent to this gateway."""
    return [envelope for address, envelope in world.bus.sent if address == Address(f"ocpp.gateway.{gateway}")]


async def waiting(world: World) -> Command:
    """A command that waits for CS-1, whose gateway lives."""
    later = int(world.clock.now * 1000) + 60_000
    await world.ports.sessions.renew(GatewayId("east"), 15)
    command = Command(
        StationId("CS-1"),
        "r-1",
        "Reset",
        Raw(b'{"type":"Soft"}'),
        created=later - 60_000,
        deadline=later,
        overdue=later,
        offline_until=later,
    )
    await world.ports.commands.begin(command)
    return command


def result(call: Envelope, payload: Any, **changes: Any) -> Envelope:
    """The operator's CALLRESULT to a forwarded CALL, as the relay sends it to the router."""
    encoded = Raw(payload if isinstance(payload, bytes) else msgspec.json.encode(payload))
    return replace(call, **({"kind": Kind.RESULT, "payload": encoded, "request": call.payload} | changes))


def error(call: Envelope, code: str, description: str = "", details: bytes = b"{}") -> Envelope:
    """The operator's CALLERROR."""
    return result(call, details, kind=Kind.ERROR, error_code=code, error_description=description)


def passed_on(reply: Envelope) -> Envelope:
    """How the gateway gets `reply` when nothing but the address changes."""
    return replace(reply, reply_to="", settle=False, request=EMPTY)


async def asks(station: ChargingStation, action: str, payload: Any, unique_id: str = "") -> Envelope:
    """The CALL as the router forwards it."""
    (forwarded,) = await station.world.bus.deliver(station.asks(action, payload, unique_id))
    assert forwarded.kind is Kind.CALL
    return forwarded


async def settles(station: ChargingStation, reply: Envelope) -> Envelope:
    """What the gateway gets of the operator's `reply`."""
    (answer,) = await station.world.bus.deliver(reply)
    if answer.session is not None:
        station.capsule = answer.session
    return answer


async def converses(station: ChargingStation, action: str, payload: Any, answer: Any, unique_id: str = "") -> Envelope:
    """The CALL forwarded, answered by the operator, settled: what the gateway gets."""
    return await settles(station, result(await asks(station, action, payload, unique_id), answer))

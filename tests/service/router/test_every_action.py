"""Every action that the catalog lets a station send has an answer, and the answer is valid."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from csms_platform.envelope import Kind
from tests.service.router.samples import fullest, smallest
from tests.service.router.visiting import Visitor
from tests.service.router.world import ChargingStation, World

JSON_VERSIONS = (Version.V1_6, Version.V2_0_1, Version.V2_1)
CALLS = [
    (version, action.name)
    for version in JSON_VERSIONS
    for action in asked_by(Role.STATION, version).values()
    if not action.send
]

sample = pytest.mark.parametrize("sample", [smallest, fullest])


@sample
@pytest.mark.parametrize(("version", "action"), CALLS)
async def test_a_valid_request_gets_a_valid_answer(
    world: World, version: Version, action: str, sample: Callable[..., Any]
) -> None:
    station = ChargingStation(world, version=version)
    request = msgspec.json.encode(sample(version, action))
    table = schemas.table(version)
    assert table[action, schemas.REQUEST].check(request) is None

    (reply,) = await world.bus.deliver(station.asks(action, request))

    assert (reply.kind, reply.error_description) == (Kind.RESULT, "")
    assert table[action, schemas.RESPONSE].check(reply.payload) is None


@sample
async def test_a_send_is_recorded_and_not_answered(world: World, sample: Callable[..., Any]) -> None:
    station = ChargingStation(world, version=Version.V2_1)
    told = sample(Version.V2_1, "NotifyPeriodicEventStream", send=True)

    replies = await world.bus.deliver(station.asks("NotifyPeriodicEventStream", told, kind=Kind.SEND))

    assert replies == []
    assert await world.note_of("CS-1", f"stream/{told['id']}") == told


@sample
@pytest.mark.parametrize("action", sorted(asked_by(Role.STATION, Version.V1_5)))
@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
async def test_a_valid_request_over_soap_gets_a_valid_answer(
    world: World, version: Version, action: str, sample: Callable[..., Any]
) -> None:
    visitor = Visitor(world, version=version)
    await visitor.accepted()
    request = msgspec.json.encode(sample(version, action))
    table = schemas.table(version)
    assert table[action, schemas.REQUEST].check(request) is None

    reply = await visitor.visit(action, request)

    assert (reply.kind, reply.transport, reply.error_description) == (Kind.RESULT, "soap", "")
    assert table[action, schemas.RESPONSE].check(reply.payload) is None


@pytest.mark.parametrize(
    ("version", "action"),
    [
        ("ocpp1.6", "TransactionEvent"),
        ("ocpp2.0.1", "StartTransaction"),
        ("ocpp2.0.1", "BatterySwap"),
        ("", "Heartbeat"),
    ],
)
async def test_an_action_of_another_version_is_not_implemented(world: World, version: str, action: str) -> None:
    station = ChargingStation(world, version=version)

    answer = await station.call(action, {})

    assert answer == "NotImplemented"

"""Start, stop, reset, unlock and availability over `/api/v2`: the same for stations of every version."""

from typing import Any

import pytest
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from tests.service.api.test_v2_commands import record
from tests.service.api.world import Reply, World

UNDER_WAY = Transaction(StationId("CS-1"), "41", key="a", version="ocpp1.6", connector=2, tag="A1")


async def verb(world: World, name: str, identity: str = "CS-1", **body: Any) -> Reply:
    return await world.post(f"/api/v2/stations/{identity}/{name}", json=body)


async def test_a_verb_is_said_in_the_words_of_the_station_s_version(world: World) -> None:
    first = await verb(world, "start", idTag="A1", connectorId=1)
    second = await verb(world, "start", "CS-2", idTag="A1", connectorId=1)

    assert [(reply.status, reply.json["action"], reply.json["outcome"]) for reply in (first, second)] == [
        (200, "RemoteStartTransaction", "result"),
        (200, "RequestStartTransaction", "result"),
    ]
    old, new = world.gateway.payloads
    number = new.pop("remoteStartId")
    assert old == {"idTag": "A1", "connectorId": 1}
    assert new == {"idToken": {"idToken": "A1", "type": "ISO14443"}, "evseId": 1}
    assert 0 <= number < 2**31


@pytest.mark.parametrize(
    ("name", "body", "action"),
    [
        ("stop", {"transactionId": 41}, "RemoteStopTransaction"),
        ("reset", {"type": "hard"}, "Reset"),
        ("unlock", {"connectorId": 1}, "UnlockConnector"),
        ("availability", {"operative": False}, "ChangeAvailability"),
    ],
)
async def test_each_verb_has_a_path(world: World, name: str, body: dict[str, Any], action: str) -> None:
    reply = await verb(world, name, **body)

    assert (reply.status, reply.json["outcome"]) == (200, "result")
    assert [command.action for command in world.gateway.commands] == [action]


async def test_a_stop_finds_the_transaction_at_a_connector(world: World) -> None:
    over = replace(UNDER_WAY, id="40", key="b", stopped="2026-01-01T10:00:00Z")
    elsewhere = replace(UNDER_WAY, id="42", key="c", connector=1)
    modern = replace(UNDER_WAY, identity=StationId("CS-2"), id="t-1", evse=2, connector=1, version="ocpp2.0.1")
    for transaction in (over, UNDER_WAY, elsewhere, modern):
        await world.stores.transactions.update(transaction)

    await verb(world, "stop", connectorId=2)
    await verb(world, "stop", "CS-2", evseId=2)
    nothing = await verb(world, "stop", connectorId=3)

    assert world.gateway.payloads == [{"transactionId": 41}, {"transactionId": "t-1"}]
    assert nothing.error == (409, "No transaction of CS-1 is under way there.")


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("stop", {}, "Invalid request: transactionId, connectorId or evseId must say which transaction."),
        (
            "stop",
            {"transactionId": "t-1"},
            "Invalid request: transactionId: 't-1' is no number, as the transactions of OCPP 1.x have.",
        ),
        ("reset", {"type": "warm"}, "Invalid request: Invalid enum value 'warm' - at `$.type`."),
        (
            "start",
            {"idTag": "x" * 21},
            'Invalid payload of RemoteStartTransaction: idTag: "' + "x" * 21 + '" is longer than 20 characters',
        ),
        ("unlock", {"connectorId": 0}, "Invalid request: Expected `int` >= 1 - at `$.connectorId`."),
    ],
)
async def test_what_a_verb_cannot_mean_is_400(world: World, name: str, body: dict[str, Any], sentence: str) -> None:
    assert (await verb(world, name, **body)).error == (400, sentence)


async def test_a_verb_for_a_station_that_is_offline_is_503(world: World) -> None:
    await world.told("CS-9", boot={})

    assert (await verb(world, "reset", "CS-9", type="soft")).error == (503, "The charging station CS-9 is offline.")


async def test_a_verb_may_be_left_to_its_record(world: World) -> None:
    reply = await world.post("/api/v2/stations/CS-1/reset?wait=0", json={"type": "soft"})

    ended = await record(world, id=reply.json["uniqueId"])
    assert (reply.status, ended["action"], ended["outcome"]) == (202, "Reset", "result")

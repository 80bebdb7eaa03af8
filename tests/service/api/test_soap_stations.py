"""Stations that speak SOAP, over the API: how they are shown, and what they can be asked."""

import asyncio
from typing import Any

import msgspec
import pytest

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from tests.service.api.test_v2_verbs import verb
from tests.service.api.world import World

CALLBACK = "http://192.0.2.8:8080/ocpp"
BOOT = {"chargePointVendor": "v", "chargePointModel": "m", "chargeBoxSerialNumber": "B-1"}
OCCUPIED = {"connectorId": 1, "status": "Occupied", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"}
VALUES = {"connectorId": 1, "values": [{"timestamp": "2026-01-01T10:00:00Z", "value": [{"value": "7", "unit": "Wh"}]}]}


@pytest.fixture
async def soap(world: World) -> World:
    """CS-5 speaks 1.5, CS-6 1.6, both over SOAP."""
    await world.calls("CS-5", callback=CALLBACK)
    await world.calls("CS-6", "ocpp1.6")
    return world


async def test_in_v1_a_station_has_its_own_address_and_no_socket(soap: World) -> None:
    await soap.told("CS-5", boot=BOOT, status__1=OCCUPIED, meterValues=VALUES, seen="2026-01-01T10:00:00.000Z")

    listed = (await soap.get("/api/v1/ChargePointList")).json["ChargePointList"]

    (row,) = [row for row in listed if row["identity"] == "CS-5"]
    assert row == {
        "identity": "CS-5",
        "lastSeen": "2026-01-01T10:00:00.000Z",
        "address": CALLBACK,
        "connection": None,
        "bootNotification": BOOT,
        "statusNotification": OCCUPIED,
        "account": "",
        "protocol": "ocpp1.5",
        "ocppVersion": "1.5",
        "online": True,
        "connectors": [
            {"id": 1, "status": "Occupied", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"},
        ],
    }


async def test_a_station_without_a_connection_was_last_seen_when_it_called(soap: World) -> None:
    await soap.told("CS-5", seen="2026-01-01T10:00:00.000Z")

    shown = (await soap.get("/api/v2/stations/CS-5")).json
    listed = (await soap.get("/api/v1/ChargePointList")).json["ChargePointList"]

    assert (shown["online"], shown["lastSeen"]) == (True, "2026-01-01T10:00:00.000Z")
    assert [one["lastSeen"] for one in listed if one["identity"] == "CS-5"] == ["2026-01-01T10:00:00.000Z"]


async def test_in_v2_a_station_is_shown_with_its_transport_and_address(soap: World) -> None:
    await soap.told("CS-6", callback="http://192.0.2.9/", status__1=OCCUPIED)

    shown = [(await soap.get(f"/api/v2/stations/{identity}")).json for identity in ("CS-1", "CS-5", "CS-6")]

    assert [(one["version"], one["transport"], one["callback"], one["gateway"]) for one in shown] == [
        ("ocpp1.6", "json", "", "east"),
        ("ocpp1.5", "soap", CALLBACK, ""),
        ("ocpp1.6", "soap", "http://192.0.2.9/", ""),
    ]
    assert shown[2]["connectors"] == [
        {"connectorId": 1, "status": "Occupied", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"}
    ]


async def test_transactions_of_1_5_are_listed_with_numbers_as_ids(soap: World) -> None:
    await soap.told("CS-5", boot=BOOT)
    await soap.stores.transactions.update(
        Transaction(StationId("CS-5"), "41", version="ocpp1.5", connector=1, tag="A1", meter_start=5)
    )

    old = (await soap.post("/api/v1/CentralSystem/TransactionList", json={"identity": "CS-5"})).json
    new = (await soap.get("/api/v2/transactions?identity=CS-5")).json

    assert [(row["id"], row["serialNumber"], row["meterStart"]) for row in old["TransactionList"]] == [(41, "B-1", 5)]
    assert [(row["id"], row["version"]) for row in new["transactions"]] == [("41", "ocpp1.5")]


FORM = {"connectorId": "1", "type": "Inoperative"}


@pytest.mark.parametrize("form", ["json", "form", "query"])
async def test_a_command_reaches_the_station_s_address_with_the_types_of_its_version(soap: World, form: str) -> None:
    path = "/api/v1/ChargePoint/CS-5/ChangeAvailability"
    more: dict[str, Any] = {
        "json": {"json": {"connectorId": 1, "type": "Inoperative"}},
        "form": {"data": FORM},
        "query": {"params": FORM},
    }[form]

    reply = await soap.post(path, **more)

    (call,) = soap.gateway.commands
    assert (reply.status, reply.json) == (200, {"status": "Accepted"})
    assert (call.version, call.callback, soap.gateway.payloads) == (
        "ocpp1.5",
        CALLBACK,
        [{"connectorId": 1, "type": "Inoperative"}],
    )


async def test_a_list_of_1_5_is_spelt_and_typed_as_1_5_has_it(soap: World) -> None:
    fields = {
        "updateType": "Full",
        "listVersion": "3",
        "localAuthorisationList[0][idTag]": "A1",
        "localAuthorisationList[0][idTagInfo][status]": "Accepted",
        "hash": "12",
    }

    reply = await soap.post("/api/v1/ChargePoint/CS-5/SendLocalList", data=fields)

    assert reply.status == 200
    assert soap.gateway.payloads == [
        {
            "updateType": "Full",
            "listVersion": 3,
            "localAuthorisationList": [{"idTag": "A1", "idTagInfo": {"status": "Accepted"}}],
            "hash": "12",
        }
    ]


async def test_a_payload_that_1_5_does_not_allow_is_400_and_names_the_field(soap: World) -> None:
    reply = await soap.command("Reset", {"type": "Warm"}, "CS-5")

    assert (reply.status, reply.json["error"]["field"], soap.gateway.commands) == (400, "type", [])


@pytest.mark.parametrize(
    ("identity", "operation", "speech"),
    [
        ("CS-5", "TriggerMessage", "OCPP 1.5 over SOAP"),
        ("CS-6", "GetLog", "OCPP 1.6 over SOAP"),
        ("CS-6", "ExtendedTriggerMessage", "OCPP 1.6 over SOAP"),
        ("CS-6", "GetVariables", "OCPP 1.6 over SOAP"),
        ("CS-1", "GetVariables", "OCPP 1.6"),
    ],
)
async def test_what_a_station_s_soap_does_not_have_is_no_operation(
    soap: World, identity: str, operation: str, speech: str
) -> None:
    old = await soap.command(operation, {}, identity)
    new = await soap.post(f"/api/v2/stations/{identity}/commands", json={"action": operation})

    assert old.error == (404, f"There is no operation {operation} in {speech}.")
    assert new.error == (400, f"There is no action {operation} that stations of {speech} are asked.")
    assert soap.gateway.commands == []


@pytest.mark.parametrize(
    ("name", "body", "asked"),
    [
        ("start", {"idTag": "A1", "connectorId": 1}, ("RemoteStartTransaction", {"idTag": "A1", "connectorId": 1})),
        ("stop", {"connectorId": 1}, ("RemoteStopTransaction", {"transactionId": 41})),
        ("reset", {"type": "onIdle"}, ("Reset", {"type": "Soft"})),
        ("unlock", {"connectorId": 1}, ("UnlockConnector", {"connectorId": 1})),
        ("availability", {"operative": False}, ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})),
    ],
)
async def test_verbs_are_said_in_the_words_of_1_5(
    soap: World, name: str, body: dict[str, Any], asked: tuple[str, Any]
) -> None:
    await soap.stores.transactions.update(
        Transaction(StationId("CS-5"), "41", version="ocpp1.5", connector=1, tag="A1", meter_start=5)
    )

    reply = await verb(soap, name, "CS-5", **body)

    (call,) = soap.gateway.commands
    assert (reply.status, reply.json["action"], reply.json["outcome"]) == (200, asked[0], "result")
    assert (call.action, msgspec.json.decode(call.payload)) == asked


async def test_a_command_behind_another_one_is_queued(soap: World) -> None:
    soap.gateway.otherwise = lambda _: None
    for number in (1, 2):
        asked = {"action": "ClearCache", "uniqueId": f"c-{number}"}
        assert (await soap.post("/api/v2/stations/CS-5/commands", json=asked)).status == 202
    async with asyncio.timeout(5):
        while not soap.gateway.commands:
            await asyncio.sleep(0.005)

    shown = [(await soap.get(f"/api/v2/stations/CS-5/commands/c-{number}")).json["status"] for number in (1, 2)]

    assert (shown, [call.unique_id for call in soap.gateway.commands]) == (["sent", "queued"], ["c-1"])


async def test_the_document_has_what_1_5_asks_and_says_what_soap_does_not_have(soap: World) -> None:
    document = (await soap.get("/openapi.json")).json

    paths, schemas = document["paths"], document["components"]["schemas"]
    prefix = "/api/v1/ChargePoint/{identity}/"
    assert schemas["ocpp1.5.ResetRequest"]["properties"]["type"]["enum"] == ["Hard", "Soft"]
    assert [paths[prefix + name]["post"]["description"] for name in ("Reset", "GetLog", "TriggerMessage")] == [
        "OCPP 1.5, 1.6, 2.0.1, 2.1.",
        "OCPP 1.6 (not over SOAP), 2.0.1, 2.1.",
        "OCPP 1.6, 2.0.1, 2.1.",
    ]

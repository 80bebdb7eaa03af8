"""The lists of `/api/v1`, and its ping and time."""

import time
from typing import Any

import pytest
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction, Unavailable
from tests.service.api.world import UNLIMITED, World, open_world

BOOT = {"chargePointVendor": "v", "chargePointModel": "m", "chargePointSerialNumber": "S-1"}
FIRST = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"}
SECOND = {"connectorId": 2, "status": "Charging", "errorCode": "NoError", "timestamp": "2026-01-01T11:00:00Z"}
STARTED = Transaction(
    StationId("CS-1"),
    "41",
    version="ocpp1.6",
    connector=2,
    tag="A1",
    meter_start=1000,
    started="2026-01-01T10:00:00Z",
    reservation=5,
)
STOPPED = replace(STARTED, id="42", key="b", meter_stop=1750, stopped="2026-01-01T11:00:00Z", reason="Local")
MODERN = replace(STARTED, identity=StationId("CS-2"), id="42", version="ocpp2.0.1", evse=1, connector=0)


async def test_ping_and_time_are_as_the_reference_answers_them(world: World) -> None:
    before = int(time.time() * 1000)

    ping, clock = await world.get("/api/v1/ping"), await world.get("/api/v1/time")

    assert ping.json == {"error": {"code": 200, "message": "OK"}}
    assert before <= clock.json["serverTime"] <= time.time() * 1000


@pytest.mark.parametrize("path", ["/api/v1/ChargePointList", "/api/v1/CentralSystem/ChargePointList"])
async def test_a_station_is_listed_with_all_that_it_told(path: str) -> None:
    async with open_world() as world:
        await world.connects("CS-1", account="acme")
        await world.told("CS-1", boot=BOOT, status__1=FIRST, status__2=SECOND, status__0={"status": "Available"})

        reply = await world.get(path)
        session = await world.stores.sessions.get(StationId("CS-1"))

    assert session is not None
    (row,) = reply.json["ChargePointList"]
    assert row.pop("lastSeen").endswith("Z")
    assert row == {
        "identity": "CS-1",
        "address": None,
        "connection": {"socket": session.epoch, "ip": "192.0.2.7", "port": None},
        "bootNotification": BOOT,
        "statusNotification": SECOND,
        "account": "acme",
        "protocol": "ocpp1.6",
        "ocppVersion": "1.6",
        "online": True,
        "connectors": [
            {"id": 0, "status": "Available"},
            {"id": 1, "status": "Available", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"},
            {"id": 2, "status": "Charging", "errorCode": "NoError", "timestamp": "2026-01-01T11:00:00Z"},
        ],
    }


async def test_a_station_that_is_offline_is_listed_with_when_it_was_seen() -> None:
    told = {"evseId": 1, "connectorId": 2, "connectorStatus": "Faulted", "timestamp": "2026-01-01T11:00:00Z"}
    async with open_world() as world:
        await world.told("CS-9", boot={"reason": "PowerUp"}, seen="2026-01-01T12:00:00.000Z", status__1__2=told)

        reply = await world.get("/api/v1/ChargePointList")

    assert reply.json["ChargePointList"] == [
        {
            "identity": "CS-9",
            "address": None,
            "connection": None,
            "bootNotification": {"reason": "PowerUp"},
            "statusNotification": told,
            "account": "",
            "protocol": "",
            "ocppVersion": "",
            "online": False,
            "lastSeen": "2026-01-01T12:00:00.000Z",
            "connectors": [{"evseId": 1, "id": 2, "status": "Faulted", "timestamp": "2026-01-01T11:00:00Z"}],
        }
    ]


async def test_every_station_is_listed_however_many_there_are() -> None:
    async with open_world() as world:
        for number in range(1203):
            await world.told(f"CS-{number:04}", boot={})

        reply = await world.get("/api/v1/ChargePointList")

    assert [row["identity"] for row in reply.json["ChargePointList"]] == [f"CS-{n:04}" for n in range(1203)]


async def store(world: World, *records: Transaction) -> None:
    for record in records:
        await world.stores.transactions.update(record)


async def transactions(world: World, **wish: Any) -> Any:
    return (await world.post("/api/v1/CentralSystem/TransactionList", **wish)).json


async def test_transactions_are_listed_newest_first_in_the_reference_s_words(world: World) -> None:
    await world.told("CS-1", boot=BOOT)
    await store(world, STARTED, STOPPED)

    listed = await transactions(world, json={"identity": "CS-1"})

    common = {
        "idTag": "A1",
        "identity": "CS-1",
        "serialNumber": "S-1",
        "connectorId": 2,
        "evseId": None,
        "meterStart": 1000,
        "reservationId": 5,
        "data": None,
        "dateStart": "2026-01-01T10:00:00Z",
    }
    ended = {"id": 42, "meterStop": 1750, "value": 750, "reason": "Local", "dateStop": "2026-01-01T11:00:00Z"}
    running = {"id": 41, "meterStop": None, "value": None, "reason": None, "dateStop": None}
    assert listed == {"TransactionList": [common | ended, common | running]}


async def test_without_an_identity_the_transactions_of_all_stations_are_listed(world: World) -> None:
    await store(world, STARTED, MODERN)

    for wish in ({"json": {}}, {}, {"data": {"identity": ""}}):
        listed = await transactions(world, **wish)
        assert [(row["identity"], row["id"]) for row in listed["TransactionList"]] == [("CS-2", "42"), ("CS-1", 41)]


async def test_transactions_are_filtered_by_when_they_began(world: World) -> None:
    await store(world, STARTED)

    past = await transactions(world, json={"dateFrom": "2001-01-01", "dateTo": "2002-01-01T00:00:00"})
    since = await transactions(world, data={"identity": "CS-1", "dateFrom": "2002-01-01T00:00:00+02:00"})

    assert (past, len(since["TransactionList"])) == ({"TransactionList": []}, 1)


async def test_a_list_that_is_cut_says_so() -> None:
    async with open_world(replace(UNLIMITED, list_limit=2)) as world:
        await store(world, *(replace(STARTED, id=str(n), key=str(n)) for n in range(3)))

        listed = await transactions(world, json={})

    assert ([row["id"] for row in listed["TransactionList"]], listed["more"]) == ([2, 1], True)


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"dateFrom": "yesterday"}, "Invalid request: dateFrom: 'yesterday' is no ISO 8601 time."),
        ({"identity": 7}, "Invalid request: Expected `str | null`, got `int` - at `$.identity`."),
        ([], "Invalid request: Expected `object`, got `array`."),
    ],
)
async def test_a_wish_that_cannot_be_read_is_400(world: World, wish: Any, sentence: str) -> None:
    reply = await world.post("/api/v1/CentralSystem/TransactionList", json=wish)

    assert reply.error == (400, sentence)


async def test_reservations_that_stations_accepted_are_listed_of_both_families(world: World) -> None:
    await world.told("CS-1", boot=BOOT)
    token = {"idToken": "B2", "type": "ISO14443"}
    await world.command(
        "ReserveNow", {"connectorId": 1, "expiryDate": "2026-01-02T00:00:00Z", "idTag": "A1", "reservationId": 7}
    )
    await world.command(
        "ReserveNow", {"id": 8, "expiryDateTime": "2026-03-01T00:00:00Z", "idToken": token, "evseId": 2}, "CS-2"
    )

    every = await world.post("/api/v1/CentralSystem/ReservationList", json={})
    early = await world.post("/api/v1/CentralSystem/ReservationList", json={"dateTo": "2026-02-01"})
    one = await world.post("/api/v1/CentralSystem/ReservationList", json={"identity": "CS-2"})

    rows = every.json["ReservationList"]
    assert [bool(row.pop("dateStart")) for row in rows] == [True, True]
    assert rows == [
        {
            "id": 7,
            "idTag": "A1",
            "identity": "CS-1",
            "serialNumber": "S-1",
            "connectorId": 1,
            "expiryDate": "2026-01-02T00:00:00Z",
            "dateStop": None,
        },
        {
            "id": 8,
            "idTag": "B2",
            "identity": "CS-2",
            "serialNumber": None,
            "connectorId": 2,
            "expiryDate": "2026-03-01T00:00:00Z",
            "dateStop": None,
        },
    ]
    assert [[row["id"] for row in reply.json["ReservationList"]] for reply in (early, one)] == [[7], [8]]


class Away:
    """A store that cannot be reached."""

    async def known(self, **_: Any) -> Any:
        raise Unavailable("no route")


async def test_a_store_that_is_away_is_503_with_when_to_come_again() -> None:
    async with open_world(stations=Away()) as world:
        reply = await world.get("/api/v1/ChargePointList")

    assert reply.error == (503, "The central system's store is away; try again soon.")
    assert reply.headers["Retry-After"] == "2"

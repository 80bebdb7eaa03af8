"""`/api/v2/stations`: who is known, who is registered, and who is online."""

from typing import Any

import pytest

from csms_ocpp.version import StationId
from csms_platform.ports import Station, Unavailable
from tests.service.api.world import EAST, World, open_world

STATIONS = "/api/v2/stations"
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}
NEVER_HEARD_OF: dict[str, Any] = {
    "account": "",
    "registered": True,
    "disabled": False,
    "securityProfile": 0,
    "hasPassword": False,
    "quirks": [],
    "registration": "Accepted",
    "online": False,
    "version": "",
    "transport": "",
    "peer": "",
    "callback": "",
    "since": None,
    "lastSeen": None,
    "gateway": "",
    "epoch": 0,
    "boot": None,
    "connectors": [],
}


async def identities(world: World, **query: str) -> tuple[list[str], str]:
    listed = (await world.get(STATIONS, params=query)).json
    return [station["identity"] for station in listed["stations"]], listed["next"]


async def test_a_station_is_shown_with_its_record_its_session_and_what_it_told_last() -> None:
    async with open_world() as world:
        await world.stores.stations.put(
            Station(StationId("CS-1"), "acme", "scrypt$x", 1, "lenient assume=ocpp1.6", "Pending")
        )
        await world.connects("CS-1", account="other")
        told = {"connectorId": 1, "status": "Charging", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"}
        modern = {"evseId": 2, "connectorId": 1, "connectorStatus": "Available", "timestamp": "2026-01-01T11:00:00Z"}
        await world.told("CS-1", boot=BOOT, status__1=told, status__2__1=modern, status__3="?")

        shown = (await world.get(f"{STATIONS}/CS-1")).json
        session = await world.stores.sessions.get(StationId("CS-1"))

    assert session is not None
    assert (shown.pop("since")[-1], shown.pop("lastSeen")[-1]) == ("Z", "Z")
    assert shown == {
        "identity": "CS-1",
        "account": "acme",
        "registered": True,
        "disabled": False,
        "securityProfile": 1,
        "hasPassword": True,
        "quirks": ["lenient", "assume=ocpp1.6"],
        "registration": "Pending",
        "online": True,
        "version": "ocpp1.6",
        "transport": "json",
        "peer": "192.0.2.7",
        "callback": "",
        "gateway": EAST,
        "epoch": session.epoch,
        "boot": BOOT,
        "connectors": [
            {"connectorId": 1, "status": "Charging", "errorCode": "NoError", "timestamp": "2026-01-01T10:00:00Z"},
            {"connectorId": 1, "status": "Available", "evseId": 2, "timestamp": "2026-01-01T11:00:00Z"},
        ],
    }


async def test_a_station_without_a_record_is_shown_by_what_it_told(world: World) -> None:
    await world.told("CS-9", boot=BOOT, registration="Rejected", seen="2026-01-01T12:00:00.000Z")

    shown = (await world.get(f"{STATIONS}/CS-9")).json

    heard = {"registered": False, "registration": "Rejected", "lastSeen": "2026-01-01T12:00:00.000Z", "boot": BOOT}
    assert shown == NEVER_HEARD_OF | {"identity": "CS-9"} | heard


async def test_stations_come_in_pages(world: World) -> None:
    first = await identities(world, limit="1")
    second = await identities(world, limit="1", after=first[1])
    all_of_them = await identities(world)

    assert (first, second, all_of_them) == ((["CS-1"], "CS-1"), (["CS-2"], ""), (["CS-1", "CS-2"], ""))


async def test_stations_are_filtered(world: World) -> None:
    await world.connects("CS-3", account="acme")
    for name in ("CS-4", "CR", "CS", "CS-", "CT"):
        await world.stores.stations.put(Station(StationId(name), "acme"))

    assert await identities(world, online="true") == (["CS-1", "CS-2", "CS-3"], "")
    assert await identities(world, online="false") == (["CR", "CS", "CS-", "CS-4", "CT"], "")
    assert await identities(world, account="acme", online="true") == (["CS-3"], "")
    assert await identities(world, prefix="CS-", limit="2") == (["CS-", "CS-1"], "CS-1")
    assert await identities(world, prefix="CS-", after="CS-1") == (["CS-2", "CS-3", "CS-4"], "")
    assert await identities(world, prefix="CS-", after="CT") == ([], "")


async def test_one_request_looks_at_so_many_stations_and_no_more(world: World) -> None:
    for number in range(5200):
        await world.told(f"A{number:05}", boot={})

    nobody, following = await identities(world, account="nobody")
    online = await identities(world, online="true", after=following)

    assert (nobody, following, online) == ([], "A04999", (["CS-1", "CS-2"], ""))


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=²", "limit=", "online=1"])
async def test_a_query_that_cannot_be_read_is_400_and_names_the_parameter(world: World, query: str) -> None:
    reply = await world.get(f"{STATIONS}?{query}")

    assert (reply.error[0], reply.json["error"]["field"]) == (400, query.partition("=")[0])


class Away:
    """A store that cannot be reached."""

    async def get(self, _: Any) -> Any:
        raise Unavailable("no route")

    recall = get


async def test_a_store_that_is_away_is_503() -> None:
    async with open_world(stations=Away()) as world:
        reply = await world.get(f"{STATIONS}/CS-1")

    assert reply.error == (503, "The central system's store is away; try again soon.")

"""Changes to stations over `/api/v2`: their records, their passwords, and what follows for their connections."""

from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from csms_api.settings import Key
from csms_ocpp.version import StationId
from csms_platform.passwords import matches
from csms_platform.ports import Station
from tests.service.api.test_v2_stations import BOOT, NEVER_HEARD_OF, STATIONS, identities
from tests.service.api.world import UNLIMITED, World, open_world


async def record(world: World, identity: str = "CS-7") -> Station | None:
    return await world.stores.stations.get(StationId(identity))


async def test_a_station_is_registered_once(world: World) -> None:
    fields = {"identity": "EM/7 ü", "account": "acme", "securityProfile": 2, "quirks": ["lenient", "assume=ocpp1.6"]}

    new = await world.post(STATIONS, json=fields)
    again = await world.post(STATIONS, json=fields | {"account": "other"})
    found = await world.ask("GET", new.headers["Location"])

    assert (new.status, new.headers["Location"], found.json) == (201, f"{STATIONS}/EM%2F7%20%C3%BC", new.json)
    assert new.json == NEVER_HEARD_OF | fields
    assert again.error == (409, "The charging station EM/7 ü is registered already.")
    assert await record(world, "EM/7 ü") == Station(
        StationId("EM/7 ü"), "acme", security_profile=2, quirks="lenient assume=ocpp1.6"
    )


async def test_put_registers_or_replaces_but_for_the_password(world: World) -> None:
    new = await world.ask("PUT", f"{STATIONS}/CS-7", json={"account": "acme"})
    await world.ask("PUT", f"{STATIONS}/CS-7/password", json={"password": "s3cret"})
    replaced = await world.ask("PUT", f"{STATIONS}/CS-7", json={"securityProfile": 1})

    assert (new.status, new.headers["Location"], replaced.status) == (201, f"{STATIONS}/CS-7", 200)
    assert replaced.json == NEVER_HEARD_OF | {"identity": "CS-7", "securityProfile": 1, "hasPassword": True}


async def test_the_address_of_a_soap_station_is_on_record_until_it_is_taken_away(world: World) -> None:
    new = await world.ask("PUT", f"{STATIONS}/CS-7", json={"callback": "https://192.0.2.8:8080/ocpp"})
    kept = await record(world)
    gone = await world.ask("PATCH", f"{STATIONS}/CS-7", json={"callback": ""})

    assert (new.status, new.json["callback"], gone.status, gone.json["callback"]) == (
        201,
        "https://192.0.2.8:8080/ocpp",
        200,
        "",
    )
    assert (kept, await record(world)) == (
        Station(StationId("CS-7"), callback="https://192.0.2.8:8080/ocpp"),
        Station(StationId("CS-7")),
    )


async def test_patch_changes_what_is_given(world: World) -> None:
    await world.stores.stations.put(Station(StationId("CS-7"), "acme", "scrypt$x", 2, "lenient", "Pending", True))

    changed = await world.ask("PATCH", f"{STATIONS}/CS-7", json={"quirks": [], "disabled": False})
    unknown = await world.ask("PATCH", f"{STATIONS}/CS-1", json={"disabled": True})

    assert changed.status == 200
    assert await record(world) == Station(StationId("CS-7"), "acme", "scrypt$x", 2, "", "Pending")
    assert unknown.error == (404, "The charging station CS-1 is not registered.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"quirks": ["lenient", "magic"]},
            "Invalid request: quirks: 'magic' is not known; known are lenient, assume=ocpp1.6, assume=ocpp2.0.1,"
            " assume=ocpp2.1.",
        ),
        ({"callback": "ftp://192.0.2.8/"}, "Invalid request: callback: must be an http or https URL."),
        ({"callback": "http://a:b@192.0.2.8/"}, "Invalid request: callback: must not hold a user name or password."),
        (
            {"callback": "http://192.0.2.8/" + "x" * 2048},
            "Invalid request: Expected `str` of length <= 2048 - at `$.callback`.",
        ),
        ({"account": "a\n"}, "Invalid request: account: must have from 1 to 255 printable characters."),
        ({"securityProfile": 4}, "Invalid request: Expected `int` <= 3 - at `$.securityProfile`."),
        ({"registration": "Maybe"}, "Invalid request: Invalid enum value 'Maybe' - at `$.registration`."),
        ({"password": "x"}, "Invalid request: Object contains unknown field `password`."),
    ],
)
async def test_a_field_that_is_wrong_is_named(world: World, fields: dict[str, Any], sentence: str) -> None:
    await world.stores.stations.put(Station(StationId("CS-7")))

    replies = [await world.ask(method, f"{STATIONS}/CS-7", json=fields) for method in ("PUT", "PATCH")]

    assert [reply.error for reply in replies] == [(400, sentence)] * 2
    assert await record(world) == Station(StationId("CS-7"))


@pytest.mark.parametrize("identity", ["a\tb", "x" * 256, "​"])
async def test_identities_are_those_that_a_handshake_takes(world: World, identity: str) -> None:
    posted = await world.post(STATIONS, json={"identity": identity})
    put = await world.ask("PUT", f"{STATIONS}/{quote(identity)}", json={})

    assert (posted.status, put.error) == (
        400,
        (400, "Invalid request: identity: must have from 1 to 255 printable characters."),
    )


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 100_000, b'"\xff"', b'{"identity":"\\ud800"}'])
async def test_a_body_that_cannot_be_read_is_400(world: World, body: bytes) -> None:
    reply = await world.post(STATIONS, data=body)

    assert reply.error[0] == 400


async def test_a_password_is_kept_as_a_digest_and_never_shown(world: World) -> None:
    await world.stores.stations.put(Station(StationId("CS-7")))

    reply = await world.ask("PUT", f"{STATIONS}/CS-7/password", json={"password": "s3cret"})
    kept, shown = await record(world), await world.get(f"{STATIONS}/CS-7")
    gone = await world.ask("DELETE", f"{STATIONS}/CS-7/password")

    assert kept is not None
    assert (reply.status, reply.body, gone.status) == (204, b"", 204)
    assert matches(kept.password, b"s3cret")
    assert (shown.json["hasPassword"], b"scrypt" in shown.body) == (True, False)
    assert await record(world) == Station(StationId("CS-7"))


@pytest.mark.parametrize(
    ("identity", "password", "status"),
    [("CS-7", "", 400), ("CS-7", "x" * 129, 400), ("CS-7", "ü" * 65, 400), ("CS-7", "ü" * 64, 204), ("CS-1", "x", 404)],
)
async def test_a_password_has_1_to_128_bytes(world: World, identity: str, password: str, status: int) -> None:
    await world.stores.stations.put(Station(StationId("CS-7")))

    reply = await world.ask("PUT", f"{STATIONS}/{identity}/password", json={"password": password})

    assert reply.status == status


async def test_a_deleted_station_is_forgotten(world: World) -> None:
    await world.stores.stations.put(Station(StationId("CS-7")))
    await world.told("CS-9", boot=BOOT)

    gone = [await world.ask("DELETE", f"{STATIONS}/{identity}") for identity in ("CS-7", "CS-9")]
    again = await world.ask("DELETE", f"{STATIONS}/CS-7")

    assert ([reply.status for reply in gone], again.error) == ([204, 204], (404, "There is no charging station CS-7."))
    assert await identities(world) == (["CS-1", "CS-2"], "")
    assert (await world.get(f"{STATIONS}/CS-7")).error == (404, "There is no charging station CS-7.")


async def evicted(world: World) -> list[tuple[str, int]]:
    await world.doors.bus.flush()
    return [(one.identity, one.session.epoch) for one in world.gateway.evictions if one.session]


async def test_the_connection_of_a_station_that_is_deleted_is_closed_when_asked_for(world: World) -> None:
    session = await world.stores.sessions.get(StationId("CS-1"))
    assert session is not None

    await world.ask("DELETE", f"{STATIONS}/CS-2")
    await world.ask("DELETE", f"{STATIONS}/CS-1?disconnect=true")
    await world.get("/api/v1/time")

    assert await evicted(world) == [("CS-1", session.epoch)]


async def test_the_connection_of_a_station_that_becomes_disabled_is_closed(world: World) -> None:
    await world.ask("PUT", f"{STATIONS}/CS-1", json={})
    await world.ask("PATCH", f"{STATIONS}/CS-1", json={"disabled": True})
    await world.ask("PATCH", f"{STATIONS}/CS-1", json={"disabled": True, "account": "acme"})
    await world.ask("PUT", f"{STATIONS}/CS-2", json={"disabled": True})
    await world.ask("PUT", f"{STATIONS}/CS-9", json={"disabled": True})
    await world.get("/api/v1/time")

    assert [identity for identity, _ in await evicted(world)] == ["CS-1", "CS-2"]


async def test_a_soap_station_that_becomes_disabled_is_offline(world: World) -> None:
    for identity in ("CS-7", "CS-8"):
        await world.calls(identity)

    await world.ask("PUT", f"{STATIONS}/CS-7", json={"disabled": True})
    await world.ask("DELETE", f"{STATIONS}/CS-8?disconnect=true")

    assert [await world.stores.sessions.get(StationId(identity)) for identity in ("CS-7", "CS-8")] == [None, None]
    assert await evicted(world) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", STATIONS),
        ("PUT", f"{STATIONS}/CS-1"),
        ("PATCH", f"{STATIONS}/CS-1"),
        ("DELETE", f"{STATIONS}/CS-1"),
        ("PUT", f"{STATIONS}/CS-1/password"),
        ("PUT", "/api/v2/tags/A1"),
        ("DELETE", "/api/v2/tags/A1"),
        ("POST", "/api/v2/dead-letters/1/replay"),
        ("DELETE", "/api/v2/dead-letters/1"),
    ],
)
async def test_changes_need_the_scope_admin(method: str, path: str) -> None:
    async with open_world(replace(UNLIMITED, keys=(Key("robot", "key-1", ("command",)),))) as world:
        reply = await world.ask(method, path, json={}, headers={"Authorization": "Bearer key-1"})

    assert reply.error == (403, "This needs the scope admin, which key:robot does not have.")


async def test_a_method_that_a_resource_does_not_have_is_405_with_those_that_it_has(world: World) -> None:
    reply = await world.ask("DELETE", STATIONS)

    assert (reply.status, sorted(reply.headers["Allow"].split(", "))) == (405, ["GET", "POST"])

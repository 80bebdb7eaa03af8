"""Tags, transactions and dead letters over `/api/v2`."""

import time
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import DeadLetter, Letter, Transaction, Unavailable
from tests.service.api.world import World, open_world

TAGS, TRANSACTIONS, DEAD = "/api/v2/tags", "/api/v2/transactions", "/api/v2/dead-letters"
TAG = {"id": "A1", "status": "Accepted", "expires": "", "parent": "", "limit": 1}
STARTED = Transaction(
    StationId("CS-1"),
    "41",
    key="a",
    version="ocpp1.6",
    connector=2,
    tag="A1",
    meter_start=1000,
    started="2026-01-01T10:00:00Z",
    reservation=5,
    authorized=True,
)
STOPPED = replace(
    STARTED, id="42", key="b", meter_stop=1750, stopped="2026-01-01T11:00:00Z", reason="Local", reservation=None
)
LETTER = Letter(
    "d-1",
    "main",
    1000,
    Envelope(
        Kind.CALL,
        "CS-1",
        "acme",
        "ocpp1.6",
        unique_id="19",
        action="StopTransaction",
        payload=Raw(b'{"transactionId": 41}'),
    ),
    Raw(b'{"idTagInfo":{"status":"Accepted"}}'),
)
LISTED = {
    "id": "d-1",
    "identity": "CS-1",
    "account": "acme",
    "version": "ocpp1.6",
    "action": "StopTransaction",
    "endpoint": "main",
    "reason": "The endpoint answered 410.",
    "attempts": 3,
    "stored": "1970-01-01T00:00:01.000Z",
    "died": "1970-01-01T00:00:02.000Z",
}


# --- tags -------------------------------------------------------------------------------------------------------------


async def test_a_tag_is_put_shown_replaced_and_taken_away(world: World) -> None:
    new = await world.ask("PUT", f"{TAGS}/A1", json={"status": "Blocked", "expires": "2027-01-01T01:00:00+01:00"})
    again = await world.ask("PUT", f"{TAGS}/a1", json={"parent": "P", "limit": 0})
    shown = await world.get(f"{TAGS}/A1")
    gone = [await world.ask("DELETE", f"{TAGS}/A1") for _ in range(2)]

    assert (new.status, new.headers["Location"]) == (201, f"{TAGS}/A1")
    assert new.json == TAG | {"status": "Blocked", "expires": "2027-01-01T00:00:00.000Z"}
    assert (again.status, shown.json) == (200, TAG | {"id": "a1", "parent": "P", "limit": 0})
    assert (gone[0].status, gone[1].error) == (204, (404, "There is no tag A1."))
    assert (await world.get(f"{TAGS}/A1")).error == (404, "There is no tag A1.")


async def test_tags_come_in_pages(world: World) -> None:
    for name in ("c3", "A1", "B2"):
        await world.ask("PUT", f"{TAGS}/{name}", json={})

    first = (await world.get(f"{TAGS}?limit=2")).json
    second = (await world.get(f"{TAGS}?limit=2&after={first['next']}")).json

    assert first == {"tags": [TAG, TAG | {"id": "B2"}], "next": "B2"}
    assert second == {"tags": [TAG | {"id": "c3"}], "next": ""}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "Fine"},
        {"expires": "tomorrow"},
        {"expires": "0001-01-01T00:00:00+14:00"},
        {"limit": -1},
        {"limit": 1.5},
        {"id": "A1"},
    ],
)
async def test_a_tag_with_a_wrong_field_is_400(world: World, fields: dict[str, Any]) -> None:
    assert (await world.ask("PUT", f"{TAGS}/A1", json=fields)).error[0] == 400


# --- transactions -----------------------------------------------------------------------------------------------------


async def store(world: World, *records: Transaction) -> None:
    for record in records:
        await world.stores.transactions.update(record)


async def listed(world: World, **query: str) -> tuple[list[str], str]:
    page = (await world.get(TRANSACTIONS, params=query)).json
    return [row["id"] for row in page["transactions"]], page["next"]


async def test_a_transaction_is_shown_with_all_that_is_known(world: World) -> None:
    await store(world, STOPPED)

    shown = await world.get("/api/v2/stations/CS-1/transactions/42")
    unknown = await world.get("/api/v2/stations/CS-2/transactions/42")

    assert shown.json == {
        "id": "42",
        "identity": "CS-1",
        "version": "ocpp1.6",
        "connectorId": 2,
        "evseId": None,
        "idTag": "A1",
        "meterStart": 1000,
        "meterStop": 1750,
        "started": "2026-01-01T10:00:00Z",
        "stopped": "2026-01-01T11:00:00Z",
        "reason": "Local",
        "reservationId": None,
        "authorized": True,
        "superseded": False,
        "active": False,
    }
    assert unknown.error == (404, "There is no transaction 42.")


async def test_transactions_are_listed_newest_first_in_pages(world: World) -> None:
    await store(world, *(replace(STARTED, id=str(number), key=str(number)) for number in range(3)))

    first, cursor = await listed(world, limit="2")
    second = await listed(world, limit="2", after=cursor)

    assert (first, second) == (["2", "1"], (["0"], ""))


async def test_transactions_are_filtered(world: World) -> None:
    superseded = replace(STARTED, id="43", key="c", superseded=True)
    await store(world, STARTED, STOPPED, superseded, replace(STARTED, identity=StationId("CS-2"), id="44"))

    assert await listed(world, identity="CS-1") == (["43", "42", "41"], "")
    assert await listed(world, active="true") == (["44", "41"], "")
    assert await listed(world, active="false", limit="2") == (["43", "42"], (await listed(world, limit="3"))[1])
    assert await listed(world, to="2001-01-01T00:00:00Z") == ([], "")
    assert await listed(world, **{"from": "2001-01-01", "identity": "CS-2"}) == (["44"], "")


async def test_one_request_looks_at_so_many_pages_and_no_more(world: World) -> None:
    await store(world, *(replace(STOPPED, id=str(number), key=str(number)) for number in range(45)), STARTED)

    found, cursor = await listed(world, active="true", limit="2")
    await store(world, replace(STARTED, id="99", key="z"))
    rest, end = await listed(world, active="true", limit="2", after=cursor)

    assert (found, rest, end) == (["41"], [], "")


@pytest.mark.parametrize("query", ["from=yesterday", "to=x", "active=yes", "after=nonsense", "limit=0"])
async def test_a_query_that_cannot_be_read_is_400_and_names_the_parameter(world: World, query: str) -> None:
    reply = await world.get(f"{TRANSACTIONS}?{query}")

    assert (reply.error[0], reply.json["error"]["field"]) == (400, query.partition("=")[0])


# --- dead letters -----------------------------------------------------------------------------------------------------


async def bury(world: World, *ids: str) -> None:
    for at, name in enumerate(ids):
        dead = DeadLetter(
            name,
            "main",
            StationId("CS-1"),
            "StopTransaction",
            "The endpoint answered 410.",
            3,
            1000,
            2000 + at,
            Raw(msgspec.json.encode(replace(LETTER, id=name))),
            "acme",
            "ocpp1.6",
        )
        await world.stores.deliveries.bury(dead)


async def test_dead_letters_are_listed_in_pages_and_shown_with_their_message(world: World) -> None:
    await bury(world, "d-1", "d-2")

    first = (await world.get(f"{DEAD}?limit=1")).json
    second = (await world.get(f"{DEAD}?limit=1&after={first['next']}")).json
    shown = (await world.get(f"{DEAD}/d-1")).json

    assert first["deadLetters"] == [LISTED]
    assert ([letter["id"] for letter in second["deadLetters"]], second["next"]) == (["d-2"], "")
    message = {"uniqueId": "19", "payload": {"transactionId": 41}, "answered": {"idTagInfo": {"status": "Accepted"}}}
    assert shown == LISTED | message


async def test_a_dead_letter_is_discarded_once(world: World) -> None:
    await bury(world, "d-1")

    replies = [await world.ask("DELETE", f"{DEAD}/d-1") for _ in range(2)]

    assert (replies[0].status, replies[1].error) == (204, (404, "There is no dead letter d-1."))


async def test_a_replayed_letter_goes_back_into_the_spool_under_its_id(world: World) -> None:
    delivered: list[Letter] = []
    waited: list[bool] = []

    async def deliver(letter: Letter) -> None:
        waited.append(await world.stores.deliveries.pending("main/CS-1"))
        delivered.append(letter)

    await bury(world, "d-1")
    before = int(time.time() * 1000)
    await world.doors.spool.deliver("main", deliver, 1)

    reply = await world.post(f"{DEAD}/d-1/replay")
    again = await world.post(f"{DEAD}/d-1/replay")

    assert (reply.status, reply.json, again.status) == (202, {"id": "d-1", "status": "accepted"}, 404)
    assert ([replace(letter, stored=1000) for letter in delivered], waited) == ([LETTER], [True])
    assert before <= delivered[0].stored <= time.time() * 1000


class Full:
    """A spool that cannot be reached."""

    async def store(self, letter: Letter, seconds: float = 10.0) -> None:
        raise Unavailable("no broker")


async def test_a_letter_that_cannot_be_stored_stays_a_dead_letter() -> None:
    async with open_world(spool=Full()) as world:
        await bury(world, "d-1")

        reply = await world.post(f"{DEAD}/d-1/replay")

        assert (reply.error[0], "Retry-After" in reply.headers) == (503, True)
        assert (await world.get(f"{DEAD}/d-1")).status == 200


async def test_a_letter_that_dies_again_at_once_is_not_lost() -> None:
    class Refusing:
        async def store(self, letter: Letter, seconds: float = 10.0) -> None:
            known = await world.stores.deliveries.dead_letter(letter.id)
            assert known is not None
            await world.stores.deliveries.bury(replace(known, died=3000))

    async with open_world(spool=Refusing()) as world:
        await bury(world, "d-1")

        reply = await world.post(f"{DEAD}/d-1/replay")

        assert reply.status == 202
        assert (await world.get(f"{DEAD}/d-1")).json["died"] == "1970-01-01T00:00:03.000Z"


@pytest.mark.parametrize("query", ["after=nonsense", "limit=x"])
async def test_a_query_that_is_wrong_is_400(world: World, query: str) -> None:
    assert (await world.get(f"{DEAD}?{query}")).error[0] == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/d-9"), ("DELETE", "/d-9"), ("POST", "/d-9/replay")])
async def test_a_dead_letter_that_is_not_there_is_404(world: World, method: str, path: str) -> None:
    assert (await world.ask(method, DEAD + path)).error == (404, "There is no dead letter d-9.")

"""`/api/v2/events`: Server-Sent Events over HTTP, from those who emit to those who listen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from msgspec import Raw
from msgspec.structs import replace

from csms_platform.ports import Event, event_key
from tests.service.api.world import UNLIMITED, World, open_world

EVENTS = "/api/v2/events"
HEARTBEAT = Event(
    "e-0", "2026-01-01T12:00:00.000Z", "call", "CS-1", version="ocpp1.6", action="Heartbeat", request=Raw(b"{\n}")
)
RETRY = {"retry": "2000"}


class Stream:
    """What comes over one stream: `next()` is one block as a dict of its fields, None at the end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> dict[str, str] | None:
        lines: list[str] = []
        async with asyncio.timeout(5):
            while (line := (await self.response.content.readline()).decode()) != "\n":
                if not line:
                    return None
                lines.append(line.rstrip("\n"))
        return {name: text for name, _, text in (line.partition(": ") for line in lines)}

    async def ids(self, count: int) -> list[str]:
        """Of so many events; the first block says when to come again."""
        found = [await self.next() for _ in range(count + 1)]
        assert found[0] == RETRY
        return [block["id"] for block in found[1:] if block]


@asynccontextmanager
async def listening(world: World, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    async with world.http.get(f"{world.url}{EVENTS}{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        yield Stream(response)


def emit(world: World, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        event = replace(HEARTBEAT, id=f"e-{number}", **fields)
        name = event.action if event.type in ("call", "send") else event.type
        world.doors.events.emit(event_key(event.version, name), event)


async def test_an_event_comes_as_it_was_published(world: World) -> None:
    async with listening(world) as stream:
        emit(world, 1)
        blocks = [await stream.next(), await stream.next()]

    assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.response.headers["Cache-Control"] == "no-store"
    assert blocks[0] == RETRY
    assert blocks[1] is not None
    data = blocks[1].pop("data")
    assert blocks[1] == {"id": "e-1", "event": "call"}
    assert msgspec.json.decode(data, type=Event) == replace(HEARTBEAT, id="e-1", request=Raw(b"{ }"))


async def test_what_comes_is_what_was_asked_for(world: World) -> None:
    query = "?key=ocpp1.6.Heartbeat&key=%23.connected&identity=CS-1&identity=CS-3"
    async with listening(world, query) as stream:
        emit(world, 1, 2)
        emit(world, 3, identity="CS-2")
        emit(world, 4, action="StatusNotification")
        emit(world, 5, identity="CS-3", type="connected", version="ocpp2.1", action="")

        assert await stream.ids(3) == ["e-1", "e-2", "e-5"]


async def test_the_real_thing_is_heard(world: World) -> None:
    async with listening(world, "?key=%23.command") as stream:
        await world.command("ClearCache", {})
        blocks = [await stream.next(), await stream.next()]

    assert blocks[1] is not None
    told = msgspec.json.decode(blocks[1]["data"])
    assert (blocks[1]["event"], told["action"], told["outcome"]) == ("command", "ClearCache", "result")


async def test_a_client_that_comes_back_goes_on_where_it_was(world: World) -> None:
    async with listening(world) as stream:
        emit(world, 1)
        await stream.ids(1)
    emit(world, 2, 3)

    async with listening(world, **{"Last-Event-ID": "e-1"}) as by_header, listening(world, "?lastEventId=e-2") as other:
        emit(world, 4)

        assert (await by_header.ids(3), await other.ids(2)) == (["e-2", "e-3", "e-4"], ["e-3", "e-4"])


async def test_a_client_that_was_away_for_too_long_is_told_of_the_gap(world: World) -> None:
    async with listening(world, **{"Last-Event-ID": "gone"}) as stream:
        emit(world, 1)
        blocks = [await stream.next() for _ in range(3)]

    assert blocks[1] is not None
    assert blocks[2] is not None
    assert (blocks[1]["event"], "id" in blocks[1]) == ("gap", False)
    assert msgspec.json.decode(blocks[1]["data"])["message"].endswith(".")
    assert blocks[2]["id"] == "e-1"


async def test_a_client_that_does_not_read_is_told_and_disconnected(world: World) -> None:
    async with listening(world) as stream:
        for number in range(0, 60_000, 100):
            emit(world, *range(number, number + 100), reason="x" * 2000)
            await asyncio.sleep(0)
        last: dict[str, str] | None = {}
        while (block := await stream.next()) is not None:
            last = block

    assert last is not None
    assert last["event"] == "overrun"


async def test_only_so_many_may_listen_at_once() -> None:
    async with open_world(replace(UNLIMITED, listeners=1)) as world:
        async with listening(world):
            refused = await world.get(EVENTS)
        while (after := await world.http.get(world.url + EVENTS)).status != 200:
            await asyncio.sleep(0.01)
        after.close()

    assert refused.error == (503, "1 clients listen already; try again later.")


async def test_streams_end_when_the_process_leaves(world: World) -> None:
    async with listening(world) as stream:
        first = await stream.next()
        await asyncio.wait_for(world.leave(), 2)

        assert (first, await stream.next()) == (RETRY, None)
    assert (await world.get(EVENTS)).error == (503, "This process is leaving; ask again.")


async def test_patterns_and_identities_are_bounded(world: World) -> None:
    replies = [await world.get(f"{EVENTS}?{query}") for query in ("key=" + "a" * 256, "&".join(["identity=x"] * 101))]

    assert [reply.error for reply in replies] == [
        (400, "Invalid request: key: at most 100 of at most 255 characters each."),
        (400, "Invalid request: identity: at most 100 of at most 255 characters each."),
    ]

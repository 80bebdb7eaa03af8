"""`csms stations`, `send`, `tail` and `dead-letters`, as their parsers read them, against the running API."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from csms import client
from csms_api.settings import Key
from csms_platform.ports import Letter
from tests.service.api.test_events import emit
from tests.service.api.test_v2_lists import LISTED, bury
from tests.service.api.world import UNLIMITED, World, open_world


class Told(list[str]):
    """What the command line printed, on either output."""

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self]


class Terminal:
    """Runs one command as `csms` does, in a thread; answers the exit code and what was printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def run(self, world: World, *words: str) -> tuple[int, Told, str]:
        parser = argparse.ArgumentParser()
        client.add_parsers(parser.add_subparsers(dest="command"), argparse.HelpFormatter)
        options = parser.parse_args([*words, "--api", world.url])
        code = await asyncio.to_thread(client.run, options)
        out, err = self._capsys.readouterr()
        return code, Told(out.splitlines()), err


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("CSMS_API_KEY", "CSMS_API_USER"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(capsys)


async def test_stations_are_printed_one_a_line_however_many_there_are(world: World, terminal: Terminal) -> None:
    for number in range(120):
        await world.told(f"A-{number:03}", boot={})

    code, every, _ = await terminal.run(world, "stations")
    _, online, _ = await terminal.run(world, "stations", "--online")
    _, offline, _ = await terminal.run(world, "stations", "--offline")

    assert (code, len(every), len(offline)) == (0, 122, 120)
    assert [station["identity"] for station in online.json] == ["CS-1", "CS-2"]


async def test_stations_are_those_of_an_account(world: World, terminal: Terminal) -> None:
    await world.connects("CS-3", account="acme & sons")

    _, found, _ = await terminal.run(world, "stations", "--account", "acme & sons")

    assert [station["identity"] for station in found.json] == ["CS-3"]


async def test_one_station_is_printed_whatever_is_in_its_identity(world: World, terminal: Terminal) -> None:
    await world.connects("EM/A 1")

    code, found, _ = await terminal.run(world, "stations", "EM/A 1")
    missing, nothing, reason = await terminal.run(world, "stations", "CS-8")

    assert (code, [station["online"] for station in found.json]) == (0, [True])
    assert (missing, nothing, reason) == (1, [], "csms: 404: There is no charging station CS-8.\n")


async def test_a_command_s_outcome_is_printed_and_is_the_exit_code(world: World, terminal: Terminal) -> None:
    done, told, _ = await terminal.run(world, "send", "CS-1", "Reset", '{"type": "Soft"}', "--id", "r-1")
    world.gateway.answers["Reset"] = {"error_code": "NotSupported"}
    refused, error, _ = await terminal.run(world, "send", "CS-1", "Reset", '{"type": "Hard"}')

    assert (done, told.json) == (
        0,
        [{"identity": "CS-1", "uniqueId": "r-1", "action": "Reset", "outcome": "result",
          "payload": {"status": "Accepted"}}],
    )  # fmt: skip
    assert (refused, error.json[0]["outcome"], error.json[0]["errorCode"]) == (1, "error", "NotSupported")


async def test_a_command_that_is_not_waited_for_is_accepted(world: World, terminal: Terminal) -> None:
    code, told, _ = await terminal.run(world, "send", "CS-1", "ClearCache", "--wait", "0", "--id", "r-1")

    assert (code, told.json) == (
        0,
        [{"identity": "CS-1", "uniqueId": "r-1", "action": "ClearCache", "status": "accepted"}],
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("CS-1", "Explode"), "csms: 400: There is no action Explode that stations of OCPP 1.6 are asked.\n"),
        (("CS-9", "ClearCache"), "csms: 503: The station is not connected.\n"),
    ],
)
async def test_what_cannot_be_sent_is_a_sentence(
    world: World, terminal: Terminal, words: tuple[str, ...], reason: str
) -> None:
    await world.told("CS-9", boot={})

    assert await terminal.run(world, "send", *words) == (1, [], reason)


async def test_a_command_waits_for_its_station_and_tells_that_it_expired(world: World, terminal: Terminal) -> None:
    await world.told("CS-9", boot={})

    code, told, _ = await terminal.run(world, "send", "CS-9", "ClearCache", "--offline", "0.2", "--wait", "1")

    assert (code, told.json[0]["outcome"]) == (1, "Expired")


async def test_events_are_printed_until_the_stream_ends(world: World, terminal: Terminal) -> None:
    running = asyncio.create_task(terminal.run(world, "tail", "--key", "ocpp1.6.#", "--identity", "CS-1"))
    while not world.doors.events.wanted("ocpp1.6.Heartbeat"):
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)

    emit(world, 1, 2, request=Raw(b'{\n "a": 1}'))
    emit(world, 3, version="ocpp2.1")
    emit(world, 4, identity="CS-2")
    await asyncio.sleep(0.05)
    await world.leave()
    code, told, _ = await running

    assert (code, [(event["id"], event["request"]) for event in told.json]) == (
        0,
        [("e-1", {"a": 1}), ("e-2", {"a": 1})],
    )


class Scripted(client.Api):
    """An API whose stream is known beforehand."""

    def events(self, path: str) -> Iterator[tuple[str, str]]:
        yield "gap", '{"message": "Some are missing."}'
        yield "call", '{"id": "e-1"}'
        yield "overrun", '{"message": "Too slow."}'


def test_what_is_about_the_stream_is_told_apart_from_events(capsys: pytest.CaptureFixture[str]) -> None:
    code = client.tail(Scripted("http://127.0.0.1:1"), argparse.Namespace(key=None, identity=None))

    assert (code, *capsys.readouterr()) == (1, '{"id": "e-1"}\n', "csms: Some are missing.\ncsms: Too slow.\n")


async def test_dead_letters_are_listed_and_shown(world: World, terminal: Terminal) -> None:
    await bury(world, "d-1", "d-2")

    code, listed, _ = await terminal.run(world, "dead-letters", "list")
    _, shown, _ = await terminal.run(world, "dead-letters", "show", "d-1")

    assert (code, [letter["id"] for letter in listed.json]) == (0, ["d-1", "d-2"])
    assert shown.json[0]["payload"] == {"transactionId": 41}
    assert LISTED.items() <= shown.json[0].items()


async def test_dead_letters_are_replayed_and_discarded(world: World, terminal: Terminal) -> None:
    delivered: list[str] = []

    async def deliver(letter: Letter) -> None:
        delivered.append(letter.id)

    await world.doors.spool.deliver("main", deliver, 1)
    await bury(world, *(f"d-{number}" for number in range(5)))

    replayed = await terminal.run(world, "dead-letters", "replay", "d-0", "d-3")
    discarded = await terminal.run(world, "dead-letters", "discard", "--all")
    _, left, _ = await terminal.run(world, "dead-letters", "list")

    assert (replayed, discarded) == ((0, ["replay: 2"], ""), (0, ["discard: 3"], ""))
    assert (delivered, left) == (["d-0", "d-3"], [])


async def test_one_that_is_gone_does_not_hold_up_the_others(world: World, terminal: Terminal) -> None:
    await bury(world, "d-1")

    code, told, reason = await terminal.run(world, "dead-letters", "discard", "d-9", "d-1")
    _, left, _ = await terminal.run(world, "dead-letters", "list")

    assert (code, told, reason, left) == (1, ["discard: 1"], "csms: 404: There is no dead letter d-9.\n", [])


async def test_a_key_opens_the_api(terminal: Terminal) -> None:
    async with open_world(replace(UNLIMITED, keys=(Key("robot", "key-1", ("read",)),))) as world:
        opened, _, _ = await terminal.run(world, "stations", "--api-key", "key-1")
        closed, _, reason = await terminal.run(world, "stations", "--user", "demo:demo")

    assert (opened, closed, reason) == (0, 1, "csms: 401: User name or password is wrong.\n")


async def test_an_api_that_is_not_there_is_an_oserror(world: World, terminal: Terminal) -> None:
    gone = World("http://127.0.0.1:1", world.stores, world.gateway, world.http, world.doors, world.leave)

    with pytest.raises(OSError, match="cannot be reached"):
        await terminal.run(gone, "stations")

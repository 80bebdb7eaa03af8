"""Commands over `/api/v2`: outcomes as resources, and the records of commands."""

import asyncio
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace
from yarl import URL

from csms_ocpp.session import Outcome
from csms_platform.ports import MOST_WAITING
from tests.service.api.world import UNLIMITED, Reply, World, open_world

SOFT = {"action": "Reset", "payload": {"type": "Soft"}, "uniqueId": "r-1"}
ABOUT = {"identity": "CS-1", "uniqueId": "r-1", "action": "Reset"}
SILENT = "No outcome came in time; whether the station acted is not known."


def commands(identity: str = "CS-1") -> str:
    return f"/api/v2/stations/{identity}/commands"


async def give(world: World, identity: str = "CS-1", wait: float | None = 5, **command: Any) -> Reply:
    return await world.post(commands(identity), json=command, params={} if wait is None else {"wait": str(wait)})


async def record(world: World, identity: str = "CS-1", id: str = "r-1") -> Any:
    """The record of a command that ended, waited for."""
    while (found := (await world.get(f"{commands(identity)}/{id}")).json)["status"] != "ended":
        await asyncio.sleep(0.01)
    return found


async def test_the_outcome_holds_the_station_s_answer(world: World) -> None:
    reply = await give(world, **SOFT)

    assert (reply.status, reply.json) == (200, ABOUT | {"outcome": "result", "payload": {"status": "Accepted"}})
    assert world.gateway.payloads == [{"type": "Soft"}]


async def test_a_callerror_is_an_outcome_as_well(world: World) -> None:
    world.gateway.answers["Reset"] = {
        "error_code": "NotSupported",
        "error_description": "No relay",
        "payload": Raw(b'{"relay": null}'),
    }

    reply = await give(world, **SOFT)

    told = {"outcome": "error", "errorCode": "NotSupported", "errorDescription": "No relay"}
    assert (reply.status, reply.json) == (200, ABOUT | told | {"errorDetails": {"relay": None}})


@pytest.mark.parametrize(
    ("answer", "status", "outcome"),
    [
        (Outcome.TIMEOUT, 504, "Timeout"),
        (Outcome.INVALID, 400, "Invalid"),
        (Outcome.NOT_CONNECTED, 503, "NotConnected"),
        ({"outcome": "Refused", "error_code": "QueueFull", "error_description": "Full."}, 429, "Refused"),
        ({"outcome": "Refused", "error_description": "Its registration is Pending."}, 200, "Refused"),
        (Outcome.EXPIRED, 200, "Expired"),
    ],
)
async def test_what_did_not_reach_the_station_has_a_status_of_its_own(
    world: World, answer: Any, status: int, outcome: str
) -> None:
    world.gateway.answers["Reset"] = answer

    reply = await give(world, **SOFT)

    assert (reply.status, {key: reply.json[key] for key in ABOUT}) == (status, ABOUT)
    assert (reply.json["outcome"], "Retry-After" in reply.headers) == (outcome, status == 429)
    if status != 200:
        assert reply.error == (status, reply.json["errorDescription"])


async def test_without_waiting_a_command_is_accepted_and_its_record_tells_the_rest(world: World) -> None:
    world.gateway.answer_late = asyncio.Event()

    reply = await give(world, wait=None, **SOFT)
    sent = (await world.get(reply.headers["Location"])).json
    world.gateway.answer_late.set()
    ended = await record(world)

    assert (reply.status, reply.json) == (202, ABOUT | {"status": "accepted"})
    assert reply.headers["Location"] == f"{commands()}/r-1"
    known = ABOUT | {"request": {"type": "Soft"}, "version": "ocpp1.6", "created": ended["created"]}
    assert sent == known | {"status": "sent"}
    assert ended.pop("ended") >= ended["created"]
    assert ended == known | {"status": "ended", "outcome": "result", "payload": {"status": "Accepted"}}


async def test_a_record_that_the_router_has_yet_to_make_is_waited_for(world: World) -> None:
    asked = asyncio.create_task(world.get(f"{commands()}/r-1"))
    await asyncio.sleep(0.05)

    await give(world, **SOFT)

    assert (await asked).json["uniqueId"] == "r-1"


async def test_a_command_or_station_that_nobody_knows_is_404(world: World) -> None:
    replies = [
        await world.get(f"{commands('CS-8')}/r-1"),
        await give(world, "CS-8", **SOFT),
        await give(world, "CS-8", offline=10, **SOFT),
        await world.post("/api/v2/stations/CS-8/reset", json={"type": "soft"}),
    ]
    await world.told("CS-9", boot={})

    assert [reply.error for reply in replies] == [(404, "There is no charging station CS-8.")] * 4
    assert (await world.get(f"{commands('CS-9')}/r-1")).error == (404, "There is no command r-1.")


async def test_more_patience_than_the_client_has_is_accepted_when_it_goes(world: World) -> None:
    world.gateway.answer_late = asyncio.Event()

    reply = await give(world, wait=0.05, timeout=30, **SOFT)
    world.gateway.answer_late.set()

    assert (reply.status, reply.json) == (202, ABOUT | {"status": "accepted"})
    assert (await record(world))["outcome"] == "result"


async def test_a_silent_station_is_504_with_the_outcome_beside_the_error(world: World) -> None:
    world.gateway.answers["Reset"] = None

    reply = await give(world, wait=0.05, **SOFT)

    told = {"outcome": "Timeout", "errorDescription": SILENT, "errorDetails": {}}
    assert (reply.status, reply.json) == (504, ABOUT | told | {"error": {"code": 504, "message": SILENT}})


async def test_a_command_is_executed_once_and_its_outcome_told_again(world: World) -> None:
    first, second = await give(world, **SOFT), await give(world, **SOFT)
    other = await give(world, action="ClearCache", uniqueId="r-1")

    assert (first.json, len(world.gateway.commands)) == (second.json, 1)
    assert (other.status, other.json["outcome"], other.json["errorDescription"]) == (
        200,
        "Refused",
        "The uniqueId was used for another command.",
    )


async def test_a_station_that_is_offline_is_503_or_waited_for(world: World) -> None:
    await world.told("CS-9", boot={}, registration="Accepted")

    at_once = await give(world, "CS-9", **SOFT)
    unasked = await give(world, "CS-9", wait=None, action="Reset", payload={"type": "Soft"}, uniqueId="r-2")
    waiting = await give(world, "CS-9", wait=None, offline=60, action="ClearCache", uniqueId="r-3")
    waits = (await world.get(waiting.headers["Location"])).json

    assert (at_once.status, at_once.json["outcome"], waiting.status) == (503, "NotConnected", 202)
    assert at_once.error == (503, "The station is not connected.")
    assert (unasked.status, waits["status"]) == (202, "waiting")
    ended = await record(world, "CS-9", "r-2")
    assert (ended["outcome"], ended["errorDescription"]) == ("NotConnected", "The charging station is offline.")


async def test_so_many_commands_wait_for_a_station_and_no_more(world: World) -> None:
    await world.told("CS-9", boot={})
    for _ in range(MOST_WAITING):
        await give(world, "CS-9", wait=None, offline=60, action="ClearCache")

    reply = await give(world, "CS-9", offline=60, action="ClearCache")

    assert (reply.error, reply.headers["Retry-After"], reply.json["errorCode"]) == (
        (429, f"{MOST_WAITING} commands wait for the station already."),
        "5",
        "QueueFull",
    )


async def test_passwords_are_not_shown_in_records(world: World) -> None:
    secret = {"key": "AuthorizationKey", "value": "4f43415f4f4354545f61646d696e5f74"}

    await give(world, action="ChangeConfiguration", payload=secret, uniqueId="r-1")

    assert (await record(world))["request"] == {"key": "AuthorizationKey", "value": "***"}
    assert world.gateway.payloads == [secret]


@pytest.mark.parametrize(
    ("identity", "command", "sentence"),
    [
        ("CS-1", {"action": "Explode"}, "There is no action Explode that stations of OCPP 1.6 are asked."),
        (
            "CS-2",
            {"action": "GetConfiguration"},
            "There is no action GetConfiguration that stations of OCPP 2.0.1 are asked.",
        ),
        ("CS-9", {"action": "Explode"}, "There is no action Explode that stations are asked."),
        ("CS-1", {"action": "Reset"}, 'Invalid payload of Reset: "type" is a required property'),
        ("CS-1", {"action": "Reset", "payload": []}, "Invalid request: payload: must be a JSON object."),
        ("CS-1", {}, "Invalid request: Object missing required field `action`."),
        ("CS-1", {"action": "Reset", "id": "x"}, "Invalid request: Object contains unknown field `id`."),
        (
            "CS-1",
            {"action": "Reset", "uniqueId": "x" * 37},
            "Invalid request: Expected `str` of length <= 36 - at `$.uniqueId`.",
        ),
        ("CS-1", {"action": "Reset", "timeout": 0}, "Invalid request: Expected `float` > 0.0 - at `$.timeout`."),
        ("CS-1", {"action": "Reset", "offline": 1e9}, "Invalid request: Expected `float` <= 86400.0 - at `$.offline`."),
    ],
)
async def test_what_cannot_be_asked_is_400_and_not_sent(
    world: World, identity: str, command: dict[str, Any], sentence: str
) -> None:
    await world.told("CS-9", boot={})

    reply = await give(world, identity, **command)

    assert (reply.error, world.gateway.commands) == ((400, sentence), [])


@pytest.mark.parametrize("wait", ["-1", "301", "nan", "inf", "soon", ""])
async def test_a_wait_is_from_0_to_300_seconds(world: World, wait: str) -> None:
    reply = await world.post(commands(), json=SOFT, params={"wait": wait})

    assert reply.error == (400, "Invalid request: wait: must be a number of seconds from 0 to 300.")


async def test_an_identity_is_one_segment_whatever_is_in_it(world: World) -> None:
    await world.connects("A/commands")

    encoded = "/api/v2/stations/A%2Fcommands/commands"
    url = URL(world.url + encoded, encoded=True)
    async with world.http.post(url, json=SOFT) as reply:
        where = reply.headers["Location"]
    found = await world.http.get(URL(world.url + where, encoded=True))
    bare = await world.ask("POST", "/api/v2/stations/A/commands/commands", json=SOFT)

    assert (where, found.status, bare.status) == (f"{encoded}/r-1", 200, 405)
    assert (await found.json())["identity"] == "A/commands"


async def test_many_commands_at_once_find_their_own_outcomes(world: World) -> None:
    async def one(number: int) -> Any:
        payload = {"connectorId": number, "type": "Operative"}
        return (await give(world, action="ChangeAvailability", payload=payload, uniqueId=f"c-{number}")).json

    told = await asyncio.gather(*(one(number) for number in range(50)))

    assert [outcome["uniqueId"] for outcome in told] == [f"c-{number}" for number in range(50)]
    assert sorted(payload["connectorId"] for payload in world.gateway.payloads) == list(range(50))


async def test_leaving_takes_no_more_commands() -> None:
    async with open_world(replace(UNLIMITED, drain_seconds=0.2)) as world:
        await world.connects()
        await world.leave()

        reply = await give(world, wait=None, **SOFT)

    assert reply.error == (503, "This process is leaving; ask again.")

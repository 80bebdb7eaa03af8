"""Commands over `/api/v1`: what reaches the station, what comes back, and how each failure is told."""

import asyncio
from typing import Any

import aiohttp
import pytest
from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.session import Outcome
from tests.service.api.world import UNLIMITED, World, open_world

CONFIGURATION = b'{ "configurationKey": [{"key":"A","readonly":false,"value":"1.50"}],\n "unknownKey":[] }'


async def test_the_station_s_answer_comes_back_byte_by_byte(world: World) -> None:
    world.gateway.answers["GetConfiguration"] = CONFIGURATION

    reply = await world.command("GetConfiguration", {"key": ["A"]})

    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "application/json", CONFIGURATION)
    assert world.gateway.payloads == [{"key": ["A"]}]


async def test_a_json_body_reaches_the_station_as_it_was_written(world: World) -> None:
    body = b'{"connectorId": 1, "type":  "Operative"}'

    await world.post(
        "/api/v1/ChargePoint/CS-1/ChangeAvailability", data=body, headers={"Content-Type": "application/json"}
    )

    assert [bytes(command.payload) for command in world.gateway.commands] == [body]


LIMITS = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.5}],
        },
    },
}
FIELDS = {
    "connectorId": "1",
    "csChargingProfiles[chargingProfileId]": "7",
    "csChargingProfiles[stackLevel]": "0",
    "csChargingProfiles.chargingProfilePurpose": "TxDefaultProfile",
    "csChargingProfiles.chargingProfileKind": "Absolute",
    "csChargingProfiles[chargingSchedule][chargingRateUnit]": "A",
    "csChargingProfiles[chargingSchedule].chargingSchedulePeriod": '[{"startPeriod":0,"limit":16.5}]',
}


@pytest.mark.parametrize("form", ["form", "multipart", "post query", "get query"])
async def test_forms_and_queries_are_converted_to_the_types_of_the_schema(world: World, form: str) -> None:
    path = "/api/v1/ChargePoint/CS-1/SetChargingProfile"

    if form == "form":
        reply = await world.post(path, data=FIELDS)
    elif form == "multipart":
        with aiohttp.MultipartWriter("form-data") as body:
            for name, text in FIELDS.items():
                part = body.append(text)
                part.set_content_disposition("form-data", name=name)
        reply = await world.post(path, data=body)
    else:
        reply = await world.ask(form.split()[0].upper(), path, params=FIELDS)

    assert (reply.status, reply.body) == (200, b'{"status":"Accepted"}')
    assert world.gateway.payloads == [LIMITS]


async def test_json_that_curl_calls_a_form_is_json(world: World) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    reply = await world.post("/api/v1/ChargePoint/CS-1/Reset", data=b'{"type":"Soft"}', headers=headers)

    assert (reply.status, world.gateway.payloads) == (200, [{"type": "Soft"}])


async def test_a_command_without_fields_needs_no_body(world: World) -> None:
    replies = [await world.ask(method, "/api/v1/ChargePoint/CS-1/ClearCache") for method in ("GET", "POST")]

    assert [reply.status for reply in replies] == [200, 200]
    assert world.gateway.payloads == [{}, {}]


async def test_an_identity_may_contain_what_a_path_must_encode(world: World) -> None:
    await world.connects("EM/A 1")

    reply = await world.ask("POST", "/api/v1/ChargePoint/EM%2FA%201/ClearCache")

    assert (reply.status, [command.identity for command in world.gateway.commands]) == (200, ["EM/A 1"])


@pytest.mark.parametrize(
    ("identity", "action", "payload", "sentence"),
    [
        ("CS-1", "Reset", {"type": "Sofd"}, "Invalid payload of Reset: type: "),
        ("CS-1", "Reset", {}, 'Invalid payload of Reset: "type" is a required property'),
        ("CS-1", "UnlockConnector", {"connectorId": "one"}, "Invalid payload of UnlockConnector: connectorId: "),
        ("CS-2", "Reset", {"type": "Soft"}, "Invalid payload of Reset: type: "),
        ("CS-1", "Reset", [], "Invalid payload of Reset: The payload is not a JSON object."),
    ],
)
async def test_a_payload_that_its_schema_refuses_is_400_and_is_not_sent(
    world: World, identity: str, action: str, payload: Any, sentence: str
) -> None:
    reply = await world.command(action, payload, identity)

    assert reply.status == 400
    assert reply.error[1].startswith(sentence)
    assert world.gateway.commands == []


async def test_the_field_that_is_wrong_is_named_beside_the_sentence(world: World) -> None:
    reply = await world.get("/api/v1/ChargePoint/CS-1/UnlockConnector?connectorId=one")

    assert reply.json == {
        "error": {
            "code": 400,
            "message": 'Invalid payload of UnlockConnector: connectorId: "one" is not of type "integer"',
            "field": "connectorId",
        }
    }


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"type":"Soft"}x', b"null"])
async def test_a_body_that_is_no_json_object_is_400(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    reply = await world.post("/api/v1/ChargePoint/CS-1/Reset", data=body, headers=headers)

    assert (reply.status, world.gateway.commands) == (400, [])


async def test_a_body_of_another_kind_is_415(world: World) -> None:
    reply = await world.post("/api/v1/ChargePoint/CS-1/Reset", data=b"<a/>", headers={"Content-Type": "text/xml"})

    assert reply.error == (
        415,
        "Bodies are JSON, application/x-www-form-urlencoded or multipart/form-data, not text/xml.",
    )


async def test_names_that_contradict_each_other_are_400(world: World) -> None:
    reply = await world.get("/api/v1/ChargePoint/CS-1/Reset?type=Soft&type.of=Hard")

    assert reply.error == (400, "type.of: type is given both as a value and by its parts.")


async def test_an_unknown_operation_is_404_before_anything_else(world: World) -> None:
    replies = [await world.command(action, {}, identity) for action in ("Explode", "Heartbeat") for identity in "XY"]

    assert [reply.error for reply in replies] == [
        (404, "There is no operation Explode."),
        (404, "There is no operation Explode."),
        (404, "There is no operation Heartbeat."),
        (404, "There is no operation Heartbeat."),
    ]


async def test_an_operation_that_the_station_s_version_does_not_have_is_404(world: World) -> None:
    replies = [await world.command("GetVariables", {}), await world.command("GetConfiguration", {}, "CS-2")]

    assert [reply.error for reply in replies] == [
        (404, "There is no operation GetVariables in OCPP 1.6."),
        (404, "There is no operation GetConfiguration in OCPP 2.0.1."),
    ]


async def test_an_unknown_station_is_404_and_one_that_is_offline_503(world: World) -> None:
    await world.told("CS-9", boot={"chargePointVendor": "v", "chargePointModel": "m"})

    replies = [await world.command("ClearCache", {}, identity) for identity in ("CS-8", "CS-9")]

    assert [reply.error for reply in replies] == [
        (404, "There is no charging station CS-8."),
        (503, "The charging station CS-9 is offline."),
    ]


async def test_a_callerror_is_502_with_what_the_station_said(world: World) -> None:
    world.gateway.answers["Reset"] = {
        "error_code": "NotSupported",
        "error_description": "No relay",
        "payload": Raw(b'{"relay": null}'),
    }

    reply = await world.command("Reset", {"type": "Soft"})

    assert reply.json == {
        "error": {
            "code": 502,
            "message": "The charging station answered NotSupported: No relay",
            "errorCode": "NotSupported",
            "errorDescription": "No relay",
            "errorDetails": {"relay": None},
        }
    }


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.TIMEOUT, 504), (Outcome.EXPIRED, 504), (Outcome.NOT_CONNECTED, 503), (Outcome.INVALID, 400)],
)
async def test_each_other_outcome_has_its_status(world: World, outcome: Outcome, status: int) -> None:
    world.gateway.answers["ClearCache"] = outcome

    reply = await world.command("ClearCache", {})

    assert (reply.error[0], reply.json["error"]["outcome"]) == (status, outcome.value)


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        ("QueueFull", "32 calls are waiting already.", 429),
        ("Refused", "Its registration is Pending, and it may wait already.", 409),
    ],
)
async def test_a_full_queue_is_429_and_a_policy_409(world: World, code: str, reason: str, status: int) -> None:
    world.gateway.answers["ClearCache"] = {"outcome": "Refused", "error_code": code, "error_description": reason}

    reply = await world.command("ClearCache", {})

    assert (reply.error, "Retry-After" in reply.headers) == ((status, reason), status == 429)


async def test_a_silent_station_is_504_after_the_wait() -> None:
    async with open_world(replace(UNLIMITED, command_wait=0.1)) as world:
        await world.connects()
        world.gateway.answers["ClearCache"] = None

        reply = await world.command("ClearCache", {})

    assert reply.error[0] == 504


async def test_answers_find_the_requests_that_wait_for_them(world: World) -> None:
    async def availability(connector: int) -> bytes:
        world.gateway.answers["ChangeAvailability"] = b'{"status":"Scheduled"}'
        reply = await world.command("ChangeAvailability", {"connectorId": connector, "type": "Operative"})
        return reply.body

    replies = await asyncio.gather(*(availability(connector) for connector in range(50)))

    assert set(replies) == {b'{"status":"Scheduled"}'}
    assert sorted(payload["connectorId"] for payload in world.gateway.payloads) == list(range(50))
    assert len({command.unique_id for command in world.gateway.commands}) == 50


class Absent:
    """A bus whose broker is away."""

    connected = False
    congested = False

    def __init__(self, bus: Any) -> None:
        self.subscribe, self.unsubscribe = bus.subscribe, bus.unsubscribe

    def send(self, *_: Any) -> None:
        raise AssertionError("nothing may be sent")


async def test_nothing_is_sent_while_the_bus_is_away() -> None:
    async with open_world(bus=Absent) as world:
        await world.connects()

        reply = await world.command("ClearCache", {})

    assert (reply.error, reply.headers["Retry-After"]) == (
        (503, "The bus is away or congested; try again soon."),
        "2",
    )


async def test_leaving_waits_for_the_commands_under_way_and_takes_no_more(world: World) -> None:
    world.gateway.answer_late = asyncio.Event()
    under_way = asyncio.create_task(world.command("ClearCache", {}))
    while not world.gateway.commands:
        await asyncio.sleep(0.005)

    leaving = asyncio.create_task(world.leave())
    await asyncio.sleep(0.02)
    late = await world.command("ClearCache", {})
    waited = not leaving.done()
    world.gateway.answer_late.set()
    await leaving

    assert ((await under_way).status, late.error, waited) == (200, (503, "This process is leaving; ask again."), True)


async def test_leaving_is_bounded() -> None:
    async with open_world(replace(UNLIMITED, command_wait=60.0, drain_seconds=0.1)) as world:
        await world.connects()
        world.gateway.answers["ClearCache"] = None
        under_way = asyncio.create_task(world.command("ClearCache", {}))
        while not world.gateway.commands:
            await asyncio.sleep(0.005)

        await world.leave()

        reply = await under_way
    assert reply.error[0] == 504


async def test_a_command_s_log_line_tells_who_asked_whom_for_what(world: World) -> None:
    await world.command("ClearCache", {})

    (line,) = [line for line in world.logs if "who" in line]
    assert {key: line[key] for key in ("station", "action", "outcome", "who")} == {
        "station": "CS-1",
        "action": "ClearCache",
        "outcome": "result",
        "who": "127.0.0.1",
    }

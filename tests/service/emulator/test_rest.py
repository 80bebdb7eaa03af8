"""The emulator operated over HTTP: real requests, real stations, central systems that are not ours."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol
from yarl import URL

from csms.compose import plan
from csms.settings import read
from csms_emulator.files import reading
from csms_emulator.files.specification import Specification
from csms_emulator.rest.register import MOST_WAITING, Register, Watched
from csms_emulator.rest.service import control
from csms_emulator.service import park
from csms_ocpp.version import Version
from csms_platform.http import Front
from csms_platform.settings import SettingsError
from tests.service.emulator.bare_central import bare_central
from tests.service.emulator.foreign import foreign_central
from tests.service.emulator.soap_central import soap_central
from tests.support.processes import Csms

NOBODY = "ws://127.0.0.1:9/ocpp"
ONE = "/emulator/stations/CP-1"
PROMISES = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
STREAM = {"id": 1, "pending": 0, "basetime": "2026-01-01T00:00:00Z", "data": [{"t": 0.0, "v": "1"}]}
Answer = tuple[int, Any]


class Client:
    """Asks as anybody would; answers status and body."""

    def __init__(self, url: str, http: aiohttp.ClientSession, register: Register) -> None:
        self.url = url
        self.http = http
        self.register = register

    async def get(self, path: str, **headers: str) -> Answer:
        async with self.http.get(URL(f"{self.url}{path}", encoded=True), headers=headers) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        text = io.BytesIO(body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode())
        async with self.http.post(URL(f"{self.url}{path}", encoded=True), data=text, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def done(self, path: str, body: Any = None) -> None:
        assert await self.post(path, body) == (204, None)

    async def view(self, identity: str = "CP-1") -> dict[str, Any]:
        _, found = await self.get(f"/emulator/stations/{identity}")
        view: dict[str, Any] = found["view"]
        return view

    async def until(self, **seen: Any) -> dict[str, Any]:
        """Wait until the station, or its first connector, looks so."""
        async with asyncio.timeout(10):
            while True:
                view = await self.view()
                if seen.items() <= {**view["connectors"][0], **view}.items():
                    return view
                await asyncio.sleep(0.01)


def station(identity: str = "CP-1", **given: Any) -> Specification:
    """Nobody comes to it but by hand."""
    return reading.station(identity, {"drivers": False, "connectors": 1, "ramp": 0, **given})


@asynccontextmanager
async def operated(
    *specifications: Specification, token: str = "", listen_host: str = "127.0.0.1"
) -> AsyncIterator[Client]:
    """The stations, the port where they are operated, and afterwards proof that their task ended without an error."""
    front, register, tasks = Front({}), Register(), list[asyncio.Task[None]]()

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        tasks.append(asyncio.create_task(work, name=name))

    async with (
        control(register, serve=front.serve, token=token, listen_host=listen_host),
        front.listen("127.0.0.1", 0) as port,
        park(specifications, spawn=spawn, started=register.started),
        aiohttp.ClientSession() as http,
    ):
        async with asyncio.timeout(5):
            while len(register.all()) < len(specifications):
                await asyncio.sleep(0.001)
        yield Client(f"http://127.0.0.1:{port}", http, register)
    await front.answered()
    async with asyncio.timeout(1):
        await asyncio.gather(*tasks)


def examine(document: dict[str, Any], url: str) -> set[int]:
    """Ask each operation a few times; answers which statuses came. Raises when an answer breaks the contract."""
    identities, seen, session = cycle(["CP-1", "CP-2", "CP-3"]), set[int](), requests.Session()
    phases, health = [Phase.explicit, Phase.generate], list(HealthCheck)
    checks = settings(
        max_examples=5, deadline=None, database=None, derandomize=True, phases=phases, suppress_health_check=health
    )
    # A stream of events has no end that could be waited for.
    api = schemathesis.openapi.from_dict(document).exclude(path="/emulator/stations/{identity}/events")
    for found in api.get_all_operations():

        @checks
        @given(case=found.ok().as_strategy())
        def ask(case: Any) -> None:
            if "identity" in case.path_parameters:
                case.path_parameters["identity"] = next(identities)
            response = case.call(base_url=url, session=session)
            seen.add(response.status_code)
            assert response.status_code != 500, response.text
            case.validate_response(response, checks=CHECKS.get_by_names(PROMISES))

        ask()
    return seen


@asynccontextmanager
async def central_of_21() -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """One that listens, and says nothing."""
    heard = asyncio.Queue[str]()

    async def listen(socket: ServerConnection) -> None:
        async for message in socket:
            heard.put_nowait(str(message))

    async with serve(listen, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp2.1")]) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ocpp", heard


def refusal(status: int, message: str, **more: Any) -> Answer:
    return status, {"error": {"code": status, "message": message, **more}}


# --- what there is ----------------------------------------------------------------------------------------------------


async def test_stations_are_listed_page_by_page_in_the_order_of_their_identities() -> None:
    specifications = [station(name, url=NOBODY) for name in ("B", "C", "A")]
    async with operated(*specifications) as client:
        _, first = await client.get("/emulator/stations?limit=2")
        _, second = await client.get(f"/emulator/stations?limit=2&after={first['next']}")

    assert ([one["identity"] for one in first["stations"]], first["next"]) == (["A", "B"], "B")
    assert ([one["identity"] for one in second["stations"]], second["next"]) == (["C"], None)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1e2", "²"])
async def test_a_page_has_from_1_to_1000_stations(limit: str) -> None:
    async with operated() as client:
        answered = await client.get(f"/emulator/stations?limit={quote(limit)}")

    expected = refusal(400, "Invalid request: limit: must be a number from 1 to 1000.", field="limit")
    assert answered == expected


async def test_a_station_is_shown_as_it_can_be_seen() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        status, found = await client.get(ONE)

    assert (status, {key: found[key] for key in ("identity", "version", "transport")}) == (
        200,
        {"identity": "CP-1", "version": "ocpp1.6", "transport": "json"},
    )
    assert (found["view"]["connected"], [one["number"] for one in found["view"]["connectors"]]) == (True, [1])


async def test_a_soap_station_is_shown_with_its_transport_and_version() -> None:
    async with (
        soap_central(Version.V1_5) as central,
        operated(station(url=central.url, version="1.5")) as client,
    ):
        _, found = await client.get(ONE)

    assert (found["version"], found["transport"]) == ("ocpp1.5", "soap")


async def test_an_identity_may_hold_what_is_special_in_urls() -> None:
    async with operated(station("EM/A %1", url=NOBODY)) as client:
        _, found = await client.get("/emulator/stations/EM%2FA%20%251")

    assert found["identity"] == "EM/A %1"


async def test_who_is_not_there_is_404_wherever_he_is_asked_for() -> None:
    async with operated() as client:
        answers = [
            await client.get("/emulator/stations/X"),
            await client.get("/emulator/stations/X/messages"),
            await client.get("/emulator/stations/X/events"),
            await client.post("/emulator/stations/X/plug"),
            await client.post("/emulator/stations/X/offline"),
            await client.post("/emulator/stations/X/heal"),
        ]

    assert answers == [refusal(404, "There is no station X.")] * 6


async def test_other_paths_are_404_and_other_methods_405_in_the_same_shape() -> None:
    async with operated(station(url=NOBODY)) as client:
        nowhere, wrong = await client.get("/emulator/nothing"), await client.get(f"{ONE}/plug")

    assert (nowhere, wrong) == (refusal(404, "Not Found"), refusal(405, "Method Not Allowed"))


async def test_messages_are_the_last_that_were_said_oldest_first() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        await central.hears("StatusNotification", times=2)
        _, found = await client.get(f"{ONE}/messages")
        _, last = await client.get(f"{ONE}/messages?limit=1")

    first, second = found["messages"][:2]
    assert [(m["sender"], m["kind"], m["action"]) for m in (first, second)] == [
        ("station", "call", "BootNotification"),
        ("csms", "result", "BootNotification"),
    ]
    assert second["payload"]["status"] == "Accepted"
    assert first["time"].endswith("Z")
    assert len(last["messages"]) == 1


async def test_events_are_what_is_said_from_now_on() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted", waiting=0)
        async with client.http.get(f"{client.url}{ONE}/events") as stream:
            await stream.content.readuntil(b"\n\n")
            await client.post(f"{ONE}/plug")
            event = await stream.content.readuntil(b"\n\n")

    name, data = event.decode().strip().splitlines()
    told = json.loads(data.removeprefix("data: "))
    assert name == "event: call"
    assert (stream.content_type, told["action"], told["payload"]["status"]) == (
        "text/event-stream",
        "StatusNotification",
        "Preparing",
    )


async def test_a_stream_ends_when_the_emulator_leaves() -> None:
    async with operated(station(url=NOBODY)) as client:
        watched = client.register["CP-1"]
        async with client.http.get(f"{client.url}{ONE}/events") as stream:
            await stream.content.readuntil(b"\n\n")
            client.register.close()
            rest = await stream.content.read()

    assert (rest, watched.messages.maxlen) == (b"", 200)


async def test_a_listener_that_does_not_keep_up_is_dismissed() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted", waiting=0)
        watched: Watched = client.register["CP-1"]
        with watched.listening() as queue:
            for _ in range(MOST_WAITING):
                await watched.link.call("Heartbeat", {})
                if queue.qsize() > MOST_WAITING:
                    break
            waiting = [queue.get_nowait() for _ in range(queue.qsize())]

    assert (len(waiting), waiting[-1], None in waiting[:-1]) == (MOST_WAITING + 1, None, False)


# --- deeds ------------------------------------------------------------------------------------------------------------


async def test_a_driver_charges_and_leaves() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        plugged = await client.post(f"{ONE}/plug", {"connector": 1})
        await client.post(f"{ONE}/swipe", {"id_tag": "04A1B2C3"})
        await client.until(status="Charging")
        await client.post(f"{ONE}/unplug")
        _, start, stop = await central.hears("Authorize", "StartTransaction", "StopTransaction")

    assert (plugged[0], plugged[1]["view"]["connectors"][0]["plugged"]) == (200, True)
    assert (start[2]["id_tag"], stop[2]["reason"]) == ("04A1B2C3", "EVDisconnected")


async def test_a_connector_breaks_and_is_mended() -> None:
    async with operated(station(url=NOBODY)) as client:
        _, broken = await client.post(f"{ONE}/fault", {"error": "GroundFailure"})
        _, mended = await client.post(f"{ONE}/clear")

    seen = [[one["view"]["connectors"][0][key] for key in ("status", "error")] for one in (broken, mended)]
    assert seen == [["Faulted", "GroundFailure"], ["Available", ""]]


async def test_what_is_impossible_now_is_409_and_changes_nothing() -> None:
    async with operated(station(url=NOBODY)) as client:
        before = (await client.view())["connectors"]
        answered = await client.post(f"{ONE}/unplug")
        after = (await client.view())["connectors"]

    assert (answered, after) == (
        refusal(409, "This cannot be done now: the connector is Available."),
        before,
    )


@pytest.mark.parametrize(
    ("deed", "body", "sentence"),
    [
        ("plug", {"connector": 9}, "There is no connector 9."),
        ("fault", {"error": "Tired"}, "'Tired' is no errorCode of OCPP 1.6."),
        ("swipe", {}, "An id tag has 1 to 20 characters."),
        ("plug", {"connector": "1"}, "Expected `int`, got `str` - at `$.connector`."),
        ("plug", {"deed": "swipe"}, "Invalid value 'swipe' - at `$.deed`."),
        ("skew", {"seconds": 1e12}, "The clock shows times from 1970 to 2100."),
        ("skew", {}, "Object missing required field `seconds`."),
        ("plug", [], "Expected `object`, got `array`."),
        ("plug", b"{", "Input data was truncated."),
        ("plug", b'{"vehicle": "\xff"}', None),
        ("plug", b'{"vehicle": ' + b"[" * 100_000, None),
    ],
)
async def test_what_can_never_be_done_is_400_with_a_sentence(deed: str, body: Any, sentence: str | None) -> None:
    async with operated(station(url=NOBODY)) as client:
        status, answered = await client.post(f"{ONE}/{deed}", body)

    assert (status, answered["error"]["code"]) == (400, 400)
    if sentence:
        assert answered["error"]["message"] == f"Invalid request: {sentence}"


async def test_a_field_that_nobody_reads_is_refused() -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/plug", {"conector": 2})

    assert answered == refusal(400, "Invalid request: there is no field 'conector' here.", field="conector")


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/plug", b" " * (1024 * 1024 + 1))

    assert answered == refusal(413, "The request's body is larger than 1048576 bytes.")


async def test_a_power_cycle_boots_again() -> None:
    async with foreign_central() as central, operated(station(url=central.url, pace=1000)) as client:
        await client.until(registration="Accepted")
        await client.post(f"{ONE}/power-cycle")
        await central.hears("BootNotification", times=2)

    assert central.paths == ["/ocpp/CP-1"] * 2


# --- the network ------------------------------------------------------------------------------------------------------


async def test_a_station_stays_offline_until_it_is_told_otherwise() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        await client.done(f"{ONE}/offline")
        await client.until(connected=False)
        await central.until(lambda: not central.peers)
        await client.done(f"{ONE}/online")
        await client.until(connected=True)

    assert len(central.paths) == 2


async def test_or_for_some_seconds() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        await client.done(f"{ONE}/offline", {"seconds": 0.2})
        await client.until(connected=False)
        await client.until(connected=True)

    assert len(central.paths) == 2


async def test_the_last_word_about_the_network_counts() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        await client.done(f"{ONE}/offline", {"seconds": 0.1})
        await client.done(f"{ONE}/offline", {"seconds": None})
        await asyncio.sleep(0.3)
        view = await client.view()

    assert (view["connected"], len(central.paths)) == (False, 1)


async def test_any_call_is_sent_and_its_answer_told() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        status, answered = await client.post(f"{ONE}/send", {"action": "Heartbeat"})

    assert (status, list(answered)) == (200, ["currentTime"])


async def test_a_payload_that_the_schema_refuses_is_400_and_never_sent() -> None:
    async with foreign_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        status, answered = await client.post(f"{ONE}/send", {"action": "Authorize", "payload": {"id": 1}})
        unknown, _ = await client.post(f"{ONE}/send", {"action": "Dance"})

    assert (status, unknown, answered["error"]["outcome"]) == (400, 400, "Invalid")
    assert [action for _, action, _ in central.heard if action == "Authorize"] == []


async def test_an_error_of_the_central_system_is_502_with_its_code() -> None:
    async with soap_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted")
        central.faults["DataTransfer"] = "NotSupported"
        body = {"action": "DataTransfer", "payload": {"vendorId": "com.example"}}
        answered = await client.post(f"{ONE}/send", body)

    sentence = "The central system answered NotSupported: not now."
    more = {"outcome": "error", "errorCode": "NotSupported", "errorDescription": "not now"}
    assert answered == refusal(502, sentence, **more)


@pytest.mark.parametrize("kind", ["call", "send"])
async def test_nothing_is_sent_without_a_connection(kind: str) -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/send", {"action": "Heartbeat", "kind": kind})

    assert answered == refusal(409, "The station is not connected.")


async def test_a_send_of_2_1_is_sent_and_not_answered() -> None:
    async with central_of_21() as (url, heard), operated(station(url=url, version="2.1")) as client:
        await client.until(connected=True)
        await client.done(f"{ONE}/send", {"action": "NotifyPeriodicEventStream", "payload": STREAM, "kind": "send"})
        async with asyncio.timeout(5):
            while (message := json.loads(await heard.get()))[0] != 6:
                pass
        _, wrong = await client.post(f"{ONE}/send", {"action": "NotifyPeriodicEventStream", "kind": "send"})

    assert message[2:] == ["NotifyPeriodicEventStream", STREAM]
    assert wrong["error"]["code"] == 400


@pytest.mark.parametrize(
    ("central", "sentence"),
    [(foreign_central, "ocpp1.6 has no SEND."), (soap_central, "Only OCPP 2.1 over WebSocket has a SEND.")],
)
async def test_there_is_no_send_before_2_1(central: Any, sentence: str) -> None:
    async with central() as there, operated(station(url=there.url)) as client:
        await client.until(registration="Accepted")
        answered = await client.post(f"{ONE}/send", {"action": "Heartbeat", "kind": "send"})

    assert answered == refusal(400, f"Invalid request: {sentence}")


async def test_an_answer_that_cannot_come_any_more_is_409() -> None:
    async with bare_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted", waiting=0)
        central.silent = True
        waiting = asyncio.create_task(client.post(f"{ONE}/send", {"action": "Heartbeat"}))
        await central.until(lambda: b'"Heartbeat"' in central.came[-1])
        await client.done(f"{ONE}/offline")
        answered = await waiting

    assert answered == refusal(409, "The connection is gone.")


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_trouble_begins_and_is_healed() -> None:
    async with bare_central() as central, operated(station(url=central.url)) as client:
        await client.until(registration="Accepted", waiting=0)
        await client.done(f"{ONE}/trouble", {"trouble": "noanswers"})
        await central.ask("1")
        await client.done(f"{ONE}/heal")
        await central.ask("2")
        await central.until(lambda: any(text.startswith(b"[3,") for text in central.came))

    answers = [json.loads(text)[1] for text in central.came if text.startswith(b"[3,")]
    assert answers == ["2"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"trouble": "boredom"}, "Invalid value 'boredom' - at `$.trouble`."),
        ({}, "Object missing required field `trouble`."),
        ({"trouble": "malformed", "kind": "odd"}, "'odd' is no kind of malformed message."),
        ({"trouble": "slowreader", "pause": -1}, "pause is -1, which is less than 0 or has no end."),
    ],
)
async def test_a_trouble_that_there_is_not_is_400(body: Any, sentence: str) -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/trouble", body)

    assert answered == refusal(400, f"Invalid request: {sentence}")


async def test_a_trouble_that_needs_a_connection_is_409_without_one() -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/trouble", {"trouble": "halfopen"})

    assert answered == refusal(409, "The station is not connected.")


async def test_a_trouble_of_websockets_is_400_over_soap() -> None:
    async with soap_central() as central, operated(station(url=central.url)) as client:
        answered = await client.post(f"{ONE}/trouble", {"trouble": "halfopen"})

    assert answered == refusal(400, "Invalid request: HalfOpen is for WebSocket stations only.")


async def test_in_a_storm_all_stations_come_back_at_once() -> None:
    async with (
        foreign_central() as central,
        operated(*(station(name, url=central.url) for name in ("A", "B"))) as client,
    ):
        await central.until(lambda: len(central.peers) == 2)
        answered = await client.post("/emulator/storm", {"times": 1, "gap": 0.05, "every": 0.1})
        await central.until(lambda: len(central.paths) == 4)

    assert answered == (200, {"stations": 2})


# --- who may ----------------------------------------------------------------------------------------------------------


async def test_with_a_token_nobody_asks_without_it() -> None:
    async with operated(token="s3cret", listen_host="0.0.0.0") as client:
        bare = await client.get("/emulator/stations")
        wrong = await client.get("/emulator/stations", Authorization="Bearer guess")
        basic = await client.get("/emulator/stations", Authorization="Basic s3cret")
        right, _ = await client.get("/emulator/stations", Authorization="Bearer s3cret")

    assert [bare, wrong, basic] == [refusal(401, "The emulator's control_token is needed, as a bearer token.")] * 3
    assert right == 200


async def test_where_others_reach_the_port_nothing_is_served_without_a_token() -> None:
    async with (
        operated(station(url=NOBODY), listen_host="0.0.0.0") as client,
        client.http.get(f"{client.url}{ONE}") as response,
    ):
        status = response.status

    assert status == 404


async def test_what_is_open_to_this_machine_is_open_under_its_own_names_only() -> None:
    async with operated() as client:
        rebound = await client.get("/emulator/stations", Host="evil.example")
        named, _ = await client.get("/emulator/stations", Host="localhost:9220")

    assert rebound == refusal(403, "The emulator is open to this machine only, not as 'evil.example'.")
    assert named == 200


async def test_pages_from_elsewhere_may_not_ask() -> None:
    async with operated(station(url=NOBODY)) as client:
        answered = await client.post(f"{ONE}/plug", Origin="https://evil.example")
        allowed, _ = await client.post(f"{ONE}/plug", Origin=client.url)

    assert (answered, allowed) == (refusal(403, "Pages from https://evil.example may not use this API."), 200)


# --- how it is found --------------------------------------------------------------------------------------------------


async def test_the_document_describes_every_answer_to_whatever_it_allows() -> None:
    async with operated(station(url=NOBODY), station("CP-2", url=NOBODY)) as client:
        _, document = await client.get("/emulator/openapi.json")
        seen = await asyncio.to_thread(examine, document, client.url)

    assert len(document["paths"]) == 19
    assert {200, 204, 400, 404, 409} <= seen


async def test_every_example_in_the_document_is_answered_without_a_complaint_about_its_form() -> None:
    async with operated(station(url=NOBODY)) as client:
        _, document = await client.get("/emulator/openapi.json")
        bodies = {
            path.replace("{identity}", "CP-1"): item["post"]["requestBody"]["content"]["application/json"]["example"]
            for path, item in document["paths"].items()
            if "requestBody" in item.get("post", {})
        }
        answers = {path: (await client.post(path, body))[0] for path, body in bodies.items()}

    assert {path: status for path, status in answers.items() if status not in (200, 204, 409)} == {}
    assert len(answers) == 13


async def test_a_page_shows_the_document() -> None:
    async with operated(token="s3cret") as client, client.http.get(f"{client.url}/emulator") as response:
        text = await response.text()

    assert (response.status, response.url.path, "/emulator/openapi.json" in text) == (200, "/emulator/docs", True)


async def test_csms_up_serves_it_beside_the_api(csms: Callable[..., Csms], free_port: int) -> None:
    csms("up", "--port", f"{free_port}", "--emulate", "1")
    found = await asking(f"http://127.0.0.1:{free_port}/emulator/stations", "stations")

    assert [one["identity"] for one in found["stations"]] == ["EMU-00001"]


async def test_csms_emulate_serves_it_where_it_is_told_to(csms: Callable[..., Csms], free_port: int) -> None:
    csms("emulate", "--url", NOBODY, "--count", "1", "--control", f"127.0.0.1:{free_port}")
    found = await asking(f"http://127.0.0.1:{free_port}/emulator/stations", "stations")

    assert [one["identity"] for one in found["stations"]] == ["EMU-00001"]


async def asking(url: str, key: str) -> Any:
    """Ask until there is something under `key`."""
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(url) as response:
                    if response.status == 200 and (found := await response.json())[key]:
                        return found
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("control", "sentence"),
    [
        ("0.0.0.0:9221", "Others than this machine reach 0.0.0.0:9221: give control_token, too."),
        ("9221", "control is HOST:PORT, such as 127.0.0.1:9221."),
        ("127.0.0.1:99999", "control is HOST:PORT, such as 127.0.0.1:9221."),
        ("127.0.0.1:9221/emulator", "control is HOST:PORT, such as 127.0.0.1:9221."),
    ],
)
def test_it_is_not_served_where_that_is_not_safe_or_makes_no_sense(control: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        plan("emulate", read(None, {"CSMS_EMULATOR_CONTROL": control}))

    assert str(refused.value) == sentence


def test_with_a_token_it_may_be_served_anywhere() -> None:
    environment = {"CSMS_EMULATOR_CONTROL": "[::]:9221", "CSMS_EMULATOR_CONTROL_TOKEN": "s3cret"}

    made = plan("emulate", read(None, environment))

    assert [part.name for part in made.parts] == ["emulator-control", "emulator"]
    assert made.listen is not None
    assert (made.listen.host, made.listen.port) == ("::", 9221)

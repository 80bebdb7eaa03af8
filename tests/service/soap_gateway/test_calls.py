"""Commands to stations: what they are POSTed, and what becomes of what they answer."""

import asyncio
from time import time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import pytest
from msgspec import Raw

from csms_ocpp.soap.tables import Service, tables
from csms_ocpp.version import Version
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.metrics import REGISTRY
from tests.service.soap_gateway.commanding import (
    OURS,
    after,
    fault,
    gives,
    open_desk,
    outcome,
    point,
    response,
    result,
    says,
)
from tests.support.soap import POINT
from tests.support.soap_samples import COMMANDS, Asked

EVERY = [
    pytest.param(version, asked, id=f"{version}-{asked.action}") for version in COMMANDS for asked in COMMANDS[version]
]
ID = "4f5a6b7c-0000-4000-8000-0123456789ab"


def test_every_command_of_both_versions_is_tried_here() -> None:
    for version, asked in COMMANDS.items():
        known = tables(Version(f"ocpp{version}"), Service.CHARGE_POINT).operations
        assert sorted(each.action for each in asked) == sorted(known)


@pytest.mark.parametrize(("version", "asked"), EVERY)
async def test_a_station_is_asked_in_its_own_words_and_its_answer_is_the_result(version: str, asked: Asked) -> None:
    async with point(says(asked.answer, version)) as station, open_desk() as desk:
        ended = await desk.ask(
            station.url,
            version=f"ocpp{version}",
            action=asked.action,
            payload=msgspec.json.encode(asked.payload).decode(),
            unique_id=ID,
        )

        assert (ended.outcome, result(ended)) == ("result", asked.result)
        [command] = station.asked
        assert (command.operation, command.namespace) == (asked.action, POINT[version])
        wanted = [(name, text if text is not ... else "") for name, text in asked.seen]
        assert command.fields == wanted
        assert command.headers == {
            "chargeBoxIdentity": "CS-1",
            "Action": f"/{asked.action}",
            "MessageID": f"urn:uuid:{ID}",
            "To": station.url,
            "From": OURS,
            "ReplyTo": "http://www.w3.org/2005/08/addressing/anonymous",
        }


async def test_the_request_is_plain_http() -> None:
    async with point() as station, open_desk() as desk:
        await desk.ask(station.url + "/CP%2F1?key=a%26b")

        [request], [path] = station.requests, station.paths
        assert path == "POST /ocpp/CP%2F1?key=a%26b"
        assert request == {
            "Host": station.url.split("/")[2],
            "User-Agent": "csms",
            "Content-Type": 'application/soap+xml; charset=utf-8; action="/Reset"',
            "Content-Length": request["Content-Length"],
            "Accept": "application/soap+xml, application/xml, text/xml",
            "Accept-Encoding": "gzip, deflate",
        }


async def test_without_an_address_of_ours_it_is_from_nowhere_in_particular() -> None:
    async with point() as station, open_desk(url="") as desk:
        await desk.ask(station.url, unique_id="r-1")

        [command] = station.asked
        assert command.headers["From"] == "http://www.w3.org/2005/08/addressing/anonymous"
        assert command.headers["MessageID"] == f"urn:uuid:{uuid5(NAMESPACE_URL, 'r-1')}"


async def test_a_large_command_arrives_whole() -> None:
    entries = [{"idTag": f"TAG-{number:08}"} for number in range(30_000)]
    payload = msgspec.json.encode({"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries}).decode()
    async with point() as station, open_desk() as desk:
        ended = await desk.ask(station.url, action="SendLocalList", payload=payload)

        assert ended.outcome == "result"
        assert len(station.asked[0].fields) == 2 + 30_000
        assert int(station.requests[0]["Content-Length"]) > 1024 * 1024


async def test_the_outcome_is_told_as_every_gateway_tells_it() -> None:
    async with point() as station, open_desk() as desk:
        ended = await desk.ask(
            station.url, attempt=3, traceparent="00-1", account="acme", deadline=int(time() * 1000) + 9000
        )

        assert result(ended) == {"status": "Accepted"}
        assert msgspec.structs.replace(ended, payload=Raw(b"{}")) == Envelope(
            Kind.RESULT,
            "CS-1",
            "acme",
            "ocpp1.6",
            "soap",
            "1",
            "Reset",
            outcome="result",
            attempt=3,
            traceparent="00-1",
        )


@pytest.mark.parametrize(
    ("subcode", "code", "description"),
    [
        ("SecurityError", "SecurityError", "Why."),
        ("NotSupported", "NotSupported", "Why."),
        ("InternalError", "InternalError", "Why."),
        ("ProtocolError", "ProtocolError", "Why."),
        ("GenericError", "GenericError", "Why."),
        ("IdentityMismatch", "GenericError", "IdentityMismatch: Why."),
        ("UrlTemporarilyUnavailable", "GenericError", "UrlTemporarilyUnavailable: Why."),
        ("", "GenericError", "Why."),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_fault_is_an_error(subcode: str, code: str, description: str, status: int) -> None:
    async with point(gives(fault(subcode, "Why."), status)) as station, open_desk() as desk:
        ended = await desk.ask(station.url)

        assert ended.kind is Kind.ERROR
        assert outcome(ended) == ("error", code, description)


async def test_an_answer_that_its_schema_refuses_is_an_error_with_what_came() -> None:
    async with point(says("<cp:status>Perhaps</cp:status>")) as station, open_desk() as desk:
        ended = await desk.ask(station.url)

        assert (ended.outcome, ended.error_code, result(ended)) == (
            "error",
            "PropertyConstraintViolation",
            {"status": "Perhaps"},
        )
        assert [line["reason"] for line in desk.logs if line["event"] == "violation"] == ["status violates enum."]


@pytest.mark.parametrize(("validation", "quirks"), [("warn", ""), ("strict", "lenient")])
async def test_a_lenient_station_may_answer_anything(validation: str, quirks: str) -> None:
    async with point(says("<cp:status>Perhaps</cp:status>")) as station, open_desk(validation=validation) as desk:
        ended = await desk.ask(station.url, session=Capsule(quirks=quirks), payload='{"type":"Sudden"}')

        assert (ended.outcome, result(ended)) == ("result", {"status": "Perhaps"})
        assert station.asked[0].fields == [("type", "Sudden")]
        assert len([line for line in desk.logs if line["event"] == "violation"]) == 2


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"action": "GetLog"}, ("Invalid", "NotImplemented", "GetLog is not in OCPP 1.6 over SOAP.")),
        ({"version": "ocpp2.0.1"}, ("Invalid", "NotImplemented", "ocpp2.0.1 is not spoken over SOAP.")),
        ({"payload": "[]"}, ("Invalid", "FormationViolation", "The payload is not a JSON object.")),
        (
            {
                "action": "RemoteStopTransaction",
                "payload": '{"transactionId":1}',
                "session": Capsule(registration="Rejected"),
            },
            ("Refused", "Refused", "The station's registration is Rejected."),
        ),
        ({"deadline": 1}, ("Expired", "Expired", "Its deadline passed before it could be sent.")),
    ],
)
async def test_what_may_not_be_sent_is_not_sent(fields: dict[str, Any], ends: tuple[str, str, str]) -> None:
    async with point() as station, open_desk() as desk:
        # Its deadline has passed on the bus already: it is handed over by hand.
        await desk.calls.hear([command(station.url, **fields)])
        [ended] = await desk.ends()

        assert outcome(ended) == ends
        assert station.requests == []


def command(callback: str, **fields: Any) -> Envelope:
    known: dict[str, Any] = {"version": "ocpp1.6", "action": "Reset", "payload": '{"type":"Soft"}'} | fields
    payload = Raw(known.pop("payload").encode())
    return Envelope(
        Kind.CALL, "CS-1", payload=payload, unique_id="1", reply_to="ocpp.router", callback=callback, **known
    )


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        ("", "The station has not said where it can be called."),
        ("ftp://127.0.0.1/", "The station's address is not one of http or https."),
        (
            "http://user:secret@127.0.0.1/",
            "The station's address holds a user name or a password: such addresses are not called.",
        ),
    ],
)
async def test_a_station_without_an_address_is_not_connected(callback: str, why: str) -> None:
    async with open_desk() as desk:
        assert outcome(await desk.ask(callback)) == ("NotConnected", "NotConnected", why)


# --- one after the other ----------------------------------------------------------------------------------------------


async def test_a_station_is_asked_one_thing_at_a_time_in_order() -> None:
    go = asyncio.Event()
    async with point(after(go)) as station, open_desk() as desk:
        for number in range(5):
            desk.send(station.url, unique_id=str(number))
        while not station.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        asked_first = len(station.asked)
        go.set()
        ended = await desk.ends(5)

        assert (asked_first, station.most_under_way) == (1, 1)
        assert [each.unique_id for each in ended] == ["0", "1", "2", "3", "4"]
        assert [each.outcome for each in ended] == 5 * ["result"]


async def test_different_stations_are_asked_at_once() -> None:
    go = asyncio.Event()
    async with point(after(go)) as station, open_desk() as desk:
        for number in range(20):
            desk.send(station.url, identity=f"CS-{number}")
        async with asyncio.timeout(5):
            while station.under_way < 20:
                await asyncio.sleep(0.01)
        go.set()

        assert len(await desk.ends(20)) == 20


async def test_a_line_is_bounded() -> None:
    go = asyncio.Event()
    async with point(after(go)) as station, open_desk() as desk:
        desk.send(station.url, unique_id="first")
        while not station.asked:
            await asyncio.sleep(0.01)
        for number in range(33):
            desk.send(station.url, unique_id=str(number))
        [refused] = await desk.ends()
        go.set()
        ended = await desk.ends(34)

        assert outcome(refused) == ("Refused", "QueueFull", "32 calls are waiting already.")
        assert refused.unique_id == "32"
        assert [each.outcome for each in ended[1:]] == 33 * ["result"]


async def test_what_waits_for_its_turn_too_long_is_not_sent() -> None:
    go = asyncio.Event()
    async with point(after(go)) as station, open_desk() as desk:
        desk.send(station.url, unique_id="first")
        desk.send(station.url, unique_id="late", deadline=int(time() * 1000) + 150)
        await asyncio.sleep(0.3)
        go.set()
        ended = await desk.ends(2)

        assert [(each.unique_id, each.outcome) for each in ended] == [("first", "result"), ("late", "Expired")]
        assert len(station.asked) == 1


async def test_what_is_delivered_again_is_left_out_unless_it_is_another_attempt() -> None:
    before = REGISTRY.get_sample_value("csms_soap_repeated_commands_total") or 0
    async with point() as station, open_desk() as desk:
        for attempt in (1, 1, 2, 1, 2):
            desk.send(station.url, attempt=attempt)
        desk.send(station.url, identity="CS-2")
        ended = await desk.ends(3)
        await asyncio.sleep(0.05)

        assert sorted((each.identity, each.attempt) for each in ended) == [("CS-1", 1), ("CS-1", 2), ("CS-2", 1)]
        assert len(station.asked) == 3
    assert REGISTRY.get_sample_value("csms_soap_repeated_commands_total") == before + 3


async def test_what_is_no_command_is_left_out() -> None:
    async with point() as station, open_desk() as desk:
        desk.send(station.url, kind=Kind.RESULT)
        await desk.ask(station.url)

        assert len(station.asked) == 1
        assert [line["kind"] for line in desk.logs if line["event"] == "not a command"] == ["result"]


# --- connections ------------------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again() -> None:
    async with point() as station, open_desk() as desk:
        for number in range(5):
            await desk.ask(station.url, unique_id=str(number))

        assert len(station.asked) == 5
        assert len(station.peers) == 1


async def test_the_next_command_goes_where_the_station_is_now() -> None:
    async with point() as before, point() as now, open_desk() as desk:
        await desk.ask(before.url, unique_id="1")
        await desk.ask(now.url, unique_id="2")

        assert (len(before.asked), len(now.asked)) == (1, 1)
        assert now.asked[0].headers["To"] == now.url


# --- telling ----------------------------------------------------------------------------------------------------------


async def test_a_command_is_counted_and_logged() -> None:
    labels = {"version": "ocpp1.6", "action": "Reset", "outcome": "result"}
    made_up = {"version": "", "action": "", "outcome": "Invalid"}
    before = [REGISTRY.get_sample_value("csms_soap_command_seconds_count", each) or 0 for each in (labels, made_up)]
    async with point() as station, open_desk() as desk:
        await desk.ask(station.url)
        await desk.ask(station.url, action="MadeUp", unique_id="2")

        after_it = [REGISTRY.get_sample_value("csms_soap_command_seconds_count", each) for each in (labels, made_up)]
        assert after_it == [count + 1 for count in before]
        assert REGISTRY.get_sample_value("csms_soap_commands_under_way") == 0
        told = [line for line in desk.logs if line["event"] == "command"]
        assert [(line["station"], line["action"], line["id"], line["outcome"]) for line in told] == [
            ("CS-1", "Reset", "1", "result"),
            ("CS-1", "MadeUp", "2", "Invalid"),
        ]


async def test_one_answer_is_as_good_without_headers() -> None:
    async def bare(_: Any, asked: Any) -> Any:
        text = response(asked).replace(b"<s:Header>", b"<!--").replace(b"</s:Header>", b"-->")
        return await gives(text, Content_Type="text/plain")(_, asked)

    async with point(bare) as station, open_desk() as desk:
        assert (await desk.ask(station.url)).outcome == "result"

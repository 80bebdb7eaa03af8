"""What stations write, and what of it reaches the router; what the router answers, and what stations read."""

import asyncio
import gzip
import zlib
from time import time

import msgspec
import pytest

from csms_platform.envelope import Capsule, ConnectRequest, Kind
from tests.service.soap_gateway.world import BOOT, HEARTBEAT, World
from tests.support.soap import CENTRAL, CONTENT_TYPE, SOAP, WSA, Answered, envelope, post

STATION = "http://192.0.2.7:8080/"

ODD_STYLES = {
    "other prefixes, single quotes": f"""<s12:Envelope xmlns:s12='{SOAP}'><s12:Header><chargeBoxIdentity
        xmlns='{CENTRAL["1.6"]}'>CS-1</chargeBoxIdentity></s12:Header><s12:Body><x:authorizeRequest
        xmlns:x='{CENTRAL["1.6"]}'><x:idTag>TAG &amp; 1</x:idTag></x:authorizeRequest></s12:Body></s12:Envelope>""",
    "default namespaces, CDATA, comments": f"""<?xml version="1.0"?><!-- a station --><Envelope xmlns="{SOAP}"><Header>
        <ChargeBoxIdentity xmlns="{CENTRAL["1.6"]}"> CS-1 </ChargeBoxIdentity></Header><Body><!-- here -->
        <authorizeRequest xmlns="{CENTRAL["1.6"]}"><idTag><![CDATA[TAG & 1]]></idTag></authorizeRequest>
        </Body></Envelope>""",
    "white space, unknown headers, a stale Action": f"""

        <e:Envelope xmlns:e="{SOAP}" xmlns:c="{CENTRAL["1.6"]}" xmlns:w="{WSA}">
          <e:Header>
            <w:Action>/Heartbeat</w:Action> <other xmlns="urn:other">x</other>
            <c:chargeBoxIdentity e:mustUnderstand="1">CS-1</c:chargeBoxIdentity>
          </e:Header>
          <e:Body>
            <c:authorizeRequest>
              <c:idTag>TAG &#38; 1</c:idTag>
            </c:authorizeRequest>
          </e:Body>
        </e:Envelope>""".strip(),
}


def result(answered: Answered) -> tuple[int, str | None]:
    return answered.status, answered.text_of("currentTime")


async def test_a_call_reaches_the_router_with_all_that_it_decides_on(world: World) -> None:
    headers = {"Authorization": "Basic Q1MtMTpzZWNyZXQ=", "SOAPAction": '"/Reset"'}
    before = time()

    answered = await world.ask(BOOT, message_id="urn:uuid:4711", source=STATION, headers=headers)

    [call] = world.router.heard
    assert answered.status == 200
    assert (call.kind, call.identity, call.version, call.transport) == (Kind.CALL, "CS-1", "ocpp1.6", "soap")
    assert (call.unique_id, call.action, call.session, call.account) == ("4711", "BootNotification", None, "")
    assert msgspec.json.decode(call.payload) == {"chargePointVendor": "Foreign", "chargePointModel": "Plain"}
    assert before + 29 < call.deadline / 1000 < time() + 30
    assert call.reply_to.startswith("ocpp.gateway.")
    assert call.arrival == ConnectRequest(
        "127.0.0.1", user="CS-1", password="c2VjcmV0", authorization=True, callback=STATION
    )


@pytest.mark.parametrize(("version", "interval"), [("1.5", "heartbeatInterval"), ("1.6", "interval")])
async def test_the_answer_is_the_stations_own_xml(world: World, version: str, interval: str) -> None:
    answered = await world.ask(BOOT, version=version, message_id="urn:uuid:4711")

    assert (answered.status, answered.headers["content-type"]) == (200, CONTENT_TYPE)
    assert answered.body.tag == f"{{{CENTRAL[version]}}}bootNotificationResponse"
    assert [(child.tag.partition("}")[2], child.text) for child in answered.body] == [
        ("status", "Accepted"),
        ("currentTime", "2026-01-01T12:00:00Z"),
        (interval, "300"),
    ]
    assert (answered.header("RelatesTo"), answered.header("Action")) == ("urn:uuid:4711", "/BootNotificationResponse")
    assert (answered.header("MessageID") or "").startswith("urn:uuid:")


@pytest.mark.parametrize("style", ODD_STYLES)
async def test_xml_is_understood_however_it_is_written(world: World, style: str) -> None:
    answered = await world.post(ODD_STYLES[style])

    [call] = world.router.heard
    assert (answered.status, answered.text_of("idTagInfo/status")) == (200, "Accepted")
    assert (call.identity, call.action, bytes(call.payload)) == ("CS-1", "Authorize", b'{"idTag":"TAG & 1"}')


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=UTF-8", CONTENT_TYPE, ""])
async def test_media_types_of_xml_are_taken(world: World, content_type: str) -> None:
    answered = await world.ask(headers={"Content-Type": content_type})

    assert result(answered) == (200, "2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [("utf-16", "utf-16"), ("utf-16", ""), ("utf-8-sig", "utf-8"), ("iso-8859-1", "iso-8859-1")],
)
async def test_text_is_read_in_its_encoding(world: World, encoding: str, charset: str) -> None:
    text = envelope("1.6", "Säule", "<cs:authorizeRequest><cs:idTag>Ä</cs:idTag></cs:authorizeRequest>")
    body = text.partition("?>")[2].encode(encoding)
    content_type = "application/soap+xml" + (f"; charset={charset}" if charset else "")

    answered = await world.post(body, headers={"Content-Type": content_type})

    [call] = world.router.heard
    assert answered.status == 200
    assert (call.identity, msgspec.json.decode(call.payload)) == ("Säule", {"idTag": "Ä"})


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_come_packed_whole_or_in_chunks(world: World, name: str, pack: type, chunked: bool) -> None:
    body = pack(envelope("1.6", "CS-1", HEARTBEAT).encode())
    headers = {"Content-Encoding": name} | ({"Transfer-Encoding": "chunked"} if chunked else {})

    answered = await world.post(body, headers=headers, chunked=chunked)

    assert result(answered) == (200, "2026-01-01T12:00:00Z")


async def test_a_station_that_writes_no_addressing_is_answered_and_every_call_is_a_new_one(world: World) -> None:
    answers = [await world.ask() for _ in range(2)]

    first, second = world.router.heard
    assert [result(answer) for answer in answers] == 2 * [(200, "2026-01-01T12:00:00Z")]
    assert answers[0].header("RelatesTo") is None
    assert first.unique_id != second.unique_id
    assert 1 <= len(first.unique_id) <= 36


async def test_a_long_message_id_is_shortened_the_same_way_each_time(world: World) -> None:
    answers = [await world.ask(message_id=100 * "x") for _ in range(2)]

    first, second = world.router.heard
    assert [answer.header("RelatesTo") for answer in answers] == 2 * [100 * "x"]
    assert first.unique_id == second.unique_id
    assert len(first.unique_id) == 36


@pytest.mark.parametrize("source", ["ftp://192.0.2.7/", "http://", "somewhere", "http://192.0.2.7/" + 2048 * "x"])
async def test_an_address_that_is_none_is_left_out(world: World, source: str) -> None:
    answered = await world.ask(source=source)

    [call] = world.router.heard
    assert answered.status == 200
    assert call.arrival == ConnectRequest("127.0.0.1")


async def test_a_path_in_another_case_and_with_more_behind_it_is_ours_too(world: World) -> None:
    world_url = f"http://127.0.0.1:{world.port}/ocpp/CentralSystemService"
    answers = [await _at(world, url) for url in (world_url, world_url.upper().replace("HTTP", "http"))]

    assert [result(answer) for answer in answers] == 2 * [(200, "2026-01-01T12:00:00Z")]


async def _at(world: World, url: str) -> Answered:
    return await asyncio.to_thread(post, url, envelope("1.6", "CS-1", HEARTBEAT))


async def test_the_same_message_id_twice_at_once_is_asked_one_after_the_other(world: World) -> None:
    world.router.answers = False
    one = world.ask_soon("<cs:authorizeRequest><cs:idTag>A</cs:idTag></cs:authorizeRequest>", message_id="1")
    [first] = await world.router.hears()
    two = world.ask_soon(message_id="1")
    other = world.ask_soon(message_id="1", identity="CS-2")
    _, third = await world.router.hears(2)
    await asyncio.sleep(0.05)
    heard = len(world.router.heard)
    world.router.answer(first)
    second = (await world.router.hears(3))[2]
    world.router.answer(second)
    world.router.answer(third)

    answered = [(await task).body.tag.partition("}")[2] for task in (one, two, other)]

    assert heard == 2
    assert (third.identity, second.identity, second.action) == ("CS-2", "CS-1", "Heartbeat")
    assert answered == ["authorizeResponse", "heartbeatResponse", "heartbeatResponse"]


async def test_calls_of_one_station_go_out_at_once(world: World) -> None:
    world.router.answers = False
    tasks = [world.ask_soon(message_id=str(number)) for number in range(4)]
    calls = await world.router.hears(4)
    for call in reversed(calls):
        world.router.answer(call)

    assert [result(await task) for task in tasks] == 4 * [(200, "2026-01-01T12:00:00Z")]


async def test_an_answer_that_nobody_waits_for_changes_nothing(world: World) -> None:
    await world.ask(message_id="1")
    [call] = world.router.heard
    world.router.answer(call, session=Capsule(epoch=9))

    assert result(await world.ask(message_id="1")) == (200, "2026-01-01T12:00:00Z")

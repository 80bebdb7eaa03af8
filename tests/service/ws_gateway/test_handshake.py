"""The handshake: who is let in with what, and what the others are told."""

import asyncio
import base64
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.typing import Subprotocol

from csms_platform.envelope import ConnectRequest, Envelope, Kind, Refusal
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import ask, dial, frame, heartbeat, request, text
from tests.service.ws_gateway.world import World, connect_request, open_world


async def connected(world: World, path: str = "/ocpp/CS-1", *lines: str, **more: Any) -> tuple[Envelope, Any]:
    """What the router was asked, and the gateway's answer."""
    answer = await ask(world, request(path, *lines, **more))
    (asked,) = await world.router.hears(Kind.CONNECT)
    return asked, answer


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        ("ocpp1.6", "ocpp1.6"),
        ("ocpp2.0.1", "ocpp2.0.1"),
        ("ocpp2.1, ocpp2.0.1, ocpp1.6", "ocpp2.1"),
        ("ocpp1.6, ocpp2.1", "ocpp1.6"),
        ("ocpp1.5, soap, ocpp2.0.1", "ocpp2.0.1"),
    ],
)
async def test_exactly_the_stations_first_subprotocol_that_we_speak(world: World, offered: str, selected: str) -> None:
    _, answer = await connected(world, subprotocol=offered)

    assert (answer.status, answer.headers["sec-websocket-protocol"]) == (101, selected)


async def test_subprotocols_may_come_in_several_headers(world: World) -> None:
    asked, answer = await connected(world, "/ocpp/CS-1", "Sec-WebSocket-Protocol: ocpp1.6", subprotocol="x, ocpp2.1")

    assert connect_request(asked).offered == ("x", "ocpp2.1", "ocpp1.6")
    assert answer.headers["sec-websocket-protocol"] == "ocpp2.1"


@pytest.mark.parametrize(
    ("path", "identity", "account"),
    [
        ("RDAM%20123", "RDAM 123", ""),
        ("A%2FB", "A/B", ""),
        ("CS-1/acme", "CS-1", "acme"),
        ("CS-1/", "CS-1", ""),
        ("CS-1?token=x", "CS-1", ""),
        ("%C3%A9t%C3%A9", "été", ""),
    ],
)
async def test_the_path_tells_identity_and_account(world: World, path: str, identity: str, account: str) -> None:
    asked, answer = await connected(world, f"/ocpp/{path}")

    assert (asked.identity, asked.account, answer.status) == (identity, account, 101)


async def test_the_account_may_come_first() -> None:
    async with open_world(Settings(account_position="prefix")) as world:
        asked, _ = await connected(world, "/ocpp/acme/CS-1")

        assert (asked.identity, asked.account) == ("CS-1", "acme")


async def test_the_router_gets_everything_it_decides_on(world: World) -> None:
    credentials = base64.b64encode(b"CS-1:\x00\xff:pass").decode()

    asked, _ = await connected(world, "/ocpp/CS-1", f"Authorization: basic {credentials}")

    assert connect_request(asked) == ConnectRequest(
        peer="127.0.0.1",
        offered=("ocpp1.6",),
        subprotocol="ocpp1.6",
        user="CS-1",
        password=base64.b64encode(b"\x00\xff:pass").decode(),
        authorization=True,
    )


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (request("/ocpp/"), 404, "The path is not /ocpp/<identity> or /ocpp/<identity>/<account>."),
        (request("/ocpp/a/b/c"), 404, "The path is not /ocpp/<identity> or /ocpp/<identity>/<account>."),
        (request("/ocpp//acme"), 404, "The path holds no identity."),
        (request("/ocpp/CS%2"), 400, "The path is not percent-encoded UTF-8: bad escape at '%2'."),
        (request("/ocpp/CS%00"), 400, "The identity has unprintable characters or more than 255."),
        (b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n", 426, "missing Connection header"),
        (request(method="PUT"), 405, "PUT"),
        (request("/ocpp/CS-1", "Sec-WebSocket-Key: again"), 400, "Sec-WebSocket-Key"),
        (b"GET /ocpp/CS-1\r\n\r\n", 400, "invalid HTTP request line: GET /ocpp/CS-1"),
        (b"GET /ocpp/CS-1 HTTP/1.1\r\nno colon\r\n\r\n", 400, "no colon"),
        (request("/ocpp/" + "x" * 8000), 400, "The identity has unprintable characters or more than 255."),
        (request("/ocpp/" + "x" * 9000), 414, "bytes"),
        (request("/ocpp/CS-1", "X: " + "x" * 9000), 431, "bytes"),
        (request("/ocpp/CS-1", *["X: y"] * 200), 431, "headers"),
    ],
)
async def test_a_bad_request_is_refused_with_the_reason_in_body_and_log(
    world: World, sent: bytes, status: int, reason: str
) -> None:
    answer = await ask(world, sent)
    (line,) = await world.sees("refused")

    assert answer.status == line["status"] == status
    assert reason in answer.body
    assert line["reason"] in answer.body
    assert world.router.of(Kind.CONNECT) == []


@pytest.mark.parametrize(
    ("refusal", "header", "value"),
    [
        (Refusal(400, "No common subprotocol."), "connection", "close"),
        (Refusal(401, "Wrong password."), "www-authenticate", 'Basic realm="OCPP", charset="UTF-8"'),
        (Refusal(403, "Disabled."), "connection", "close"),
        (Refusal(404, "Not registered."), "connection", "close"),
        (Refusal(503, "Later.", retry_after=7), "retry-after", "7"),
    ],
)
async def test_the_routers_refusal_reaches_station_and_log(
    world: World, refusal: Refusal, header: str, value: str
) -> None:
    world.router.decide = lambda _: refusal

    answer = await ask(world, request())
    (line,) = await world.sees("refused")

    assert (answer.status, answer.body, answer.headers[header]) == (refusal.status, refusal.reason + "\n", value)
    assert (line["station"], line["status"], line["reason"]) == ("CS-1", refusal.status, refusal.reason)


async def test_without_a_common_subprotocol_the_handshake_may_be_completed_and_closed() -> None:
    """OCPP-J 1.6 §3.2, where `subprotocol_mismatch` asks for it."""
    async with open_world(Settings(subprotocol_mismatch="close")) as world:
        world.router.decide = lambda _: Refusal(400, "Kein gemeinsames Subprotokoll – nicht eines.")
        async with connect(world.url(), subprotocols=[Subprotocol("ocpp1.2")], proxy=None) as station:
            with pytest.raises(ConnectionClosed) as closed:
                await station.recv()

        assert station.subprotocol is None
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1002
        assert (await world.sees("refused"))[0]["status"] == 400


@pytest.mark.parametrize("offered", ["permessage-deflate", "permessage-deflate; client_max_window_bits"])
async def test_compression_is_agreed_when_offered(world: World, offered: str) -> None:
    """OCPP-J 2.0.1 §3.1.4: the CSMS SHALL support RFC 7692."""
    _, answer = await connected(world, "/ocpp/CS-1", f"Sec-WebSocket-Extensions: {offered}")

    assert answer.headers["sec-websocket-extensions"].startswith("permessage-deflate")


async def test_compression_may_be_switched_off() -> None:
    async with open_world(Settings(compression=False)) as world:
        _, answer = await connected(world, "/ocpp/CS-1", "Sec-WebSocket-Extensions: permessage-deflate")

        assert "sec-websocket-extensions" not in answer.headers


async def test_what_comes_right_behind_the_request_is_served_after_the_handshake(world: World) -> None:
    async with dial(world) as wire:
        await wire.send(request(), frame(Opcode.PING, b"early"), text(heartbeat("1")), text(heartbeat("2"))[:5])
        answer = await wire.http()
        pong, first = await wire.frame(), await wire.message()

        assert answer.status == 101
        assert pong == (Opcode.PONG, b"early")
        assert first == [3, "1", {"currentTime": "2026-01-01T12:00:00Z"}]


async def test_garbage_right_behind_the_request_waits_for_the_handshake_too(world: World) -> None:
    async with dial(world) as wire:
        await wire.send(request(), b"\xff" * 200)
        answer, code = await wire.http(), await wire.closed()

        assert (answer.status, code) == (101, 1002)


async def test_a_request_may_come_byte_by_byte(world: World) -> None:
    async with dial(world) as wire:
        for byte in request():
            await wire.send(bytes([byte]))
            await asyncio.sleep(0)

        assert (await wire.http()).status == 101


async def test_fifty_handshakes_at_once(world: World) -> None:
    async def one(number: int) -> Any:
        async with connect(world.url(f"CS-{number}"), subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as station:
            await station.send(f'[2,"{number}","Heartbeat",{{}}]')
            return await station.recv()

    answers = await asyncio.gather(*(one(number) for number in range(50)))

    assert answers == [f'[3,"{number}",{{"currentTime":"2026-01-01T12:00:00Z"}}]' for number in range(50)]

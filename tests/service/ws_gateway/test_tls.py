"""TLS on the station's port: security profiles 2 and 3."""

import ssl
import warnings
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage
from websockets.typing import Subprotocol

from csms_platform.envelope import Kind
from csms_platform.tls import tls_context
from tests.service.ws_gateway.wire import dial, heartbeat, text
from tests.service.ws_gateway.world import World, connect_request, open_world

TLS = Path(__file__).parents[2] / "support" / "tls"


def server(client_ca: bool = False) -> ssl.SSLContext:
    context = tls_context(str(TLS / "server.pem"), "", str(TLS / "ca.pem") if client_ca else "")
    assert context is not None
    return context


def station(certificate: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(TLS / "ca.pem"))
    if certificate:
        context.load_cert_chain(TLS / f"{certificate}.pem")
    return context


async def told(world: World, tls: ssl.SSLContext) -> tuple[bool, str]:
    """What the router is told about a connection's TLS, and that the connection serves."""
    async with connect(world.url(), ssl=tls, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as wss:
        await wss.send('[2,"1","Heartbeat",{}]')
        assert await wss.recv() == '[3,"1",{"currentTime":"2026-01-01T12:00:00Z"}]'
    (asked,) = await world.router.hears(Kind.CONNECT)
    request = connect_request(asked)
    return request.tls, request.subject


async def test_wss_serves_and_the_router_knows() -> None:
    async with open_world(tls=server()) as world:
        assert await told(world, station()) == (True, "")


async def test_the_common_name_of_a_client_certificate_reaches_the_router() -> None:
    async with open_world(tls=server(client_ca=True)) as world:
        assert await told(world, station("station")) == (True, "CS-1")


async def test_a_station_without_a_certificate_may_connect_where_one_is_asked_for() -> None:
    """Stations of profile 2 have none; who needs one is the router's decision."""
    async with open_world(tls=server(client_ca=True)) as world:
        assert await told(world, station()) == (True, "")


async def test_a_foreign_certificate_is_refused() -> None:
    async with open_world(tls=server(client_ca=True)) as world:
        with pytest.raises((ssl.SSLError, ConnectionError, InvalidMessage)):
            await told(world, station("stranger"))

        assert world.router.of(Kind.CONNECT) == []


async def test_tls_1_1_is_refused() -> None:
    """OCPP 2.0.1 part 2 §A00.FR.314."""
    old = station()
    old.set_ciphers("ALL@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1_1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with open_world(tls=server()) as world:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await told(world, old)

        assert world.router.of(Kind.CONNECT) == []


async def test_plain_text_on_the_tls_port_gets_no_answer() -> None:
    async with open_world(tls=server()) as world, dial(world) as wire:
        await wire.send(b"GET /ocpp/CS-1 HTTP/1.1\r\n\r\n")

        assert b"HTTP" not in await wire.ended()


async def test_messages_behind_the_request_and_a_close_work_over_tls_too() -> None:
    async with open_world(tls=server()) as world:
        context = station()
        context.check_hostname = False
        async with dial(world, context) as wire:
            await wire.upgraded()
            await wire.send(text(heartbeat("1")), b"\x88\x82\x00\x00\x00\x00\x03\xe8")

            assert await wire.closed() == 1000
            assert await wire.ended() == b""
            assert await world.router.hears(Kind.DISCONNECT)


async def test_a_refusal_arrives_whole_over_tls() -> None:
    async with open_world(tls=server()) as world:
        context = station()
        context.check_hostname = False
        async with dial(world, context) as wire:
            await wire.send(b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n")

            assert (await wire.http()).status == 426
            assert await wire.ended() == b""


def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing\.pem.*No such file or directory\.$"):
        tls_context(str(tmp_path / "nothing.pem"), "", "")

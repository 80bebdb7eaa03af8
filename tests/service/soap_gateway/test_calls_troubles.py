"""What networks and stations do instead of answering, and how sure we are afterwards that nothing was heard."""

import asyncio
import gzip
import random
import socket
import ssl
import zlib
from pathlib import Path
from time import monotonic, time
from typing import Any

import pytest
from aiohttp import web

from csms_platform.settings import SettingsError
from csms_soap_gateway.calls import Calls
from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.commanding import (
    Names,
    gives,
    keep_alive,
    open_desk,
    outcome,
    packed,
    point,
    raw_point,
    response,
    says,
)
from tests.support.ports import free_port
from tests.support.soap import Command

TLS = Path(__file__).parents[2] / "support" / "tls"
CLOSED = ("Timeout", "Timeout", "The connection closed before the station answered.")


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def raw_response(head: bytes) -> Any:
    """A good answer under this HTTP head, by hand; then the connection closes."""

    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        body = response(Command.read(request))
        writer.write(head.replace(b"LENGTH", b"%d" % len(body)) + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    return talk


def raw(answer: bytes) -> Any:
    """These bytes; then the connection closes."""

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return talk


# --- answers that are good enough -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        packed(),
        packed(encoding="x-gzip"),
        packed(zlib.compress, "deflate"),
        packed(raw_deflate, "deflate"),
        packed(bytes, "identity"),
    ],
    ids=["gzip", "x-gzip", "deflate", "raw deflate", "identity"],
)
async def test_a_packed_answer_is_unpacked(answer: Any) -> None:
    async with point(answer) as station, open_desk() as desk:
        assert (await desk.ask(station.url)).outcome == "result"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\nConnection: close",
        b"HTTP/1.0 200 OK\r\nContent-Type: application/soap+xml",
        b"HTTP/1.0 200 OK\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 \r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\ncontent-type:\r\ncontent-length:LENGTH",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: LENGTH",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: LENGTH",
    ],
)
async def test_an_old_server_is_understood(head: bytes) -> None:
    async with raw_point(raw_response(head)) as station, open_desk() as desk:
        for number in range(2):
            assert (await desk.ask(station.url, unique_id=str(number))).outcome == "result"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
async def test_a_careless_server_is_understood(line_end: bytes) -> None:
    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        body = response(Command.read(request))
        lines = (b"HTTP/1.1 200 OK", b"Connection: close", b"Content-Length: %d" % len(body), b"", body, b"")
        writer.write(line_end.join(lines))
        writer.close()

    async with raw_point(talk) as station, open_desk() as desk:
        assert (await desk.ask(station.url)).outcome == "result"


async def test_an_answer_in_pieces_is_read_whole() -> None:
    async def slowly(request: web.Request, command: Command) -> web.StreamResponse:
        stream = web.StreamResponse()
        stream.enable_chunked_encoding()
        await stream.prepare(request)
        text = response(command)
        for start in range(0, len(text), 50):
            await stream.write(text[start : start + 50])
            await asyncio.sleep(0.001)
        return stream

    async with point(slowly) as station, open_desk() as desk:
        assert (await desk.ask(station.url)).outcome == "result"


# --- answers that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "description"),
    [
        (
            gives(b"Who are you?", 401, WWW_Authenticate="Basic"),
            "GenericError",
            "HTTP 401 Unauthorized without a readable answer: The body is not well-formed XML: syntax error."
            " It begins: Who are you?",
        ),
        (
            gives(b"<html><body>Not here</body></html>", 404),
            "GenericError",
            "HTTP 404 Not Found without a readable answer: html is not a SOAP envelope."
            " It begins: <html><body>Not here</body></html>",
        ),
        (
            gives(b"", 202),
            "FormationViolation",
            "HTTP 202 Accepted without a readable answer: The body is not well-formed XML: no element found.",
        ),
        (
            gives(b"\0\1\2", 200),
            "FormationViolation",
            "HTTP 200 OK without a readable answer: The body is not well-formed XML: not well-formed (invalid token).",
        ),
        (
            packed(lambda text: gzip.compress(text)[:-9]),
            "FormationViolation",
            "The body is not whole gzip data.",
        ),
        (packed(bytes, "br"), "FormationViolation", "The body is not whole br data."),
        (
            packed(lambda text: gzip.compress(gzip.compress(text)), "gzip, gzip"),
            "FormationViolation",
            "The body is not whole gzip, gzip data.",
        ),
        (
            gives(b"<a>" + 100_000 * b"x" + b"</a>", 200),
            "FormationViolation",
            "The answer has more than 10000 bytes.",
        ),
        (
            packed(lambda text: gzip.compress(10_000_000 * b" " + text)),
            "FormationViolation",
            "The body has more than 10000 bytes.",
        ),
    ],
    ids=["401", "404", "empty", "binary", "cut gzip", "brotli", "packed twice", "huge", "huge when unpacked"],
)
async def test_what_cannot_be_read_is_an_error(answer: Any, code: str, description: str) -> None:
    async with point(answer) as station, open_desk(max_message_size=10_000) as desk:
        assert outcome(await desk.ask(station.url)) == ("error", code, description)


async def test_what_is_huge_is_not_read_to_its_end() -> None:
    written = 0

    async def endless(request: web.Request, _: Command) -> web.StreamResponse:
        nonlocal written
        stream = web.StreamResponse()
        await stream.prepare(request)
        while True:
            await stream.write(65536 * b"x")
            written += 65536

    async with point(endless) as station, open_desk(max_message_size=10_000) as desk:
        ended = await desk.ask(station.url)

        assert outcome(ended) == ("error", "FormationViolation", "The answer has more than 10000 bytes.")
        assert written < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "answer",
    [
        b"Hello, who is there?\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + 20_000 * b"x" + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_an_error(answer: bytes) -> None:
    async with raw_point(raw(answer)) as station, open_desk() as desk:
        ended = await desk.ask(station.url)

        assert (ended.outcome, ended.error_code) == ("error", "FormationViolation")
        assert ended.error_description.startswith("The answer is not HTTP: ")
        assert ended.error_description.isprintable()


async def test_whatever_comes_back_a_command_ends() -> None:
    chance = random.Random(7)

    async def damaged(request: bytes, writer: asyncio.StreamWriter) -> None:
        body = response(Command.read(request))
        answer = bytearray(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for _ in range(chance.randint(1, 8)):
            answer[chance.randrange(len(answer))] = chance.choice(b"\0\r\n <>&:;0129azAZ\xff")
        writer.write(answer)
        writer.close()

    async with raw_point(damaged) as station, open_desk(command_timeout=2) as desk:
        for number in range(300):
            desk.send(station.url, identity=f"CS-{number}")
        ended = await desk.ends(300)

        assert {each.outcome for each in ended} <= {"result", "error", "Timeout"}
        assert len(station.heard) == 300


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with point() as other, open_desk() as desk, point(gives(b"", status, Location=other.url)) as station:
        ended = await desk.ask(station.url)

        assert (ended.outcome, ended.error_code) == ("error", "GenericError")
        assert ended.error_description.endswith(": redirects are not followed.")
        assert other.requests == []


async def test_cookies_are_not_kept() -> None:
    async with point(gives(b"", 200, Set_Cookie="a=b")) as station, open_desk() as desk:
        for number in range(2):
            await desk.ask(station.url, unique_id=str(number))

        assert "Cookie" not in station.requests[1]


# --- it was sent, and nobody knows more -------------------------------------------------------------------------------


async def test_a_silent_station_is_a_timeout() -> None:
    silent = asyncio.Event()

    async def wait(_: bytes, __: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with raw_point(wait) as station, open_desk(command_timeout=0.3) as desk:
        began = monotonic()
        ended = await desk.ask(station.url)

        assert outcome(ended) == ("Timeout", "Timeout", "The station did not answer within 0.3 s.")
        assert 0.3 <= monotonic() - began < 1.5
        assert len(station.heard) == 1


async def test_an_answer_that_never_ends_is_a_timeout() -> None:
    async def trickle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async with raw_point(trickle) as station, open_desk(command_timeout=0.3) as desk:
        assert (await desk.ask(station.url)).outcome == "Timeout"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<a",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_breaks_before_the_answer_is_a_timeout(beginning: bytes, reset: bool) -> None:
    async def leave(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await writer.drain()
        await asyncio.sleep(0.02)
        if reset:
            writer.transport.abort()
        else:
            writer.close()

    async with raw_point(leave) as station, open_desk() as desk:
        assert outcome(await desk.ask(station.url)) == CLOSED
        assert len(station.heard) == 1


async def test_a_kept_connection_that_closes_on_a_command_is_a_timeout_and_nothing_is_repeated() -> None:
    async def answer_once(request: bytes, writer: asyncio.StreamWriter) -> None:
        if len(station.heard) == 1:
            await keep_alive(request, writer)
        else:
            writer.close()

    async with raw_point(answer_once) as station, open_desk() as desk:
        first = await desk.ask(station.url, unique_id="1")
        second = await desk.ask(station.url, unique_id="2")
        await asyncio.sleep(0.05)

        assert first.outcome == "result"
        assert outcome(second) == CLOSED
        assert (station.connections, len(station.heard)) == (1, 2)


async def test_a_station_that_has_timed_out_is_asked_again() -> None:
    async def answer_later(request: bytes, writer: asyncio.StreamWriter) -> None:
        if len(station.heard) > 1:
            await raw_response(b"HTTP/1.1 200 OK\r\nContent-Length: LENGTH")(request, writer)

    async with raw_point(answer_later) as station, open_desk(command_timeout=0.2) as desk:
        first = await desk.ask(station.url, unique_id="1")
        second = await desk.ask(station.url, unique_id="2")

        assert (first.outcome, second.outcome, station.connections) == ("Timeout", "result", 2)


# --- it was certainly not sent ----------------------------------------------------------------------------------------


async def test_where_nobody_listens_nobody_is_connected() -> None:
    port = free_port()
    async with open_desk() as desk:
        ended = await desk.ask(f"http://127.0.0.1:{port}/")

        why = f"No connection to 127.0.0.1:{port}: Connection refused."
        assert outcome(ended) == ("NotConnected", "NotConnected", why)


async def test_a_name_that_nobody_knows_is_not_connected() -> None:
    async with open_desk(resolver=Names()) as desk:
        ended = await desk.ask("http://gone.example/")

        assert outcome(ended) == ("NotConnected", "NotConnected", "The name gone.example cannot be resolved.")


@pytest.mark.parametrize(
    "host", [70 * "a" + ".example", "a..example", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1."]
)
async def test_a_name_that_cannot_be_one_is_not_connected(host: str) -> None:
    async with open_desk() as desk:
        ended = await desk.ask(f"http://{host}:1/")

        assert ended.outcome == "NotConnected"


async def test_a_station_that_cannot_be_reached_in_time_is_not_connected() -> None:
    async with open_desk(resolver=Names(slow_example=[[]]), connect_timeout=0.2) as desk:
        ended = await desk.ask("http://slow.example/")

        assert outcome(ended) == ("NotConnected", "NotConnected", "The station could not be reached within 0.2 s.")


async def test_a_deadline_that_passes_on_the_way_is_expired() -> None:
    async with open_desk(resolver=Names(slow_example=[[]])) as desk:
        ended = await desk.ask("http://slow.example/", deadline=int(time() * 1000) + 200)

        assert outcome(ended) == ("Expired", "Expired", "Its deadline passed before it could be sent.")


async def test_a_deadline_does_not_shorten_the_wait_for_the_answer() -> None:
    async def slowly(request: web.Request, command: Command) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        return await says()(request, command)

    async with point(slowly) as station, open_desk() as desk:
        assert (await desk.ask(station.url, deadline=int(time() * 1000) + 200)).outcome == "result"


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "10.255.255.1", "[fd00::1]"]
)
async def test_private_addresses_are_not_called_without_permission(address: str) -> None:
    async with point() as station, open_desk(private_networks=False) as desk:
        ended = await desk.ask(station.url.replace("127.0.0.1", address))

        assert ended.outcome == "NotConnected"
        assert "is in a private network: such addresses are not called." in ended.error_description
        assert station.requests == []


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "0.0.0.0", "[::]", "[fe80::1]", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "224.0.0.1"],
)
async def test_some_addresses_are_never_called(address: str) -> None:
    async with open_desk() as desk:
        ended = await desk.ask(f"http://{address}/latest/meta-data/")

        assert ended.outcome == "NotConnected"
        assert ended.error_description.endswith("is an address that stations cannot have.")


async def test_a_number_that_is_the_beginning_of_a_name_is_not_called() -> None:
    async with open_desk() as desk:
        ended = await desk.ask("http://[2001:db8::1%25.station.example]/")

        assert ended.outcome == "NotConnected"
        assert ended.error_description.endswith("station.example is not an IP address.")


@pytest.mark.parametrize("spelling", ["0x7f000001", "0x7f.0.0.1", "127.0.0.1.", "2130706433", "127.1", "017700000001"])
async def test_a_strange_spelling_changes_nothing(spelling: str) -> None:
    async with point() as station, open_desk(private_networks=False) as desk:
        ended = await desk.ask(station.url.replace("127.0.0.1", spelling))

        assert ended.outcome == "NotConnected"
        assert station.requests == []


async def test_a_name_is_worth_what_is_behind_it() -> None:
    names = Names(inside_example=[["169.254.169.254"]], both_example=[["169.254.169.254", "127.0.0.1"]])
    async with point() as station, open_desk(resolver=names) as desk:
        inside = await desk.ask(station.url.replace("127.0.0.1", "inside.example"), unique_id="1")
        both = await desk.ask(station.url.replace("127.0.0.1", "both.example"), unique_id="2")

        assert outcome(inside)[2].endswith("169.254.169.254 is an address that stations cannot have.")
        assert (inside.outcome, both.outcome) == ("NotConnected", "result")


async def test_a_name_that_changes_its_address_is_judged_each_time() -> None:
    names = Names(rebinding_example=[["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]])

    async def close(_: web.Request, command: Command) -> web.StreamResponse:
        return web.Response(body=response(command), headers={"Connection": "close"})

    async with point(close) as station, open_desk(resolver=names) as desk:
        url = station.url.replace("127.0.0.1", "rebinding.example")
        ended = [await desk.ask(url, unique_id=str(number)) for number in range(3)]

        assert [each.outcome for each in ended] == ["result", "NotConnected", "result"]
        assert names.asked == 3 * ["rebinding.example"]


# --- TLS --------------------------------------------------------------------------------------------------------------


def certificate(name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / name)
    return context


async def test_a_station_with_a_certificate_of_our_authority_is_called() -> None:
    async with (
        point(tls=certificate("server.pem")) as station,
        open_desk(station_ca=str(TLS / "ca.pem")) as desk,
    ):
        for number in range(2):
            ended = await desk.ask(station.url.replace("127.0.0.1", "localhost"), unique_id=str(number))
            assert ended.outcome == "result"

        assert len(station.peers) == 1


@pytest.mark.parametrize(
    ("name", "authority", "host", "why"),
    [
        ("server.pem", "", "localhost", "unable to get local issuer certificate"),
        ("stranger.pem", "ca.pem", "localhost", "self-signed certificate"),
        ("server.pem", "ca.pem", "127.0.0.1", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("station.pem", "ca.pem", "localhost", "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
async def test_another_certificate_is_not_trusted(name: str, authority: str, host: str, why: str) -> None:
    async with (
        point(tls=certificate(name)) as station,
        open_desk(station_ca=authority and str(TLS / authority)) as desk,
    ):
        ended = await desk.ask(station.url.replace("127.0.0.1", host))

        assert outcome(ended) == ("NotConnected", "NotConnected", f"The certificate of {host} is not trusted: {why}.")
        assert station.requests == []


async def test_a_station_without_tls_at_an_https_address_is_not_connected() -> None:
    async with point() as station, open_desk() as desk:
        ended = await desk.ask(station.url.replace("http:", "https:"))

        assert ended.outcome == "NotConnected"
        assert ended.error_description.endswith(": TLS failed (WRONG_VERSION_NUMBER).")


async def test_a_station_that_accepts_and_says_nothing_in_tls_is_not_connected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with open_desk(connect_timeout=0.2) as desk:
            ended = await desk.ask(f"https://127.0.0.1:{silent.getsockname()[1]}/")

            assert outcome(ended) == ("NotConnected", "NotConnected", "The station could not be reached within 0.2 s.")


@pytest.mark.parametrize(("content", "why"), [(None, "cannot read"), ("no certificate", "cannot be used")])
async def test_authorities_that_cannot_be_used_are_told_at_once(tmp_path: Path, content: str | None, why: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    async with open_desk() as desk:
        with pytest.raises(SettingsError, match=f"soap_gateway.station_ca: .*{why}|{why}") as raised:
            Calls(desk.bus, Settings(station_ca=str(file)), private_networks=True, gateway="g1")

    assert str(raised.value).startswith("soap_gateway.station_ca: ")

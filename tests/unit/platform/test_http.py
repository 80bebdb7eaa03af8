"""The one port: the first request line decides who serves a connection, however it comes in."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from csms_platform.http import Front

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Mounted(asyncio.Protocol):
    """What is mounted: answers with the bytes it got."""

    transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"mounted:" + data)


async def _true() -> bool:
    return True


async def _false() -> bool:
    return False


async def _never() -> bool:
    await asyncio.Event().wait()
    return True


@asynccontextmanager
async def front(patience: float = 10.0, **checks: Callable[[], Awaitable[bool]]) -> AsyncIterator[int]:
    """A listening front with `/ocpp/` mounted."""
    made = Front(checks or {"bus": _true}, patience)
    made.mount("/ocpp/", Mounted)
    async with made.listen("127.0.0.1", 0) as port:
        yield port


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(port: int, *pieces: bytes) -> bytes:
    """The first bytes of the answer to `pieces`, sent one after the other."""
    async with dialled(port) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        async with asyncio.timeout(5):
            return await reader.read(100_000)


@pytest.mark.parametrize(
    "line",
    [b"GET /ocpp/CS-1 HTTP/1.1\r\n", b"PUT /ocpp/CS-1 HTTP/1.1\r\n", b"GET /ocpp/ HTTP/1.1\r\n", b"GET /ocpp/\n"],
)
async def test_what_is_under_a_mounted_prefix_goes_there(line: bytes) -> None:
    async with front() as port:
        assert await said(port, line) == b"mounted:" + line


@pytest.mark.parametrize(
    "line",
    [
        b"GET /ocpp HTTP/1.1",
        b"GET /Ocpp/CS-1 HTTP/1.1",
        b"GET /x/ocpp/CS-1 HTTP/1.1",
        b"GET /?/ocpp/ HTTP/1.1",
        b"POST /ocpp/CS-1 HTTP/1.1",
    ],
)
async def test_everything_else_is_http(line: bytes) -> None:
    async with front() as port:
        assert (await said(port, line + b"\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 404 ")


async def test_the_request_line_may_come_in_pieces() -> None:
    async with front() as port:
        assert await said(port, b"GE", b"T /oc", b"pp/CS-1 HTTP/1.1", b"\r\n") == (
            b"mounted:GET /ocpp/CS-1 HTTP/1.1\r\n"
        )
        assert (await said(port, HEALTH[:3], HEALTH[3:20], HEALTH[20:])).startswith(b"HTTP/1.1 200 ")


async def test_bytes_behind_the_line_are_handed_over_too() -> None:
    async with front() as port:
        assert await said(port, b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n\x81\x00") == (
            b"mounted:GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n\x81\x00"
        )


async def test_an_over_long_line_is_handed_over_unfinished() -> None:
    async with front() as port:
        line = b"GET /ocpp/" + b"x" * 8192

        assert (await said(port, line))[:18] == b"mounted:GET /ocpp/"


async def test_a_line_that_does_not_come_ends_the_connection() -> None:
    async with front(patience=0.05) as port, dialled(port) as (reader, writer):
        writer.write(b"GET /ocpp/CS")

        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_connection_that_says_nothing_at_all_ends_too() -> None:
    async with front(patience=0.05) as port, dialled(port) as (reader, _):
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_pipelined_requests_are_answered_in_order_and_stay_http() -> None:
    async with front() as port, dialled(port) as (reader, writer):
        writer.write(
            HEALTH
            + b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n"
            + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        async with asyncio.timeout(5):
            answer = await reader.read()

        assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]


async def test_a_port_without_mounts_is_http_only() -> None:
    async with Front({}).listen("127.0.0.1", 0) as port:
        assert (await said(port, b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 404 ")


async def test_readiness_is_every_check() -> None:
    ready = HEALTH.replace(b"healthz", b"readyz")
    async with front(bus=_true, state=_true) as port:
        good = await said(port, ready)
    async with front(bus=_true, state=_false) as port:
        bad = await said(port, ready)

    assert (good[:13], good.partition(b"\r\n\r\n")[2]) == (b"HTTP/1.1 200 ", b'{"bus":true,"state":true}')
    assert (bad[:13], bad.partition(b"\r\n\r\n")[2]) == (b"HTTP/1.1 503 ", b'{"bus":true,"state":false}')


async def test_a_check_that_hangs_is_not_ready() -> None:
    async with front(bus=_never) as port:
        assert (await said(port, HEALTH.replace(b"healthz", b"readyz")))[:13] == b"HTTP/1.1 503 "


async def test_metrics_are_scraped_as_text() -> None:
    async with front() as port:
        answer = await said(port, HEALTH.replace(b"healthz", b"metrics"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\ncontent-type: text/plain; version=" in answer

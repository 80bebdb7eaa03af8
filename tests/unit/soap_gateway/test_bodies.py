"""Bodies as HTTP brings them: wrappings, sizes, media types."""

import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_soap_gateway.bodies import Head, charset_of, read_body, read_head, unwrap
from csms_soap_gateway.faults import Refused

XML = b"<a>" + 1000 * b"x" + b"</a>"
MOST = 4096


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def arriving(*pieces: bytes, last: str = "http.request") -> Callable[[], Awaitable[Any]]:
    """ASGI's `receive` for a body in these pieces."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1] = {"type": last, "body": pieces[-1], "more_body": False}
    left = iter(messages)

    async def receive() -> Any:
        return next(left)

    return receive


def told(outcome: bytes | Refused) -> tuple[str, int]:
    assert isinstance(outcome, Refused)
    return outcome.why, outcome.http_status


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(XML, mtime=0)), ("deflate", zlib.compress(XML)), ("deflate", raw_deflate(XML))],
)
def test_a_packed_body_is_unpacked(encoding: str, body: bytes) -> None:
    assert unwrap(body, encoding, MOST) == XML
    assert unwrap(body + b"\0\0", encoding, MOST) == XML


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b""),
        ("gzip", XML),
        ("gzip", gzip.compress(XML, mtime=0)[:-1]),
        ("gzip", gzip.compress(XML, mtime=0) + gzip.compress(XML, mtime=0)),
        ("gzip", zlib.compress(XML)),
        ("deflate", b""),
        ("deflate", zlib.compress(XML)[:-3]),
        ("deflate", zlib.compress(XML) + b"rest"),
    ],
)
def test_a_body_that_is_not_whole_is_refused(encoding: str, body: bytes) -> None:
    assert told(unwrap(body, encoding, MOST)) == ("broken", 400)


def test_a_bomb_is_refused_without_going_off() -> None:
    bomb = gzip.compress(64 * 1024 * 1024 * b"0")

    tracemalloc.start()
    outcome = unwrap(bomb, "gzip", 1024 * 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told(outcome) == ("too-large", 413)
    assert peak < 4 * 1024 * 1024


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_unpacked_or_refused(body: bytes, encoding: str) -> None:
    outcome = unwrap(body, encoding, MOST)

    assert isinstance(outcome, bytes) or outcome.http_status in (400, 413)


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("", ""),
        ("text/xml", ""),
        ("application/xml", ""),
        ('application/soap+xml; charset=utf-8; action="/Heartbeat"', "utf-8"),
        ('Application/SOAP+XML;action="/x";Charset="UTF-16"', "UTF-16"),
        ("text/xml ; charset = iso-8859-1", "iso-8859-1"),
        ("application/json", None),
        ("text/plain; charset=utf-8", None),
        ("multipart/related; type=text/xml", None),
    ],
)
def test_which_media_types_are_taken_and_their_charset(content_type: str, charset: str | None) -> None:
    assert charset_of(content_type) == charset


def test_what_a_head_tells() -> None:
    headers = [
        (b"content-type", b"text/xml"),
        (b"content-encoding", b"Identity, "),
        (b"content-encoding", b"GZip"),
        (b"content-length", b"17"),
        (b"authorization", b"Basic a"),
        (b"authorization", b"Basic b"),
        (b"soapaction", b"/Reset"),
    ]

    assert read_head(headers) == Head("text/xml", ["gzip"], 17, ["Basic a", "Basic b"])
    assert read_head([]) == Head("", [], 0, [])
    assert read_head([(b"content-length", b"-3")]).length == 0


async def test_a_body_in_pieces_is_put_together() -> None:
    packed = gzip.compress(XML, mtime=0)

    assert await read_body(Head(), arriving(XML[:5], b"", XML[5:]), MOST, 1) == XML
    assert await read_body(Head(encodings=["x-gzip"]), arriving(packed[:9], packed[9:]), MOST, 1) == XML


async def test_a_body_may_be_as_large_as_is_allowed_and_not_larger() -> None:
    packed = gzip.compress(XML, mtime=0)
    exact = len(XML)

    assert await read_body(Head(), arriving(XML), exact, 1) == XML
    assert told(await read_body(Head(), arriving(XML), exact - 1, 1)) == ("too-large", 413)
    assert told(await read_body(Head(), arriving(XML[:600], XML[600:]), exact - 1, 1)) == ("too-large", 413)
    assert told(await read_body(Head(length=exact), arriving(b""), exact - 1, 1)) == ("too-large", 413)
    assert await read_body(Head(encodings=["gzip"]), arriving(packed), exact, 1) == XML
    assert told(await read_body(Head(encodings=["gzip"]), arriving(packed), exact - 1, 1)) == ("too-large", 413)


@pytest.mark.parametrize("encodings", [["br"], ["gzip", "gzip"], ["gzip", "deflate"], ["zstd"]])
async def test_encodings_that_are_not_spoken_are_refused_with_those_that_are(encodings: list[str]) -> None:
    outcome = await read_body(Head(encodings=encodings), arriving(XML), MOST, 1)

    assert told(outcome) == ("encoding", 415)
    assert isinstance(outcome, Refused)
    assert outcome.headers == ((b"accept-encoding", b"gzip, deflate"),)


async def test_other_media_types_are_refused() -> None:
    outcome = await read_body(Head(content_type="application/json"), arriving(XML), MOST, 1)

    assert told(outcome) == ("media-type", 415)


async def test_a_body_whose_sender_hangs_up_is_not_taken_for_whole() -> None:
    assert told(await read_body(Head(), arriving(XML, b"", last="http.disconnect"), MOST, 1)) == ("gone", 400)

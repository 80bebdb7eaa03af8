"""The body of a POST, from HTTP's wrappings to the bytes of an envelope; never more of it in memory than is allowed."""

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec

from csms_soap_gateway.faults import Refused, bad_body

Receive = Callable[[], Awaitable[Any]]

_XML = frozenset({"application/soap+xml", "text/xml", "application/xml", ""})
_ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)
_GZIP, _ZLIB, _RAW = 31, 15, -15


class Head(msgspec.Struct):
    """What of a request's headers matters here. `authorization` holds every header of that name."""

    content_type: str = ""
    encodings: list[str] = []
    length: int = 0
    authorization: list[str] = []


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """The head of a request, from ASGI's headers. Never fails."""
    head = Head()
    for name, value in headers:
        if name == b"content-type":
            head.content_type = value.decode("latin-1")
        elif name == b"content-encoding":
            tokens = value.decode("latin-1").lower().split(",")
            head.encodings += [token for word in tokens if (token := word.strip()) not in ("", "identity")]
        elif name == b"content-length":
            head.length = int(value) if value.isdigit() else 0
        elif name == b"authorization":
            head.authorization.append(value.decode("latin-1"))
    return head


@lru_cache(maxsize=256)
def charset_of(content_type: str) -> str | None:
    """The charset parameter of a media type that a SOAP request may have, "" without one; None: it may not have it."""
    if content_type.partition(";")[0].strip().lower() not in _XML:
        return None
    found = _CHARSET.search(content_type)
    return found[1] if found else ""


async def read_body(head: Head, receive: Receive, most: int, seconds: float) -> bytes | Refused:
    """The body, unwrapped and at most `most` bytes of it, or why not; it may take `seconds` to arrive."""
    if charset_of(head.content_type) is None:
        return bad_body("media-type", 415, "The content type is none of XML's: application/soap+xml is expected.")
    if len(head.encodings) > 1 or any(name not in _ENCODINGS for name in head.encodings):
        return bad_body("encoding", 415, "The content encoding is not gzip or deflate.")
    if head.length > most:
        return _too_large(most)
    try:
        async with asyncio.timeout(seconds):
            body = await _collect(receive, most)
    except TimeoutError:
        return bad_body("slow", 408, "The body took too long to arrive.")
    if isinstance(body, Refused) or not head.encodings:
        return body
    return unwrap(body, _ENCODINGS[head.encodings[0]], most)


async def _collect(receive: Receive, most: int) -> bytes | Refused:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bad_body("gone", 400, "The body did not arrive whole.")
        body += message.get("body", b"")
        if len(body) > most:
            return _too_large(most)
        more = message.get("more_body", False)
    return bytes(body)


def unwrap(body: bytes, encoding: str, most: int) -> bytes | Refused:
    """`body` without its content encoding, "gzip" or "deflate"; never inflates more than `most` bytes."""
    forms = (_GZIP,) if encoding == "gzip" else (_ZLIB, _RAW)
    # RFC 9110 §8.4.1.2: "Some non-conformant implementations send the "deflate" compressed data without the zlib
    # wrapper."
    for form in forms:
        inflated = _inflate(body, form, most)
        if inflated is not None:
            return inflated if len(inflated) <= most else _too_large(most)
    return bad_body("broken", 400, f"The body is not whole {encoding} data.")


def _inflate(body: bytes, form: int, most: int) -> bytes | None:
    """At most one byte more than `most`; None when it is broken, or something follows."""
    inflater = zlib.decompressobj(form)
    try:
        inflated = inflater.decompress(body, most + 1)
    except zlib.error:
        return None
    if len(inflated) > most:
        return inflated
    return inflated if inflater.eof and not inflater.unused_data.strip(b"\0") else None


def _too_large(most: int) -> Refused:
    return bad_body("too-large", 413, f"The body has more than {most} bytes.")

"""The HTTP client's border: TLS, proxies, replies of bounded size, and its exceptions as sentences."""

import asyncio
import io
import os
import ssl
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.request import getproxies, proxy_bypass

import aiohttp
from multidict import istr
from yarl import URL

from csms_webhook_relay.settings import Settings

_LARGE = 1024 * 1024  # aiohttp writes larger bytes in one go, and warns of it; files it writes in pieces


class PlainRequest(aiohttp.ClientRequest):
    """Without the client's own headers; leaving them out by `skip_auto_headers` would be work for each request."""

    DEFAULT_HEADERS: dict[istr, str] = {}  # noqa: RUF012


class Proxy(NamedTuple):
    """Where to go through, and how to show that we may."""

    url: URL | None = None
    headers: Mapping[str, str] = MappingProxyType({})


def proxy_for(url: str) -> Proxy:
    """The proxy of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`) for `url`; none, mostly.

    Asked once for each endpoint: the client's own `trust_env` asks for every request, in a thread. Raises `ValueError`
    for one that is not HTTP.
    """
    target = URL(url)
    found = getproxies().get(target.scheme)
    if not found or proxy_bypass(f"{target.host}:{target.port}"):
        return Proxy()
    proxy = URL(found if "://" in found else f"http://{found}")
    if proxy.scheme not in ("http", "https"):
        raise ValueError(f"webhook: the environment's proxy is {proxy.scheme}://…, and only HTTP proxies can be used")
    if proxy.user is None:
        return Proxy(proxy)
    shown = aiohttp.encode_basic_auth(proxy.user, proxy.password or "")
    return Proxy(proxy.with_user(None), {"Proxy-Authorization": shown})


def tls_context(settings: Settings) -> ssl.SSLContext:
    """What endpoints must show, and what we show them. Raises `ValueError`, with a sentence."""
    for name in ("ca_file", "client_certificate", "client_key"):
        file = getattr(settings, name)
        if file and not os.access(file, os.R_OK):
            raise ValueError(f"webhook.{name}: cannot read {file}")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.client_certificate:
            context.load_cert_chain(settings.client_certificate, settings.client_key or None)
    except ssl.SSLError as error:
        file = settings.client_certificate or settings.ca_file
        raise ValueError(f"webhook: {file} cannot be used: {error.reason or error}") from None
    if not settings.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connector(settings: Settings) -> aiohttp.TCPConnector:
    """The pool of connections to one endpoint."""
    return aiohttp.TCPConnector(limit=settings.concurrency, ssl=tls_context(settings))


def postable(body: bytes) -> bytes | io.BytesIO:
    """`body` as the client likes it."""
    return body if len(body) < _LARGE else io.BytesIO(body)


def read_at_most(response: aiohttp.ClientResponse, most: int) -> Awaitable[bytes | None]:
    """The body, inflated where it is compressed; None, and the connection is closed, when it is larger than `most`."""
    declared = response.content_length
    if declared is not None and declared <= most and aiohttp.hdrs.CONTENT_ENCODING not in response.headers:
        return response.read()
    return _in_pieces(response, most)


async def _in_pieces(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    pieces, size = [], 0
    # The client inflates no further than its buffer has room for.
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            response.close()
            return None
    return b"".join(pieces)


TROUBLES = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
"""What the client raises for what networks and servers do."""


def sentence(error: BaseException, timeout: aiohttp.ClientTimeout) -> str:
    """What happened, without a full stop; no URL, which may contain secrets."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return f"no connection within {timeout.connect:g} s"
        case TimeoutError():
            return f"no reply within {timeout.total:g} s"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {error.host} is not trusted: {error.certificate_error}"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} cannot be resolved"
        case aiohttp.ClientConnectorError():
            return f"no connection to {error.host}:{error.port}: {error.os_error.strerror or error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before the reply"
        case aiohttp.ClientPayloadError():
            return "the reply broke off, or cannot be inflated"
        case aiohttp.ClientResponseError():
            return f"the reply is not HTTP: {error.message}"
        case _:
            return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [""])[0][:200]

"""One POST to a station and its answer over HTTP: the client's border, and what is known when there is no answer.

Nothing is ever sent twice, and no redirect is followed. Whether a station may have heard us is known exactly: from the
moment before the request's first byte is written.
"""

import asyncio
import io
import os
import ssl
from functools import partial
from types import SimpleNamespace

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from csms_ocpp.soap import Unreadable
from csms_platform.settings import SettingsError
from csms_soap_gateway.addresses import open_socket
from csms_soap_gateway.bodies import charset_of, read_head, unwrap
from csms_soap_gateway.exchange_troubles import TROUBLES, first_line, sentence
from csms_soap_gateway.faults import Refused
from csms_soap_gateway.outgoing_answers import Answer
from csms_soap_gateway.settings import Settings

_AT_ONCE = 1000
_AT_ONCE_PER_HOST = 32  # behind one address there may be a proxy with many stations
# Short: a connection that the station closes in the moment in which we use it again costs a command, which may not be
# repeated.
_KEPT_SECONDS = 2.0
_LARGE = 1024 * 1024  # aiohttp writes larger bytes in one go, and warns of it; files it writes in pieces


class Unanswered(msgspec.Struct, frozen=True):
    """There was no answer; `reason` is a sentence. Unless it was `sent` the station has certainly heard nothing."""

    reason: str
    sent: bool


class _Attempt:
    """A POST under way: `limit` ends the way to the station, then, once it is `sent`, the wait for its answer."""

    __slots__ = ("_left", "_limit", "_patience", "_seconds", "sent")

    def __init__(self, limit: asyncio.Timeout, seconds: float, patience: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._patience = patience
        self._left = False
        self.sent = False

    @property
    def reason(self) -> str:
        """Why it ended when it ran out of time."""
        if self._left:
            return f"The gateway left before the station {'answered' if self.sent else 'could be reached'}."
        if self.sent:
            return f"The station did not answer within {self._patience:g} s."
        return f"The station could not be reached within {self._seconds:.3g} s."

    def send(self) -> None:
        """The first byte is about to be written."""
        self.sent = True
        self._end_in(0 if self._left else self._patience)

    def give_up(self) -> None:
        """End it now."""
        self._left = True
        self._end_in(0)

    def _end_in(self, seconds: float) -> None:
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + seconds)


class Exchange:
    """POSTs to stations. Raises `SettingsError` when `settings.station_ca` cannot be used."""

    def __init__(self, settings: Settings, private_networks: bool, resolver: AbstractResolver | None = None) -> None:
        self._settings = settings
        self._private_networks = private_networks
        self._resolver = resolver
        self._tls = _tls_context(settings.station_ca)
        self._session: aiohttp.ClientSession | None = None
        self._attempts: set[_Attempt] = set()

    async def post(
        self, url: URL, headers: dict[str, str], body: bytes, seconds: float
    ) -> Answer | Unreadable | Unanswered:
        """The station's answer. It must be reached within `seconds`, or the settings' time if that is less."""
        seconds = min(seconds, self._settings.connect_timeout)
        limit = asyncio.timeout(seconds)
        attempt = _Attempt(limit, seconds, self._settings.command_timeout)
        self._attempts.add(attempt)
        try:
            async with limit:
                return await self._post(url, headers, body, attempt)
        except aiohttp.ClientResponseError as error:
            return Unreadable(f"The answer is not HTTP: {first_line(error.message)}.")
        except TROUBLES as error:
            return Unanswered(attempt.reason if limit.expired() else sentence(error, attempt.sent), attempt.sent)
        finally:
            self._attempts.discard(attempt)

    async def _post(self, url: URL, headers: dict[str, str], body: bytes, attempt: _Attempt) -> Answer | Unreadable:
        data = body if len(body) < _LARGE else io.BytesIO(body)
        async with self._open().post(
            url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=attempt
        ) as response:
            return await _read(response, self._settings.max_message_size)

    def _open(self) -> aiohttp.ClientSession:
        # Made late: the client wants to be inside the loop that it works in.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=_AT_ONCE,
                limit_per_host=_AT_ONCE_PER_HOST,
                keepalive_timeout=_KEPT_SECONDS,
                ssl=self._tls,
                resolver=self._resolver,
                use_dns_cache=False,
                socket_factory=partial(open_socket, self._private_networks),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(),
                headers={"User-Agent": "csms"},
                auto_decompress=False,
                trace_configs=[_tracing()],
            )
        return self._session

    def give_up(self) -> None:
        """End every POST under way."""
        for attempt in self._attempts:
            attempt.give_up()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


def _tls_context(authorities: str) -> ssl.SSLContext:
    if authorities and not os.access(authorities, os.R_OK):
        raise SettingsError(f"soap_gateway.station_ca: cannot read {authorities}")
    try:
        return ssl.create_default_context(cafile=authorities or None)
    except ssl.SSLError as error:
        reason = error.reason or error
        raise SettingsError(f"soap_gateway.station_ca: {authorities} cannot be used: {reason}") from None


def _tracing() -> aiohttp.TraceConfig:
    async def sending(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.send()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(sending)
    return tracing


async def _read(response: aiohttp.ClientResponse, most: int) -> Answer | Unreadable:
    body = await _read_at_most(response, most)
    if body is None:
        return Unreadable(f"The answer has more than {most} bytes.")
    head = read_head((name.lower(), value) for name, value in response.raw_headers)
    plain = unwrap(body, ", ".join(head.encodings).removeprefix("x-"), most) if head.encodings else body
    if isinstance(plain, Refused):
        return Unreadable(plain.fault.reason)
    # Stations err in media types; the body tells what it is.
    return Answer(response.status, response.reason or "", charset_of(head.content_type) or "", plain)


async def _read_at_most(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            response.close()
            return None
    return bytes(body)

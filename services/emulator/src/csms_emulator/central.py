"""The central system of a SOAP fleet: POST, and what came of it. One HTTP client for all stations."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from csms_emulator.conversation import Lost, Posted
from csms_emulator.link import ANSWER_WITHIN, MOST_BYTES, OPEN_WITHIN, credentials
from csms_ocpp.soap.messages import CONTENT_TYPE

IDLE = 4.0  # seconds; many servers close an idle connection after 5, and a POST then would be lost

_TIMEOUT = aiohttp.ClientTimeout(total=ANSWER_WITHIN, connect=OPEN_WITHIN)


class Central:
    """Where it is, the stations' password, and by identity what they secure their connections with."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, password: str, secured: Mapping[str, ssl.SSLContext | None]
    ) -> None:
        self.url = url
        self._http = http
        self._password = password
        self._secured = secured

    async def post(self, identity: str, action: str, body: bytes) -> Posted | Lost | None:
        """POST for this station; None: it arrived there, and nobody answered in time."""
        headers = {"Content-Type": f'{CONTENT_TYPE}; action="/{action}"', **credentials(identity, self._password)}
        secured = self._secured[identity] or True
        try:
            async with self._http.post(
                self.url, data=body, headers=headers, allow_redirects=False, ssl=secured
            ) as response:
                return await _read(response)
        except aiohttp.ConnectionTimeoutError:
            return Lost(f"no connection within {OPEN_WITHIN:g} s")
        except TimeoutError:
            return None
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, ConnectionRefusedError)
            return Lost(f"nobody listens at {self.url}" if refused else str(error))
        except (aiohttp.ClientError, OSError) as error:
            return Lost(str(error) or type(error).__name__)


async def _read(response: aiohttp.ClientResponse) -> Posted | Lost:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            response.close()
            return Lost(f"the answer is larger than {MOST_BYTES} bytes")
    return Posted(response.status, bytes(body), response.charset or "")


@asynccontextmanager
async def central_system(
    url: str, password: str, secured: Mapping[str, ssl.SSLContext | None]
) -> AsyncIterator[Central]:
    """As many connections as there are questions at a time, kept alive; shared by stations with the same TLS."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE)
    async with aiohttp.ClientSession(
        connector=connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield Central(http, url, password, secured)

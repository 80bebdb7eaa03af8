"""Keys of access tokens from a URL: fetched when they are needed, kept for a while, asked for again with their ETag."""

import asyncio
from collections.abc import Callable
from time import monotonic

import aiohttp
from joserfc.jwk import KeySet

from csms_api.jwt import Refused, read_keys
from csms_platform.logging import get_logger

_log = get_logger("api")
_DEADLINE = aiohttp.ClientTimeout(total=5.0)
_PAUSE = 60.0  # at least between two looks for a key that is not there, and between attempts that failed
_MOST = 1024 * 1024


class FetchedKeys:
    """`Keys` at `url`, fetched again after `seconds`. While the URL fails the last ones go on being used.

    `clock` is in seconds and only goes forward.
    """

    def __init__(self, url: str, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._url = url
        self._seconds = seconds
        self._clock = clock
        self._keys: KeySet | None = None
        self._etag = ""
        self._fresh_until = float("-inf")
        self._asked = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> KeySet:
        """See `Keys.current`."""
        if self._clock() >= self._fresh_until:
            await self._look()
        if self._keys is None:
            raise Refused("The keys of access tokens cannot be fetched now.")
        return self._keys

    async def renewed(self) -> KeySet:
        """See `Keys.renewed`. Looks at most once a minute, so that invented key ids cause no load elsewhere."""
        await self._look()
        return await self.current()

    async def _look(self) -> None:
        async with self._one_at_a_time:
            if self._clock() - self._asked < _PAUSE:
                return
            self._asked = self._clock()
            try:
                await self._fetch()
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                _log.warning("keys of access tokens not fetched", url=self._url, reason=str(error) or "no answer")
            else:
                self._fresh_until = self._clock() + self._seconds

    async def _fetch(self) -> None:
        known = {"If-None-Match": self._etag} if self._etag else {}
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE) as session,
            session.get(self._url, headers=known) as response,
        ):
            if response.status == 304:
                return
            response.raise_for_status()
            document = await response.content.read(_MOST)
            self._keys = read_keys(document)
            self._etag = response.headers.get("ETag", "")

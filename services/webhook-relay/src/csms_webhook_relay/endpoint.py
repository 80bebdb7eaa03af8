"""One endpoint: asks it over HTTP, no faster than it may, and leaves it alone while it fails."""

import random
import time
from collections.abc import Callable
from types import TracebackType

import aiohttp
from msgspec import UNSET, Raw, UnsetType
from yarl import URL

from csms_platform.envelope import EMPTY, Envelope
from csms_platform.logging import get_logger
from csms_webhook_relay import delivery, metrics, reply
from csms_webhook_relay.breaker import Breaker, State
from csms_webhook_relay.gate import Gate
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply
from csms_webhook_relay.settings import Settings, Target
from csms_webhook_relay.transport import (
    TROUBLES,
    PlainRequest,
    connector,
    postable,
    proxy_for,
    read_at_most,
    sentence,
)

_log = get_logger("webhook-relay")

_OUTCOMES = {Answered: metrics.RESULT, Refused: metrics.ERROR, Failed: metrics.FAILED, Final: metrics.REJECTED}
_LEAST = 0.01  # seconds in which no reply can come; to the client 0 means: without end
_NEVER_ROUNDED = 1e9  # seconds; the client rounds longer time-outs up to whole seconds, past our deadlines


class Endpoint:
    """Async context manager: entering opens a pool of connections, leaving closes it.

    `answers` counts the replies that can be used. Without `heeded` nobody reads them: any 2xx will do. `now` is in
    seconds since 1970, `clock` monotonic, `chance` answers numbers in [0, 1), for jitter. Entering raises `ValueError`,
    with a sentence, when its certificates cannot be used.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        settings: Settings,
        *,
        heeded: bool = True,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.answers = 0
        self._settings = settings
        self._heeded = heeded
        self._url = URL(target.url)
        self._proxy = proxy_for(target.url)
        # A proxy that only sees TLS is shown who we are when the tunnel is made, any other one with every request.
        self._stationery = delivery.Stationery(target, self._proxy.headers if self._url.scheme == "http" else {})
        self._now, self._clock, self._chance = now, clock, chance
        self._gate = Gate(settings.concurrency, settings.waiting)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_seconds)
        self._usual = self._timeout(settings.timeout)
        self._session: aiohttp.ClientSession
        self._seconds = metrics.SECONDS.child(name)
        self._counts = {kind: metrics.REQUESTS.labels(name, outcome) for kind, outcome in _OUTCOMES.items()}
        self._count_open = metrics.REQUESTS.labels(name, metrics.OPEN)
        self._count_busy = metrics.REQUESTS.labels(name, metrics.BUSY)
        metrics.IN_FLIGHT.labels(name).set_function(lambda: self._gate.inside)
        metrics.BREAKER.labels(name).set_function(lambda: self._breaker.state)

    async def __aenter__(self) -> "Endpoint":
        # No cookies, no environment, no headers but ours: what is not there costs nothing for each request.
        self._session = aiohttp.ClientSession(
            connector=connector(self._settings),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._usual,
            request_class=PlainRequest,
        )
        if not self._settings.verify and self._url.scheme == "https":
            _log.warning("certificates are not verified", endpoint=self.name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self,
        call: Envelope,
        *,
        attempt: int,
        seconds: float,
        delivery_id: str,
        answered: Raw | UnsetType = UNSET,
        stored: int = 0,
    ) -> Reply:
        """Post `call` once, and say what came of it within `seconds`, the wait for its turn included.

        A letter gives `stored` (milliseconds since 1970) and lets stations' CALLs go first; `answered` is the payload
        that the station has got already: then any reply without a payload is as good. Raises nothing.
        """
        if self._gate.open:
            self._gate.enter()
        else:
            began = self._clock()
            if not await self._gate.wait(seconds, live=not stored):
                self._count_busy.inc()
                return Failed("too many calls wait for the endpoint", sent=False)
            seconds -= self._clock() - began
        try:
            if seconds < _LEAST:
                self._count_busy.inc()
                return Failed("no time is left to ask the endpoint", sent=False)
            if wait := self._breaker.wait(self._clock()):
                self._count_open.inc()
                return Failed("the endpoint is left alone: it failed too often", wait, sent=False)
            return await self._post(call, attempt, seconds, delivery_id, answered, stored)
        finally:
            self._gate.leave()

    async def _post(
        self,
        call: Envelope,
        attempt: int,
        seconds: float,
        delivery_id: str,
        answered: Raw | UnsetType,
        stored: int,
    ) -> Reply:
        body, now = delivery.body(call, answered, stored), self._now()
        headers = self._stationery.headers(
            body, delivery_id=delivery_id, attempt=attempt, now=now, traceparent=call.traceparent, stored=stored
        )
        timeout = self._usual if seconds >= self._settings.timeout else self._timeout(seconds)
        began, known = self._clock(), False
        try:
            async with self._session.post(
                self._url,
                data=postable(body),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy.url,
                proxy_headers=self._proxy.headers,
            ) as response:
                text = await read_at_most(response, self._settings.max_reply)
                found = self._read(response, text, call, answered is not UNSET)
            known = True
        except TROUBLES as error:
            found, known = Failed(sentence(error, timeout)), True
        finally:
            if not known:
                self._breaker.abandoned(self._clock())
        self._learn(found, began)
        return found

    def _read(self, response: aiohttp.ClientResponse, text: bytes | None, call: Envelope, told: bool) -> Reply:
        if 200 <= response.status < 300:
            if not self._heeded:
                return Answered(EMPTY)
            if text is None:
                return Failed(f"the reply is larger than {self._settings.max_reply} bytes")
        if response.status == 200:
            return reply.read(200, text or b"", call, told=told)
        later = response.headers.get(aiohttp.hdrs.RETRY_AFTER, "")
        return reply.read(response.status, text or b"", call, retry_after=later, now=self._now(), told=told)

    def _learn(self, found: Reply, began: float) -> None:
        now, before, kind = self._clock(), self._breaker.state, type(found)
        self._seconds.observe(now - began)
        self._counts[kind].inc()
        if isinstance(found, Failed) and not found.replied:
            self._breaker.failed(now, self._chance(), found.retry_after)
            if self._breaker.state is State.OPEN and before is State.CLOSED:
                _log.warning("endpoint fails, and is left alone", endpoint=self.name, reason=found.reason)
        else:
            self._breaker.succeeded()
            self.answers += kind is Answered or kind is Refused
            if before is State.HALF_OPEN:
                _log.info("endpoint answers again", endpoint=self.name)

    def _timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        connect = min(self._settings.connect_timeout, seconds)
        return aiohttp.ClientTimeout(total=seconds, connect=connect, ceil_threshold=_NEVER_ROUNDED)

"""Delivers later what the operator's endpoint could not take: into the spool, and out of it in each station's order.

A letter is in the index (`ports.deliveries`) before it is in the spool, and leaves it before the spool: whoever asks
the index never hears that nothing waits while something does. A crash between two steps delivers a letter twice, under
the same delivery id.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.logging import get_logger
from csms_platform.patience import patiently
from csms_platform.ports import Letter, Ports, Unavailable, lane
from csms_webhook_relay import spool_metrics as metrics
from csms_webhook_relay.dead_letters import DeadLetters
from csms_webhook_relay.delivery import identify
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.postman import Postman
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.showing import Showing, terms

_log = get_logger("webhook-relay")

LONGEST_STORE = 10.0  # seconds; less when the station waits no longer


class Spooling:
    """One for each process. `now` is in seconds since 1970. Between `start` and `stop` letters are delivered."""

    def __init__(
        self, ports: Ports, settings: Settings, endpoints: Mapping[str, Endpoint], now: Callable[[], float] = time.time
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now
        self._dead = DeadLetters(ports.deliveries, ports.events, now)
        self._postmen = [
            Postman(name, _Rounds(name, endpoint, settings, self), terms(settings), now)
            for name, endpoint in endpoints.items()
        ]

    async def start(self) -> None:
        """Begin to deliver what waits, to every endpoint; in each case one relay does, the others stand by."""
        for postman in self._postmen:
            await postman.start(self._ports.spool, self._settings.spool_window)

    async def stop(self, seconds: float) -> None:
        """End the attempts under way, within `seconds`; letters stay in the spool, for the next relay."""
        await asyncio.gather(*(postman.stop(self._ports.spool, seconds) for postman in self._postmen))

    @property
    def postmen(self) -> list[Postman]:
        """Those who deliver, one for each endpoint."""
        return self._postmen

    async def behind(self, call: Envelope) -> bool:
        """Whether letters of this station wait, which `call` may not overtake. While nobody can say, they do."""
        try:
            return await self._ports.deliveries.pending(lane(self._settings.endpoint_of(call.account), call.identity))
        except Unavailable:
            return True

    async def store(self, call: Envelope) -> bool:
        """Keep it durably, to be delivered later. False when that cannot be promised; it may be delivered then."""
        letter = self._letter(call)
        if not letter.endpoint:
            return False
        try:
            await self._store(letter, self._patience(call))
        except Unavailable as error:
            metrics.NOT_STORED.labels(letter.endpoint).inc()
            _log.warning("cannot spool", reason=str(error), station=call.identity, action=call.action)
            return False
        return True

    async def told(self, envelope: Envelope) -> None:
        """RESULT from the router: what it answered (`payload`) to a CALL (`request`). The endpoint learns of it later.

        Nobody repeats this one: returns when it is stored, however long that takes.
        """
        call = msgspec.structs.replace(envelope, kind=Kind.CALL, payload=envelope.request, request=EMPTY)
        letter = msgspec.structs.replace(self._letter(call), answered=envelope.payload)
        if letter.endpoint:
            await patiently(lambda: self._store(letter, LONGEST_STORE))

    async def bury(self, call: Envelope, reason: str, attempts: int) -> None:
        """Keep a message that the endpoint refuses for ever, while its station waits for an answer.

        While the store is away it is spooled like any letter, to be refused again later. Raises `Unavailable` when the
        broker is away, too.
        """
        letter = self._letter(call)
        try:
            await self._dead.keep(letter, reason, attempts)
            metrics.BURIED_LIVE.labels(letter.endpoint).inc()
        except Unavailable:
            await self._ports.spool.store(letter, self._patience(call))

    async def leave(self, letter: Letter) -> None:
        """The letter may be removed from the spool: it is in the index no more."""
        at = lane(letter.endpoint, letter.envelope.identity)
        await patiently(lambda: self._ports.deliveries.done(at, letter.id))

    async def give_up(self, letter: Letter, reason: str, attempts: int) -> None:
        """The letter is a dead letter from now on."""
        await patiently(lambda: self._dead.keep(letter, reason, attempts))

    async def _store(self, letter: Letter, seconds: float) -> None:
        await self._ports.deliveries.waits(lane(letter.endpoint, letter.envelope.identity), letter.id, letter.stored)
        await self._ports.spool.store(letter, seconds)

    def _letter(self, call: Envelope) -> Letter:
        return written(call, self._settings.endpoint_of(call.account), int(self._now() * 1000))

    def _patience(self, call: Envelope) -> float:
        left = call.deadline / 1000 - self._now() if call.deadline else LONGEST_STORE
        return min(max(left, 0.0), LONGEST_STORE)


class _Rounds(Showing):
    """What becomes of letters for the operator's endpoint."""

    def __init__(self, queue: str, endpoint: Endpoint, settings: Settings, spooling: Spooling) -> None:
        super().__init__(queue, endpoint, settings, spooling._now)
        self._spooling = spooling
        self._delivered = metrics.LETTERS.labels(queue, metrics.DELIVERED)
        self._died = metrics.LETTERS.labels(queue, metrics.DEAD)

    async def delivered(self, letter: Letter) -> None:
        """See `postman.Rounds`."""
        await self._spooling.leave(letter)
        self._delivered.inc()

    async def given_up(self, letter: Letter, reason: str, attempts: int) -> None:
        """See `postman.Rounds`."""
        await self._spooling.give_up(letter, reason, attempts)
        await self._spooling.leave(letter)
        self._died.inc()


def written(call: Envelope, queue: str, now: int) -> Letter:
    """`call` as a letter: without what was about its connection. `now` in milliseconds since 1970. Pure."""
    kept = msgspec.structs.replace(
        call, reply_to="", session=None, deadline=0, backend="", settle=False, triggered=False, request=EMPTY
    )
    return Letter(identify(call), queue, now, kept)

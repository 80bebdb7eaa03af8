"""Others who get copies of the stations' messages, and are never waited for: each has a queue of its own in the spool.

A copy that cannot be stored now is dropped and counted; one that is not taken until it is too old is, too. There are no
dead letters of observers: the messages themselves were answered by somebody else.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from csms_platform.envelope import Envelope
from csms_platform.logging import get_logger
from csms_platform.ports import Letter, Ports, Spool, Unavailable
from csms_webhook_relay import spool_metrics as metrics
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.postman import Postman
from csms_webhook_relay.settings import Observer, Settings
from csms_webhook_relay.showing import Showing, terms
from csms_webhook_relay.spooling import written

_log = get_logger("webhook-relay")

PREFIX = "observer."
MOST_UNDER_WAY = 1000
"""How many copies for one observer may be on their way to the spool."""


class Observers:
    """One for each process. `now` is in seconds since 1970. Between `start` and `stop` copies are delivered."""

    def __init__(self, ports: Ports, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._spool = ports.spool
        self._settings = settings
        self._copiers = [_Copier(one, settings, ports.spool, now) for one in settings.observers]
        self._stack = AsyncExitStack()
        taken = settings.endpoints().keys() & {copier.queue for copier in self._copiers}
        if taken:
            raise ValueError(f"webhook: the account {min(taken)!r} has the name of an observer's queue.")

    @property
    def postmen(self) -> list[Postman]:
        """Those who deliver, one for each observer."""
        return [copier.postman for copier in self._copiers]

    async def start(self) -> None:
        """Begin to deliver. Raises `ValueError` when the certificates of `settings` cannot be used."""
        async with AsyncExitStack() as stack:
            for copier in self._copiers:
                await stack.enter_async_context(copier.endpoint)
                await copier.postman.start(self._spool, self._settings.spool_window)
            self._stack = stack.pop_all()

    async def stop(self, seconds: float) -> None:
        """Wait for copies on their way into the spool and for attempts under way, within `seconds`."""
        await asyncio.gather(*(copier.stop(seconds) for copier in self._copiers))
        await self._stack.aclose()

    def copy(self, call: Envelope) -> None:
        """Send a copy to every observer that wants this action. Never waits, never raises."""
        for copier in self._copiers:
            if copier.wants(call.action):
                copier.copy(call)


class _Copier:
    def __init__(self, observer: Observer, settings: Settings, spool: Spool, now: Callable[[], float]) -> None:
        self.queue = PREFIX + observer.name
        self.endpoint = Endpoint(self.queue, observer, settings, heeded=False, now=now)
        self.postman = Postman(self.queue, _Rounds(self.queue, self.endpoint, settings, now), terms(settings), now)
        self._actions = frozenset(observer.actions)
        self._spool = spool
        self._now = now
        self._under_way: set[asyncio.Task[None]] = set()
        self._lost = metrics.NOT_STORED.labels(self.queue)

    def wants(self, action: str) -> bool:
        return not self._actions or action in self._actions

    def copy(self, call: Envelope) -> None:
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._lost.inc()
            return
        letter = written(call, self.queue, int(self._now() * 1000))
        task = asyncio.get_running_loop().create_task(self._store(letter))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def stop(self, seconds: float) -> None:
        await asyncio.gather(self._finish_copies(seconds), self.postman.stop(self._spool, seconds))

    async def _finish_copies(self, seconds: float) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in list(self._under_way):
            task.cancel()

    async def _store(self, letter: Letter) -> None:
        try:
            await self._spool.store(letter)
        except Unavailable:
            self._lost.inc()


class _Rounds(Showing):
    """What becomes of letters for an observer."""

    def __init__(self, queue: str, endpoint: Endpoint, settings: Settings, now: Callable[[], float]) -> None:
        super().__init__(queue, endpoint, settings, now)
        self._delivered = metrics.LETTERS.labels(queue, metrics.DELIVERED)
        self._dropped = metrics.LETTERS.labels(queue, metrics.DROPPED)

    async def delivered(self, letter: Letter) -> None:
        """See `postman.Rounds`."""
        self._delivered.inc()

    async def given_up(self, letter: Letter, reason: str, attempts: int) -> None:
        """See `postman.Rounds`."""
        self._dropped.inc()
        self._tell("copy dropped", reason, letter)

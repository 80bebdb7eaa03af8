"""The webhook relay as a service: asks the operator's endpoints on behalf of stations, and delivers later what it must.

It keeps nothing: calls under way go to another relay when it dies, letters are in the spool. That an endpoint is down
does not make it unready; its breaker and its failures are metrics.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from csms_ocpp import schemas
from csms_ocpp.version import Version
from csms_platform.ports import WEBHOOK, Ports, Spool, Unavailable
from csms_webhook_relay import spool_metrics as metrics
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.observers import Observers
from csms_webhook_relay.relay import Relay
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.spooling import Spooling

_EVERY = 10.0  # seconds between two looks at the spool


@asynccontextmanager
async def service(ports: Ports, settings: Settings, *, now: Callable[[], float] = time.time) -> AsyncIterator[None]:
    """Serves `ports.WEBHOOK` while entered; leaving ends what is under way, all of it within `drain_seconds`.

    `now` is in seconds since 1970. Raises `ValueError`, with a sentence, when certificates or proxies cannot be used.
    """
    for version in Version:
        schemas.table(version)  # compiled now, and not while the first station of the version waits
    async with AsyncExitStack() as stack:
        endpoints = {
            name: await stack.enter_async_context(Endpoint(name, target, settings, now=now))
            for name, target in settings.endpoints().items()
        }
        spooling, observers = Spooling(ports, settings, endpoints, now), Observers(ports, settings, now)
        relay = Relay(ports.bus, settings, endpoints, spooling, observers, now)
        left = _Countdown(settings.drain_seconds)
        await observers.start()
        stack.push_async_callback(lambda: observers.stop(left()))
        await spooling.start()
        postmen = [*spooling.postmen, *observers.postmen]
        leaving = asyncio.Event()
        ports.spawn(_count([postman.name for postman in postmen], ports.spool, leaving), "webhook-relay spool")
        await ports.bus.subscribe(WEBHOOK, relay.handle)
        try:
            yield
        finally:
            leaving.set()
            # Delivering may end at the same time as the calls: those need only the way into the spool.
            await asyncio.gather(_leave(ports, relay, left), spooling.stop(left()))


async def _count(queues: Sequence[str], spool: Spool, leaving: asyncio.Event) -> None:
    """Look how many letters wait, now and then. While the broker is away the last number stands."""
    while not leaving.is_set():
        for queue in queues:
            with contextlib.suppress(Unavailable):
                metrics.WAITING.labels(queue).set(await spool.waiting(queue))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), _EVERY)


class _Countdown:
    """How much is left of `seconds`, which begin to run when it is asked first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def __call__(self) -> float:
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        return max(0.0, self._until - now)


async def _leave(ports: Ports, relay: Relay, left: Callable[[], float]) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ports.bus.unsubscribe(WEBHOOK), left())
    await relay.drain(left())

"""Public messages on their way out: in order, many confirms under way at once, bounded.

A message without a confirm is published again together with everything after it, so every queue gets its messages in
order and at least once. Each pipeline has a channel of its own: what closes it does not end the link.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiormq
from aiormq.exceptions import DeliveryError, PublishError
from pamqp import commands
from prometheus_client import Counter

from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_link import LOST
from csms_platform.bus.amqp_publisher import Publisher
from csms_platform.bus.outbox import log
from csms_platform.metrics import counter

_refused = counter("publishes_refused", "Public messages that RabbitMQ or the client refused, dropped")

OVERHEAD = 1024  # bytes of a message beside its body, about
_AT_ONCE = 1024
_CONFIRM_DEADLINE = 30.0
_AGAIN = 0.2
_AGAIN_AFTER = (asyncio.CancelledError, *LOST)  # a channel that closes cancels what waits on it


class Outgoing(NamedTuple):
    """One message. A `mandatory` one comes back, by `returned`, when no queue took it."""

    key: str
    body: bytes
    properties: commands.Basic.Properties
    exchange: str = ""
    mandatory: bool = True


def _always(key: str) -> bool:
    return True


def _indifferent(message: Outgoing) -> None:
    """For those who do not want to know that a message was taken."""


class Pipeline:
    """An outbox of about `mib` MiB; past that the oldest messages are dropped, and counted in `dropped`.

    `wanted(key)` is asked when a message is about to be published: False drops it, and None (nobody knows) publishes it
    alone of its key, and lets what follows wait until it was `taken` or `returned`.
    """

    def __init__(
        self,
        bus: AmqpBus,
        *,
        prepare: Callable[[aiormq.Channel], Awaitable[None]],
        returned: Callable[[Outgoing], None],
        dropped: Counter,
        mib: float,
        taken: Callable[[Outgoing], None] = _indifferent,
        wanted: Callable[[str], bool | None] = _always,
    ) -> None:
        self._bus = bus
        self._publisher = Publisher(prepare)
        self._returned = returned
        self._taken = taken
        self._wanted = wanted
        self._dropped = dropped
        self._limit = mib * 1024 * 1024
        self._weight = 0
        self._waiting: deque[Outgoing] = deque()
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def put(self, message: Outgoing) -> None:
        """Append a message; it leaves with everything else of this tick. Never waits."""
        self._waiting.append(message)
        self._weight += len(message.body) + OVERHEAD
        while self._weight > self._limit and len(self._waiting) > 1:
            self._next()
            self._dropped.inc()
        self._filled.set()
        self._idle.clear()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="pipeline")

    async def close(self, seconds: float = 5.0) -> None:
        """Give what waits so long to leave, if the broker is there, and stop."""
        if self._bus.connected:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _next(self) -> Outgoing:
        message = self._waiting.popleft()
        self._weight -= len(message.body) + OVERHEAD
        return message

    async def _work(self) -> None:
        while True:
            await self._filled.wait()
            batch = self._take()
            while batch:
                batch = await self._publish(batch)
            if not self._waiting:
                self._filled.clear()
                self._idle.set()

    def _take(self) -> list[Outgoing]:
        batch: list[Outgoing] = []
        tried: set[str] = set()
        while self._waiting and len(batch) < _AT_ONCE:
            key = self._waiting[0].key
            wanted = self._wanted(key)
            if wanted is None:
                if key in tried:
                    break
                tried.add(key)
            message = self._next()
            if wanted is not False:
                batch.append(message)
        return batch

    async def _publish(self, batch: list[Outgoing]) -> list[Outgoing]:
        """Publish the batch; answers what has to be published again."""
        link = await self._bus.link()
        try:
            channel = await self._publisher.open(link)
            await link.ready()
        except LOST as error:
            log.warning("publishing failed", reason=str(error) or type(error).__name__)
            await asyncio.sleep(_AGAIN)
            return batch
        rest = self._settle(
            batch, await asyncio.gather(*[_send(channel, one) for one in batch], return_exceptions=True)
        )
        if rest:
            await self._abandon(channel)
        return rest

    def _settle(self, batch: list[Outgoing], outcomes: list[object]) -> list[Outgoing]:
        for position, (message, outcome) in enumerate(zip(batch, outcomes, strict=True)):
            if isinstance(outcome, PublishError):
                self._returned(message)
            elif isinstance(outcome, _AGAIN_AFTER) and not isinstance(outcome, DeliveryError):
                return batch[position:]
            elif isinstance(outcome, Exception):
                # A nack is a queue's own refusal (full, `reject-publish`): asking again would be no better.
                _refused.inc()
                log.warning("a message was refused", key=message.key, reason=str(outcome))
            else:
                self._taken(message)
        return []

    async def _abandon(self, channel: aiormq.Channel) -> None:
        """Confirms that still come would be mistaken for those of the second try."""
        with contextlib.suppress(*LOST):
            await asyncio.wait_for(channel.close(ConnectionError("no confirm")), 2)
        await asyncio.sleep(_AGAIN)


def _send(channel: aiormq.Channel, message: Outgoing) -> Awaitable[object]:
    return channel.basic_publish(
        message.body,
        exchange=message.exchange,
        routing_key=message.key,
        properties=message.properties,
        mandatory=message.mandatory,
        timeout=_CONFIRM_DEADLINE,
        wait=False,
    )

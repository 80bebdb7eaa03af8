"""Consuming on a channel of one's own, made again whenever it ends.

What closes such a channel (an acknowledgement too late, a queue deleted or declared otherwise) does not end the link.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod

import aiormq

from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_link import LOST, Link, first
from csms_platform.bus.outbox import log

AGAIN = 1.0  # seconds before another try


class Consumer(ABC):
    """Something that consumes while the bus is linked. An adapter adds `_consume`, and `_left` if it has to tidy up."""

    def __init__(self, bus: AmqpBus, name: str) -> None:
        self._bus = bus
        self._name = name
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin. Returns when it consumes; while the broker is away at once, and it begins when that is back."""
        self._task = asyncio.get_running_loop().create_task(self._live(), name=self._name)
        if self._bus.connected:
            await self._tried.wait()

    async def close(self) -> None:
        """End; what was delivered and not acknowledged goes back to its queue. Returns when `_left` has."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @abstractmethod
    async def _consume(self, channel: aiormq.Channel, over: asyncio.Event) -> None:
        """Declare and consume on this new channel; setting `over` ends it."""

    async def _left(self) -> None:  # noqa: B027 - most have nothing to tidy up
        """The channel is not used any more: forget what came over it. It is closed afterwards."""

    async def _live(self) -> None:
        while True:
            link = await self._bus.link()
            try:
                await self._session(link)
            except LOST as error:
                log.warning("consuming failed", queue=self._name, reason=str(error) or type(error).__name__)
            self._tried.set()
            await asyncio.sleep(0 if link.lost.is_set() else AGAIN)

    async def _session(self, link: Link) -> None:
        channel = await link.channel(link.consuming, confirms=False)
        over = asyncio.Event()
        channel.closing.add_done_callback(lambda _: over.set())
        channel.on_consumer_cancel_callbacks.add(lambda _: over.set())
        try:
            await self._consume(channel, over)
            self._tried.set()
            await first(over.wait(), link.lost.wait())
        finally:
            await self._left()
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(channel.close(), 2)

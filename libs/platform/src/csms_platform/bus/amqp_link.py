"""The two connections to RabbitMQ while they last, and what losing them looks like.

Two, because RabbitMQ stops reading from a connection that publishes while a resource alarm lasts
(`connection.blocked`), and acknowledgements must not be stuck behind that.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiormq
from aiormq.exceptions import AMQPError, ChannelInvalidStateError
from pamqp import commands

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp_leniency import be_lenient

# What a lost broker looks like, from whichever layer notices first.
LOST = (
    AMQPError,
    ChannelInvalidStateError,
    aio_pika.exceptions.AMQPException,
    ConnectionError,
    OSError,
    asyncio.TimeoutError,
)

_CONFIRM_DEADLINE = 10.0


class Link:
    """The two connections, while they last. `lost` is set when either is gone, `reason` says why."""

    def __init__(self, publishing: Any, consuming: Any) -> None:
        self._connections = (publishing, consuming)
        # aiormq's connections under aio-pika's: those forget them when they close, while publishers still wait.
        self.publishing = publishing.transport.connection
        self.consuming = consuming.transport.connection
        self.publisher: aiormq.Channel
        self.lost = asyncio.Event()
        self.reason: BaseException | str | None = None

    @classmethod
    async def open(cls, settings: BusSettings) -> "Link":
        """Connect twice. Raises one of `LOST`."""
        be_lenient()
        publishing = await aio_pika.connect(settings.url, heartbeat=settings.heartbeat, timeout=10)
        try:
            consuming = await aio_pika.connect(settings.url, heartbeat=settings.heartbeat, timeout=10)
            link = cls(publishing, consuming)
            for connection in (publishing, consuming):
                connection.close_callbacks.add(link._closed)
            link.publisher = await link.channel(link.publishing, confirms=True)
            link.watch(link.publisher, "the publishing channel closed")
        except BaseException:
            await publishing.close()
            raise
        return link

    @property
    def broker(self) -> str:
        """What the broker calls itself."""
        properties = self.publishing.server_properties
        return f"{properties.get('product')} {properties.get('version')}"

    @staticmethod
    async def channel(connection: Any, *, confirms: bool) -> aiormq.Channel:
        """A channel of one's own. What closes it does not end the link, unless it is watched."""
        # aiormq's channel under aio-pika's: a Message object and its locks would cost more than the batch.
        channel: aiormq.Channel = await connection.channel(publisher_confirms=confirms, on_return_raises=True)
        return channel

    @property
    def blocked(self) -> bool:
        """Whether the broker takes nothing from us now (`connection.blocked`)."""
        # aiormq tells it only to those who wait: one step of waiting, without a task, as this is asked for every batch.
        waiting = self.publishing.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        waiting.close()
        return True

    async def ready(self) -> None:
        """Wait until the broker takes what we publish. Raises `ConnectionError` when it goes instead."""
        if self.blocked:
            # A connection that is lost while it is blocked stays blocked: its own `ready` would wait for ever.
            await first(self.publishing.ready(), self.lost.wait())
        if self.lost.is_set():
            raise ConnectionError("the connection is lost")

    async def publish(
        self, channel: aiormq.Channel, queue: str, body: bytes, properties: commands.Basic.Properties
    ) -> None:
        """Publish to a queue and wait for the confirm. Raises `PublishError` when there is no such queue."""
        await self.ready()
        await channel.basic_publish(
            body, routing_key=queue, properties=properties, mandatory=True, timeout=_CONFIRM_DEADLINE, wait=False
        )

    def _closed(self, _: object, reason: BaseException | None) -> None:
        self.fail(reason or "closed")

    def fail(self, reason: BaseException | str) -> None:
        """Declare the link dead; the supervisor makes a new one."""
        self.reason = self.reason or reason
        self.lost.set()

    def watch(self, channel: aiormq.Channel, reason: str) -> None:
        """A closed channel cannot be used again: it ends the link."""
        channel.closing.add_done_callback(lambda _: self.fail(reason))

    async def close(self) -> None:
        """Close both connections, as far as they can still be closed. Whoever waits for `lost` is told."""
        self.lost.set()
        for connection in self._connections:
            connection.close_callbacks.discard(self._closed)
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(connection.close(), 2)


async def first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def place(url: str) -> str:
    """Host and port of a broker's URL: what may be told without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

"""The brokers that the contracts of bus, events, orders and spool run on, and how processes and operators meet them.

One in memory, the same with a data directory, and RabbitMQ, where each test has a prefix of its own.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.exceptions import QueueEmpty

from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.bus.memory import Exchange, memory_doors, open_exchange


class Broker(ABC):
    """A broker. `connect` and `leave` are what our processes do, `order` and `replies` what an operator does."""

    name: str

    def __init__(self) -> None:
        self._open: dict[int, AsyncExitStack] = {}

    @abstractmethod
    def _doors(self, **settings: Any) -> AbstractAsyncContextManager[Doors]: ...

    async def connect(self, **settings: Any) -> Doors:
        """Another process's ends of this broker; it leaves at the end of the test, or earlier with `leave`."""
        stack = AsyncExitStack()
        doors = await stack.enter_async_context(self._doors(**settings))
        self._open[id(doors)] = stack
        return doors

    async def leave(self, doors: Doors) -> None:
        """The process ends, without having unsubscribed from anything."""
        await self._open.pop(id(doors)).aclose()

    async def restart(self) -> None:
        """All processes end. What the broker keeps is there for those that come next."""
        for stack in reversed(self._open.values()):
            await stack.aclose()
        self._open.clear()

    @abstractmethod
    async def declare(self, queue: str) -> None:
        """Make a queue for replies."""

    @abstractmethod
    async def order(self, key: str, body: bytes, **properties: Any) -> None:
        """Publish to `ocpp.commands`: `reply_to`, `correlation_id`, `expiration` (milliseconds)."""

    @abstractmethod
    async def reply(self, queue: str, within: float = 5) -> tuple[str, bytes]:
        """The next reply in a queue that was declared, waited for: correlation id and body."""


class MemoryBroker(Broker):
    """All in this process; with a data directory its letters outlive `restart`."""

    def __init__(self, data: Path | None = None) -> None:
        super().__init__()
        self.name = "memory with a data directory" if data else "memory"
        self._data = data
        self._stack = AsyncExitStack()
        self.exchange = Exchange()

    async def start(self) -> None:
        """Open what is kept."""
        self.exchange = await self._stack.enter_async_context(open_exchange(self._data))

    async def restart(self) -> None:
        await super().restart()
        await self._stack.aclose()
        await self.start()

    async def close(self) -> None:
        """The end."""
        await super().restart()
        await self._stack.aclose()

    def _doors(self, **settings: Any) -> AbstractAsyncContextManager[Doors]:
        return memory_doors(self.exchange, BusSettings(**settings))

    async def declare(self, queue: str) -> None:
        self.exchange.replies(queue)

    async def order(self, key: str, body: bytes, **properties: Any) -> None:
        self.exchange.publish_order(key, body, **properties)

    async def reply(self, queue: str, within: float = 5) -> tuple[str, bytes]:
        async with asyncio.timeout(within):
            while not (replies := self.exchange.replies(queue)):
                await asyncio.sleep(0.005)
        return replies.pop(0)


class AmqpBroker(Broker):
    """RabbitMQ. The operator has a connection of its own, and a client of foreign make."""

    name = "amqp"

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.prefix = f"test.{uuid4().hex[:8]}."

    def _doors(self, **settings: Any) -> AbstractAsyncContextManager[Doors]:
        return open_doors(BusSettings(url=self.url, prefix=self.prefix, **settings))

    async def start(self) -> None:
        self._operator = await aio_pika.connect(self.url)
        self._channel = await self._operator.channel()

    async def close(self) -> None:
        """The end: nothing of this test stays."""
        await self.restart()
        await self._operator.close()

    async def declare(self, queue: str) -> None:
        await self._channel.declare_queue(queue, exclusive=True)

    async def order(self, key: str, body: bytes, *, expiration: int | None = None, **properties: Any) -> None:
        exchange = await self._channel.get_exchange(self.prefix + "ocpp.commands", ensure=False)
        seconds = None if expiration is None else expiration / 1000
        await exchange.publish(aio_pika.Message(body, expiration=seconds, **properties), key)

    async def reply(self, queue: str, within: float = 5) -> tuple[str, bytes]:
        source = await self._channel.get_queue(queue, ensure=False)
        async with asyncio.timeout(within):
            while True:
                try:
                    message = await source.get(no_ack=True)
                    return message.correlation_id or "", message.body
                except QueueEmpty:
                    await asyncio.sleep(0.01)


MEMORY, DATA, AMQP = "memory", "memory with a data directory", "amqp"


async def make(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker of this kind, while a test lasts."""
    made = (
        AmqpBroker(request.getfixturevalue("amqp_url"))
        if kind == AMQP
        else MemoryBroker(tmp_path / "data" if kind == DATA else None)
    )
    await made.start()
    yield made
    await made.close()


@pytest.fixture(params=[MEMORY, AMQP])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Every adapter of bus, events and orders."""
    async for made in make(request.param, request, tmp_path):
        yield made


@pytest.fixture(params=[MEMORY, DATA, AMQP])
async def spooling(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Every adapter of the spool."""
    async for made in make(request.param, request, tmp_path):
        yield made


@pytest.fixture(params=[DATA, AMQP])
async def durable_spooling(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """The adapters of the spool whose letters outlive all our processes."""
    async for made in make(request.param, request, tmp_path):
        yield made

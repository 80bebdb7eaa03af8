"""The bus adapters. `open_bus(url)` picks one; services only ever see `ports.Bus`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from csms_platform.ports import Bus


class BusSettings(msgspec.Struct, frozen=True):
    """How the bus behaves.

    `linger_ms`: how long an outbox waits for company before it publishes, once it is filled so fast that company comes;
    0 always publishes at the end of the tick. In both cases batches grow while an earlier one waits for its confirm.
    The memory bus never lingers: its messages cost nothing. `outbox_mib` bounds what gathers while the broker is
    away. `prefetch`: batches in a consumer's handler at once. `prefix` goes before every queue's name, so that several
    installations can share a broker.
    """

    url: str = "memory://"
    linger_ms: float = 1.0
    outbox_mib: int = 64
    prefetch: int = 64
    prefix: str = ""
    heartbeat: int = 10


def open_bus(settings: BusSettings) -> AbstractAsyncContextManager[Bus]:
    """The adapter that the URL asks for: `memory://`, `amqp://…` or `amqps://…`. Raises `ValueError` for others."""
    scheme = settings.url.partition("://")[0]
    if scheme == "memory":
        return _memory(settings)
    if scheme in ("amqp", "amqps"):
        return _amqp(settings)
    raise ValueError(f"bus: {settings.url!r} is neither memory:// nor amqp://… nor amqps://….")


@asynccontextmanager
async def _memory(settings: BusSettings) -> AsyncIterator[Bus]:
    from csms_platform.bus.memory import Exchange, MemoryBus

    async with MemoryBus(Exchange(), settings) as bus:
        yield bus


@asynccontextmanager
async def _amqp(settings: BusSettings) -> AsyncIterator[Bus]:
    from csms_platform.bus.amqp import AmqpBus

    async with AmqpBus(settings) as bus:
        yield bus

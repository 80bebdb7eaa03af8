"""The adapters of `ports.Bus`, `Events`, `Orders` and `Spool`; `open_doors` picks those that the URL asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from csms_platform.ports import Bus, Events, Orders, Spool


class BusSettings(msgspec.Struct, frozen=True):
    """How the bus behaves.

    `linger_ms`: how long an outbox waits for company before it publishes, once it is filled so fast that company comes;
    0 always publishes at the end of the tick. In both cases batches grow while an earlier one waits for its confirm.
    The memory bus never lingers: its messages cost nothing. `outbox_mib` bounds what gathers while the broker is
    away. `prefetch`: batches in a consumer's handler at once. `prefix` goes before every queue's name, so that several
    installations can share a broker. `events` says which are published: those that somebody is bound to ("wanted"),
    all ("always"), none ("never").

    `router_partitions` and `webhook_partitions`: how many queues of RabbitMQ the routers' address and the relays' are,
    each station in one of them. Before these are raised for those that send, they are raised for the routers or relays.
    The memory bus has no use for them.
    """

    url: str = "memory://"
    linger_ms: float = 1.0
    outbox_mib: int = 64
    prefetch: int = 64
    prefix: str = ""
    heartbeat: int = 10
    events: Literal["wanted", "always", "never"] = "wanted"
    router_partitions: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    webhook_partitions: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1


@dataclass(frozen=True)
class Doors:
    """One process's ends of the bus and of what the operator's side sees of it."""

    bus: Bus
    events: Events
    orders: Orders
    spool: Spool


@asynccontextmanager
async def open_doors(settings: BusSettings, *, data: Path | None = None) -> AsyncIterator[Doors]:
    """The adapters for `memory://`, `amqp://…` or `amqps://…`, until the context is left.

    `data` is the directory where the memory spool keeps its letters; None: they do not survive the process. Raises
    `ValueError` for another URL or an unusable directory, and `ConnectionError` when there is no broker.
    """
    scheme = settings.url.partition("://")[0]
    if scheme == "memory":
        from csms_platform.bus.memory import memory_doors, open_exchange

        async with open_exchange(data) as exchange, memory_doors(exchange, settings) as doors:
            yield doors
    elif scheme in ("amqp", "amqps"):
        from csms_platform.bus.amqp import AmqpBus
        from csms_platform.bus.amqp_events import AmqpEvents
        from csms_platform.bus.amqp_orders import AmqpOrders
        from csms_platform.bus.amqp_partitions import PartitionedBus
        from csms_platform.bus.amqp_spool import AmqpSpool

        partitioned = max(settings.router_partitions, settings.webhook_partitions) > 1
        async with (PartitionedBus if partitioned else AmqpBus)(settings) as bus:
            events = AmqpEvents(bus, settings)
            await events.open()
            yield Doors(bus, events, AmqpOrders(bus, settings), AmqpSpool(bus, settings))
    else:
        raise ValueError(f"bus: {settings.url!r} is neither memory:// nor amqp://… nor amqps://….")

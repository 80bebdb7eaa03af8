"""The stores behind `ports.Sessions`, `Stations`, `Tags`, `Transactions`, `Commands` and `Deliveries`: in memory, or in
Redis.

The URL chooses the adapter, which is imported only then: a process on memory never loads the Redis client.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from csms_platform.ports import Commands, Deliveries, Sessions, Stations, Tags, Transactions

PREFIX = "csms:"
KEEP_ENDED = 400 * 86400.0
KEEP_COMMANDS = 86400.0


@dataclass(frozen=True)
class Stores:
    """The stores of one adapter. `ready` answers whether the store can be reached now; it never raises."""

    sessions: Sessions
    stations: Stations
    tags: Tags
    transactions: Transactions
    commands: Commands
    deliveries: Deliveries
    ready: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def open_stores(
    url: str,
    *,
    data: Path | None = None,
    clock: Callable[[], float] = time.time,
    prefix: str = PREFIX,
    keep_ended: float = KEEP_ENDED,
    keep_commands: float = KEEP_COMMANDS,
) -> AsyncIterator[Stores]:
    """The stores at `url`, until the context is left: `memory://`, `redis://`, `rediss://` or `unix://`.

    `data` is the directory where the memory adapter keeps its journal; None: nothing survives the process. `prefix`
    begins every Redis key. Ended transactions are forgotten after `keep_ended` seconds, ended commands after
    `keep_commands`. `clock` is in seconds since 1970. Opening does not wait for Redis: until it answers, the stores
    raise `Unavailable` and `ready` is False.
    Raises `ValueError`, in one sentence, when the URL or the data directory is not usable.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from csms_platform.state.memory import open_memory

        async with open_memory(data=data, clock=clock, keep_ended=keep_ended, keep_commands=keep_commands) as stores:
            yield stores
    elif scheme in ("redis", "rediss", "unix"):
        from csms_platform.state.redis import open_redis

        keep = {"keep_ended": keep_ended, "keep_commands": keep_commands}
        async with open_redis(url, clock=clock, prefix=prefix, **keep) as stores:
            yield stores
    else:
        raise ValueError(f"The state URL must begin with memory://, redis://, rediss:// or unix://, not {scheme!r}.")

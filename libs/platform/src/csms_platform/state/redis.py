"""The stores in Redis (6.2 or newer, one primary; not Redis Cluster), shared by every router.

Keys, each after the prefix:

    stations, known, notes:, tags, tag-ids: see `redis_stations`
    sessions, epochs, leases, held: see `redis_sessions`
    transaction:, transactions, begun:, active:, at:, transaction-id, reply: see `redis_transactions`
    command:, waiting:, queued:, asked:, expectant, open, command-turn: see `redis_command_scripts`
    spooled:, dead, died: see `redis_deliveries`
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from csms_platform.state import (
    KEEP_COMMANDS,
    KEEP_ENDED,
    PREFIX,
    Stores,
    redis_command_scripts,
    redis_deliveries,
    redis_sessions,
    redis_stations,
    redis_transactions,
)
from csms_platform.state.redis_commands import RedisCommands
from csms_platform.state.redis_deliveries import RedisDeliveries
from csms_platform.state.redis_link import Link
from csms_platform.state.redis_sessions import RedisSessions
from csms_platform.state.redis_stations import RedisStations, RedisTags
from csms_platform.state.redis_transactions import RedisTransactions

_STORES = (redis_sessions, redis_stations, redis_transactions, redis_command_scripts, redis_deliveries)
_SCRIPTS = [script for store in _STORES for script in store.SCRIPTS]


@asynccontextmanager
async def open_redis(
    url: str,
    *,
    clock: Callable[[], float] = time.time,
    prefix: str = PREFIX,
    keep_ended: float = KEEP_ENDED,
    keep_commands: float = KEEP_COMMANDS,
    timeout: float = 3.0,
) -> AsyncIterator[Stores]:
    """Stores in the Redis at `url`; see `open_stores`. A command waits at most about `timeout` seconds."""
    try:
        link = Link(url, _SCRIPTS, timeout=timeout)
    except (ValueError, TypeError) as error:
        raise ValueError(f"The Redis URL cannot be understood: {error}.") from error
    try:
        yield Stores(
            sessions=RedisSessions(link, prefix, clock),
            stations=RedisStations(link, prefix),
            tags=RedisTags(link, prefix),
            transactions=RedisTransactions(link, prefix, keep_ended),
            commands=RedisCommands(link, prefix, keep_commands),
            deliveries=RedisDeliveries(link, prefix),
            ready=link.ready,
        )
    finally:
        await link.close()

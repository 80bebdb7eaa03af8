"""The stores in Redis (6.2 or newer, one primary; not Redis Cluster), shared by every router.

Keys, each after the prefix:

    stations                        hash    identity → Station
    notes:<identity>                hash    field → JSON
    tags                            hash    folded id → Tag
    sessions, epochs, leases, held: see `redis_sessions`
    transaction:, begun:, active:, transaction-id, reply: see `redis_transactions`
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Note, Station, Tag
from csms_platform.state import KEEP_ENDED, PREFIX, Stores, redis_sessions, redis_transactions
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.redis_sessions import RedisSessions
from csms_platform.state.redis_transactions import RedisTransactions
from csms_platform.state.rules import fold

_encode = msgspec.json.Encoder().encode
_station = msgspec.json.Decoder(Station).decode
_tag = msgspec.json.Decoder(Tag).decode

_NOTE = Script("""
for i = 2, #ARGV, 3 do
  redis.call('HSET', ARGV[1] .. ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
""")


class RedisStations:
    """`ports.Stations`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._stations = prefix + "stations"
        self._notes = prefix + "notes:"

    async def get(self, identity: StationId) -> Station | None:
        value = await self._link.execute("HGET", self._stations, identity)
        return None if value is None else _station(value)

    async def put(self, station: Station) -> None:
        await self._link.execute("HSET", self._stations, station.identity, _encode(station))

    async def delete(self, identity: StationId) -> bool:
        removed, _ = await asyncio.gather(
            self._link.execute("HDEL", self._stations, identity), self._link.execute("DEL", self._notes + identity)
        )
        return bool(removed)

    async def note(self, notes: Sequence[Note]) -> None:
        if notes:
            words = [word for note in notes for word in (note.identity, note.field, note.value)]
            await self._link.run(_NOTE, [], self._notes, *words)

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        flat = await self._link.execute("HGETALL", self._notes + identity)
        return {field.decode(): value for field, value in zip(flat[::2], flat[1::2], strict=True)}


class RedisTags:
    """`ports.Tags`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._tags = prefix + "tags"

    async def get(self, id: str) -> Tag | None:
        value = await self._link.execute("HGET", self._tags, fold(id))
        return None if value is None else _tag(value)

    async def put(self, tag: Tag) -> None:
        await self._link.execute("HSET", self._tags, fold(tag.id), _encode(tag))

    async def delete(self, id: str) -> bool:
        return bool(await self._link.execute("HDEL", self._tags, fold(id)))


@asynccontextmanager
async def open_redis(
    url: str,
    *,
    clock: Callable[[], float] = time.time,
    prefix: str = PREFIX,
    keep_ended: float = KEEP_ENDED,
    timeout: float = 3.0,
) -> AsyncIterator[Stores]:
    """Stores in the Redis at `url`; see `open_stores`. A command waits at most about `timeout` seconds."""
    try:
        link = Link(url, (_NOTE, *redis_sessions.SCRIPTS, *redis_transactions.SCRIPTS), timeout=timeout)
    except (ValueError, TypeError) as error:
        raise ValueError(f"The Redis URL cannot be understood: {error}.") from error
    try:
        yield Stores(
            sessions=RedisSessions(link, prefix, clock),
            stations=RedisStations(link, prefix),
            tags=RedisTags(link, prefix),
            transactions=RedisTransactions(link, prefix, keep_ended),
            ready=link.ready,
        )
    finally:
        await link.close()

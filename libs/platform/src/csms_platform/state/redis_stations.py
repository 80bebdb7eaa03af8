"""`ports.Stations` and `ports.Tags` in Redis.

Keys, each after the prefix:

    stations            hash        identity → Station
    known               sorted set  identities, all with score 0: a page is a range of them in byte order
    notes:<identity>    hash        field → JSON
    tags                hash        folded id → Tag
    tag-ids             sorted set  the folded ids, all with score 0; made anew when it does not fit the hash
"""

import asyncio
from collections.abc import Sequence

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Note, Station, Tag
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.rules import fold

_encode = msgspec.json.Encoder().encode
_station = msgspec.json.Decoder(Station).decode
_tag = msgspec.json.Decoder(Tag).decode

_NOTE = Script("""
for i = 2, #ARGV, 3 do
  redis.call('HSET', ARGV[1] .. ARGV[i], ARGV[i + 1], ARGV[i + 2])
  if ARGV[i + 1] == 'boot' then
    redis.call('ZADD', KEYS[1], 0, ARGV[i])
  end
end
""")

# The index does not fit when tags were stored by a version that had none.
_TAGS = Script("""
if redis.call('ZCARD', KEYS[2]) ~= redis.call('HLEN', KEYS[1]) then
  redis.call('DEL', KEYS[2])
  for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    redis.call('ZADD', KEYS[2], 0, id)
  end
end
local tags = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  tags[#tags + 1] = redis.call('HGET', KEYS[1], id) or nil
end
return tags
""")

SCRIPTS = (_NOTE, _TAGS)


class RedisStations:
    """See `ports.Stations`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._stations = prefix + "stations"
        self._known = prefix + "known"
        self._notes = prefix + "notes:"

    async def get(self, identity: StationId) -> Station | None:
        value = await self._link.execute("HGET", self._stations, identity)
        return None if value is None else _station(value)

    async def put(self, station: Station) -> None:
        await asyncio.gather(
            self._link.execute("ZADD", self._known, 0, station.identity),
            self._link.execute("HSET", self._stations, station.identity, _encode(station)),
        )

    async def delete(self, identity: StationId) -> bool:
        removed, _, _ = await asyncio.gather(
            self._link.execute("HDEL", self._stations, identity),
            self._link.execute("DEL", self._notes + identity),
            self._link.execute("ZREM", self._known, identity),
        )
        return bool(removed)

    async def note(self, notes: Sequence[Note]) -> None:
        if notes:
            words = [word for note in notes for word in (note.identity, note.field, note.value)]
            await self._link.run(_NOTE, [self._known], self._notes, *words)

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        flat = await self._link.execute("HGETALL", self._notes + identity)
        return {field.decode(): value for field, value in zip(flat[::2], flat[1::2], strict=True)}

    async def forget(self, identity: StationId, fields: Sequence[str]) -> None:
        if fields:
            await self._link.execute("HDEL", self._notes + identity, *fields)

    async def known(self, *, after: str = "", limit: int = 100) -> list[StationId]:
        found = await self._link.execute("ZRANGEBYLEX", self._known, "(" + after, "+", "LIMIT", 0, limit)
        return [StationId(identity.decode()) for identity in found]


class RedisTags:
    """See `ports.Tags`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._tags = prefix + "tags"
        self._ids = prefix + "tag-ids"

    async def get(self, id: str) -> Tag | None:
        value = await self._link.execute("HGET", self._tags, fold(id))
        return None if value is None else _tag(value)

    async def put(self, tag: Tag) -> None:
        await asyncio.gather(
            self._link.execute("ZADD", self._ids, 0, fold(tag.id)),
            self._link.execute("HSET", self._tags, fold(tag.id), _encode(tag)),
        )

    async def delete(self, id: str) -> bool:
        removed, _ = await asyncio.gather(
            self._link.execute("HDEL", self._tags, fold(id)), self._link.execute("ZREM", self._ids, fold(id))
        )
        return bool(removed)

    async def page(self, *, after: str = "", limit: int = 100) -> list[Tag]:
        return [_tag(value) for value in await self._link.run(_TAGS, [self._tags, self._ids], "(" + fold(after), limit)]

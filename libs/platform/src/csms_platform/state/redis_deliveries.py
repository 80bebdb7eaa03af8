"""`ports.Deliveries` in Redis.

Keys, each after the prefix:

    spooled:<lane>      sorted set  the letters that wait, by the time they were stored at
    dead                hash        id → fifteen digits of the time it died at, and DeadLetter
    died                sorted set  that time, a space and the id (`paging.position`), all with score 0
"""

import msgspec

from csms_platform.ports import DeadLetter
from csms_platform.state.paging import cut, moment, position_at
from csms_platform.state.redis_link import Link, Script

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeadLetter).decode
_DIGITS = len(moment(0))

_DONE = Script("""
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. at)
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('EXISTS', KEYS[1])
""")

_BURY = Script("""
local earlier = redis.call('HGET', KEYS[1], ARGV[1])
if earlier then
  redis.call('ZREM', KEYS[2], string.sub(earlier, 1, 15) .. ' ' .. ARGV[1])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, string.sub(ARGV[2], 1, 15) .. ' ' .. ARGV[1])
""")

_DISCARD = Script("""
local letter = redis.call('HGET', KEYS[1], ARGV[1])
local died = letter and string.sub(letter, 1, 15)
if not letter or (ARGV[2] ~= '' and ARGV[2] ~= died) then
  return 0
end
redis.call('ZREM', KEYS[2], died .. ' ' .. ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
""")

_DEAD = Script("""
local found = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local letters = {}
for i, where in ipairs(found) do
  letters[i] = redis.call('HGET', KEYS[1], string.sub(where, 17))
end
return {found, letters}
""")

SCRIPTS = (_DONE, _BURY, _DISCARD, _DEAD)


class RedisDeliveries:
    """See `ports.Deliveries`."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._spooled = prefix + "spooled:"
        self._dead = prefix + "dead"
        self._keys = [self._dead, prefix + "died"]

    async def waits(self, lane: str, id: str, at: int) -> None:
        await self._link.execute("ZADD", self._spooled + lane, at, id)

    async def done(self, lane: str, id: str) -> bool:
        return bool(await self._link.run(_DONE, [self._spooled + lane], id))

    async def pending(self, lane: str) -> bool:
        return bool(await self._link.execute("EXISTS", self._spooled + lane))

    async def bury(self, letter: DeadLetter) -> None:
        await self._link.run(_BURY, self._keys, letter.id, moment(letter.died).encode() + _encode(letter))

    async def dead(self, *, after: str = "", limit: int = 100) -> tuple[list[DeadLetter], str]:
        low = "(" + (position_at(after) if after else "")
        found, letters = await self._link.run(_DEAD, self._keys, low, limit + 1)
        _, following = cut([where.decode() for where in found], limit)
        return [_decode(letter[_DIGITS:]) for letter in letters[:limit]], following

    async def dead_letter(self, id: str) -> DeadLetter | None:
        value = await self._link.execute("HGET", self._dead, id)
        return None if value is None else _decode(value[_DIGITS:])

    async def discard(self, id: str, died: int | None = None) -> bool:
        return bool(await self._link.run(_DISCARD, self._keys, id, "" if died is None else moment(died)))

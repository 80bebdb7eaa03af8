"""`ports.Sessions` in Redis. Leases are measured with the Redis server's clock, so routers need not agree on the time.

Keys, each after the prefix:

    sessions            hash        identity → SessionRecord
    epochs              hash        identity → the last epoch; never expires
    leases              sorted set  gateway → when its lease ends, milliseconds since 1970; 0: it never had one
    held:<gateway>      set         the identities of its sessions, so that a sweep looks at dead gateways' only
    known: see `redis_stations`

The lease of a station without a connection leaves `leases` together with its session.
"""

from collections.abc import Callable

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Claim, GatewayId, SessionRecord, without_connection
from csms_platform.state.redis_link import Link, Script

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SessionRecord).decode

_NOW = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

# `live(sessions, leases, identity)`: the station's SessionRecord while its gateway's lease lives, else false or nil.
LIVE = (
    _NOW
    + """
local function live(sessions, leases, identity)
  local record = redis.call('HGET', sessions, identity)
  local ends = record and redis.call('ZSCORE', leases, cjson.decode(record).gateway)
  return ends and tonumber(ends) > now() and record
end
"""
)

# `leave(record, leases, held, identity, own, following)`: `record` is the station's session no more. `own` is what
# stands for the gateway of this station when it has no connection, `following` the gateway of its next session.
_LEAVE = """
local function leave(record, leases, held, identity, own, following)
  local gateway = cjson.decode(record).gateway
  redis.call('SREM', held .. gateway, identity)
  if gateway == own and gateway ~= following then
    redis.call('ZREM', leases, gateway)
  end
end
"""

# A station's first epoch is the time in milliseconds: should Redis lose its data, epochs still grow.
_OPEN = Script(
    _NOW
    + _LEAVE
    + """
local identity, gateway, rest, held, own = unpack(ARGV)
local epoch = redis.call('HINCRBY', KEYS[2], identity, 1)
if epoch == 1 then
  epoch = now()
  redis.call('HSET', KEYS[2], identity, string.format('%.0f', epoch))
end
local record = string.format('{"epoch":%.0f,', epoch) .. rest
local replaced = redis.call('HGET', KEYS[1], identity)
if replaced then
  leave(replaced, KEYS[3], held, identity, own, gateway)
end
redis.call('HSET', KEYS[1], identity, record)
redis.call('SADD', held .. gateway, identity)
redis.call('ZADD', KEYS[3], 'NX', 0, gateway)
redis.call('ZADD', KEYS[4], 0, identity)
return {record, replaced}
"""
)

# `epoch` comes and goes as text: a number of this size loses digits in Lua's own formatting.
_RESUME = Script(
    _LEAVE
    + """
local identity, gateway, rest, held, own, epoch = unpack(ARGV)
local last = redis.call('HGET', KEYS[2], identity)
if last and tonumber(last) > tonumber(epoch) then
  return 0
end
local replaced = redis.call('HGET', KEYS[1], identity)
if replaced then
  leave(replaced, KEYS[3], held, identity, own, gateway)
end
redis.call('HSET', KEYS[2], identity, epoch)
redis.call('HSET', KEYS[1], identity, '{"epoch":' .. epoch .. ',' .. rest)
redis.call('SADD', held .. gateway, identity)
redis.call('ZADD', KEYS[3], 'NX', 0, gateway)
redis.call('ZADD', KEYS[4], 0, identity)
return 1
"""
)

# A live session always has the station's last epoch.
_RELEASE = Script(
    _LEAVE
    + """
local identity, epoch, held, own = unpack(ARGV)
local record = redis.call('HGET', KEYS[1], identity)
if not record or redis.call('HGET', KEYS[2], identity) ~= epoch then
  return 0
end
redis.call('HDEL', KEYS[1], identity)
leave(record, KEYS[3], held, identity, own)
return 1
"""
)

_GET = Script(LIVE + "return live(KEYS[1], KEYS[2], ARGV[1])")

_RENEW = Script(
    _NOW
    + """
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now() + ARGV[2]), ARGV[1])
return ends and tonumber(ends) > now() and 1
"""
)

_SWEEP = Script(
    _NOW
    + """
local limit, held, until_now = tonumber(ARGV[1]), ARGV[2], string.format('%.0f', now())
local swept = {}
local function sweep(gateway)
  for _, identity in ipairs(redis.call('SPOP', held .. gateway, limit - #swept)) do
    local record = redis.call('HGET', KEYS[1], identity)
    if record then
      swept[#swept + 1] = record
      redis.call('HDEL', KEYS[1], identity)
    end
  end
  if redis.call('EXISTS', held .. gateway) == 0 then
    redis.call('ZREM', KEYS[2], gateway)
  end
end
repeat
  local ended = redis.call('ZRANGEBYSCORE', KEYS[2], 0, until_now, 'LIMIT', 0, limit)
  for _, gateway in ipairs(ended) do
    if #swept < limit then
      sweep(gateway)
    end
  end
until #ended == 0 or #swept >= limit
return swept
"""
)

SCRIPTS = (_OPEN, _RESUME, _RELEASE, _GET, _RENEW, _SWEEP)


class RedisSessions:
    """See `ports.Sessions`. A gateway that never renewed has no lease: its sessions count as expired at once."""

    def __init__(self, link: Link, prefix: str, clock: Callable[[], float]) -> None:
        self._link = link
        self._clock = clock
        self._sessions = prefix + "sessions"
        self._leases = prefix + "leases"
        self._held = prefix + "held:"
        self._keys = [self._sessions, prefix + "epochs", self._leases, prefix + "known"]

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        record, replaced = await self._link.run(_OPEN, self._keys, *self._arguments(claim))
        return _decode(record), None if replaced is None else _decode(replaced)

    async def resume(self, claim: Claim, epoch: int) -> bool:
        return bool(await self._link.run(_RESUME, self._keys, *self._arguments(claim), epoch))

    async def release(self, identity: StationId, epoch: int) -> bool:
        own = without_connection(identity)
        return bool(await self._link.run(_RELEASE, self._keys, identity, epoch, self._held, own))

    async def get(self, identity: StationId) -> SessionRecord | None:
        record = await self._link.run(_GET, [self._sessions, self._leases], identity)
        return None if record is None else _decode(record)

    async def renew(self, gateway: GatewayId, seconds: float) -> bool:
        return bool(await self._link.run(_RENEW, [self._leases], gateway, int(seconds * 1000)))

    async def retire(self, gateway: GatewayId) -> None:
        await self._link.execute("ZADD", self._leases, "XX", 0, gateway)

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        swept = await self._link.run(_SWEEP, [self._sessions, self._leases], limit, self._held)
        return [_decode(record) for record in swept]

    def _arguments(self, claim: Claim) -> tuple[str | bytes, ...]:
        """What `_OPEN` and `_RESUME` are told; the third is the record's JSON but for its opening brace and the epoch,
        which the scripts put before it."""
        rest = _encode(msgspec.structs.asdict(claim) | {"since": int(self._clock() * 1000)})[1:]
        return claim.identity, claim.gateway, rest, self._held, without_connection(claim.identity)

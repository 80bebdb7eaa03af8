"""`ports.Transactions` in Redis.

Keys, each after the prefix; <place> is `rules.place` of identity and id (or of identity and what recognises a start):

    transaction:<place>     hash        record: Transaction; counts: the folded tag that it counts against, or "";
                                        begun: when it was stored first, fifteen digits of milliseconds since 1970
    transactions            sorted set  begun, a space and the place (`paging.position`), all with score 0
    transactions:<identity> sorted set  the same, of one station
    begun:<place>           string      the id of the transaction that began so
    active:<tag>            set         the places of the transactions that count against the tag
    at:<spot>               string      the id of the transaction that began last at this connector of a station
    transaction-id          string      the last integer id
    reply:<key>             string      a stored answer; expires

What belongs to an ended transaction expires, but for its positions: those go when a page meets them, or when another
transaction is stored and chance finds them.
"""

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state.paging import ceiling, cut, moment
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.rules import counted_for, fold, place, recognised_by, spot, within_31_bits

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Transaction).decode

# `all` and `own` are the keys of the two sorted sets.
_STORE = """
local function forget(index, records)
  for _, position in ipairs(redis.call('ZRANDMEMBER', index, 2)) do
    if redis.call('EXISTS', records .. string.sub(position, 17)) == 0 then
      redis.call('ZREM', index, position)
    end
  end
end
local function list(record, place, all, own)
  local time = redis.call('TIME')
  local begun = string.format('%015.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSET', record, 'begun', begun)
  for _, index in ipairs({all, own}) do
    forget(index, string.sub(record, 1, -#place - 1))
    redis.call('ZADD', index, 0, begun .. ' ' .. place)
  end
end
local function store(record, begun, all, own, active, id, json, counts, place, seconds)
  local before, listed = unpack(redis.call('HMGET', record, 'counts', 'begun'))
  if before and before ~= '' and before ~= counts then
    redis.call('SREM', active .. before, place)
  end
  if counts ~= '' then
    redis.call('SADD', active .. counts, place)
  end
  redis.call('HSET', record, 'record', json, 'counts', counts)
  redis.call('SET', begun, id)
  if not listed then
    list(record, place, all, own)
  end
  if seconds == '0' then
    redis.call('PERSIST', record)
  else
    redis.call('EXPIRE', record, seconds)
    redis.call('EXPIRE', begun, seconds)
  end
end
"""

_UPDATE = Script(_STORE + "store(KEYS[1], KEYS[2], KEYS[3], KEYS[4], unpack(ARGV, 2))")

# ARGV[1] is the key of any transaction of this station, without its id; KEYS[5] is the connector's, or "". Answers what
# is stored instead of the transaction (nil: the transaction itself), and whether it is new.
_BEGIN = Script(
    _STORE
    + """
local station, active, id, json, counts, place, seconds = unpack(ARGV, 1, 7)
local limit, over, places, keep = tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
local known = redis.call('GET', KEYS[2])
known = known and redis.call('HGET', station .. known, 'record')
if known then
  return {known, 0}
end
if KEYS[5] ~= '' then
  local earlier = redis.call('GET', KEYS[5])
  local counted = earlier and redis.call('HGET', station .. earlier, 'counts')
  if counted and counted ~= '' then
    redis.call('SREM', active .. counted, places .. earlier)
    local record = redis.call('HGET', station .. earlier, 'record')
    redis.call('HSET', station .. earlier, 'counts', '', 'record', '{"superseded":true,' .. string.sub(record, 2))
  end
  redis.call('SET', KEYS[5], id, 'EX', keep)
end
local instead = false
if over ~= '' and counts ~= '' and limit > 0 and redis.call('SCARD', active .. counts) >= limit then
  instead, json, counts = over, over, ''
end
store(KEYS[1], KEYS[2], KEYS[3], KEYS[4], active, id, json, counts, place, seconds)
return {instead, 1}
"""
)

# Should Redis lose its data, ids go on above those of before: see `rules.first_id`, which this follows.
_NEW_ID = Script("""
local count = redis.call('INCR', KEYS[1])
if count == 1 then
  local time = redis.call('TIME')
  count = math.floor((time[1] + time[2] / 1000000) * 32) % 2147483647 + 1
  redis.call('SET', KEYS[1], string.format('%.0f', count))
end
return count
""")

# ARGV: the key of any transaction without its place, the two bounds, and how many. Positions whose transaction has
# expired, or is another one since, are dropped on the way.
_PAGE = Script("""
local records, high, low, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local found, transactions = {}, {}
repeat
  local positions = redis.call('ZREVRANGEBYLEX', KEYS[1], high, low, 'LIMIT', 0, limit - #found)
  for _, position in ipairs(positions) do
    local json, begun = unpack(redis.call('HMGET', records .. string.sub(position, 17), 'record', 'begun'))
    if json and begun == string.sub(position, 1, 15) then
      found[#found + 1], transactions[#found + 1] = position, json
    else
      redis.call('ZREM', KEYS[1], position)
    end
    high = '(' .. position
  end
until #positions == 0 or #found == limit
return {found, transactions}
""")

SCRIPTS = (_BEGIN, _UPDATE, _NEW_ID, _PAGE)


class RedisTransactions:
    """See `ports.Transactions`. Ended transactions are forgotten `keep_ended` seconds after the end was stored."""

    def __init__(self, link: Link, prefix: str, keep_ended: float) -> None:
        self._link = link
        self._keep_ended = max(1, int(keep_ended))
        self._records = prefix + "transaction:"
        self._all = prefix + "transactions"
        self._begun = prefix + "begun:"
        self._active = prefix + "active:"
        self._at = prefix + "at:"
        self._replies = prefix + "reply:"
        self._last_id = prefix + "transaction-id"

    async def new_id(self) -> int:
        return within_31_bits(await self._link.run(_NEW_ID, [self._last_id]))

    async def begin(
        self, transaction: Transaction, *, limit: int = 0, over: Transaction | None = None
    ) -> tuple[Transaction, bool]:
        identity, where = transaction.identity, spot(transaction)
        keys = [*self._keys(transaction), self._at + place(identity, where) if where else ""]
        instead = b"" if over is None else _encode(over)
        arguments = *self._arguments(transaction), limit, instead, place(identity, ""), self._keep_ended
        stored, new = await self._link.run(_BEGIN, keys, *arguments)
        return transaction if stored is None else _decode(stored), bool(new)

    async def get(self, identity: StationId, id: str) -> Transaction | None:
        value = await self._link.execute("HGET", self._records + place(identity, id), "record")
        return None if value is None else _decode(value)

    async def update(self, transaction: Transaction) -> None:
        await self._link.run(_UPDATE, self._keys(transaction), *self._arguments(transaction))

    async def active(self, tag: str) -> int:
        count: int = await self._link.execute("SCARD", self._active + fold(tag))
        return count

    async def answered(self, key: str) -> bytes | None:
        reply: bytes | None = await self._link.execute("GET", self._replies + key)
        return reply

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        await self._link.execute("SET", self._replies + key, reply, "PX", max(1, int(seconds * 1000)))

    async def page(
        self,
        *,
        identity: StationId | None = None,
        since: int = 0,
        until: int | None = None,
        after: str = "",
        limit: int = 100,
    ) -> tuple[list[Transaction], str]:
        index = self._all if identity is None else f"{self._all}:{identity}"
        high = ceiling(until, after)
        bounds = "+" if high is None else "(" + high, "[" + moment(since)
        found, transactions = await self._link.run(_PAGE, [index], self._records, *bounds, limit + 1)
        _, following = cut([where.decode() for where in found], limit)
        return [_decode(json) for json in transactions[:limit]], following

    def _keys(self, transaction: Transaction) -> list[str]:
        identity = transaction.identity
        return [
            self._records + place(identity, transaction.id),
            self._begun + place(identity, recognised_by(transaction)),
            self._all,
            f"{self._all}:{identity}",
        ]

    def _arguments(self, transaction: Transaction) -> tuple[str | bytes | int, ...]:
        return (
            self._records + place(transaction.identity, ""),
            self._active,
            transaction.id,
            _encode(transaction),
            counted_for(transaction),
            place(transaction.identity, transaction.id),
            self._keep_ended if transaction.stopped else 0,
        )

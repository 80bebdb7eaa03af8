"""`ports.Transactions` in Redis.

Keys, each after the prefix; <place> is `rules.place` of identity and id (or of identity and what recognises a start):

    transaction:<place>     hash        record: Transaction; counts: the folded tag that it counts against, or ""
    begun:<place>           string      the id of the transaction that began so
    active:<tag>            set         the places of the transactions that count against the tag
    transaction-id          string      the last integer id
    reply:<key>             string      a stored answer; expires

What belongs to an ended transaction expires.
"""

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.rules import counted_for, fold, place, recognised_by, within_31_bits

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Transaction).decode

_STORE = """
local function store(record, begun, active, id, json, counts, place, seconds)
  local before = redis.call('HGET', record, 'counts')
  if before and before ~= '' and before ~= counts then
    redis.call('SREM', active .. before, place)
  end
  if counts ~= '' then
    redis.call('SADD', active .. counts, place)
  end
  redis.call('HSET', record, 'record', json, 'counts', counts)
  redis.call('SET', begun, id)
  if seconds == '0' then
    redis.call('PERSIST', record)
  else
    redis.call('EXPIRE', record, seconds)
    redis.call('EXPIRE', begun, seconds)
  end
end
"""

_UPDATE = Script(_STORE + "store(KEYS[1], KEYS[2], unpack(ARGV, 2))")

# ARGV[1] is the key of any transaction of this station, without its id.
_BEGIN = Script(
    _STORE
    + """
local id = redis.call('GET', KEYS[2])
local known = id and redis.call('HGET', ARGV[1] .. id, 'record')
if known then
  return known
end
store(KEYS[1], KEYS[2], unpack(ARGV, 2))
return nil
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

SCRIPTS = (_BEGIN, _UPDATE, _NEW_ID)


class RedisTransactions:
    """See `ports.Transactions`. Ended transactions are forgotten `keep_ended` seconds after the end was stored."""

    def __init__(self, link: Link, prefix: str, keep_ended: float) -> None:
        self._link = link
        self._keep_ended = max(1, int(keep_ended))
        self._records = prefix + "transaction:"
        self._begun = prefix + "begun:"
        self._active = prefix + "active:"
        self._replies = prefix + "reply:"
        self._last_id = prefix + "transaction-id"

    async def new_id(self) -> int:
        return within_31_bits(await self._link.run(_NEW_ID, [self._last_id]))

    async def begin(self, transaction: Transaction) -> tuple[Transaction, bool]:
        known = await self._run(_BEGIN, transaction)
        return (transaction, True) if known is None else (_decode(known), False)

    async def get(self, identity: StationId, id: str) -> Transaction | None:
        value = await self._link.execute("HGET", self._records + place(identity, id), "record")
        return None if value is None else _decode(value)

    async def update(self, transaction: Transaction) -> None:
        await self._run(_UPDATE, transaction)

    async def active(self, tag: str) -> int:
        count: int = await self._link.execute("SCARD", self._active + fold(tag))
        return count

    async def answered(self, key: str) -> bytes | None:
        reply: bytes | None = await self._link.execute("GET", self._replies + key)
        return reply

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        await self._link.execute("SET", self._replies + key, reply, "PX", max(1, int(seconds * 1000)))

    async def _run(self, script: Script, transaction: Transaction) -> bytes | None:
        identity = transaction.identity
        where = place(identity, transaction.id)
        found: bytes | None = await self._link.run(
            script,
            [self._records + where, self._begun + place(identity, recognised_by(transaction))],
            self._records + place(identity, ""),
            self._active,
            transaction.id,
            _encode(transaction),
            counted_for(transaction),
            where,
            self._keep_ended if transaction.stopped else 0,
        )
        return found

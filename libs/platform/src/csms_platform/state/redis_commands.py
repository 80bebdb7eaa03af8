"""`ports.Commands` in Redis.

Keys, each after the prefix; <place> is `rules.place` of identity and id:

    command:<place>     hash        record: Command as it was taken in, without its payload, which no script looks into
                                    (cjson would change it); the payload and what else changes later, by the field's
                                    name; fingerprint: the command's; waiters: a line of JSON for each; turn: fifteen
                                    digits that count the commands; overdue, offline: the record's times. An ended one
                                    expires
    waiting:<identity>  sorted set  turn, a space and the id of what waits; score 0: postponed, 1: not
    expectant           set         the identities for which something waits
    open                sorted set  the places of what has not ended, by the time from which it is overdue
    command-turn        string      the last turn

The sessions are those of `redis_sessions`.
"""

import msgspec
from msgspec import Raw

from csms_ocpp.confidential import hidden
from csms_ocpp.events import QUEUE_FULL
from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY
from csms_platform.ports import MOST_WAITING, Command, Waiter
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.redis_sessions import LIVE
from csms_platform.state.rules import place

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Command).decode
_waiter = msgspec.json.Decoder(Waiter).decode
_replace = msgspec.structs.replace
_TEXTS = ("status", "gateway", "account", "version", "outcome", "error_code", "error_description")

# KEYS are the same in every script: the command's record, waiting:<identity>, expectant, open, command-turn, sessions,
# leases. `order` is the score in `waiting`.
_WAITING = """
local function wait(order, turn, identity, id, place, offline)
  redis.call('ZADD', KEYS[2], order, turn .. ' ' .. id)
  redis.call('SADD', KEYS[3], identity)
  redis.call('ZADD', KEYS[4], offline, place)
end
local function wait_no_more(turn, identity, id)
  redis.call('ZREM', KEYS[2], turn .. ' ' .. id)
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('SREM', KEYS[3], identity)
  end
end
"""

_BEGIN = Script(
    LIVE
    + _WAITING
    + """
local identity, id, place, json, payload, hidden, fingerprint, waiters = unpack(ARGV, 1, 8)
local created, overdue, offline, may_wait, account, version, full, keep, most = unpack(ARGV, 9)
local status, known = unpack(redis.call('HMGET', KEYS[1], 'status', 'fingerprint'))
if status then
  local all = status ~= 'ended' and known == fingerprint and redis.call('HGET', KEYS[1], 'waiters')
  for waiter in string.gmatch(all and waiters or '', '[^\\n]+\\n') do
    if not string.find('\\n' .. all, '\\n' .. waiter, 1, true) then
      all = all .. waiter
      redis.call('HSET', KEYS[1], 'waiters', all)
    end
  end
  return {0, redis.call('HGETALL', KEYS[1])}
end
local turn = string.format('%015.0f', redis.call('INCR', KEYS[5]))
local attempt, gateway, outcome, code, ended = '0', '', '', '', '0'
local session = live(KEYS[6], KEYS[7], identity)
if session then
  session = cjson.decode(session)
  status, attempt, gateway = 'sent', '1', session.gateway
  account, version = session.account or '', session.version or ''
  redis.call('ZADD', KEYS[4], overdue, place)
elseif may_wait == '0' then
  status, payload, outcome, ended = 'ended', hidden, 'NotConnected', created
elseif redis.call('ZCARD', KEYS[2]) >= tonumber(most) then
  status, payload, outcome, code, ended = 'ended', hidden, 'Refused', full, created
else
  status = 'waiting'
  wait(1, turn, identity, id, place, offline)
end
local changing = {'status', status, 'payload', payload, 'attempt', attempt, 'gateway', gateway, 'account', account,
  'version', version, 'outcome', outcome, 'error_code', code, 'ended', ended}
redis.call('HSET', KEYS[1], 'record', json, 'fingerprint', fingerprint, 'waiters', waiters, 'turn', turn,
  'overdue', overdue, 'offline', offline, unpack(changing))
if status == 'ended' then
  redis.call('EXPIRE', KEYS[1], keep)
end
return {1, changing}
"""
)

_END = Script(
    _WAITING
    + """
local identity, id, place, keep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local status, turn = unpack(redis.call('HMGET', KEYS[1], 'status', 'turn'))
if not status or status == 'ended' then
  return {}
end
if status == 'waiting' then
  wait_no_more(turn, identity, id)
end
redis.call('ZREM', KEYS[4], place)
redis.call('HSET', KEYS[1], 'status', 'ended', unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], keep)
return redis.call('HGETALL', KEYS[1])
"""
)

_POSTPONE = Script(
    _WAITING
    + """
local identity, id, place, now, attempt = unpack(ARGV)
local status, turn, offline, current = unpack(redis.call('HMGET', KEYS[1], 'status', 'turn', 'offline', 'attempt'))
if not status or status == 'ended' then
  return 0
end
if current ~= attempt then
  return 1
end
if tonumber(offline) <= tonumber(now) then
  return 0
end
if status == 'sent' then
  redis.call('HSET', KEYS[1], 'status', 'waiting', 'gateway', '')
  wait(0, turn, identity, id, place, offline)
end
return 1
"""
)

# ARGV[2] is the key of any command of this station, ARGV[3] its place, both without the id.
_RELEASE = Script(
    LIVE
    + """
local identity, records, places = ARGV[1], ARGV[2], ARGV[3]
local session = redis.call('EXISTS', KEYS[2]) == 1 and live(KEYS[6], KEYS[7], identity)
if not session then
  return {}
end
session = cjson.decode(session)
local released = {}
for i, turn in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local id = string.sub(turn, 17)
  redis.call('HSET', records .. id, 'status', 'sent', 'gateway', session.gateway, 'account', session.account or '',
    'version', session.version or '')
  redis.call('HINCRBY', records .. id, 'attempt', 1)
  redis.call('ZADD', KEYS[4], redis.call('HGET', records .. id, 'overdue'), places .. id)
  released[i] = redis.call('HGETALL', records .. id)
end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], identity)
return released
"""
)

_OVERDUE = Script("""
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
for i, place in ipairs(found) do
  found[i] = redis.call('HGETALL', ARGV[1] .. place)
end
return found
""")

SCRIPTS = (_BEGIN, _END, _POSTPONE, _RELEASE, _OVERDUE)


class RedisCommands:
    """See `ports.Commands`."""

    def __init__(self, link: Link, prefix: str, keep: float) -> None:
        self._link = link
        self._keep = max(1, int(keep))
        self._records = prefix + "command:"
        self._waiting = prefix + "waiting:"
        self._expectant = prefix + "expectant"
        self._open = prefix + "open"
        self._rest = [prefix + "command-turn", prefix + "sessions", prefix + "leases"]

    async def begin(self, command: Command) -> tuple[Command, bool]:
        where = place(command.identity, command.id)
        command = _replace(command, waiters=tuple(dict.fromkeys(command.waiters)))
        new, fields = await self._link.run(
            _BEGIN,
            self._keys(command.identity, where),
            command.identity,
            command.id,
            where,
            _encode(_replace(command, payload=EMPTY, waiters=())),
            bytes(command.payload),
            bytes(hidden(command.action, command.payload)),
            command.fingerprint,
            b"".join(_encode(waiter) + b"\n" for waiter in command.waiters),
            command.created,
            command.overdue,
            command.offline_until,
            int(command.offline_until > command.created),
            command.account,
            command.version,
            QUEUE_FULL,
            self._keep,
            MOST_WAITING,
        )
        return (_changed(command, fields), True) if new else (_command(fields), False)

    async def end(self, command: Command) -> Command | None:
        where = place(command.identity, command.id)
        ended: dict[str, str | bytes | int] = {
            "outcome": command.outcome,
            "answer": bytes(command.answer),
            "error_code": command.error_code,
            "error_description": command.error_description,
            "ended": command.ended,
            "version": command.version,
        }
        if command.payload != EMPTY:
            ended["payload"] = bytes(command.payload)
        words: list[str | bytes | int] = [word for field in ended.items() for word in field]
        keys = self._keys(command.identity, where)
        fields = await self._link.run(_END, keys, command.identity, command.id, where, self._keep, *words)
        return _command(fields) if fields else None

    async def postpone(self, identity: StationId, id: str, now: int, attempt: int) -> bool:
        where = place(identity, id)
        return bool(await self._link.run(_POSTPONE, self._keys(identity, where), identity, id, where, now, attempt))

    async def release(self, identity: StationId) -> list[Command]:
        where = place(identity, "")
        keys = self._keys(identity, where)
        released = await self._link.run(_RELEASE, keys, identity, self._records + where, where)
        return [_command(fields) for fields in released]

    async def expectant(self, limit: int = 1000) -> list[StationId]:
        found = await self._link.execute("SRANDMEMBER", self._expectant, limit)
        return [StationId(identity.decode()) for identity in found]

    async def overdue(self, now: int, limit: int = 1000) -> list[Command]:
        found = await self._link.run(_OVERDUE, [self._open], self._records, now, limit)
        return [_command(fields) for fields in found]

    async def get(self, identity: StationId, id: str) -> Command | None:
        fields = await self._link.execute("HGETALL", self._records + place(identity, id))
        return _command(fields) if fields else None

    def _keys(self, identity: StationId, where: str) -> list[str]:
        return [self._records + where, self._waiting + identity, self._expectant, self._open, *self._rest]


def _command(fields: list[bytes]) -> Command:
    """The command that a hash holds."""
    values = dict(zip(fields[::2], fields[1::2], strict=True))
    waiters = tuple(map(_waiter, values[b"waiters"].splitlines()))
    return _changed(_replace(_decode(values[b"record"]), waiters=waiters), fields)


def _changed(command: Command, fields: list[bytes]) -> Command:
    """The command with what has changed since it was taken in."""
    values = dict(zip(fields[::2], fields[1::2], strict=True))
    texts = {name: values[name.encode()].decode() for name in _TEXTS if name.encode() in values}
    answer = Raw(values[b"answer"]) if b"answer" in values else command.answer
    payload, attempt, ended = Raw(values[b"payload"]), int(values[b"attempt"]), int(values[b"ended"])
    return _replace(command, **texts, payload=payload, attempt=attempt, answer=answer, ended=ended)

"""What `redis_commands` does in Redis, each in one step.

Keys, each after the prefix; <place> is `rules.place` of identity and id:

    command:<place>     hash        record: Command as it was taken in, without its payload, which no script looks into
                                    (cjson would change it); the payload and what else changes later, by the field's
                                    name; fingerprint: the command's; waiters: a line of JSON for each; turn: fifteen
                                    digits that count the commands; deadline, overdue, offline: the record's times. An
                                    ended one expires
    waiting:<identity>  sorted set  turn, a space and the id of what waits; score 0: postponed, 1: not
    queued:<identity>   sorted set  the same of what is queued
    asked:<identity>    set         the ids of what is sent; counts only while the record says so, too
    expectant           set         the identities for which something waits or is queued
    open                sorted set  the places of what has not ended, by the time from which it is overdue
    command-turn        string      the last turn

The sessions are those of `redis_sessions`.
"""

from csms_platform.state.redis_link import Script
from csms_platform.state.redis_sessions import LIVE

# KEYS are the same in every script but `OVERDUE`; `record` is one command's. `records` is the key of any command of the
# station, `places` its place, both without the id.
_KEYS = "local record, waiting, queued, asked, expectant, open, last_turn, sessions, leases = unpack(KEYS)"

# `line` is `waiting` or `queued`; `order` is the score in it.
_LINES = (
    _KEYS
    + """
local function join(line, order, turn, identity, id, place, due)
  redis.call('ZADD', line, order, turn .. ' ' .. id)
  redis.call('SADD', expectant, identity)
  redis.call('ZADD', open, due, place)
end
local function look_whether_expectant(identity)
  if redis.call('EXISTS', waiting, queued) == 0 then
    redis.call('SREM', expectant, identity)
  end
end
local function leave(line, turn, identity, id)
  redis.call('ZREM', line, turn .. ' ' .. id)
  look_whether_expectant(identity)
end
"""
)

# `asked` may name what has ended since: a version that does not keep it may have ended that.
_SENDING = (
    LIVE
    + _LINES
    + """
local function under_way(records)
  for _, id in ipairs(redis.call('SMEMBERS', asked)) do
    if redis.call('HGET', records .. id, 'status') == 'sent' then
      return true
    end
    redis.call('SREM', asked, id)
  end
  return false
end
local function find_session(identity)
  local session = live(sessions, leases, identity)
  return session and cjson.decode(session)
end
local function send(records, places, id, session)
  local key = records .. id
  redis.call('HSET', key, 'status', 'sent', 'gateway', session.gateway, 'callback', session.callback or '',
    'account', session.account or '', 'version', session.version or '')
  redis.call('HINCRBY', key, 'attempt', 1)
  redis.call('SADD', asked, id)
  redis.call('ZADD', open, redis.call('HGET', key, 'overdue'), places .. id)
  return redis.call('HGETALL', key)
end
local function send_next(identity, records, places, session)
  local turn = redis.call('ZRANGE', queued, 0, 0)[1]
  if not turn or under_way(records) then
    return {}
  end
  local id = string.sub(turn, 17)
  leave(queued, string.sub(turn, 1, 15), identity, id)
  return {send(records, places, id, session)}
end
"""
)

BEGIN = Script(
    _SENDING
    + """
local identity, id, place, records, json, payload, hidden, fingerprint, waiters = unpack(ARGV, 1, 9)
local created, deadline, overdue, offline, may_wait, account, version, full, keep, most = unpack(ARGV, 10)
local status, known = unpack(redis.call('HMGET', record, 'status', 'fingerprint'))
if status then
  local all = status ~= 'ended' and known == fingerprint and redis.call('HGET', record, 'waiters')
  for waiter in string.gmatch(all and waiters or '', '[^\\n]+\\n') do
    if not string.find('\\n' .. all, '\\n' .. waiter, 1, true) then
      all = all .. waiter
      redis.call('HSET', record, 'waiters', all)
    end
  end
  return {0, redis.call('HGETALL', record)}
end
local turn = string.format('%015.0f', redis.call('INCR', last_turn))
local attempt, gateway, callback, outcome, code, ended = '0', '', '', '', '', '0'
local session = find_session(identity)
local in_turn = session and session.transport == 'soap'
if session and not (in_turn and (redis.call('EXISTS', queued) == 1 or under_way(records))) then
  status, attempt, gateway, callback = 'sent', '1', session.gateway, session.callback or ''
  account, version = session.account or '', session.version or ''
  redis.call('SADD', asked, id)
  redis.call('ZADD', open, overdue, place)
elseif not session and may_wait == '0' then
  status, payload, outcome, ended = 'ended', hidden, 'NotConnected', created
elseif redis.call('ZCARD', waiting) + redis.call('ZCARD', queued) >= tonumber(most) then
  status, payload, outcome, code, ended = 'ended', hidden, 'Refused', full, created
elseif session then
  status = 'queued'
  join(queued, 1, turn, identity, id, place, deadline)
else
  status = 'waiting'
  join(waiting, 1, turn, identity, id, place, offline)
end
local changing = {'status', status, 'payload', payload, 'attempt', attempt, 'gateway', gateway, 'callback', callback,
  'account', account, 'version', version, 'outcome', outcome, 'error_code', code, 'ended', ended}
redis.call('HSET', record, 'record', json, 'fingerprint', fingerprint, 'waiters', waiters, 'turn', turn,
  'deadline', deadline, 'overdue', overdue, 'offline', offline, unpack(changing))
if status == 'ended' then
  redis.call('EXPIRE', record, keep)
end
return {1, changing}
"""
)

END = Script(
    _LINES
    + """
local identity, id, place, keep = unpack(ARGV, 1, 4)
local status, turn = unpack(redis.call('HMGET', record, 'status', 'turn'))
if not status or status == 'ended' then
  return {}
end
if status == 'sent' then
  redis.call('SREM', asked, id)
else
  leave(status == 'waiting' and waiting or queued, turn, identity, id)
end
redis.call('ZREM', open, place)
redis.call('HSET', record, 'status', 'ended', unpack(ARGV, 5))
redis.call('EXPIRE', record, keep)
return redis.call('HGETALL', record)
"""
)

POSTPONE = Script(
    _LINES
    + """
local identity, id, place, now, attempt = unpack(ARGV)
local status, turn, offline, current = unpack(redis.call('HMGET', record, 'status', 'turn', 'offline', 'attempt'))
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
  redis.call('HSET', record, 'status', 'waiting', 'gateway', '', 'callback', '')
  redis.call('SREM', asked, id)
  join(waiting, 0, turn, identity, id, place, offline)
end
return 1
"""
)

# What was taken in by a version that queued nothing has no `deadline` beside its record.
RELEASE = Script(
    _SENDING
    + """
local identity, records, places = unpack(ARGV)
local session = redis.call('EXISTS', waiting, queued) > 0 and find_session(identity)
if not session then
  return {}
end
local function queue(turn)
  local id = string.sub(turn, 17)
  local deadline, overdue = unpack(redis.call('HMGET', records .. id, 'deadline', 'overdue'))
  redis.call('HSET', records .. id, 'status', 'queued')
  redis.call('ZADD', open, deadline or overdue, places .. id)
end
local all = redis.call('ZRANGE', waiting, 0, -1)
redis.call('ZUNIONSTORE', queued, 2, waiting, queued)
redis.call('DEL', waiting)
if session.transport == 'soap' then
  for _, turn in ipairs(all) do
    queue(turn)
  end
  return send_next(identity, records, places, session)
end
local released = {}
for i, turn in ipairs(redis.call('ZRANGE', queued, 0, -1)) do
  released[i] = send(records, places, string.sub(turn, 17), session)
end
redis.call('DEL', queued)
redis.call('SREM', expectant, identity)
return released
"""
)

NEXT = Script(
    _SENDING
    + """
local identity, records, places = unpack(ARGV)
local session = redis.call('EXISTS', queued) == 1 and find_session(identity)
return session and send_next(identity, records, places, session) or {}
"""
)

OVERDUE = Script("""
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
for i, place in ipairs(found) do
  found[i] = redis.call('HGETALL', ARGV[1] .. place)
end
return found
""")

SCRIPTS = (BEGIN, END, POSTPONE, RELEASE, NEXT, OVERDUE)

"""`ports.Commands` in Redis: the keys, and what is done with them there in one step, are in `redis_command_scripts`."""

import msgspec
from msgspec import Raw

from csms_ocpp.confidential import hidden
from csms_ocpp.events import QUEUE_FULL
from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY
from csms_platform.ports import MOST_WAITING, Command, Waiter
from csms_platform.state.redis_command_scripts import BEGIN, END, NEXT, OVERDUE, POSTPONE, RELEASE
from csms_platform.state.redis_link import Link, Script
from csms_platform.state.rules import place

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Command).decode
_waiter = msgspec.json.Decoder(Waiter).decode
_replace = msgspec.structs.replace
_TEXTS = ("status", "gateway", "callback", "account", "version", "outcome", "error_code", "error_description")


class RedisCommands:
    """See `ports.Commands`."""

    def __init__(self, link: Link, prefix: str, keep: float) -> None:
        self._link = link
        self._keep = max(1, int(keep))
        self._records = prefix + "command:"
        self._open = prefix + "open"
        self._expectant = prefix + "expectant"
        self._lines = [prefix + line for line in ("waiting:", "queued:", "asked:")]
        self._rest = [self._expectant, self._open, *(prefix + key for key in ("command-turn", "sessions", "leases"))]

    async def begin(self, command: Command) -> tuple[Command, bool]:
        where = place(command.identity, command.id)
        command = _replace(command, waiters=tuple(dict.fromkeys(command.waiters)))
        new, fields = await self._link.run(
            BEGIN,
            self._keys(command.identity, where),
            command.identity,
            command.id,
            where,
            self._records + place(command.identity, ""),
            _encode(_replace(command, payload=EMPTY, waiters=())),
            bytes(command.payload),
            bytes(hidden(command.action, command.payload)),
            command.fingerprint,
            b"".join(_encode(waiter) + b"\n" for waiter in command.waiters),
            command.created,
            command.deadline,
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
        fields = await self._link.run(END, keys, command.identity, command.id, where, self._keep, *words)
        return _command(fields) if fields else None

    async def postpone(self, identity: StationId, id: str, now: int, attempt: int) -> bool:
        where = place(identity, id)
        return bool(await self._link.run(POSTPONE, self._keys(identity, where), identity, id, where, now, attempt))

    async def release(self, identity: StationId) -> list[Command]:
        return await self._send(RELEASE, identity)

    async def next(self, identity: StationId) -> list[Command]:
        return await self._send(NEXT, identity)

    async def _send(self, script: Script, identity: StationId) -> list[Command]:
        where = place(identity, "")
        sent = await self._link.run(script, self._keys(identity, where), identity, self._records + where, where)
        return [_command(fields) for fields in sent]

    async def expectant(self, limit: int = 1000) -> list[StationId]:
        found = await self._link.execute("SRANDMEMBER", self._expectant, limit)
        return [StationId(identity.decode()) for identity in found]

    async def overdue(self, now: int, limit: int = 1000) -> list[Command]:
        found = await self._link.run(OVERDUE, [self._open], self._records, now, limit)
        return [_command(fields) for fields in found]

    async def get(self, identity: StationId, id: str) -> Command | None:
        fields = await self._link.execute("HGETALL", self._records + place(identity, id))
        return _command(fields) if fields else None

    def _keys(self, identity: StationId, where: str) -> list[str]:
        return [self._records + where, *(line + identity for line in self._lines), *self._rest]


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

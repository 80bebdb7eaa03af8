"""`ports.Commands` in memory: `commands/<identity>` are journaled rows. What is in line, and what is open, is derived.

No method gives way to another one between looking and changing, so each is one step.
"""

from collections.abc import Callable

import msgspec

from csms_ocpp.confidential import hidden
from csms_ocpp.events import QUEUE_FULL, Outcome
from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY
from csms_platform.ports import MOST_WAITING, Command, SessionRecord, Waiter
from csms_platform.state.memory_lines import Kept, Lines
from csms_platform.state.memory_sessions import MemorySessions
from csms_platform.state.tables import Expiry, Tables

_TABLE = "commands/"
_SOAP = "soap"
_encode = msgspec.json.Encoder().encode
_kept = msgspec.json.Decoder(Kept).decode
_replace = msgspec.structs.replace


class MemoryCommands:
    """See `ports.Commands`."""

    def __init__(self, tables: Tables, clock: Callable[[], float], sessions: MemorySessions, keep: float) -> None:
        self._tables = tables
        self._clock = clock
        self._sessions = sessions
        self._keep = keep
        self._turn = 0
        self._lines = Lines()
        self._expiry = Expiry()
        for table in tables.names(_TABLE):
            for value in tables.all(table).values():
                self._link(_kept(value))

    async def begin(self, command: Command) -> tuple[Command, bool]:
        known = self._load(command.identity, command.id)
        if known is None:
            taken = self._taken(_replace(command, waiters=_once(command.waiters)))
            self._store(Kept(taken, self._turn + 1))
            return taken, True
        if known.command.status != "ended" and known.command.fingerprint == command.fingerprint:
            waiters = _once(known.command.waiters + command.waiters)
            known = _replace(known, command=_replace(known.command, waiters=waiters))
            self._store(known)
        return known.command, False

    def _taken(self, command: Command) -> Command:
        session = self._sessions.live(command.identity)
        if session and not (session.transport == _SOAP and self._lines.ids(command.identity, "sent", "queued")):
            return _sent(command, session)
        if not session and command.offline_until <= command.created:
            return _ended(command, Outcome.NOT_CONNECTED)
        if len(self._lines.ids(command.identity, "waiting", "queued")) >= MOST_WAITING:
            return _ended(command, Outcome.REFUSED, QUEUE_FULL)
        return _replace(command, status="queued" if session else "waiting")

    async def end(self, command: Command) -> Command | None:
        known = self._load(command.identity, command.id)
        if known is None or known.command.status == "ended":
            return None
        ended = _replace(
            known.command,
            status="ended",
            payload=known.command.payload if command.payload == EMPTY else command.payload,
            outcome=command.outcome,
            answer=command.answer,
            error_code=command.error_code,
            error_description=command.error_description,
            ended=command.ended,
            version=command.version,
        )
        self._store(_replace(known, command=ended))
        return ended

    async def postpone(self, identity: StationId, id: str, now: int, attempt: int) -> bool:
        known = self._load(identity, id)
        if known is None or known.command.status == "ended":
            return False
        if known.command.attempt != attempt:
            return True
        if known.command.offline_until <= now:
            return False
        if known.command.status == "sent":
            waiting = _replace(known.command, status="waiting", gateway="", callback="")
            self._store(_replace(known, command=waiting, postponed=True))
        return True

    async def release(self, identity: StationId) -> list[Command]:
        session = self._sessions.live(identity)
        if session is None:
            return []
        if session.transport != _SOAP:
            return [self._send(identity, each, session) for each in self._lines.ids(identity, "waiting", "queued")]
        for each in self._lines.ids(identity, "waiting"):
            self._queue(identity, each)
        return self._next(identity, session)

    async def next(self, identity: StationId) -> list[Command]:
        session = self._sessions.live(identity)
        return self._next(identity, session) if session else []

    def _next(self, identity: StationId, session: SessionRecord) -> list[Command]:
        if self._lines.ids(identity, "sent"):
            return []
        return [self._send(identity, each, session) for each in self._lines.ids(identity, "queued")[:1]]

    def _queue(self, identity: StationId, id: str) -> None:
        known = self._known(identity, id)
        self._store(_replace(known, command=_replace(known.command, status="queued")))

    def _send(self, identity: StationId, id: str, session: SessionRecord) -> Command:
        known = self._known(identity, id)
        sent = _sent(known.command, session)
        self._store(_replace(known, command=sent, postponed=False))
        return sent

    async def expectant(self, limit: int = 1000) -> list[StationId]:
        return self._lines.expectant(limit)

    async def overdue(self, now: int, limit: int = 1000) -> list[Command]:
        return [self._known(*place).command for place in self._lines.overdue(now, limit)]

    async def get(self, identity: StationId, id: str) -> Command | None:
        known = self._load(identity, id)
        return known.command if known else None

    def _load(self, identity: StationId, id: str) -> Kept | None:
        self._forget()
        value = self._tables.get(_TABLE + identity, id)
        return None if value is None else _kept(value)

    def _known(self, identity: StationId, id: str) -> Kept:
        """One that stands in a line."""
        known = self._load(identity, id)
        assert known is not None
        return known

    def _store(self, kept: Kept) -> None:
        command = kept.command
        before = self._load(command.identity, command.id)
        if before and before.command.status != "ended":
            self._lines.remove(before)
        if command.status == "ended":
            kept = _replace(kept, until=self._clock() + self._keep)
        self._tables.put(_TABLE + command.identity, command.id, _encode(kept))
        self._link(kept)

    def _link(self, kept: Kept) -> None:
        command = kept.command
        self._turn = max(self._turn, kept.turn)
        if command.status == "ended":
            self._expiry.add(kept.until, _TABLE + command.identity, command.id)
        else:
            self._lines.add(kept)

    def _forget(self) -> None:
        now = self._clock()
        for table, key in self._expiry.due(now):
            value = self._tables.get(table, key)
            if value is not None and 0 < _kept(value).until <= now:
                self._tables.drop(table, key)


def _once(waiters: tuple[Waiter, ...]) -> tuple[Waiter, ...]:
    return tuple(dict.fromkeys(waiters))


def _sent(command: Command, session: SessionRecord) -> Command:
    return _replace(
        command,
        status="sent",
        attempt=command.attempt + 1,
        gateway=session.gateway,
        callback=session.callback,
        account=session.account,
        version=session.version,
    )


def _ended(command: Command, outcome: Outcome, code: str = "") -> Command:
    payload = hidden(command.action, command.payload)
    return _replace(
        command, status="ended", outcome=outcome.value, error_code=code, payload=payload, ended=command.created
    )

"""`ports.Transactions` in memory: `transactions/<identity>`, `replies` and the id counter are journaled rows.

What recognises a repeated start, and which transactions count for a tag, is derived from the rows.
"""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Transaction
from csms_platform.state.paging import Positions, ceiling, cut, moment, name_at, position
from csms_platform.state.rules import (
    counted_for,
    first_id,
    fold,
    place,
    recognised_by,
    spot,
    taken_apart,
    within_31_bits,
)
from csms_platform.state.tables import Expiry, Tables

_RESERVE = 1024
_TABLE = "transactions/"


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """`begun` is when it was stored first, in milliseconds since 1970; `until` when an ended one is forgotten."""

    transaction: Transaction
    until: float = 0.0
    begun: int = 0


class _Reply(msgspec.Struct, frozen=True):
    reply: bytes
    until: float


_encode = msgspec.json.Encoder().encode
_kept = msgspec.json.Decoder(_Kept).decode
_reply = msgspec.json.Decoder(_Reply).decode


class MemoryTransactions:
    """See `ports.Transactions`. Ended transactions are forgotten `keep_ended` seconds after the end was stored.

    Ids are reserved in the journal 1024 at a time, before they are handed out, so that those of the last second before
    a power cut are not handed out again. Without a journal they begin at `rules.first_id`.
    """

    def __init__(self, tables: Tables, clock: Callable[[], float], keep_ended: float) -> None:
        self._tables = tables
        self._clock = clock
        self._keep_ended = keep_ended
        self._begun: dict[str, str] = {}
        self._active: defaultdict[str, set[str]] = defaultdict(set)
        self._at: dict[str, str] = {}
        self._history = Positions()
        self._histories: defaultdict[str, Positions] = defaultdict(Positions)
        self._expiry = Expiry()
        counter = tables.get("counters", "transaction")
        self._count = self._reserved = int(counter) if counter else first_id(clock()) - 1
        self._derive()

    async def new_id(self) -> int:
        self._count += 1
        if self._count + _RESERVE // 2 > self._reserved:
            self._reserved = self._count + _RESERVE
            self._tables.put("counters", "transaction", _encode(self._reserved))
        return within_31_bits(self._count)

    async def begin(
        self, transaction: Transaction, *, limit: int = 0, over: Transaction | None = None
    ) -> tuple[Transaction, bool]:
        self._forget()
        known = self._begun.get(place(transaction.identity, recognised_by(transaction)))
        stored = None if known is None else self._load(transaction.identity, known)
        if stored:
            return stored.transaction, False
        self._supersede(transaction)
        if over and (tag := counted_for(transaction)) and 0 < limit <= len(self._active.get(tag, ())):
            transaction = over
        self._store(transaction)
        return transaction, True

    def _supersede(self, transaction: Transaction) -> None:
        earlier = self._at.get(place(transaction.identity, spot(transaction)))
        kept = None if earlier is None else self._load(transaction.identity, earlier)
        if kept and counted_for(kept.transaction):
            self._store(msgspec.structs.replace(kept.transaction, superseded=True))

    async def get(self, identity: StationId, id: str) -> Transaction | None:
        self._forget()
        stored = self._load(identity, id)
        return stored.transaction if stored else None

    async def update(self, transaction: Transaction) -> None:
        self._store(transaction)

    async def active(self, tag: str) -> int:
        return len(self._active.get(fold(tag), ()))

    async def answered(self, key: str) -> bytes | None:
        self._forget()
        value = self._tables.get("replies", key)
        return None if value is None else _reply(value).reply

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        self._forget()
        until = self._clock() + seconds
        self._tables.put("replies", key, _encode(_Reply(reply, until)))
        self._expiry.add(until, "replies", key)

    async def page(
        self,
        *,
        identity: StationId | None = None,
        since: int = 0,
        until: int | None = None,
        after: str = "",
        limit: int = 100,
    ) -> tuple[list[Transaction], str]:
        self._forget()
        history = self._history if identity is None else self._histories.get(identity, Positions())
        found, following = cut(history.before(ceiling(until, after), moment(since), limit + 1), limit)
        stored = [self._load(*taken_apart(name_at(where))) for where in found]
        return [kept.transaction for kept in stored if kept], following

    def _load(self, identity: str, id: str) -> _Kept | None:
        value = self._tables.get(_TABLE + identity, id)
        return None if value is None else _kept(value)

    def _store(self, transaction: Transaction) -> None:
        now = self._clock()
        before = self._load(transaction.identity, transaction.id)
        if before:
            self._unlink(before)
        begun = before.begun if before else int(now * 1000)
        kept = _Kept(transaction, now + self._keep_ended if transaction.stopped else 0.0, begun)
        self._tables.put(_TABLE + transaction.identity, transaction.id, _encode(kept))
        self._link(kept)

    def _link(self, kept: _Kept) -> None:
        transaction = kept.transaction
        self._begun[place(transaction.identity, recognised_by(transaction))] = transaction.id
        if tag := counted_for(transaction):
            self._active[tag].add(place(transaction.identity, transaction.id))
        if (where := spot(transaction)) and not transaction.superseded:
            self._at[place(transaction.identity, where)] = transaction.id
        self._history.add(_position(kept))
        self._histories[transaction.identity].add(_position(kept))
        if kept.until:
            self._expiry.add(kept.until, _TABLE + transaction.identity, transaction.id)

    def _unlink(self, kept: _Kept) -> None:
        transaction = kept.transaction
        self._history.discard(_position(kept))
        self._histories[transaction.identity].discard(_position(kept))
        begun = place(transaction.identity, recognised_by(transaction))
        if self._begun.get(begun) == transaction.id:
            del self._begun[begun]
        at = place(transaction.identity, spot(transaction))
        if self._at.get(at) == transaction.id:
            del self._at[at]
        if (tag := counted_for(transaction)) and tag in self._active:
            self._active[tag].discard(place(transaction.identity, transaction.id))
            if not self._active[tag]:
                del self._active[tag]

    def _forget(self) -> None:
        now = self._clock()
        for table, key in self._expiry.due(now):
            value = self._tables.get(table, key)
            if value is None:
                continue
            if table == "replies":
                if _reply(value).until <= now:
                    self._tables.drop(table, key)
            elif 0 < (kept := _kept(value)).until <= now:
                self._unlink(kept)
                self._tables.drop(table, key)

    def _derive(self) -> None:
        stored = (_kept(value) for table in self._tables.names(_TABLE) for value in self._tables.all(table).values())
        for kept in sorted(stored, key=_position):
            self._link(kept)
        for key, value in self._tables.all("replies").items():
            self._expiry.add(_reply(value).until, "replies", key)
        self._forget()


def _position(kept: _Kept) -> str:
    return position(kept.begun, place(kept.transaction.identity, kept.transaction.id))

"""The stores in this process' memory, for all-in-one and for tests; with a data directory they survive a restart.

Tables hold JSON as bytes. Everything but the live sessions is journaled; of those the epochs are.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from csms_ocpp.version import StationId
from csms_platform.ports import Note, Station, Tag
from csms_platform.state import KEEP_ENDED, Stores
from csms_platform.state.journal import Journal, Lock, read
from csms_platform.state.memory_sessions import MemorySessions
from csms_platform.state.memory_transactions import MemoryTransactions
from csms_platform.state.rules import fold
from csms_platform.state.tables import Tables

_encode = msgspec.json.Encoder().encode
_station = msgspec.json.Decoder(Station).decode
_tag = msgspec.json.Decoder(Tag).decode


class MemoryStations:
    """`ports.Stations`: the table `stations`, and a table `notes/<identity>` for each station."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, identity: StationId) -> Station | None:
        value = self._tables.get("stations", identity)
        return None if value is None else _station(value)

    async def put(self, station: Station) -> None:
        self._tables.put("stations", station.identity, _encode(station))

    async def delete(self, identity: StationId) -> bool:
        for field in self._tables.all(f"notes/{identity}"):
            self._tables.drop(f"notes/{identity}", field)
        return self._tables.drop("stations", identity)

    async def note(self, notes: Sequence[Note]) -> None:
        for note in notes:
            self._tables.put(f"notes/{note.identity}", note.field, bytes(note.value))

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        return self._tables.all(f"notes/{identity}")


class MemoryTags:
    """`ports.Tags`: the table `tags`, by folded id."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, id: str) -> Tag | None:
        value = self._tables.get("tags", fold(id))
        return None if value is None else _tag(value)

    async def put(self, tag: Tag) -> None:
        self._tables.put("tags", fold(tag.id), _encode(tag))

    async def delete(self, id: str) -> bool:
        return self._tables.drop("tags", fold(id))


@asynccontextmanager
async def open_memory(
    *, data: Path | None = None, clock: Callable[[], float] = time.time, keep_ended: float = KEEP_ENDED
) -> AsyncIterator[Stores]:
    """Stores in memory, journaled in the directory `data` (made when missing) if given; see `open_stores`."""
    if data is None:
        yield _stores(Tables(), clock, keep_ended, lambda: True)
        return
    tables = Tables()
    lock = _prepare(data)
    try:
        path = data / "state.journal"
        tables.load(read(path))
        stores = _stores(tables, clock, keep_ended, lambda: journal.healthy)
        journal = Journal(path, tables.rows)
        tables.changed = journal.append
        try:
            yield stores
        finally:
            await journal.close()
    finally:
        lock.release()


def _prepare(data: Path) -> Lock:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Lock(data)
    except OSError as error:
        raise ValueError(f"The data directory {data} cannot be used: {error.strerror}.") from error


def _stores(tables: Tables, clock: Callable[[], float], keep_ended: float, healthy: Callable[[], bool]) -> Stores:
    async def ready() -> bool:
        return healthy()

    return Stores(
        sessions=MemorySessions(tables, clock),
        stations=MemoryStations(tables),
        tags=MemoryTags(tables),
        transactions=MemoryTransactions(tables, clock, keep_ended),
        ready=ready,
    )

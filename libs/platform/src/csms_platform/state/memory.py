"""The stores in this process' memory, for all-in-one and for tests; with a data directory they survive a restart.

Tables hold JSON as bytes. Everything but the live sessions is journaled; of those the epochs are.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from csms_platform.journal import Journal, claim, read
from csms_platform.state import KEEP_COMMANDS, KEEP_ENDED, Stores
from csms_platform.state.memory_commands import MemoryCommands
from csms_platform.state.memory_deliveries import MemoryDeliveries
from csms_platform.state.memory_sessions import MemorySessions
from csms_platform.state.memory_stations import MemoryStations, MemoryTags
from csms_platform.state.memory_transactions import MemoryTransactions
from csms_platform.state.tables import Tables


@asynccontextmanager
async def open_memory(
    *,
    data: Path | None = None,
    clock: Callable[[], float] = time.time,
    keep_ended: float = KEEP_ENDED,
    keep_commands: float = KEEP_COMMANDS,
) -> AsyncIterator[Stores]:
    """Stores in memory, journaled in the directory `data` (made when missing) if given; see `open_stores`."""
    tables = Tables()
    if data is None:
        yield _stores(tables, clock, keep_ended, keep_commands, lambda: True)
        return
    lock = claim(data)
    try:
        path = data / "state.journal"
        tables.load(read(path))
        stores = _stores(tables, clock, keep_ended, keep_commands, lambda: journal.healthy)
        journal = Journal(path, tables.rows)
        tables.changed = journal.append
        try:
            yield stores
        finally:
            await journal.close()
    finally:
        lock.release()


def _stores(
    tables: Tables,
    clock: Callable[[], float],
    keep_ended: float,
    keep_commands: float,
    healthy: Callable[[], bool],
) -> Stores:
    sessions = MemorySessions(tables, clock)

    async def ready() -> bool:
        return healthy()

    return Stores(
        sessions=sessions,
        stations=MemoryStations(tables),
        tags=MemoryTags(tables),
        transactions=MemoryTransactions(tables, clock, keep_ended),
        commands=MemoryCommands(tables, clock, sessions, keep_commands),
        deliveries=MemoryDeliveries(tables),
        ready=ready,
    )

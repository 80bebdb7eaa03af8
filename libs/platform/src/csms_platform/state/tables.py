"""Named tables of bytes in memory, and the order in which rows expire. Every change is told to `changed`, if given.

Values are bytes, as in Redis: what cannot be serialised fails here too.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator

from csms_platform.journal import Row


class Tables:
    """Rows by table and key. A table exists while it has rows."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}
        self.changed: Callable[[Row], None] | None = None

    def load(self, rows: Iterable[Row]) -> None:
        """Take over rows that were stored before, in order; tells nobody."""
        for table, key, value in rows:
            self._set(table, key, value)

    def rows(self) -> Iterator[Row]:
        """Every row there is."""
        return ((table, key, value) for table, rows in self._tables.items() for key, value in rows.items())

    def names(self, prefix: str) -> list[str]:
        """The tables whose name begins with `prefix`."""
        return [name for name in self._tables if name.startswith(prefix)]

    def get(self, table: str, key: str) -> bytes | None:
        """The row's value, or None."""
        return self._tables.get(table, {}).get(key)

    def all(self, table: str) -> dict[str, bytes]:
        """A copy of the table."""
        return dict(self._tables.get(table, {}))

    def put(self, table: str, key: str, value: bytes) -> None:
        """Insert or replace the row."""
        self._set(table, key, value)
        if self.changed:
            self.changed((table, key, value))

    def drop(self, table: str, key: str) -> bool:
        """Remove the row; answers whether there was one."""
        if self.get(table, key) is None:
            return False
        self._set(table, key, None)
        if self.changed:
            self.changed((table, key, None))
        return True

    def _set(self, table: str, key: str, value: bytes | None) -> None:
        if value is not None:
            self._tables.setdefault(table, {})[key] = value
        elif rows := self._tables.get(table):
            rows.pop(key, None)
            if not rows:
                del self._tables[table]


class Expiry:
    """When rows expire. The caller looks at the row again before it drops it: it may have been replaced since."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, str]] = []

    def add(self, at: float, table: str, key: str) -> None:
        """The row expires at `at` (seconds since 1970)."""
        heapq.heappush(self._heap, (at, table, key))

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """The (table, key) whose time has come; each is answered once."""
        while self._heap and self._heap[0][0] <= now:
            _, table, key = heapq.heappop(self._heap)
            yield table, key

"""The file beneath the memory spool: a journal whose tables are the endpoints, and whose keys are growing numbers."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from csms_platform.bus.memory_spool import Shelves
from csms_platform.journal import Journal, Row, claim, read

Letters = dict[tuple[str, int], bytes]


class SpoolFile:
    """A `memory_spool.Disk`. `letters` are all that are written down, in order: the journal is compacted from them."""

    def __init__(self, path: Path) -> None:
        self.letters = _standing(read(path))
        self._journal = Journal(path, self._rows)

    def write(self, endpoint: str, key: int, body: bytes) -> asyncio.Future[None]:
        """Done with the tick's one write and sync of the disk; what failed is erased when the disk is back."""
        written = self._journal.secure((endpoint, str(key), body))
        if not written.done():
            self.letters[endpoint, key] = body
            written.add_done_callback(lambda done: self.erase(endpoint, key) if done.exception() else None)
        return written

    def erase(self, endpoint: str, key: int) -> None:
        """The row goes with the next write."""
        del self.letters[endpoint, key]
        self._journal.append((endpoint, str(key), None))

    async def close(self) -> None:
        """Write what was erased. Raises `OSError`."""
        await self._journal.close()

    def _rows(self) -> Iterable[Row]:
        return [(endpoint, str(key), body) for (endpoint, key), body in self.letters.items()]


def _standing(rows: Iterable[Row]) -> Letters:
    letters: Letters = {}
    for endpoint, key, body in rows:
        if body is None:
            letters.pop((endpoint, int(key)), None)
        else:
            letters[endpoint, int(key)] = body
    return letters


@asynccontextmanager
async def open_shelves(data: Path) -> AsyncIterator[Shelves]:
    """Shelves whose letters are in `spool.journal` in the directory `data` (made when missing); `ValueError` if not."""
    lock = claim(data, "spool.lock")
    try:
        file = SpoolFile(data / "spool.journal")
        try:
            yield Shelves(file, dict(file.letters))
        finally:
            await file.close()
    finally:
        lock.release()

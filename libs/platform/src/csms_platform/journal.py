"""An append-only file of changes, from which the memory adapters' tables are read back after a restart.

A record is eight bytes (length, CRC-32; little endian) and that many bytes of MessagePack: `[table, key, value]`, value
nil for a removed row. A record says what a row is now, never how it changed, so reading one twice does no harm.

What may be lost: a killed process loses the changes of its last loop tick, a machine that loses power those of the last
second or so; nothing of what `secure` has confirmed. What was torn at the end of the file is left out when it is read.
"""

import asyncio
import fcntl
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from csms_platform.coalesce import Coalescer
from csms_platform.logging import get_logger

Row = tuple[str, str, bytes | None]

_HEAD = struct.Struct("<II")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Row).decode
_log = get_logger("journal")


def pack(row: Row) -> bytes:
    """One record, ready to be appended."""
    body = _encode(row)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unpack(content: bytes) -> tuple[list[Row], int]:
    """The rows in `content`, in order, up to the first record that is not whole; and how many bytes they take."""
    rows: list[Row] = []
    at = 0
    while len(content) - at > _HEAD.size:
        length, crc = _HEAD.unpack_from(content, at)
        body = content[at + _HEAD.size : at + _HEAD.size + length]
        # A file system may leave zeros where the last write should be: length 0 with the CRC of nothing.
        if not length or len(body) < length or zlib.crc32(body) != crc:
            break
        rows.append(_decode(body))
        at += _HEAD.size + length
    return rows, at


def read(path: Path) -> list[Row]:
    """The rows of the journal at `path`, none when there is no file. A torn one is kept beside it as `.torn`."""
    if not path.exists():
        return []
    content = path.read_bytes()
    rows, whole = unpack(content)
    if whole < len(content):
        path.with_suffix(".torn").write_bytes(content)
        _log.warning("the journal's end is torn and is left out", bytes=len(content) - whole, kept=f"{path.stem}.torn")
    return rows


class Lock:
    """A data directory belongs to one process at a time. Raises `ValueError` when another one has it."""

    def __init__(self, folder: Path, name: str = "lock") -> None:
        self._file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise ValueError(f"The data directory {folder} is in use by another process.") from None

    def release(self) -> None:
        """Let others have it."""
        os.close(self._file)


def claim(folder: Path, name: str = "lock") -> Lock:
    """The lock `name` in a data directory, which is made when missing. Raises `ValueError` when it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Lock(folder, name)
    except OSError as error:
        raise ValueError(f"The data directory {folder} cannot be used: {error.strerror}.") from error


class Journal:
    """Appends rows to `path`, all of a loop tick in one write, and syncs the disk `sync_every` seconds after a write.

    `rows` answers what the tables hold now; past `most` bytes (or four times what compaction left, if that is more) the
    file is written anew from them. A write that fails is repeated every second, and `healthy` is False until then.
    """

    def __init__(
        self, path: Path, rows: Callable[[], Iterable[Row]], *, sync_every: float = 1.0, most: int = 64 << 20
    ) -> None:
        self._path = path
        self._rows = rows
        self._sync_every = sync_every
        self._most = most
        self._line: Coalescer[bytes] = Coalescer(self._flush, most=100_000)
        self._timer: asyncio.TimerHandle | None = None
        self._sync_now = self._closing = False
        self._added = self._written = 0
        self._awaited: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.healthy = True
        self._file, self._size = compact(path, list(rows()))
        self._limit = max(most, 4 * self._size)

    def append(self, row: Row) -> None:
        """Record that a row is now this, with the next write; never waits."""
        self._add(pack(row))

    def secure(self, row: Row) -> "asyncio.Future[None]":
        """Append the row, and be done when the disk has it: one sync for all rows of a tick.

        Fails with `OSError` when that is not possible now. The row may be written later, when it was the one that
        found out that the disk fails; until the disk is well again, the others are not appended at all.
        """
        written = asyncio.get_running_loop().create_future()
        if self.healthy:
            self.append(row)
            self._awaited.append((self._added, written))
        else:
            written.set_exception(OSError(f"{self._path.name} cannot be written at the moment"))
        return written

    async def close(self) -> None:
        """Write and sync what was appended. Raises `OSError` when that is not possible."""
        self._closing = True
        if self._timer:
            self._timer.cancel()
        await self._line.drained()
        try:
            if self.healthy:
                await asyncio.to_thread(os.fsync, self._file)
            else:
                raise OSError(f"The last changes could not be written to {self._path}.")
        finally:
            os.close(self._file)

    def _add(self, content: bytes) -> None:
        self._added += 1
        self._line.add(content)

    async def _flush(self, batch: list[bytes]) -> None:
        awaited = self._take_awaited(self._written + len(batch))
        try:
            self._write(b"".join(batch))
            if self._sync_now or awaited:
                await self._sync()
            if self._size > self._limit and not self._closing:
                await self._compact()
            self.healthy = True
            self._written += len(batch)
            for written in awaited:
                written.set_result(None)
        except OSError as error:
            self.healthy = False
            _log.error("the journal cannot be written", file=self._path.name, error=str(error))
            for written in awaited:
                written.set_exception(error)
            if not self._closing:
                self._line.put_back(batch)
                await asyncio.sleep(1)

    def _take_awaited(self, upto: int) -> "list[asyncio.Future[None]]":
        taken = []
        while self._awaited and self._awaited[0][0] <= upto:
            taken.append(self._awaited.popleft()[1])
        return taken

    async def _sync(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._sync_now, self._timer = False, None
        await asyncio.to_thread(os.fsync, self._file)

    def _write(self, content: bytes) -> None:
        try:
            written = 0
            while written < len(content):
                written += os.write(self._file, content[written:])
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(content)
        if content and self._timer is None and not self._closing:
            self._timer = asyncio.get_running_loop().call_later(self._sync_every, self._sync_due)

    def _sync_due(self) -> None:
        self._sync_now = True
        self._add(b"")

    async def _compact(self) -> None:
        # Rows that change while the thread writes wait in the line, and are appended to the new file afterwards.
        file, self._size = await asyncio.to_thread(compact, self._path, list(self._rows()))
        os.close(self._file)
        self._file = file
        self._limit = max(self._most, 4 * self._size)


def compact(path: Path, rows: list[Row]) -> tuple[int, int]:
    """Put a file with `rows` alone in the place of `path`, durably; answers it, open for appending, and its size."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.writelines(map(pack, rows))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), path.stat().st_size

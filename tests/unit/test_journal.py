"""What the memory adapter's journal promises about files, torn ends and full disks."""

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from csms_platform import journal as journal_module
from csms_platform.journal import Journal, Row, compact, pack, read, unpack
from csms_platform.state.tables import Tables

ROWS: list[Row] = [
    ("tags", "a", b'{"id":"a"}'),
    ("tags", "b", bytes(range(256))),
    ("notes/Zürich", "status/1", b"{}\n"),
    ("tags", "a", None),
]


def content(rows: list[Row]) -> bytes:
    return b"".join(map(pack, rows))


def rows_in(file: bytes) -> list[Row]:
    return unpack(file)[0]


def test_rows_are_read_as_they_were_written() -> None:
    assert rows_in(content(ROWS)) == ROWS


def test_an_empty_file_has_no_rows() -> None:
    assert rows_in(b"") == []


@pytest.mark.parametrize("lost", range(1, len(pack(ROWS[-1]))))
def test_a_torn_last_record_is_dropped_wherever_it_is_torn(lost: int) -> None:
    assert rows_in(content(ROWS)[:-lost]) == ROWS[:-1]


@pytest.mark.parametrize("tail", [bytes(8), bytes(4096), b"\xff" * 40, b"\x01"])
def test_a_tail_that_is_no_record_is_dropped(tail: bytes) -> None:
    assert rows_in(content(ROWS) + tail) == ROWS


def test_a_record_whose_bytes_changed_is_dropped() -> None:
    torn = bytearray(content(ROWS))
    torn[-1] ^= 1

    assert rows_in(bytes(torn)) == ROWS[:-1]


def test_a_torn_file_is_kept_beside_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "state.journal"
    path.write_bytes(content(ROWS) + b"torn")

    assert read(path) == ROWS
    assert (tmp_path / "state.torn").read_bytes() == content(ROWS) + b"torn"


def test_without_a_file_there_are_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "state.journal") == []


def test_tables_are_what_the_rows_say_last() -> None:
    tables = Tables()
    tables.load(ROWS)

    assert sorted(tables.rows()) == [("notes/Zürich", "status/1", b"{}\n"), ("tags", "b", bytes(range(256)))]


def test_compaction_leaves_the_given_rows_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.journal"
    path.write_bytes(content(ROWS) * 100)
    file, size = compact(path, ROWS[:2])
    os.close(file)

    assert rows_in(path.read_bytes()) == ROWS[:2]
    assert size == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]


async def test_what_is_appended_is_in_the_file_after_the_tick(tmp_path: Path) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, list)
    for row in ROWS:
        journal.append(row)
    within = path.read_bytes()
    for _ in range(5):
        await asyncio.sleep(0)
    after = path.read_bytes()
    await journal.close()

    assert within == b""
    assert rows_in(after) == ROWS


async def test_closing_writes_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, lambda: ROWS[:1])
    journal.append(ROWS[1])
    await journal.close()

    assert rows_in(path.read_bytes()) == ROWS[:2]


async def test_a_journal_that_outgrows_its_limit_is_compacted_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.journal"
    tables = Tables()
    journal = Journal(path, tables.rows, most=10_000)
    tables.changed = journal.append
    for n in range(2000):
        tables.put("notes/EM-1", f"meter/{n % 10}", b"%d" % n)
        if n % 50 == 0:
            await asyncio.sleep(0.001)
    await journal.close()
    again = Tables()
    again.load(rows_in(path.read_bytes()))

    assert sorted(again.rows()) == sorted(tables.rows())
    assert path.stat().st_size < 20_000


class Disk:
    """Writes and syncs that can be told to fail; `synced` counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.synced = 0
        self._write, self._sync = os.write, os.fsync
        monkeypatch.setattr(journal_module.os, "write", self.write)
        monkeypatch.setattr(journal_module.os, "fsync", self.fsync)

    def write(self, file: int, content: bytes) -> int:
        if not self.full:
            return self._write(file, content)
        self._write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    def fsync(self, file: int) -> None:
        self.synced += 1
        self._sync(file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    return Disk(monkeypatch)


async def test_writes_are_synced_together_a_while_later(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path / "state.journal", list, sync_every=0.2)
    opened = disk.synced
    for row in ROWS:
        journal.append(row)
        await asyncio.sleep(0.002)
    before = disk.synced
    await asyncio.sleep(0.5)
    after = disk.synced
    await journal.close()

    assert (before - opened, after - opened) == (0, 1)


async def test_a_full_disk_is_told_and_repaired_when_there_is_room_again(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, list)
    disk.full = True
    journal.append(ROWS[0])
    await asyncio.sleep(0.01)
    during = journal.healthy
    journal.append(ROWS[1])
    disk.full = False
    await journal.close()

    assert during is False
    assert rows_in(path.read_bytes()) == ROWS[:2]


async def test_closing_on_a_full_disk_says_that_changes_are_lost(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, list)
    journal.append(ROWS[0])
    await asyncio.sleep(0.01)
    disk.full = True
    journal.append(ROWS[1])

    with pytest.raises(OSError, match="could not be written"):
        await journal.close()
    assert rows_in(path.read_bytes()) == ROWS[:1]


async def test_what_is_secured_in_a_tick_is_on_the_disk_with_one_sync(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, list)
    opened = disk.synced

    await asyncio.gather(*map(journal.secure, ROWS))

    assert rows_in(path.read_bytes()) == ROWS
    assert disk.synced - opened == 1
    await journal.close()


async def test_a_row_that_is_secured_while_another_one_is_synced_waits_for_the_next_sync(
    tmp_path: Path, disk: Disk
) -> None:
    journal = Journal(tmp_path / "state.journal", list)
    opened = disk.synced
    first = journal.secure(ROWS[0])
    while disk.synced == opened:
        await asyncio.sleep(0)
    second = journal.secure(ROWS[1])
    await first
    early = second.done()
    await second

    assert (early, disk.synced - opened) == (False, 2)
    await journal.close()


async def test_what_cannot_be_secured_says_so_and_until_the_disk_is_well_nothing_more_is_taken(
    tmp_path: Path, disk: Disk
) -> None:
    path = tmp_path / "state.journal"
    journal = Journal(path, list)
    disk.full = True
    results = await asyncio.gather(journal.secure(ROWS[0]), journal.secure(ROWS[1]), return_exceptions=True)
    refused = await asyncio.gather(journal.secure(ROWS[2]), return_exceptions=True)
    disk.full = False
    async with asyncio.timeout(5):
        while not journal.healthy:
            await asyncio.sleep(0.01)
    await journal.secure(ROWS[3])
    await journal.close()

    assert [type(result) for result in (*results, *refused)] == [OSError, OSError, OSError]
    assert rows_in(path.read_bytes()) == [ROWS[0], ROWS[1], ROWS[3]]

"""What the memory spool promises about its file: torn ends, killed processes, full disks, and whose directory it is."""

import asyncio
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import Raw

from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.envelope import Envelope, Kind
from csms_platform.journal import pack, read
from csms_platform.ports import Letter, Unavailable

MEMORY = BusSettings()


def letter(id: str, size: int = 10) -> Letter:
    return Letter(id, "operator", 0, Envelope(Kind.CALL, "CP-1", payload=Raw(b'"' + size * b"x" + b'"')))


async def found(doors: Doors) -> list[str]:
    """The letters that are there now, in order."""
    ids: list[str] = []

    async def take(letter: Letter) -> None:
        ids.append(letter.id)

    count = await doors.spool.waiting("operator")
    await doors.spool.deliver("operator", take, 1)
    async with asyncio.timeout(10):
        while len(ids) < count:
            await asyncio.sleep(0.001)
    return ids


async def test_a_torn_end_of_the_file_costs_only_what_was_not_confirmed(tmp_path: Path) -> None:
    async with open_doors(MEMORY, data=tmp_path) as doors:
        for number in range(5):
            await doors.spool.store(letter(str(number)))
    file = tmp_path / "spool.journal"
    confirmed = file.stat().st_size
    async with open_doors(MEMORY, data=tmp_path) as doors:
        await doors.spool.store(letter("never confirmed"))
    file.write_bytes(file.read_bytes()[: confirmed + 20])

    async with open_doors(MEMORY, data=tmp_path) as doors:
        ids = await found(doors)

    assert ids == ["0", "1", "2", "3", "4"]


async def test_a_killed_process_leaves_every_letter_that_it_confirmed_in_order(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from csms_platform.bus import BusSettings, open_doors
from csms_platform.envelope import Envelope, Kind
from csms_platform.journal import pack, read
from csms_platform.ports import Letter
async def main():
    async with open_doors(BusSettings(), data=Path(sys.argv[1])) as doors:
        async def store(number):
            await doors.spool.store(Letter(str(number), "operator", 0, Envelope(Kind.CALL, "CP-1")))
            print(number, flush=True)
            if number == 30:
                os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.gather(*(store(number) for number in range(25)))
        for number in range(25, 40):
            await store(number)
asyncio.run(main())
"""
    process = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    async with open_doors(MEMORY, data=tmp_path) as doors:
        ids = await found(doors)

    assert process.returncode == -signal.SIGKILL
    assert process.stdout.split() == ids == [str(number) for number in range(31)]


async def test_what_was_delivered_is_not_there_after_a_restart(tmp_path: Path) -> None:
    async with open_doors(MEMORY, data=tmp_path) as doors:
        await doors.spool.store(letter("1"))
        await found(doors)
        await doors.spool.store(letter("2"))
        async with asyncio.timeout(5):
            while await doors.spool.waiting("operator"):
                await asyncio.sleep(0.001)

    async with open_doors(MEMORY, data=tmp_path) as doors:
        ids = await found(doors)

    assert ids == []


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full: the system refuses longer files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_letter_that_the_disk_does_not_take_is_not_stored(tmp_path: Path) -> None:
    async with open_doors(MEMORY, data=tmp_path) as doors:
        await doors.spool.store(letter("1"))
        with files_of_at_most(20 << 20):
            with pytest.raises(Unavailable, match="could not be written"):
                await doors.spool.store(letter("too large", 21 << 20))
            with pytest.raises(Unavailable, match="could not be written"):
                await doors.spool.store(letter("after it"))
            meanwhile = await doors.spool.waiting("operator")
        await asyncio.sleep(1.2)  # a write that failed is repeated every second
        await doors.spool.store(letter("2"))

    async with open_doors(MEMORY, data=tmp_path) as doors:
        ids = await found(doors)

    assert meanwhile == 1
    assert ids == ["1", "2"]


async def test_a_letter_that_nobody_can_read_is_dropped_and_holds_nobody_up(tmp_path: Path) -> None:
    async with open_doors(MEMORY, data=tmp_path) as doors:
        await doors.spool.store(letter("torn"))
        await doors.spool.store(letter("whole"))
    file = tmp_path / "spool.journal"
    write_unreadable(file)

    async with open_doors(MEMORY, data=tmp_path) as doors:
        taken: list[str] = []

        async def take(letter: Letter) -> None:
            taken.append(letter.id)

        await doors.spool.deliver("operator", take, 1)
        async with asyncio.timeout(5):
            while await doors.spool.waiting("operator"):
                await asyncio.sleep(0.001)

    assert taken == ["whole"]


def write_unreadable(file: Path) -> None:
    """Make the first letter something that is none."""
    rows = [(endpoint, key, b"{}" if b"torn" in (body or b"") else body) for endpoint, key, body in read(file)]
    file.write_bytes(b"".join(map(pack, rows)))


async def test_a_directory_has_one_spool_at_a_time(tmp_path: Path) -> None:
    async with open_doors(MEMORY, data=tmp_path):
        with pytest.raises(ValueError, match="is in use by another process"):
            await open_doors(MEMORY, data=tmp_path).__aenter__()


async def test_a_url_that_is_no_bus_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"bus: 'http://x' is neither memory:// nor amqp://… nor amqps://…\."):
        await open_doors(BusSettings(url="http://x")).__aenter__()


def test_a_process_on_memory_never_loads_the_rabbitmq_client() -> None:
    program = """
import asyncio, sys
from csms_platform.bus import BusSettings, open_doors
async def main():
    async with open_doors(BusSettings()):
        print("aio_pika" in sys.modules)
asyncio.run(main())
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert output == "False\n"

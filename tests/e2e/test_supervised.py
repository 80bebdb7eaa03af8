"""What a process tells systemd over NOTIFY_SOCKET, from its start to its end."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import Csms

Start = Callable[..., Csms]


class Supervisor:
    """systemd's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.heard: list[str] = []

    async def hear(self, seconds: float = 20) -> str:
        """The next datagram."""
        async with asyncio.timeout(seconds):
            told = await asyncio.get_running_loop().sock_recv(self._socket, 1000)
        self.heard.append(told.decode())
        return self.heard[-1]

    async def hear_until(self, wanted: str) -> None:
        while await self.hear() != wanted:
            pass

    def rest(self) -> list[str]:
        """What has come since, without waiting."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(1000).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with closing(Supervisor(tmp_path / "notify")) as made:
        yield made


def supervised(csms: Start, supervisor: Supervisor, port: int, **environ: str) -> Csms:
    return csms("up", "--port", str(port), env={"NOTIFY_SOCKET": str(supervisor.path), **environ})


async def test_ready_is_told_when_stations_can_connect(csms: Start, supervisor: Supervisor, free_port: int) -> None:
    supervised(csms, supervisor, free_port)
    told = await supervisor.hear()
    _, writer = await asyncio.open_connection("127.0.0.1", free_port)
    writer.close()

    assert told == "READY=1"


async def test_a_reload_and_the_end_are_told(csms: Start, supervisor: Supervisor, free_port: int) -> None:
    process = supervised(csms, supervisor, free_port)
    await supervisor.hear_until("READY=1")
    process.signal(signal.SIGHUP)
    reloads = [await supervisor.hear(), await supervisor.hear()]
    process.terminate()
    ends = await supervisor.hear()
    code = await process.exited(20)

    (flag, when), ready = reloads[0].split("\n"), reloads[1]
    assert (flag, when.partition("=")[0], ready) == ("RELOADING=1", "MONOTONIC_USEC", "READY=1")
    assert (ends, supervisor.rest(), code) == ("STOPPING=1", [], 0)


async def test_a_process_that_is_drained_by_winch_is_not_taken_for_one_that_stops(
    csms: Start, supervisor: Supervisor, free_port: int
) -> None:
    process = supervised(csms, supervisor, free_port)
    await supervisor.hear_until("READY=1")
    process.signal(signal.SIGWINCH)
    await process.logged("drained", seconds=20)
    drained = supervisor.rest()
    process.terminate()
    ends = await supervisor.hear()
    code = await process.exited(20)

    assert (drained, ends, code) == (["STATUS=draining"], "STOPPING=1", 0)


async def test_the_watchdog_hears_of_the_event_loop_twice_in_its_time_and_no_more_when_it_hangs(
    csms: Start, supervisor: Supervisor, free_port: int
) -> None:
    process = supervised(csms, supervisor, free_port, WATCHDOG_USEC="500000")
    await supervisor.hear_until("READY=1")
    loop = asyncio.get_running_loop()
    started = loop.time()
    told = [await supervisor.hear() for _ in range(4)]
    took = loop.time() - started
    process.signal(signal.SIGSTOP)
    supervisor.rest()
    with pytest.raises(TimeoutError):
        await supervisor.hear(seconds=0.7)
    process.signal(signal.SIGCONT)

    assert told == ["WATCHDOG=1"] * 4
    assert took >= 0.6

"""HUP, WINCH and QUIT: what an operator, systemd or a terminal says to a running process."""

import asyncio
import os
import pty
import select
import shutil
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.foreign import identity, raw_station
from tests.support.ports import free_port as find_free_port
from tests.support.processes import COMMAND, Csms

TLS = Path(__file__).parents[1] / "support" / "tls"

Start = Callable[..., Csms]


class Running:
    """`csms up` with a csms.toml of its own, which a test may write anew."""

    def __init__(self, csms: Start, folder: Path, toml: str = "", *arguments: str) -> None:
        self.port = find_free_port()
        self.file = folder / "csms.toml"
        self.write(toml)
        self.process = csms(
            "up", "--config", str(self.file), "--port", str(self.port), "--host", "127.0.0.1", *arguments
        )
        self.url = f"ws://127.0.0.1:{self.port}/ocpp"

    def write(self, toml: str) -> None:
        self.file.write_text(toml, encoding="utf-8")

    def say(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


async def test_hup_renews_levels_and_stations_and_drops_nobody(csms: Start, tmp_path: Path) -> None:
    running = Running(csms, tmp_path, 'auth = "registered"\n[[stations]]\nidentity = "OLD-1"\n')
    await running.process.ready(running.port)
    async with raw_station(running.url, "OLD-1") as old:
        stations = '[[stations]]\nidentity = "OLD-1"\n[[stations]]\nidentity = "NEW-1"\n'
        running.write(f'auth = "registered"\n{stations}[log]\nlevels = {{ ws-gateway = "warning" }}\n')
        running.say(signal.SIGHUP)
        await running.process.logged("reloaded")
        async with raw_station(running.url, "NEW-1") as new:
            answers = [await old.call("Heartbeat", {}), await new.call("Heartbeat", {})]
    lines = running.process.logs

    assert [set(answer) for answer in answers] == [{"currentTime"}] * 2
    reloaded = next(n for n, line in enumerate(lines) if line["event"] == "reloaded")
    assert [line for line in lines[reloaded:] if line["logger"] == "ws-gateway" and line["level"] == "info"] == []


async def test_hup_names_what_waits_for_a_restart(csms: Start, tmp_path: Path) -> None:
    running = Running(csms, tmp_path)
    await running.process.ready(running.port)

    running.write("drain_seconds = 7\n[ws_gateway]\nping_interval = 77\n")
    running.say(signal.SIGHUP)
    told = await running.process.logged("changed, and waits for a restart")

    assert told["settings"] == "drain_seconds, ws_gateway.ping_interval"


@pytest.mark.parametrize(
    ("toml", "reason"),
    [("nonsense", "not TOML"), ("prot = 1\n", "unknown key 'prot'"), ('[log]\nlevel = "loud"\n', "log.level")],
    ids=["no toml", "unknown key", "bad value"],
)
async def test_a_file_that_cannot_be_used_changes_nothing(csms: Start, tmp_path: Path, toml: str, reason: str) -> None:
    running = Running(csms, tmp_path)
    await running.process.ready(running.port)
    async with raw_station(running.url, identity("hup")) as station:
        running.write(toml)
        running.say(signal.SIGHUP)
        told = await running.process.logged("not reloaded")
        answer = await station.call("Heartbeat", {})

    assert reason in told["reason"]
    assert set(answer) == {"currentTime"}


async def test_hup_renews_certificates_for_new_connections_and_keeps_the_old_ones(csms: Start, tmp_path: Path) -> None:
    certificate = tmp_path / "port.pem"
    shutil.copy(TLS / "server.pem", certificate)
    running = Running(csms, tmp_path, f'tls_certificate = "{certificate}"\n')
    await running.process.logged("listening", seconds=20)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=_anybody())
    before = await asyncio.to_thread(_served, running.port)

    certificate.write_text("no certificate any more", encoding="utf-8")
    running.say(signal.SIGHUP)
    refused = await running.process.logged("not reloaded")
    meanwhile = await asyncio.to_thread(_served, running.port)
    shutil.copy(TLS / "stranger.pem", certificate)
    running.say(signal.SIGHUP)
    await running.process.logged("reloaded")
    after = await asyncio.to_thread(_served, running.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()

    assert (before, meanwhile, after) == (_body("server.pem"), _body("server.pem"), _body("stranger.pem"))
    assert "TLS cannot be set up" in refused["reason"]
    assert answer.startswith(b"HTTP/1.1 200")


async def test_winch_drains_the_stations_and_the_process_waits_to_be_told_to_end(csms: Start, tmp_path: Path) -> None:
    running = Running(csms, tmp_path)
    await running.process.ready(running.port)
    async with raw_station(running.url, identity("winch")) as station:
        running.say(signal.SIGWINCH)
        await running.process.logged("drained", seconds=20)
        await asyncio.wait_for(station.socket.wait_closed(), 5)
    lives = running.process.returncode
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.port), 1)
    running.process.terminate()
    code = await running.process.exited(10)

    assert (station.socket.close_code, lives, code) == (1012, None, 0)


async def test_quit_drains_and_exits_0(csms: Start, tmp_path: Path) -> None:
    running = Running(csms, tmp_path)
    await running.process.ready(running.port)
    async with raw_station(running.url, identity("quit")) as station:
        running.say(signal.SIGQUIT)
        code = await running.process.exited(20)
        await asyncio.wait_for(station.socket.wait_closed(), 5)

    assert (station.socket.close_code, code) == (1012, 0)


# --- on a terminal ----------------------------------------------------------------------------------------------------


class Terminal:
    """`csms up` on a pseudo terminal of its own; what it writes is read all the while."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [*COMMAND, "up", "--port", str(port)])
        self._looks = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while self._looks:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.master, 4096).decode(errors="replace")
                except OSError:
                    return  # nobody has the other end any more

    async def wrote(self, words: str) -> None:
        async with asyncio.timeout(20):
            while words not in self.text:
                await asyncio.sleep(0.02)

    async def exited(self) -> int:
        async with asyncio.timeout(20):
            while True:
                pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
                if pid:
                    self.pid = 0
                    return os.waitstatus_to_exitcode(status)
                await asyncio.sleep(0.02)

    def hang_up(self) -> None:
        self._looks = False
        self._reader.join()
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.master >= 0:
            self.hang_up()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(free_port: int) -> Iterator[Terminal]:
    made = Terminal(free_port)
    yield made
    made.close()


async def test_a_window_that_changes_its_size_drains_nobody(terminal: Terminal) -> None:
    await terminal.wrote("listening")
    os.kill(terminal.pid, signal.SIGWINCH)
    os.kill(terminal.pid, signal.SIGHUP)
    await terminal.wrote("reloaded")
    os.write(terminal.master, b"\x03")
    code = await terminal.exited()

    assert (code, "drained" in terminal.text, "\x1b[" in terminal.text) == (0, False, True)


async def test_ctrl_backslash_drains_too(terminal: Terminal) -> None:
    await terminal.wrote("listening")
    os.write(terminal.master, b"\x1c")
    code = await terminal.exited()

    assert (code, "stopped" in terminal.text) == (0, True)


async def test_a_terminal_that_is_closed_ends_the_process(terminal: Terminal) -> None:
    await terminal.wrote("listening")
    terminal.hang_up()
    code = await terminal.exited()

    assert code == 0


def _anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _served(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=5).strip()


def _body(name: str) -> str:
    text = (TLS / name).read_text(encoding="ascii")
    return text[text.index("-----BEGIN CERT") : text.index("-----END CERT")] + "-----END CERTIFICATE-----"

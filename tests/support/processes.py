"""The command `csms` as a process of its own, seen from outside: its arguments, its log, its exit code."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from tests.support.group import guard, kill_group, release

COMMAND = (sys.executable, "-m", "csms")


class Csms:
    """Starts `csms <arguments>` at once, without the CSMS_* variables of this environment but with those of `env`.

    End it with `close()`. It does not outlive the test session.
    """

    def __init__(self, *arguments: str, env: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND) -> None:
        self.arguments = arguments
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CSMS_")}
        self._process = subprocess.Popen(
            [*command, *arguments],
            env=inherited | {"PYTHONUNBUFFERED": "1"} | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._guard = guard(self._process.pid)
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self._readers = [self._read(self._process.stdout, self._stdout), self._read(self._process.stderr, self._stderr)]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def stdout(self) -> str:
        """What it printed and logged so far."""
        return "".join(self._stdout)

    @property
    def stderr(self) -> str:
        """What it complained about so far."""
        return "".join(self._stderr)

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log lines so far that are JSON objects, in order."""
        return [entry for line in list(self._stdout) if (entry := _json_object(line)) is not None]

    async def ready(self, port: int, seconds: float = 20) -> None:
        """Return when `/readyz` on `port` answers 200. Raises AssertionError with the output when it does not."""
        deadline = time.monotonic() + seconds
        while await _status(port, "/readyz") != 200:
            assert self.returncode is None, f"ended before it was ready\n{self}"
            assert time.monotonic() < deadline, f"not ready within {seconds} s\n{self}"
            await asyncio.sleep(0.05)

    async def logged(self, event: str, seconds: float = 10, **fields: Any) -> dict[str, Any]:
        """The first log entry with this `event` and these fields, waited for. Raises AssertionError with the output."""
        wanted = {"event": event} | fields
        deadline = time.monotonic() + seconds
        while True:
            for entry in self.logs:
                if wanted.items() <= entry.items():
                    return entry
            assert time.monotonic() < deadline, f"no log entry {wanted} within {seconds} s\n{self}"
            await asyncio.sleep(0.05)

    async def exited(self, seconds: float = 30) -> int:
        """The exit code, waited for; all output has been read then. Raises AssertionError with the output."""
        deadline = time.monotonic() + seconds
        while (code := self.returncode) is None:
            assert time.monotonic() < deadline, f"still running after {seconds} s\n{self}"
            await asyncio.sleep(0.02)
        for reader in self._readers:
            await asyncio.to_thread(reader.join, 5)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Any; returns at once."""
        self._process.send_signal(number)

    def terminate(self) -> None:
        """SIGTERM; returns at once."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """SIGINT, as Ctrl-C sends it; returns at once."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill what still runs of it and read the rest of its output. Idempotent."""
        kill_group(self._process)
        release(self._guard)
        for reader in self._readers:
            reader.join(5)

    def __str__(self) -> str:
        said = "".join(
            f"--- {name}\n{text}" for name, text in (("stdout", self.stdout), ("stderr", self.stderr)) if text
        )
        return f"=== csms {' '.join(self.arguments)} (pid {self.pid}, exit code {self.returncode})\n{said}"

    @staticmethod
    def _read(stream: IO[bytes] | None, lines: list[str]) -> threading.Thread:
        assert stream is not None

        def read() -> None:
            with stream:
                lines.extend(line.decode(errors="replace") for line in stream)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


def _json_object(line: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        entry = json.loads(line)
        if isinstance(entry, dict):
            return entry
    return None


async def _status(port: int, path: str) -> int | None:
    """The HTTP status of a GET on the loopback; None when nobody answers with HTTP within a second."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
    except (OSError, TimeoutError):
        return None
    parts = line.split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None

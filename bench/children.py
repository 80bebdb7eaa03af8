"""Server processes that the benchmark starts: each in a directory of its own, none outliving the benchmark."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tests.support.brokers import RabbitMQ, Redis, definitions
from tests.support.choice import RABBITMQ, REDIS, BrokerMissingError, Kind, find_program
from tests.support.group import guard, kill_group, release
from tests.support.programs import RabbitMQProgram, RedisProgram

HOST = "127.0.0.1"
ROOT = Path(__file__).parent.parent
READY_WITHIN = 30.0  # seconds
STOPPED_WITHIN = 15.0  # seconds; then it is killed

ENVIRONMENT = {
    "CSMS_LOG_LEVEL": "warning",
    "CSMS_WS_GATEWAY_RATE_LIMIT": "1000000",
    "CSMS_API_RATE": "0",
    "PYTHONPATH": str(ROOT),
}


class NotReadyError(Exception):
    """A system did not come up; the message ends with what it said last."""


@contextmanager
def python(ready: Callable[[int], bool], port: int, *arguments: str) -> Iterator[int]:
    """`python <arguments>`, yielded as its pid when `ready(port)`; stopped in order afterwards."""
    with tempfile.TemporaryDirectory(prefix="csms-bench-") as home:
        said = Path(home) / "output"
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=home,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guarding = guard(process.pid)
        try:
            if problem := _wait(process, lambda: ready(port)):
                last = said.read_text(errors="replace")[-2000:]
                raise NotReadyError(f"`python {' '.join(arguments)}` {problem}\n{last}")
            yield process.pid
        finally:
            _stop(process)
            release(guarding)


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CSMS_")}
    return inherited | ENVIRONMENT


def _wait(process: "subprocess.Popen[bytes]", ready: Callable[[], bool]) -> str | None:
    """None when it is ready, else why it will not be."""
    until = time.monotonic() + READY_WITHIN
    while not ready():
        if process.poll() is not None:
            return f"ended with exit code {process.returncode} before it was ready"
        if time.monotonic() > until:
            return f"was not ready within {READY_WITHIN:.0f} s"
        time.sleep(0.1)
    return None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        print(f"killed after {STOPPED_WITHIN:.0f} s: {process.args!r}", file=sys.stderr)
    kill_group(process)


def answers_readyz(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:  # refused while it starts; HTTPError, an OSError too, while it is not ready
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def rabbitmq() -> Iterator[tuple[str, list[int]]]:
    """A private RabbitMQ as (url, pids). Always the program, never a container: its CPU must be ours to read."""
    run = RabbitMQProgram(_program(RABBITMQ), definitions(0))
    with _broker(RabbitMQ(f"amqp://guest:guest@{HOST}:{run.port}/", run, 0)) as started:
        yield started


@contextmanager
def redis() -> Iterator[tuple[str, list[int]]]:
    """A private Redis as (url, pids), with its append-only file on."""
    run = RedisProgram(_program(REDIS), 1)
    with _broker(Redis(f"redis://{HOST}:{run.port}", run)) as started:
        yield started


@contextmanager
def _broker(broker: RabbitMQ | Redis) -> Iterator[tuple[str, list[int]]]:
    ours = {child.pid for child in psutil.Process().children()}
    try:
        broker.start()
        yield broker.url, [child.pid for child in psutil.Process().children() if child.pid not in ours]
    finally:
        broker.close()


def _program(kind: Kind) -> str:
    if path := find_program(kind.program):
        return path
    raise NotReadyError(str(BrokerMissingError(kind)))

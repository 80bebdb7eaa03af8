"""docs/commands.md is true: what it prints runs as it is printed, against a central system that is spread out."""

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import brokers, system
from tests.support.brokers import RabbitMQ
from tests.support.foreign import RawStation, identity, raw_station
from tests.support.ports import answers, free_port, wait_until
from tests.support.programs import RabbitMQProgram
from tests.support.system import System

Take = Callable[[System], System]

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
PROGRAMS = {found[1]: found[0] for found in re.findall(r"```python\n(# (\S+\.py) .*?)```", TEXT, re.DOTALL)}
PUBLISH, LISTEN = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
STATION = "EMU-00001"  # as the documents call it
NO_PREFIX = {"CSMS_BUS_PREFIX": ""}


@pytest.fixture
def running(own: Take, fresh_amqp_url: str, fresh_redis_url: str) -> System:
    """Router and gateways under the names that operators see."""
    return own(system.distributed(fresh_amqp_url, fresh_redis_url, env=NO_PREFIX))


@asynccontextmanager
async def obedient(running: System, name: str) -> AsyncIterator[tuple[RawStation, list[list[Any]]]]:
    """A station that accepts everything, and what it was asked."""
    asked: list[list[Any]] = []

    async def obey(station: RawStation) -> None:
        while True:
            frame = await station.receive(600)
            if frame[0] == 2:
                asked.append(frame[2:])
                await station.socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))

    async with raw_station(running.urls[0], name) as station:
        obeying = asyncio.create_task(obey(station))
        try:
            yield station, asked
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)


@pytest.fixture
async def start(running: System, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start a program of the text as a process, in a file of the name that it has there."""
    started: list[Process] = []

    async def run(program: str, name: str) -> Process:
        (tmp_path / program).write_text(PROGRAMS[program], encoding="utf-8")
        env = os.environ | {"AMQP_URL": running.bus}
        started.append(
            await asyncio.create_subprocess_exec(sys.executable, program, name, cwd=tmp_path, env=env, stdout=PIPE)
        )
        return started[-1]

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


@pytest.mark.parametrize("program", ["command_pika.py", "command_aio_pika.py"])
async def test_a_program_asks_a_station_and_prints_its_answer(
    running: System, start: Callable[..., Any], program: str
) -> None:
    name = identity("scripted")
    async with obedient(running, name) as (_, asked):
        process = await start(program, name)
        outcome = json.loads(await line(process))
        code = await asyncio.wait_for(process.wait(), 20)

    assert code == 0
    assert asked == [["TriggerMessage", {"requestedMessage": "Heartbeat"}]]
    assert outcome == {
        "identity": name,
        "uniqueId": outcome["uniqueId"],
        "action": "TriggerMessage",
        "outcome": "result",
        "payload": {"status": "Accepted"},
    }


async def test_the_program_that_may_wait_reaches_a_station_that_comes_later(
    running: System, start: Callable[..., Any]
) -> None:
    name = identity("later")
    process = await start("command_aio_pika.py", name)
    await asyncio.sleep(2)
    async with obedient(running, name) as (_, asked):
        outcome = json.loads(await line(process))

    assert asked == [["TriggerMessage", {"requestedMessage": "Heartbeat"}]]
    assert outcome["outcome"] == "result"


@pytest.mark.parametrize("program", ["events_pika.py", "events_aio_pika.py"])
async def test_a_program_prints_the_events_of_its_station(
    running: System, start: Callable[..., Any], program: str
) -> None:
    name = identity("scripted")
    process = await start(program, name)
    first = asyncio.create_task(line(process))
    async with raw_station(running.urls[0], identity("other")) as other, raw_station(running.urls[1], name) as station:
        while not first.done():  # until the program has bound its queue
            await other.call("Heartbeat", {})
            await station.call("Heartbeat", {})
            await asyncio.sleep(0.2)

    key, _, body = first.result().partition(" ")
    event = json.loads(body)
    assert (key, event["type"], event["identity"]) == ("ocpp1.6.Heartbeat", "call", name)


def test_every_program_in_the_text_is_run_here() -> None:
    assert PROGRAMS.keys() == {"command_pika.py", "command_aio_pika.py", "events_pika.py", "events_aio_pika.py"}


# --- without a program ------------------------------------------------------------------------------------------------


class Administered:
    """A RabbitMQ of its own, and the environment in which `rabbitmqadmin` talks to it.

    Where the program or the management plugin is missing, a stand-in does over AMQP what it would do.
    """

    def __init__(self, broker: RabbitMQ, home: Path) -> None:
        self._home = home
        self.broker = broker
        self.env = os.environ | {"HOME": str(home), "AMQP_URL": broker.url}
        if shutil.which("rabbitmqadmin") is None or not self._has_management():
            self._stand_in()

    async def run(self, block: str) -> str:
        """What a block of the text prints, run by the shell."""
        shell = await asyncio.create_subprocess_exec(
            "sh", "-e", "-c", block, cwd=ROOT, env=self.env, stdout=PIPE, stderr=STDOUT
        )
        said = (await asyncio.wait_for(shell.communicate(), 60))[0].decode()
        assert shell.returncode == 0, said
        return said

    def _has_management(self) -> bool:
        node = self.broker._node
        if not isinstance(node, RabbitMQProgram):
            return False
        port = free_port()
        listener = f'[{{port,{port}}},{{ip,"127.0.0.1"}}]'
        node.control(
            "rabbitmqctl",
            "eval",
            f"application:set_env(rabbitmq_management, tcp_config, {listener}, [{{persistent, true}}]).",
        )
        try:
            node.control("rabbitmq-plugins", "enable", "rabbitmq_management")
        except RuntimeError:  # not every package brings it
            return False
        (self._home / ".rabbitmqadmin.conf").write_text(f"[default]\nhostname = 127.0.0.1\nport = {port}\n")
        return wait_until(lambda: answers(port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP"), 20)

    def _stand_in(self) -> None:
        script = self._home / "rabbitmqadmin"
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tests.support.rabbitmqadmin "$@"\n')
        script.chmod(0o755)
        self.env["PATH"] = f"{self._home}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def administered(tmp_path: Path) -> Iterator[Administered]:
    with closing(brokers.rabbitmq(private=True, vhosts=0)) as broker:
        broker.start()
        yield Administered(broker, tmp_path)


@pytest.mark.timeout(180)
async def test_the_lines_for_rabbitmqadmin_ask_a_station_and_show_events(
    own: Take, administered: Administered, fresh_redis_url: str
) -> None:
    running = await asyncio.to_thread(
        own, system.distributed(administered.broker.url, fresh_redis_url, gateways=1, env=NO_PREFIX)
    )
    *binding, getting = LISTEN.splitlines()
    await administered.run("\n".join(binding))
    await asyncio.sleep(1.2)  # a new binding is noticed within a second

    async with obedient(running, STATION) as (_, asked):
        published = await administered.run(PUBLISH)
        async with asyncio.timeout(20):
            while not asked:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        heard = await administered.run(getting)

    assert "Message published" in published
    assert asked == [["TriggerMessage", {"requestedMessage": "Heartbeat"}]]
    assert [key in heard for key in ("ocpp1.6.connected", "ocpp1.6.BootNotification", "ocpp1.6.command")] == [True] * 3

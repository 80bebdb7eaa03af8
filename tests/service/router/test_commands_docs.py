"""docs/commands.md is true: its programs run as they are printed."""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from csms_platform.state import open_stores
from tests.contract.doors import AmqpBroker
from tests.service.router.commanding import SETTINGS, Scene

TEXT = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
PROGRAMS = {found[1]: found[0] for found in re.findall(r"```python\n(# (\S+\.py) .*?)```", TEXT, re.DOTALL)}


@pytest.fixture
async def scene(fresh_amqp_url: str) -> AsyncIterator[Scene]:
    """RabbitMQ with the names that operators see, one router, and a gateway with station CS-1."""
    broker = AmqpBroker(fresh_amqp_url)
    broker.prefix = ""
    await broker.start()
    async with open_stores("memory://") as stores:
        scene = Scene(broker, stores)
        await scene.open()
        await scene.router(SETTINGS)
        await (await scene.gateway()).connects("CS-1")
        yield scene
        await scene.close()
    await broker.close()


async def run(scene: Scene, program: str) -> Process:
    assert isinstance(scene.broker, AmqpBroker)
    environment = {"AMQP_URL": scene.broker.url}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAMS[program], "CS-1", env=environment, stdout=PIPE
    )


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


@pytest.mark.parametrize("program", ["command_pika.py", "command_aio_pika.py"])
async def test_a_program_asks_a_station_and_prints_its_answer(scene: Scene, program: str) -> None:
    process = await run(scene, program)

    outcome: dict[str, Any] = json.loads(await line(process))
    code = await asyncio.wait_for(process.wait(), 20)

    assert code == 0
    assert outcome == {
        "identity": "CS-1",
        "uniqueId": outcome["uniqueId"],
        "action": "TriggerMessage",
        "outcome": "result",
        "payload": {"status": "Accepted"},
    }


@pytest.mark.parametrize("program", ["events_pika.py", "events_aio_pika.py"])
async def test_a_program_prints_the_events_of_its_station(scene: Scene, program: str) -> None:
    process = await run(scene, program)
    await scene.order("CS-2", "ClearCache", id="r-0")
    first = asyncio.create_task(line(process))

    number = 0
    while not first.done():  # until the program has bound its queue
        number += 1
        await scene.order("CS-1", "ClearCache", id=f"r-{number}")
        await asyncio.sleep(0.2)
    process.terminate()
    await asyncio.wait_for(process.wait(), 20)

    key, _, body = first.result().partition(" ")
    event = json.loads(body)
    assert (key, event["type"], event["identity"]) == ("ocpp1.6.command", "command", "CS-1")


def test_every_program_in_the_text_is_tried_here() -> None:
    assert PROGRAMS.keys() == {"command_pika.py", "command_aio_pika.py", "events_pika.py", "events_aio_pika.py"}

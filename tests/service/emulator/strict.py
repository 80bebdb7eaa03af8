"""A central system that is not ours and forgives nothing: the npm package `ocpp-rpc` in strict mode, on Node.js."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.service.emulator.hearing import Hearing
from tests.support.node import NODE, PackagesMissingError, packages

HERE = Path(__file__).parent / "ocpp_rpc"
LONGEST_LINE = 2**20


class AskedInVainError(Exception):
    """The station answered with a CALLERROR, not validly, or not at all."""


class StrictCentral(Hearing):
    """`heard` is what was valid; `complaints` is what was not: of the station, and of what we made it answer or ask."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self.url = ""
        self.complaints: list[dict[str, Any]] = []
        self.connected: set[str] = set()
        self._process = process
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, identity: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The station's answer. Raises `AskedInVainError`."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        asked = {"number": number, "identity": identity, "method": action, "params": payload}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        async with asyncio.timeout(20):
            told = await answer
        if told["kind"] == "error":
            raise AskedInVainError(f"{action}: {told['code']}, {told['reason']}")
        result: dict[str, Any] = told["result"]
        return result

    async def read(self) -> None:
        """Hear everything until the process ends."""
        assert self._process.stdout
        async for line in self._process.stdout:
            self._note(json.loads(line))
            self.news.set()

    def _note(self, told: dict[str, Any]) -> None:
        match told["kind"]:
            case "listening":
                self.url = f"ws://127.0.0.1:{told['port']}"
            case "connected":
                self.connected.add(told["identity"])
            case "closed":
                self.connected.discard(told["identity"])
            case "call":
                self.heard.append((told["identity"], told["method"], told["params"]))
            case "result" | "error":
                self._answers.pop(told["number"]).set_result(told)
            case _:
                self.complaints.append(told)


@asynccontextmanager
async def strict_central() -> AsyncIterator[StrictCentral]:
    """It listens on a free loopback port, for 1.6, 2.0.1 and 2.1."""
    try:
        installed = await asyncio.to_thread(packages, HERE)
    except PackagesMissingError as error:
        pytest.fail(str(error), pytrace=False)
    command = (NODE, str(HERE / "server.mjs"), str(installed))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)
    central = StrictCentral(process)
    reading = asyncio.create_task(central.read())
    try:
        await central.until(lambda: bool(central.url))
        yield central
    finally:
        assert process.stdin
        process.stdin.close()
        await asyncio.gather(process.wait(), reading)

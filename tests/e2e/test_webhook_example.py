"""The example endpoint, run as its README says, asked by a real relay."""

import asyncio
import io
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from csms_ocpp.version import Version
from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import WEBHOOK, GatewayId, gateway_address
from csms_platform.state import open_stores
from csms_webhook_relay.sample import probe
from csms_webhook_relay.service import service
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.specimens import specimen
from tests.support import system
from tests.support.group import ProcessGroup
from tests.support.ports import answers, free_port, wait_until
from tests.support.system import System, get
from tests.support.wiring import ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "webhook"
SECRET = "s3cret"
CERTIFICATES = ["Get15118EVCertificate", "GetCertificateStatus"]  # what its README says is missing
GATEWAY = gateway_address(GatewayId("test"))


class Example:
    """The example on a port of its own; `said` is what it printed."""

    def __init__(self, folder: Path, secret: str) -> None:
        self.port = free_port()
        self._output = folder / "app.log"
        self._secret = secret
        self._process: ProcessGroup | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ocpp"

    @property
    def said(self) -> list[str]:
        return self._output.read_text(encoding="utf-8").splitlines()

    def start(self, *command: str) -> "Example":
        env = os.environ | {"PORT": str(self.port), "WEBHOOK_SECRET": self._secret}
        self._process = ProcessGroup(command or (sys.executable, str(EXAMPLE / "app.py")), env, self._output)
        assert wait_until(lambda: answers(self.port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP"), 20), self.said
        return self

    def close(self) -> None:
        if self._process:
            self._process.end()


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Callable[..., Example]]:
    made: list[Example] = []

    def make(secret: str = "") -> Example:
        made.append(Example(tmp_path, secret))
        return made[-1]

    yield make
    for one in made:
        one.close()


@asynccontextmanager
async def relay(settings: Settings) -> AsyncIterator["Station"]:
    """A relay in this process, and a station's gateway that talks to it."""
    tasks: list[asyncio.Task[None]] = []
    async with open_doors(BusSettings()) as doors, open_stores("memory://") as stores:
        station = Station(doors)
        await doors.bus.subscribe(GATEWAY, station.take)
        async with service(ports(doors, stores, tasks=tasks), settings):
            yield station


class Station:
    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._answers: asyncio.Queue[Envelope] = asyncio.Queue()

    async def take(self, batch: list[Envelope]) -> None:
        for answer in batch:
            self._answers.put_nowait(answer)

    def asks(self, version: Version, action: str) -> None:
        call = Envelope(
            Kind.CALL,
            "CS-1",
            version=version,
            unique_id="17",
            action=action,
            payload=specimen(version, action),
            reply_to=GATEWAY.name,
            session=Capsule(epoch=1, registration="Accepted"),
        )
        self._doors.bus.send(WEBHOOK, call)

    async def call(self, version: Version, action: str) -> Any:
        """The payload of the CALLRESULT."""
        self.asks(version, action)
        async with asyncio.timeout(10):
            answer = await self._answers.get()
        assert answer.kind is Kind.RESULT, answer
        return msgspec.json.decode(answer.payload)


async def test_stations_are_told_what_the_example_answers(example: Callable[..., Example]) -> None:
    app = await asyncio.to_thread(example(SECRET).start)

    async with relay(Settings(url=app.url, secret=SECRET)) as station:
        boot = await station.call(Version.V1_6, "BootNotification")
        start = await station.call(Version.V1_6, "StartTransaction")
        meter = await station.call(Version.V1_6, "MeterValues")
        event = await station.call(Version.V2_0_1, "TransactionEvent")

    assert boot == {"currentTime": boot["currentTime"], "interval": 300, "status": "Accepted"}
    assert start == {"transactionId": start["transactionId"], "idTagInfo": {"status": "Accepted"}}
    assert start["transactionId"] > 0
    assert meter == {}
    assert event == {"idTokenInfo": {"status": "Accepted"}}
    assert app.said[0] == "CS-1 BootNotification {'chargePointVendor': 'Example', 'chargePointModel': 'Webhook test'}"


async def test_a_message_that_comes_twice_starts_one_transaction(example: Callable[..., Example]) -> None:
    app = await asyncio.to_thread(example().start)

    async with relay(Settings(url=app.url)) as station:
        first = await station.call(Version.V1_6, "StartTransaction")
        again = await station.call(Version.V1_6, "StartTransaction")

    assert first == again


async def test_what_was_said_while_it_was_down_comes_late(example: Callable[..., Example]) -> None:
    app = example()
    settings = Settings(
        url=app.url, attempts=1, spool_first_pause=0.1, spool_longest_pause=0.2, breaker_seconds=0.2, margin=0.0
    )

    async with relay(settings) as station:
        for action in ("StopTransaction", "MeterValues"):
            station.asks(Version.V1_6, action)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(app.start)
        async with asyncio.timeout(20):
            while len(said := app.said) < 2:
                await asyncio.sleep(0.05)

    assert sorted(line.partition("{")[0] for line in said) == [
        "CS-1 MeterValues (late) ",
        "CS-1 StopTransaction (late) ",
    ]


async def test_it_runs_under_uvicorn_as_its_readme_says(example: Callable[..., Example]) -> None:
    app = example()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(app.port), "--app-dir", str(EXAMPLE)]
    await asyncio.to_thread(app.start, *command)

    async with relay(Settings(url=app.url)) as station:
        assert await station.call(Version.V1_6, "Authorize") == {"idTagInfo": {"status": "Accepted"}}


async def test_the_test_command_finds_nothing_wrong_but_what_the_readme_says(example: Callable[..., Example]) -> None:
    app, out = await asyncio.to_thread(example(SECRET).start), io.StringIO()
    settings = Settings(url=app.url, secret=SECRET)

    code = await probe(settings, versions=[Version.V1_6, Version.V2_0_1], actions=[], out=out)

    *table, count = out.getvalue().splitlines()
    assert (code, count) == (1, "37 of 39 are answered by the endpoint.")
    assert [line.split()[3] for line in table if line.startswith("!")] == CERTIFICATES


async def test_the_test_command_says_what_a_wrong_secret_leads_to(example: Callable[..., Example]) -> None:
    app, out = await asyncio.to_thread(example(SECRET).start), io.StringIO()

    code = await probe(
        Settings(url=app.url, secret="wrong"), versions=[Version.V1_6], actions=["Heartbeat", "MeterValues"], out=out
    )

    heartbeat, meter_values, count = out.getvalue().splitlines()[1:]
    assert heartbeat.startswith("! default   ocpp1.6  Heartbeat    HTTP status 401")
    assert heartbeat.endswith("policy builtin: what the router answers by itself")
    assert meter_values.startswith("! default   ocpp1.6  MeterValues  HTTP status 401")
    assert (code, count) == (1, "0 of 2 are answered by the endpoint.")


def stations_that(app: Example, action: str) -> set[str]:
    """Who said it, as the example printed."""
    return {line.split()[0] for line in app.said if line.split()[1] == action}


async def test_five_emulated_stations_boot_and_charge_through_it(
    example: Callable[..., Example], own: Callable[[System], System]
) -> None:
    app, began = await asyncio.to_thread(example(SECRET).start), int(time.time())
    env = {"CSMS_WEBHOOK_SECRET": SECRET}
    running = await asyncio.to_thread(own, system.all_in_one("--emulate", "5", "--webhook-url", app.url, env=env))

    async with asyncio.timeout(60):
        while len(stations_that(app, "MeterValues")) < 5:
            await asyncio.sleep(0.1)
    status, body = await get(running.apis[0].port, "/api/v2/transactions?limit=1000")
    running.gateways[0].process.terminate()  # the stations end their charges before they leave
    code = await running.gateways[0].process.exited()

    five = {f"EMU-{number:05}" for number in range(1, 6)}
    assert [stations_that(app, action) for action in ("BootNotification", "StartTransaction", "StopTransaction")] == [
        five,
        five,
        five,
    ]
    transactions = msgspec.json.decode(body)["transactions"]
    assert (status, code) == (200, 0)
    assert {transaction["identity"] for transaction in transactions} == five
    # Its numbers begin with the time at which it started: they are the endpoint's, not ours.
    assert all(began - 60 <= int(transaction["id"]) < began + 1000 for transaction in transactions)
    assert [line for line in app.said if "(late)" in line] == []


@pytest.mark.parametrize(
    ("settings", "actions", "sentence"),
    [
        (Settings(), [], "there is no endpoint to test"),
        (Settings(url="http://localhost:1/ocpp"), ["Reset"], "Reset is nothing that stations ask in ocpp1.6"),
    ],
)
async def test_the_test_command_says_what_it_cannot_do(settings: Settings, actions: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        await probe(settings, versions=[Version.V1_6], actions=actions, out=io.StringIO())

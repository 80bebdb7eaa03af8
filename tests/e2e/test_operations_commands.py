"""docs/operations.md is true as far as trying shows it: the first start, and a RabbitMQ user with the rights given."""

import asyncio
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ
from tests.support.foreign import identity, raw_station
from tests.support.ports import free_port as find_free_port
from tests.support.processes import Csms
from tests.support.system import System, get

Start = Callable[..., Csms]
Take = Callable[[System], System]

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
BROKER = [shlex.split(line)[1:] for line in SHELL if line.startswith("rabbitmqctl add_") or " set_permissions " in line]
# Nobody listens there: what must reach the endpoint goes to the spool.
AWAY = {"CSMS_BUS_PREFIX": "", "CSMS_WEBHOOK_URL": "http://127.0.0.1:9/ocpp", "CSMS_API_AUTH": "open"}


def words(start: str) -> list[str]:
    """The arguments of the page's line that starts like this."""
    return shlex.split(next(line for line in SHELL if line.startswith(start)), comments=True)[1:]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The path of a csms.toml that says nothing."""
    made = tmp_path / "csms.toml"
    made.write_text("", encoding="utf-8")
    return str(made)


async def test_the_first_start_goes_as_it_is_written(csms: Start, file: str) -> None:
    port = find_free_port()
    check, up, emulate, stations = (
        [file if word == "csms.toml" else word for word in words(start)]
        for start in ("csms check-config --config csms.toml", "csms up", "csms emulate", "csms stations --online")
    )
    expected = next(line for line in SHELL if line.startswith("curl ")).partition("# ")[2]

    checked = csms(*check)
    code = await checked.exited()
    process = csms(*up, "--port", str(port))
    await process.ready(port)
    readiness = await told_of(port)
    csms(*emulate, "--url", f"ws://127.0.0.1:{port}/ocpp")
    await process.logged("BootNotification", 20, station="FIRST-1")
    listed = csms(*stations, env={"CSMS_API_URL": f"http://127.0.0.1:{port}"})
    await listed.exited()

    assert (code, "good for csms up" in checked.stdout) == (0, True)
    assert readiness == (200, json.loads(expected))
    assert "FIRST-1" in listed.stdout


@pytest.fixture
def restricted(private_rabbitmq: RabbitMQ) -> Iterator[str]:
    """The URL of the vhost and user that the page's commands make."""
    for command in BROKER:
        private_rabbitmq.control(*command)
    at = urlsplit(private_rabbitmq.url).netloc.rpartition("@")[2]
    yield f"amqp://csms:{BROKER[1][2].replace(' ', '%20')}@{at}/csms"
    private_rabbitmq.control("delete_vhost", "csms")
    private_rabbitmq.control("delete_user", "csms")


async def test_every_service_works_with_the_rights_that_are_written(
    restricted: str, fresh_redis_url: str, own: Take, csms: Start
) -> None:
    running = own(system.distributed(restricted, fresh_redis_url, gateways=1, soaps=1, relays=1, apis=1, env=AWAY))
    name = identity("rights")
    tail = csms("tail", "--api", running.api, "--identity", name)
    async with raw_station(running.urls[0], name) as station:
        async with asyncio.timeout(20):
            while "Heartbeat" not in tail.stdout:  # until it is bound
                await station.call("Heartbeat", {})
                await asyncio.sleep(0.2)
        stop = {"transactionId": 1, "meterStop": 1, "timestamp": "2026-01-01T10:00:00Z"}
        told = await station.call("StopTransaction", stop)
        sent = csms("send", name, "ClearCache", "--api", running.api, "--wait", "0")
        code = await sent.exited()
    stored = (await get(running.relays[0].port, "/metrics"))[1]

    assert (told, code) == ({}, 0)
    assert "csms_letters_stored_total 1.0" in stored
    assert {line["event"] for one in running.members for line in one.process.logs if line["logger"] == "bus"} == {
        "RabbitMQ connected"
    }


async def told_of(port: int) -> tuple[int, object]:
    """Status and JSON of /readyz."""
    status, text = await get(port, "/readyz")
    return status, json.loads(text)

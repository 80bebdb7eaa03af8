"""The command as a process: how it starts, leaves, explains itself, and says what is wrong in one sentence."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import system
from tests.support.foreign import identity, raw_station, raw_stations
from tests.support.ports import free_port as find_free_port
from tests.support.processes import Csms
from tests.support.system import Member, System, get, paused_redis

Start = Callable[..., Csms]
Take = Callable[[System], System]

OPTIONS = {
    "up": [
        "--config",
        "--log-level",
        "--host",
        "--port",
        "--bus",
        "--state",
        "--auth",
        "--data",
        "--emulate",
        "--park",
    ],
    "ws-gateway": ["--config", "--log-level", "--host", "--port", "--bus"],
    "router": ["--config", "--log-level", "--host", "--port", "--bus", "--state", "--auth"],
    "emulate": ["--config", "--log-level", "--url", "--count", "--identity", "--password", "--ca", "--pace"],
    "password": ["--help"],
}


# --- help -------------------------------------------------------------------------------------------------------------


async def test_help_names_every_command(csms: Start) -> None:
    process = csms("--help")

    assert await process.exited(10) == 0
    assert process.stderr == ""
    assert OPTIONS.keys() <= set(process.stdout.split())


@pytest.mark.parametrize("command", OPTIONS)
async def test_help_of_a_command_names_its_options(csms: Start, command: str) -> None:
    process = csms(command, "--help")

    assert await process.exited(10) == 0
    assert process.stderr == ""
    assert [option for option in OPTIONS[command] if option not in process.stdout] == []


# --- leaving ----------------------------------------------------------------------------------------------------------


async def test_ctrl_c_with_five_emulated_stations_drains_and_exits_0_within_10_seconds(own: Take) -> None:
    running = own(system.all_in_one("--emulate", "5"))
    process = running.gateways[0].process
    emulated = [f"EMU-{number:05}" for number in range(1, 6)]
    for station in emulated:
        await process.logged("BootNotification", station=station, outcome="result")
    started = time.monotonic()
    process.interrupt()
    code = await process.exited(10)

    assert code == 0, process
    assert time.monotonic() - started < 10
    assert [entry["event"] for entry in process.logs if entry["level"] in ("error", "critical")] == []
    assert process.logs[-1]["event"] == "stopped"


async def test_a_second_ctrl_c_leaves_at_once(own: Take, fresh_redis_url: str) -> None:
    running = own(system.all_in_one("--state", fresh_redis_url))
    process = running.gateways[0].process
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
    async with raw_stations(running.urls, 1) as [station], paused_redis(fresh_redis_url):
        await station.send("StartTransaction", start)
        await asyncio.sleep(0.3)
        process.interrupt()
        await process.logged("draining")
        await asyncio.sleep(0.3)
        draining = process.returncode
        process.interrupt()
        code = await process.exited(1)

    assert draining is None
    assert code == 130


async def test_the_emulator_as_a_process_charges_at_the_central_system_and_leaves_on_sigterm(
    own: Take, csms: Start
) -> None:
    running = own(system.all_in_one())
    emulator = csms("emulate", "--url", running.urls[0], "--count", "2", "--pace", "200", "--log-format", "json")
    central = running.gateways[0].process
    for number in (1, 2):
        await central.logged("StartTransaction", 30, station=f"EMU-{number:05}", outcome="result")
    emulator.terminate()
    code = await emulator.exited(15)

    assert code == 0
    assert [entry for entry in emulator.logs if entry["level"] in ("error", "critical")] == []


# --- what is wrong, in one sentence -----------------------------------------------------------------------------------


async def failed(process: Csms, seconds: float = 20) -> str:
    """The one sentence that a process which cannot start ends with."""
    code = await process.exited(seconds)

    assert code not in (0, None), process
    assert "Traceback" not in process.stderr, process
    said = [line for line in process.stderr.splitlines() if not line.startswith("{")]
    assert len(said) == 1, process
    assert said[0].startswith("csms: "), process
    assert said[0].endswith("."), process
    return said[0]


def configured(tmp_path: Path, text: str) -> str:
    file = tmp_path / "csms.toml"
    file.write_text(text)
    return str(file)


async def test_a_port_in_use(csms: Start, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        sentence = await failed(csms("up", "--port", str(free_port)))

    assert "in use" in sentence
    assert str(free_port) in sentence


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1\n", "colour"),
        ("[ws_gateway]\npings = 1\n", "pings"),
        ('[[stations]]\nidentity = "A"\npasword = "typo"\n', "pasword"),
        ("[ws_gateway]\nping_interval = 'often'\n", "ping_interval"),
        ('auth = "maybe"\n', "auth"),
        ("[log]\nlevel = 'shout'\n", "level"),
        ("port = 99999\n", "port"),
        ("this is not TOML", "not TOML"),
        ('log = "loud"\n', "[log]"),
    ],
)
async def test_a_mistake_in_the_file_is_told_with_the_files_name(
    csms: Start, tmp_path: Path, text: str, named: str
) -> None:
    sentence = await failed(csms("up", "--config", configured(tmp_path, text)))

    assert "csms.toml" in sentence
    assert named in sentence


async def test_a_file_that_is_missing(csms: Start, tmp_path: Path) -> None:
    sentence = await failed(csms("up", "--config", str(tmp_path / "absent.toml")))

    assert "absent.toml" in sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CSMS_PORT", "ninety"),
        ("CSMS_PORT", "99999"),
        ("CSMS_WS_GATEWAY_PING_INTERVAL", "often"),
        ("CSMS_ROUTER_AUTH", "maybe"),
        ("CSMS_LOG_LEVEL", "shout"),
        ("CSMS_STATIONS", "[{"),
        ("CSMS_BUS_URL_FILE", "nowhere/at/all"),
    ],
)
async def test_a_bad_value_in_the_environment_is_told_with_the_variables_name(
    csms: Start, variable: str, value: str
) -> None:
    sentence = await failed(csms("up", env={variable: value}))

    assert variable in sentence


async def test_a_service_by_itself_on_memory(csms: Start) -> None:
    router = await failed(csms("router", "--bus", "amqp://localhost/"))
    gateway = await failed(csms("ws-gateway"))

    assert "CSMS_STATE_URL" in router
    assert "CSMS_BUS_URL" in gateway


async def test_a_rabbitmq_that_does_not_answer(csms: Start, free_port: int) -> None:
    sentence = await failed(csms("up", "--bus", f"amqp://guest:secret-word@127.0.0.1:{free_port}/"))

    assert "RabbitMQ" in sentence
    assert str(free_port) in sentence
    assert "secret-word" not in sentence


async def test_a_password_that_rabbitmq_does_not_know(csms: Start, fresh_amqp_url: str) -> None:
    sentence = await failed(csms("up", "--bus", fresh_amqp_url.replace("guest:guest", "guest:secret-word")))

    assert "ACCESS_REFUSED" in sentence
    assert "secret-word" not in sentence


@pytest.mark.parametrize(("option", "url"), [("--bus", "kafka://localhost/"), ("--state", "mysql://localhost/")])
async def test_a_url_of_an_unknown_kind(csms: Start, option: str, url: str) -> None:
    sentence = await failed(csms("up", option, url))

    assert "://" in sentence
    assert url.partition(":")[0] in sentence


async def test_a_data_directory_that_cannot_be(csms: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = await failed(csms("up", "--data", str(tmp_path / "file" / "data")))

    assert str(tmp_path / "file") in sentence


async def test_a_data_directory_that_is_in_use(csms: Start, own: Take, tmp_path: Path, free_port: int) -> None:
    own(system.all_in_one("--data", str(tmp_path)))
    sentence = await failed(csms("up", "--data", str(tmp_path), "--port", str(free_port)))

    assert "in use" in sentence


async def test_a_certificate_that_is_missing(csms: Start, tmp_path: Path, free_port: int) -> None:
    tls = {"CSMS_TLS_CERTIFICATE": str(tmp_path / "no.pem"), "CSMS_TLS_KEY": str(tmp_path / "no.key")}
    sentence = await failed(csms("up", "--port", str(free_port), env=tls))

    assert "no.pem" in sentence


async def test_an_option_that_does_not_exist(csms: Start) -> None:
    process = csms("up", "--colour", "red")

    assert await process.exited(10) == 2
    assert process.stderr.splitlines()[-1] == "csms: error: unrecognized arguments: --colour red"


# --- what it needs ----------------------------------------------------------------------------------------------------


async def test_a_router_that_starts_before_redis_is_not_ready_and_says_so(
    csms: Start, fresh_amqp_url: str, free_port: int
) -> None:
    nowhere = f"redis://127.0.0.1:{find_free_port()}/0"
    router = Member("router", "--bus", fresh_amqp_url, "--state", nowhere, env=system.own_queues())
    try:
        await router.process.logged("listening")
        health, readiness = await get(router.port, "/healthz"), await get(router.port, "/readyz")
    finally:
        router.process.close()

    assert health == (200, '{"status":"ok"}')
    assert readiness == (503, '{"bus":true,"state":false}')


async def test_all_in_one_on_real_brokers_serves_stations(own: Take, fresh_amqp_url: str, fresh_redis_url: str) -> None:
    running = own(system.all_in_one("--bus", fresh_amqp_url, "--state", fresh_redis_url, env=system.own_queues()))
    async with raw_station(running.urls[0], identity("brokers")) as station:
        answer = await station.call("Heartbeat", {})
    running.gateways[0].process.terminate()

    assert list(answer) == ["currentTime"]
    assert await running.gateways[0].process.exited(10) == 0

"""deploy/compose.yaml against the services: what it runs, sets and mounts exists, and their settings can be used."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from csms import arguments
from csms.compose import plan
from csms.settings import read
from csms_platform.plan import ListenSettings
from tests.support.group import ProcessGroup
from tests.support.names import name_server
from tests.support.ports import answers, free_port, wait_until
from tests.support.reverse_proxies import compose_nginx, directory, need, nginx
from tests.support.variables import known_variables

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
CSMS = {name: one for name, one in OURS.items() if "entrypoint" not in one}
OBSERVABILITY = {"prometheus", "loki", "alloy", "grafana"}
IMAGE = {"CSMS_HOST": "0.0.0.0", "CSMS_PORT": "9220", "CSMS_API_ENABLE": "false"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/secrets.sh writes."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run(["sh", str(DEPLOY / "secrets.sh"), str(folder)], check=True, capture_output=True)
    return folder


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def given(value: Any) -> str:
    """What compose makes of `${NAME:-default}` where the environment says nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: given(value) for name, value in service.get("environment", {}).items()}


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where inside → what of this machine or which volume."""
    pairs = [text.split(":") for text in service.get("volumes", [])]
    return {pair[1]: pair[0] for pair in pairs}


def files_of(service: dict[str, Any]) -> dict[str, str]:
    """Where inside → which secret."""
    listed = [{"source": one} if isinstance(one, str) else one for one in service.get("secrets", [])]
    return {one.get("target", f"/run/secrets/{one['source']}"): one["source"] for one in listed}


# --- what it consists of ----------------------------------------------------------------------------------------------


def test_the_system_is_complete_without_a_profile_and_observed_with_one() -> None:
    plainly = {name for name, one in SERVICES.items() if "profiles" not in one}
    profiles = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}

    assert plainly == {"rabbitmq", "redis", "endpoint", "nginx", "park", *CSMS}
    assert CSMS.keys() == {"ws-gateway", "soap-gateway", "router", "webhook-relay", "api", "park"}
    assert profiles == {name: ["observability"] for name in OBSERVABILITY}


def test_there_are_two_of_what_stations_depend_on() -> None:
    replicas = {name: one["deploy"]["replicas"] for name, one in SERVICES.items() if "deploy" in one}

    assert replicas == {"ws-gateway": 2, "soap-gateway": 2, "router": 2}


def test_only_nginx_and_pages_for_this_machine_are_reached_from_outside() -> None:
    published = {name: [*map(given, one["ports"])] for name, one in SERVICES.items() if "ports" in one}

    assert published == {
        "nginx": ["9220:9220"],
        "rabbitmq": ["127.0.0.1:15672:15672"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_what_can_be_scaled_has_no_name_and_no_port_of_its_own() -> None:
    bound = [name for name, one in CSMS.items() if {"container_name", "hostname", "ports"} & one.keys()]

    assert bound == []


def test_every_image_has_a_version() -> None:
    images = [given(one["image"]) for one in SERVICES.values()]

    assert [image for image in images if image.endswith(":latest") or ":" not in image] == []


def test_our_containers_have_no_more_rights_than_they_need() -> None:
    rights = {
        name: (one["read_only"], one["cap_drop"], one["security_opt"], one["tmpfs"]) for name, one in OURS.items()
    }

    assert rights == dict.fromkeys(OURS, (True, ["ALL"], ["no-new-privileges:true"], ["/tmp"]))


# --- against the services ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CSMS)
def test_a_service_starts_with_what_it_is_given(name: str, secrets: Path) -> None:
    service = CSMS[name]
    inside = {target: str(secrets / source) for target, source in files_of(service).items()}
    inside |= {target: str(DEPLOY / source) for target, source in mounts(service).items()}
    environ = IMAGE | {key: inside.get(value, value) for key, value in environment(service).items()}
    options = arguments.parser().parse_args([inside.get(word, word) for word in service["command"]])

    made = plan(options.command, read(None, environ, arguments.overrides(options)))

    assert made.listen is not None
    assert made.listen.port == 9220
    assert made.bus.url.startswith("amqp://csms:") or name == "park"
    assert not made.stores or name == "park" or made.state.url.startswith("redis://:")


def test_every_variable_of_our_services_is_one_that_they_read() -> None:
    used = {variable for one in CSMS.values() for variable in environment(one)}

    assert used - known_variables() == set()


def test_everything_that_is_kept_secret_is_read_from_a_file() -> None:
    plain = re.compile(r"PASSWORD|TOKEN|SECRET|KEYS|BUS_URL|STATE_URL")
    used = [variable for one in SERVICES.values() for variable in environment(one)]

    assert [name for name in used if plain.search(name) and not name.endswith("_FILE")] == []


def test_every_file_that_a_variable_names_is_one_of_the_services_secrets() -> None:
    named = {
        (name, value)
        for name, one in SERVICES.items()
        for variable, value in environment(one).items()
        if variable.endswith("_FILE")
    }

    assert [pair for pair in named if pair[1] not in files_of(SERVICES[pair[0]])] == []


def test_every_secret_is_declared_and_written_by_the_script(secrets: Path) -> None:
    used = {source for one in SERVICES.values() for source in files_of(one).values()}
    declared = {name: one["file"] for name, one in COMPOSE["secrets"].items()}

    assert used == declared.keys()
    assert declared == {name: f"./secrets/{name}" for name in used}
    assert [name for name in used if not (secrets / name).exists()] == []


def test_secrets_are_random_and_stay(secrets: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    for folder in (secrets, tmp_path):
        subprocess.run(["sh", str(DEPLOY / "secrets.sh"), str(folder)], check=True, capture_output=True)
    other = {file.name: file.read_text() for file in tmp_path.iterdir()}

    assert {file.name: file.read_text() for file in secrets.iterdir()} == before
    assert {name for name, text in before.items() if other[name] == text} == {"webhook_password", "webhook_token"}
    assert secrets.stat().st_mode & 0o077 == 0


def test_everything_that_is_mounted_exists() -> None:
    sources = {source for one in SERVICES.values() for source in mounts(one).values()}
    paths = {source for source in sources if source.startswith(".")}

    assert [path for path in paths if not (DEPLOY / path).exists()] == []
    assert sources - paths - {"/var/run/docker.sock"} == COMPOSE["volumes"].keys()


def test_whoever_is_waited_for_exists_and_says_when_it_is_ready() -> None:
    waits = [
        (name, on, how["condition"]) for name, one in SERVICES.items() for on, how in one.get("depends_on", {}).items()
    ]
    mute = [wait for wait in waits if wait[2] == "service_healthy" and "healthcheck" not in SERVICES[wait[1]]]

    assert mute == []
    assert {wait[1] for wait in waits if wait[0] in CSMS} == {"rabbitmq", "redis", "router", "endpoint", "nginx"}


def test_a_check_of_health_is_a_command_of_the_image() -> None:
    checks = {name: one["healthcheck"]["test"] for name, one in OURS.items()}
    endpoint = checks.pop("endpoint")

    assert checks == {name: ["CMD", "python3", "-I", "/opt/csms/health.py", "/readyz"] for name in CSMS}
    compile(endpoint[-1], "endpoint", "exec")


def test_a_container_is_given_longer_to_leave_than_the_service_takes() -> None:
    given = {seconds(one["stop_grace_period"]) for one in OURS.values()}

    assert min(given) > ListenSettings().drain_seconds


# --- with what it mounts ----------------------------------------------------------------------------------------------


def test_prometheus_asks_every_service_that_has_metrics() -> None:
    document = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    asked = {
        name: found["port"]
        for job in document["scrape_configs"]
        for found in job.get("dns_sd_configs", [])
        for name in found["names"]
    }

    assert asked == dict.fromkeys(CSMS.keys() - {"park"}, 9220)


def test_grafana_finds_its_sources_and_dashboards_where_they_are_mounted() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    sources = yaml.safe_load((folder / "datasources" / "datasources.yaml").read_text())["datasources"]
    boards = yaml.safe_load((folder / "dashboards" / "dashboards.yaml").read_text())["providers"]

    assert {one["uid"]: one["url"] for one in sources} == {
        "prometheus": "http://prometheus:9090",
        "loki": "http://loki:3100",
    }
    assert [one["options"]["path"] in mounts(SERVICES["grafana"]) for one in boards] == [True]


async def test_redis_takes_its_file_and_keeps_what_is_written(secrets: Path, tmp_path: Path) -> None:
    text = (DEPLOY / "redis" / "redis.conf").read_text()
    text = text.replace("/run/secrets", str(secrets)).replace("dir /data", f"dir {tmp_path}")
    (tmp_path / "redis.conf").write_text(text)
    password = (secrets / "redis_password").read_text().strip()

    found = await asyncio.to_thread(asked_redis, tmp_path / "redis.conf", password)

    assert found == {"appendonly": "yes", "maxmemory-policy": "noeviction", "requirepass": password}
    assert (tmp_path / "appendonlydir").is_dir()


async def test_nginx_finds_gateways_that_come_and_leaves_those_that_go(tmp_path: Path) -> None:
    port, names = free_port(), {"ws-gateway": ["127.0.0.2"], "soap-gateway": ["127.0.0.4"], "api": ["127.0.0.5"]}
    async with AsyncExitStack() as stack:
        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"):
            await stack.enter_async_context(upstream(address, port))
        resolver = await stack.enter_async_context(name_server(names))
        words = {
            "127.0.0.11 valid=5s": f"127.0.0.1:{resolver} valid=1s",
            "listen 9220": f"listen 127.0.0.1:{(listening := free_port())}",
            "-gateway:9220": f"-gateway:{port}",
            "api:9220": f"api:{port}",
        }
        configuration = compose_nginx(directory(), words)
        proxy = stack.enter_context(closing(await asyncio.to_thread(nginx, configuration, listening)))
        first = {await fetch(proxy.port, "GET /ocpp/CS-1") for _ in range(8)}
        others = [await fetch(proxy.port, asked) for asked in ("POST /Ocpp", "GET /ocpp/CS-1?wsdl", "GET /docs")]
        names["ws-gateway"] = ["127.0.0.2", "127.0.0.3"]
        both = await eventually(proxy.port, {"127.0.0.2", "127.0.0.3"})
        names["ws-gateway"] = ["127.0.0.3"]
        last = await eventually(proxy.port, {"127.0.0.3"})

    assert first == {"127.0.0.2"}
    assert others == ["127.0.0.4", "127.0.0.4", "127.0.0.5"]
    assert (both, last) == (True, True)


def asked_redis(configuration: Path, password: str) -> dict[str, str]:
    """What a server with this configuration says of itself; blocks."""
    port = free_port()
    command = [need("redis-server"), str(configuration), "--port", str(port), "--bind", "127.0.0.1"]
    server = ProcessGroup(command, os.environ, configuration.with_suffix(".log"))
    try:
        assert wait_until(lambda: answers(port, b"PING\r\n", b"-NOAUTH"), 10)
        with redis.Redis(port=port, password=password, decode_responses=True) as client:
            return {key: client.config_get(key)[key] for key in ("appendonly", "maxmemory-policy", "requirepass")}
    finally:
        server.end()


@asynccontextmanager
async def upstream(address: str, port: int) -> AsyncIterator[None]:
    """Somebody at this address who answers every request with it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(address)}\r\nConnection: close\r\n\r\n{address}".encode()
        )
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, address, port):
        yield


async def fetch(port: int, asked: str) -> str:
    """Who answers this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{asked} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text.rpartition("\r\n\r\n")[2]


async def eventually(port: int, wanted: set[str]) -> bool:
    """Whether within ten seconds a dozen requests in a row are answered by exactly these."""
    async with asyncio.timeout(10):
        while {await fetch(port, "GET /ocpp/CS-1") for _ in range(12)} != wanted:
            await asyncio.sleep(0.1)
    return True

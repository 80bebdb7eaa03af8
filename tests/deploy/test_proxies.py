"""nginx and haproxy as operators put them before the services, with the files of deploy/."""

import asyncio
import http.client
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect

from csms_ws_gateway.settings import Settings as GatewaySettings
from tests.support import reverse_proxies, system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import identity, raw_station
from tests.support.ports import free_port
from tests.support.reverse_proxies import (
    DEPLOY,
    HAPROXY,
    NGINX,
    ReverseProxy,
    compose_nginx,
    need,
    nginx_folder,
    replaced,
)
from tests.support.soap import envelope, post
from tests.support.system import Member, System

CERTIFICATES = Path(__file__).parents[1] / "support" / "tls"
LONGEST_COMMAND = 300
STATION, PROXY = "127.0.0.77", "127.0.0.88"  # Linux has all of 127.0.0.0/8
TRUSTED = {"CSMS_TRUSTED_PROXIES": '["127.0.0.1"]'}


class Site:
    """A system of two gateways of each kind behind one proxy."""

    def __init__(self, proxy: ReverseProxy, behind: System) -> None:
        self.proxy = proxy
        self.behind = behind

    async def holder(self, name: str) -> Member:
        """The gateway that has let this station in last, once any has."""
        async with asyncio.timeout(10):
            while not (told := self._told(name)):
                await asyncio.sleep(0.05)
        return self.behind.gateways[max(told)[1]]

    def _told(self, name: str) -> list[tuple[str, int]]:
        return [
            (entry["timestamp"], number)
            for number, gateway in enumerate(self.behind.gateways)
            for entry in gateway.process.logs
            if entry.get("event") == "connected" and entry.get("station") == name
        ]


def come(url: str, name: str, headers: dict[str, str] | None = None) -> connect:
    """The socket of a station at the address STATION."""
    return connect(
        f"{url}/{name}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=headers,
        local_addr=(STATION, 0),
        proxy=None,
    )


def fetch(site: Site, path: str) -> tuple[int, str]:
    """Status and text of a GET through the proxy."""
    with closing(http.client.HTTPConnection("127.0.0.1", site.proxy.port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def addresses(behind: System) -> dict[str, str]:
    members = {"10.0.0.1": behind.gateways, "10.0.0.2": behind.soaps, "10.0.0.3": behind.apis}
    return {
        f"{prefix}{number}:9220": f"127.0.0.1:{member.port}"
        for prefix, group in members.items()
        for number, member in enumerate(group, 1)
    }


PROXIES: dict[str, Callable[[System], ReverseProxy]] = {
    "nginx": lambda behind: reverse_proxies.own_nginx(addresses(behind)),
    "haproxy": lambda behind: reverse_proxies.haproxy("haproxy.cfg", addresses(behind)),
}


@pytest.fixture(scope="module", params=PROXIES)
def site(request: pytest.FixtureRequest, rabbitmq: RabbitMQ, redis_server: Redis) -> Iterator[Site]:
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    with closing(system.distributed(*brokers, gateways=2, soaps=2, apis=1, env=TRUSTED)) as behind:
        behind.wait_ready()
        with closing(PROXIES[request.param](behind)) as proxy:
            yield Site(proxy, behind)


async def test_a_station_is_served_and_known_by_its_own_address(site: Site) -> None:
    name = identity("real")
    forged = {"X-Forwarded-For": "10.9.9.9"}
    async with come(site.proxy.ws, name, forged):
        entry = await (await site.holder(name)).process.logged("connected", station=name)

    assert entry["peer"] == STATION


async def test_a_soap_station_is_answered_at_any_spelling_of_the_path(site: Site) -> None:
    name = identity("soap")
    body = envelope(
        "1.6",
        name,
        "<cs:bootNotificationRequest><cs:chargePointVendor>V</cs:chargePointVendor>"
        "<cs:chargePointModel>M</cs:chargePointModel></cs:bootNotificationRequest>",
        source="http://127.0.0.1:9/ocpp",
    )
    answers = [post(site.proxy.http + path, body) for path in ("/Ocpp", "/ocpp/CentralSystemService", "/OCPP")]

    assert [(answer.status, answer.text_of("status")) for answer in answers] == [(200, "Accepted")] * 3


def test_the_description_for_soap_tools_comes_through(site: Site) -> None:
    status, text = fetch(site, "/Ocpp?wsdl=1.6")

    assert (status, "CentralSystemService" in text) == (200, True)


def test_the_pages_of_the_api_are_there_and_the_metrics_are_not(site: Site) -> None:
    found = [fetch(site, path)[0] for path in ("/readyz", "/docs", "/api/v2/stations", "/metrics")]

    assert found == [200, 200, 200, 404]


async def test_events_come_through_as_they_happen(site: Site) -> None:
    name = identity("events")
    with closing(http.client.HTTPConnection("127.0.0.1", site.proxy.port, timeout=10)) as connection:
        connection.request("GET", f"/api/v2/events?identity={name}")
        stream = connection.getresponse()
        async with raw_station(site.proxy.ws, name):
            pass
        line = next(line for line in iter(stream.readline, b"") if line.startswith(b"data:"))

    assert name.encode() in line


async def test_a_station_whose_gateway_is_killed_reconnects_to_the_other_one(site: Site) -> None:
    name = identity("moves")
    async with raw_station(site.proxy.ws, name) as station:
        first = await site.holder(name)
        first.process.kill()
        await station.closed()
    for _ in range(3):
        async with raw_station(site.proxy.ws, name, boot=False) as station:
            await station.call("Heartbeat", {})

    assert await site.holder(name) is not first


async def test_what_haproxy_says_in_a_proxy_header_is_the_stations_address(
    rabbitmq: RabbitMQ, redis_server: Redis
) -> None:
    name = identity("introduced")
    env = {"CSMS_TRUSTED_PROXIES": f'["{PROXY}"]', "CSMS_PROXY_PROTOCOL": "true"}
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    with closing(system.distributed(*brokers, gateways=2, env=env)) as behind:
        behind.wait_ready()
        words = {"default-server ": f"default-server source {PROXY} "} | addresses(behind)
        with closing(reverse_proxies.haproxy("proxy-protocol.cfg", words)) as proxy:
            async with come(proxy.ws, name):
                entry = await (await Site(proxy, behind).holder(name)).process.logged("connected", station=name)

    assert entry["peer"] == STATION


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
async def test_the_name_that_is_passed_on_is_that_of_a_verified_certificate(proxy: str) -> None:
    port, secure = free_port(), free_port()
    async with await asyncio.start_server(tell_name, "127.0.0.1", port):
        with closing(await asyncio.to_thread(with_tls, proxy, port, secure)):
            shown = [await named(secure, certificate) for certificate in ("station.pem", None)]

    assert shown == ["CS-1 https", " https"]


def with_tls(proxy: str, port: int, secure: int) -> ReverseProxy:
    """Before one service that is everything; blocks."""
    at = {f"10.0.0.{number}:9220": f"127.0.0.1:{port}" for number in (11, 12, 21, 22, 31)}
    if proxy == "haproxy":
        return reverse_proxies.haproxy("haproxy.cfg", SECURE | at | {"bind :443": f"bind 127.0.0.1:{secure}"})
    folder, plainly = reverse_proxies.directory(), {"listen 9220": f"listen 127.0.0.1:{free_port()}"}
    tls = TLS | {"listen 443": f"listen 127.0.0.1:{secure}"}
    sites = {"upstreams.conf": at, "csms.conf": plainly, "csms-tls.conf": tls}
    return reverse_proxies.nginx(nginx_folder(folder, sites), secure)


async def tell_name(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what the proxy says about who is there."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    said = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines())}
    text = f"{said.get('x-client-name', '')} {said.get('x-forwarded-proto', '')}"
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
    writer.close()


async def named(port: int, certificate: str | None) -> str:
    """What the service behind is told about a client that shows this certificate, and calls itself somebody."""
    context = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    if certificate:
        context.load_cert_chain(CERTIFICATES / certificate)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: test\r\nX-Client-Name: admin\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return text.rpartition("\r\n\r\n")[2]


# --- files ------------------------------------------------------------------------------------------------------------

TLS = {
    "/etc/nginx/tls/server.pem": str(CERTIFICATES / "server.pem"),
    "/etc/nginx/tls/server.key": str(CERTIFICATES / "server.pem"),
    "/etc/nginx/tls/stations-ca.pem": str(CERTIFICATES / "ca.pem"),
}
SECURE = {
    "# bind :443": "bind :443",
    "/etc/haproxy/server.pem": str(CERTIFICATES / "server.pem"),
    "/etc/haproxy/stations-ca.pem": str(CERTIFICATES / "ca.pem"),
}


def test_nginx_takes_the_files_for_an_nginx_of_ones_own(tmp_path: Path) -> None:
    sites = {"upstreams.conf": {}, "csms.conf": {}, "csms-tls.conf": TLS}
    configuration = nginx_folder(tmp_path / "nginx", sites)

    assert complaints(need(NGINX), "-t", "-q", "-e", "stderr", "-c", str(configuration)) == ""


def test_nginx_takes_the_file_of_the_compose_project(tmp_path: Path) -> None:
    configuration = compose_nginx(tmp_path / "nginx")

    assert complaints(need(NGINX), "-t", "-q", "-e", "stderr", "-c", str(configuration)) == ""


@pytest.mark.parametrize(("name", "words"), [("haproxy.cfg", {}), ("haproxy.cfg", SECURE), ("proxy-protocol.cfg", {})])
def test_haproxy_takes_its_files(name: str, words: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(replaced(DEPLOY / "haproxy" / name, words))

    assert complaints(need(HAPROXY), "-c", "-q", "-f", str(tmp_path / name)) == ""


def test_no_proxy_gives_up_a_station_before_the_gateway_does() -> None:
    gateway = GatewaySettings()
    patience = [
        *seconds("nginx/csms/locations.conf", r"proxy_(?:read|send)_timeout (\d+)s"),
        *seconds("haproxy/haproxy.cfg", r"timeout (?:tunnel|client|server) +(\d+)s"),
        *seconds("haproxy/proxy-protocol.cfg", r"timeout (?:client|server) +(\d+)s"),
    ]

    assert len(patience) == 8
    assert min(patience) > gateway.ping_interval + gateway.pong_deadline


def test_every_proxy_waits_for_the_longest_command() -> None:
    patience = [
        max(seconds("nginx/csms/locations.conf", r"proxy_read_timeout (\d+)s")),
        *seconds("haproxy/haproxy.cfg", r"timeout (?:client|server) +(\d+)s"),
    ]

    assert min(patience) > LONGEST_COMMAND


def seconds(file: str, pattern: str) -> list[int]:
    return [int(found) for found in re.findall(pattern, (DEPLOY / file).read_text())]


def complaints(*command: str) -> str:
    """What the program says about its configuration, and its exit code when that is not 0."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")

"""TLS on the stations' port: security profiles 2 and 3."""

import asyncio
import http.client
import ssl
from pathlib import Path
from xml.etree import ElementTree

import pytest

from csms_platform.tls import tls_context
from tests.service.soap_gateway.world import HEARTBEAT, open_world
from tests.support.soap import CONTENT_TYPE, envelope

TLS = Path(__file__).parents[2] / "support" / "tls"


def station(certificate: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(TLS / "ca.pem"))
    if certificate:
        context.load_cert_chain(TLS / f"{certificate}.pem")
    return context


def request(port: int, tls: ssl.SSLContext, method: str, path: str, body: str) -> tuple[int, bytes]:
    """Blocks."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=tls)
    try:
        connection.request(method, path, body.encode() or None, {"Content-Type": CONTENT_TYPE})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(("certificate", "subject"), [("", ""), ("station", "CS-1")])
async def test_the_router_knows_how_a_station_is_secured(certificate: str, subject: str) -> None:
    server = tls_context(str(TLS / "server.pem"), "", str(TLS / "ca.pem"))
    async with open_world(tls=server) as world:
        body = envelope("1.6", "CS-1", HEARTBEAT)
        status, _ = await asyncio.to_thread(request, world.port, station(certificate), "POST", "/Ocpp", body)

        assert status == 200
        arrival = world.router.heard[0].arrival
        assert arrival is not None
        assert (arrival.tls, arrival.subject) == (True, subject)


async def test_the_description_names_an_address_as_secure_as_the_request() -> None:
    async with open_world(tls=tls_context(str(TLS / "server.pem"), "", "")) as world:
        _, body = await asyncio.to_thread(request, world.port, station(), "GET", "/Ocpp?wsdl", "")

        [address] = ElementTree.fromstring(body).iter("{http://schemas.xmlsoap.org/wsdl/soap12/}address")
        assert address.attrib["location"] == f"https://localhost:{world.port}/Ocpp"

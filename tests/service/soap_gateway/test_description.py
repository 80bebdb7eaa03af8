"""The published descriptions: where they are, what they say, and that a client can be made of them."""

import asyncio
from xml.etree import ElementTree

import pytest

from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.world import World, open_world
from tests.support.soap import CENTRAL, POINT, ZeepStation

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"


def told(body: bytes) -> tuple[str, str]:
    """Namespace and location."""
    root = ElementTree.fromstring(body)
    [address] = root.iter(ADDRESS)
    return root.attrib["targetNamespace"], address.attrib["location"]


@pytest.mark.parametrize(
    ("query", "namespace"),
    [
        ("wsdl", CENTRAL["1.6"]),
        ("WSDL", CENTRAL["1.6"]),
        ("wsdl=", CENTRAL["1.6"]),
        ("wsdl=1.6", CENTRAL["1.6"]),
        ("Wsdl=1.5", CENTRAL["1.5"]),
        ("wsdl=1.5&service=CentralSystemService", CENTRAL["1.5"]),
        ("wsdl=1.5&service=ChargePointService", POINT["1.5"]),
        ("service=ChargePointService&wsdl", POINT["1.6"]),
    ],
)
async def test_each_service_of_each_version_is_described(world: World, query: str, namespace: str) -> None:
    status, headers, body = await world.request("GET", f"/Ocpp/Cs?{query}")

    assert (status, headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert told(body) == (namespace, f"http://127.0.0.1:{world.port}/Ocpp/Cs")


async def test_the_location_is_where_the_request_went(world: World) -> None:
    _, _, named = await world.request("GET", "/Ocpp/%26?wsdl", {"Host": "csms.example:8080"})
    _, _, forged = await world.request("GET", "/Ocpp?wsdl", {"Host": 'x"><evil/>'})

    assert told(named)[1] == "http://csms.example:8080/Ocpp/%26"
    assert told(forged)[1] == f"http://127.0.0.1:{world.port}/Ocpp"


async def test_the_location_is_what_the_operator_says() -> None:
    async with open_world(Settings(url="https://csms.example/soap?a=1&b=2")) as world:
        _, _, body = await world.request("GET", "/Ocpp?wsdl")

        assert told(body)[1] == "https://csms.example/soap?a=1&b=2"


async def test_head_is_get_without_the_body(world: World) -> None:
    _, whole, _ = await world.request("GET", "/Ocpp?wsdl")

    status, headers, body = await world.request("HEAD", "/Ocpp?wsdl")

    assert (status, headers["content-length"], body) == (200, whole["content-length"], b"")


@pytest.mark.parametrize("query", ["wsdl=2.0.1", "wsdl=x", "wsdl&service=Invented"])
async def test_what_does_not_exist_is_not_found(world: World, query: str) -> None:
    status, headers, body = await world.request("GET", f"/Ocpp?{query}")

    assert (status, headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert body.endswith(b".\n")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zeep.*")
@pytest.mark.parametrize(("version", "interval"), [("1.5", "heartbeatInterval"), ("1.6", "interval")])
async def test_a_client_made_of_the_description_is_served(world: World, version: str, interval: str) -> None:
    station = await asyncio.to_thread(ZeepStation, world.url, "CS-1", version)

    boot = await asyncio.to_thread(station.ask, "BootNotification", chargePointVendor="Zeep", chargePointModel="Z")

    assert (boot.status, boot[interval]) == ("Accepted", 300)
    assert world.router.heard[0].version == f"ocpp{version}"

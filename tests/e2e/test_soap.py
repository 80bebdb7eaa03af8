"""Stations that speak SOAP, of foreign make, in both deployments: every operation of 1.5 and 1.6 in both directions."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import identity
from tests.support.soap import POINT, PlainStation, ZeepStation, plain_station
from tests.support.soap_samples import (
    BOOT,
    COMMANDS,
    INTERVAL,
    METER_VALUES,
    STATUS,
    TRANSACTION_DATA,
    WHEN,
    Asked,
)
from tests.support.system import HOST, Member, System

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:zeep.*")
VERSIONS = ("1.5", "1.6")


@pytest.fixture(scope="module")
def spread(rabbitmq: RabbitMQ, redis_server: Redis) -> Iterator[System]:
    """A router, two SOAP gateways and an API, for all tests here."""
    brokers = rabbitmq.fresh_vhost(), redis_server.fresh_database()
    with closing(system.distributed(*brokers, gateways=0, soaps=2, apis=1)) as running:
        yield running.wait_ready()


@pytest.fixture(params=["all-in-one", "distributed"])
def running(request: pytest.FixtureRequest) -> System:
    found: System = request.getfixturevalue("all_in_one" if request.param == "all-in-one" else "spread")
    return found


def rest(api: Member, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of a request to the REST API; blocks."""
    with closing(http.client.HTTPConnection(HOST, api.port, timeout=40)) as connection:
        connection.request(
            method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def command(running: System, station: str, action: str, payload: object) -> tuple[int, Any]:
    return rest(running.apis[0], "POST", f"/api/v1/ChargePoint/{station}/{action}", payload)


@pytest.mark.parametrize("version", VERSIONS)
def test_zeep_asks_every_operation_from_the_published_description(running: System, version: str) -> None:
    name = identity("zeep")
    station = ZeepStation(running.soaps[-1].soap, name, version)

    boot = station.ask("BootNotification", **BOOT)
    beat = station.ask("Heartbeat")
    status = {"connectorId": 1, "status": STATUS[version], "errorCode": "NoError", "timestamp": WHEN}
    told = station.ask("StatusNotification", **status)
    authorized = station.ask("Authorize", idTag="TAG-1")
    started = station.ask("StartTransaction", connectorId=1, idTag="TAG-1", timestamp=WHEN, meterStart=1000)
    number = started.transactionId
    station.ask("MeterValues", connectorId=1, transactionId=number, **METER_VALUES[version])
    stop = {"transactionId": number, "idTag": "TAG-1", "timestamp": WHEN, "meterStop": 2500}
    stopped = station.ask("StopTransaction", **stop, transactionData=TRANSACTION_DATA[version])
    transfer = station.ask("DataTransfer", vendorId="org.example", messageId="hello", data="<b>&</b>")
    station.ask("FirmwareStatusNotification", status="Installed")
    station.ask("DiagnosticsStatusNotification", status="Uploaded")

    assert (boot.status, boot[INTERVAL[version]]) == ("Accepted", 300)
    assert abs((beat - datetime.now(UTC)).total_seconds()) < 5
    assert not told
    assert authorized.status == "Accepted"
    assert (started.idTagInfo.status, stopped.status) == ("Accepted", "Accepted")
    assert transfer.status == "UnknownVendorId"
    [transaction] = rest(running.apis[0], "GET", f"/api/v2/transactions?identity={name}")[1]["transactions"]
    assert {key: transaction[key] for key in ("id", "version", "meterStart", "meterStop", "idTag")} == {
        "id": str(number), "version": f"ocpp{version}", "meterStart": 1000, "meterStop": 2500, "idTag": "TAG-1",
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_reaches_a_foreign_station_and_its_answer_comes_back(running: System, version: str) -> None:
    with plain_station(running.soaps[0].soap, identity("plain"), version) as station:
        assert station.boot().text_of("status") == "Accepted"

        for asked in COMMANDS[version]:
            station.answers[asked.action] = asked.answer
            answered = command(running, station.identity, asked.action, asked.payload)

            assert answered == (200, asked.result), asked.action
            _saw(station, asked)


def _saw(station: PlainStation, asked: Asked) -> None:
    seen = station.asked[-1]
    fields = [
        (name, ... if wanted is ... else text)
        for (name, text), (_, wanted) in zip(seen.fields, asked.seen, strict=True)
    ]
    assert (seen.operation, seen.namespace, fields) == (asked.action, POINT[station.version], asked.seen)
    headers = seen.headers
    assert headers["chargeBoxIdentity"] == station.identity
    assert (headers["Action"], headers["To"]) == (f"/{asked.action}", station.address)
    assert headers["MessageID"].startswith("urn:uuid:")


def test_the_lists_show_a_soap_station_like_any_other(running: System) -> None:
    with plain_station(running.soaps[0].soap, identity("listed"), "1.5") as station:
        station.boot()
        station.ask(
            "<cs:statusNotificationRequest><cs:connectorId>1</cs:connectorId><cs:status>Available</cs:status>"
            "<cs:errorCode>NoError</cs:errorCode></cs:statusNotificationRequest>"
        )

        status, shown = rest(running.apis[0], "GET", f"/api/v2/stations/{station.identity}")
        listed = rest(running.apis[0], "GET", "/api/v1/ChargePointList")[1]["ChargePointList"]

        assert status == 200
        told = {key: shown[key] for key in ("version", "transport", "online", "callback")}
        assert told == {"version": "ocpp1.5", "transport": "soap", "online": True, "callback": station.address}
        [entry] = [one for one in listed if one["identity"] == station.identity]
        assert (entry["address"], entry["ocppVersion"], entry["online"]) == (station.address, "1.5", True)
        assert entry["statusNotification"]["status"] == "Available"

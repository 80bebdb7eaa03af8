"""Stations that speak SOAP, of foreign make, in both deployments: every operation of 1.5 and 1.6 in both directions."""

from datetime import UTC, datetime
from typing import Any

import pytest

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
from tests.support.system import System

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:zeep.*")
VERSIONS = ("1.5", "1.6")


def command(soap_system: System, station: str, action: str, payload: object) -> tuple[int, Any]:
    return soap_system.rest("POST", f"/api/v1/ChargePoint/{station}/{action}", payload)


@pytest.mark.parametrize("version", VERSIONS)
def test_zeep_asks_every_operation_from_the_published_description(soap_system: System, version: str) -> None:
    name = identity("zeep")
    station = ZeepStation(soap_system.soaps[-1].soap, name, version)

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
    [transaction] = soap_system.rest("GET", f"/api/v2/transactions?identity={name}")[1]["transactions"]
    assert {key: transaction[key] for key in ("id", "version", "meterStart", "meterStop", "idTag")} == {
        "id": str(number), "version": f"ocpp{version}", "meterStart": 1000, "meterStop": 2500, "idTag": "TAG-1",
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_reaches_a_foreign_station_and_its_answer_comes_back(soap_system: System, version: str) -> None:
    with plain_station(soap_system.soaps[0].soap, identity("plain"), version) as station:
        assert station.boot().text_of("status") == "Accepted"

        for asked in COMMANDS[version]:
            station.answers[asked.action] = asked.answer
            answered = command(soap_system, station.identity, asked.action, asked.payload)

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


def test_the_lists_show_a_soap_station_like_any_other(soap_system: System) -> None:
    with plain_station(soap_system.soaps[0].soap, identity("listed"), "1.5") as station:
        station.boot()
        station.ask(
            "<cs:statusNotificationRequest><cs:connectorId>1</cs:connectorId><cs:status>Available</cs:status>"
            "<cs:errorCode>NoError</cs:errorCode></cs:statusNotificationRequest>"
        )

        status, shown = soap_system.rest("GET", f"/api/v2/stations/{station.identity}")
        listed = soap_system.rest("GET", "/api/v1/ChargePointList")[1]["ChargePointList"]

        assert status == 200
        told = {key: shown[key] for key in ("version", "transport", "online", "callback")}
        assert told == {"version": "ocpp1.5", "transport": "soap", "online": True, "callback": station.address}
        [entry] = [one for one in listed if one["identity"] == station.identity]
        assert (entry["address"], entry["ocppVersion"], entry["online"]) == (station.address, "1.5", True)
        assert entry["statusNotification"]["status"] == "Available"

"""Emulated stations that speak SOAP charge when they are told to, in both deployments."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.support import system
from tests.support.brokers import RabbitMQ, Redis
from tests.support.foreign import identity
from tests.support.ports import wait_until
from tests.support.processes import Csms
from tests.support.system import HOST, System


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


def rest(running: System, method: str, path: str, body: object = None) -> Any:
    with closing(http.client.HTTPConnection(HOST, running.apis[0].port, timeout=40)) as connection:
        connection.request(
            method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize("version", ["1.5", "1.6"])
def test_an_emulated_soap_station_charges_under_remote_start(running: System, version: str) -> None:
    name = identity("emu")
    at = ("--url", running.soaps[-1].soap, "--count", "1", "--identity", name, "--pace", "20")
    emulator = Csms("emulate", "--version", version, "--transport", "soap", *at)

    def transactions() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = rest(running, "GET", f"/api/v2/transactions?identity={name}")[1]["transactions"]
        return [one for one in found if one["idTag"] == "REMOTE-1"]

    def ask(action: str, **payload: object) -> Any:
        return rest(running, "POST", f"/api/v1/ChargePoint/{name}/{action}", payload)

    try:
        started = (200, {"status": "Accepted"})
        assert wait_until(lambda: rest(running, "GET", f"/api/v2/stations/{name}")[0] == 200, 20)
        assert wait_until(lambda: ask("RemoteStartTransaction", idTag="REMOTE-1", connectorId=1) == started, 20)
        assert wait_until(lambda: bool(transactions()), 20)
        number = int(transactions()[0]["id"])
        stopped = ask("RemoteStopTransaction", transactionId=number)
        assert wait_until(lambda: not transactions()[0]["active"], 20)

        assert stopped == (200, {"status": "Accepted"})
        [transaction] = transactions()
        assert transaction["version"] == f"ocpp{version}"
        assert transaction["meterStop"] >= transaction["meterStart"]
        shown = rest(running, "GET", f"/api/v2/stations/{name}")[1]
        assert (shown["transport"], shown["version"]) == ("soap", f"ocpp{version}")
    finally:
        emulator.terminate()
        left = wait_until(lambda: emulator.returncode is not None, 15)
        print(emulator)
        emulator.close()
    assert (left, emulator.returncode) == (True, 0)

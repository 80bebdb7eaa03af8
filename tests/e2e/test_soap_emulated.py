"""Emulated stations that speak SOAP charge when they are told to, in both deployments."""

from typing import Any

import pytest

from tests.support.foreign import identity
from tests.support.ports import wait_until
from tests.support.processes import Csms
from tests.support.system import System


@pytest.mark.parametrize("version", ["1.5", "1.6"])
def test_an_emulated_soap_station_charges_under_remote_start(soap_system: System, version: str) -> None:
    name = identity("emu")
    at = ("--url", soap_system.soaps[-1].soap, "--count", "1", "--identity", name, "--pace", "20")
    emulator = Csms("emulate", "--version", version, "--transport", "soap", *at)

    def transactions() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = soap_system.rest("GET", f"/api/v2/transactions?identity={name}")[1][
            "transactions"
        ]
        return [one for one in found if one["idTag"] == "REMOTE-1"]

    def ask(action: str, **payload: object) -> Any:
        return soap_system.rest("POST", f"/api/v1/ChargePoint/{name}/{action}", payload)

    try:
        started = (200, {"status": "Accepted"})
        assert wait_until(lambda: soap_system.rest("GET", f"/api/v2/stations/{name}")[0] == 200, 20)
        assert wait_until(lambda: ask("RemoteStartTransaction", idTag="REMOTE-1", connectorId=1) == started, 20)
        assert wait_until(lambda: bool(transactions()), 20)
        number = int(transactions()[0]["id"])
        stopped = ask("RemoteStopTransaction", transactionId=number)
        assert wait_until(lambda: not transactions()[0]["active"], 20)

        assert stopped == (200, {"status": "Accepted"})
        [transaction] = transactions()
        assert transaction["version"] == f"ocpp{version}"
        assert transaction["meterStop"] >= transaction["meterStart"]
        shown = soap_system.rest("GET", f"/api/v2/stations/{name}")[1]
        assert (shown["transport"], shown["version"]) == ("soap", f"ocpp{version}")
    finally:
        emulator.terminate()
        left = wait_until(lambda: emulator.returncode is not None, 15)
        print(emulator)
        emulator.close()
    assert (left, emulator.returncode) == (True, 0)

"""Where the device model and the life of a station meet."""

import pytest

from csms_emulator.actions import Refuse
from tests.unit.emulator.driving import TIME, Payload
from tests.unit.emulator.v2.driving import ACCEPTED, TOKEN, Central, booted, charging


def changed(central: Central, component: str, variable: str, value: str) -> str:
    """What SetVariables answers."""
    item = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
    answer = central.command("SetVariables", {"setVariableData": [item]})
    assert not isinstance(answer, Refuse)
    status: str = answer["setVariableResult"][0]["attributeStatus"]
    return status


def test_a_new_heartbeat_interval_counts_at_once() -> None:
    central = booted(pace=0.0001)

    status = changed(central, "OCPPCommCtrlr", "HeartbeatInterval", "10")
    central.run(35)

    assert status == "Accepted"
    assert central.payloads("Heartbeat") == [{}] * 3


@pytest.mark.parametrize(("interval", "samples"), [("10", 6), ("0", 0)])
def test_a_new_sampling_interval_counts_in_the_running_transaction(interval: str, samples: int) -> None:
    central = charging()

    status = changed(central, "SampledDataCtrlr", "TxUpdatedInterval", interval)
    central.run(65)

    assert status == "Accepted"
    assert central.events() == [("Updated", "MeterValuePeriodic")] * samples


@pytest.mark.parametrize("registration", ["Accepted", "Pending"])
def test_a_report_follows_its_answer(registration: str) -> None:
    central = Central(pace=0.0001)
    boot: Payload = {"status": registration, "currentTime": TIME, "interval": 600}
    central.replies["BootNotification"] = boot
    central.connect()
    central.settle()
    central.take()

    answer = central.command("GetBaseReport", {"requestId": 3, "reportBase": "FullInventory"})
    central.settle()

    reports = central.payloads("NotifyReport")
    assert answer == ACCEPTED
    assert {action for action, _ in central.asked} == {"NotifyReport"}
    assert [report["seqNo"] for report in reports] == list(range(len(reports)))


def test_the_device_model_knows_who_is_there() -> None:
    central = booted(connectors=2)
    device = central.station.device

    central.command("RequestStartTransaction", {"evseId": 1, "idToken": TOKEN, "remoteStartId": 1})
    central.command("ChangeAvailability", {"evse": {"id": 2}, "operationalStatus": "Inoperative"})

    states = [device.get("EVSE", "AvailabilityState", evse=n) for n in (1, 2)]
    assert states == ["Occupied", "Unavailable"]
    assert device.get("Connector", "AvailabilityState", evse=1, connector=1) == "Occupied"
    assert device.get("ChargingStation", "SerialNumber") == "EMU-00001"

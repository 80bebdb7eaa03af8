"""Whose name a boot bears."""

from typing import Any

import pytest

from csms_emulator.actions import Ask
from csms_emulator.files.nameplate import Station
from csms_emulator.files.specification import Nameplate
from tests.unit.emulator.v2.driving import Central

Payload = dict[str, Any]


def v1(version: str) -> Payload:
    return {"chargePointVendor": "CSMS", "chargePointModel": "Emulator", "firmwareVersion": version}


def v2(version: str) -> Payload:
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "-", "model": "-", "firmwareVersion": version}}


@pytest.mark.parametrize("boot", [v1, v2])
def test_the_plates_firmware_is_told_until_another_is_installed(boot: Any) -> None:
    station = Station(Central().station, Nameplate(firmware="7.0"))

    boots = [Ask("BootNotification", boot(version), 1) for version in ("1.0", "1.0", "3.1", "3.1")]
    told = [said for one in boots for said in station.said([one])]

    assert told == [Ask("BootNotification", boot(version), 1) for version in ("7.0", "7.0", "3.1", "3.1")]

"""GetConfiguration and ChangeConfiguration, and what a changed key does."""

import pytest

from csms_emulator.configuration import Configuration
from tests.unit.emulator.driving import booted, charging


def test_get_configuration_without_keys_answers_all() -> None:
    answer = booted(connectors=3).command("GetConfiguration")

    assert answer == Configuration(3).report([]) | {
        "configurationKey": [
            {**key, "value": "300"} if key["key"] == "HeartbeatInterval" else key
            for key in Configuration(3).report([])["configurationKey"]
        ]
    }


def test_get_configuration_tells_known_from_unknown_keys() -> None:
    answer = booted(connectors=3).command("GetConfiguration", {"key": ["numberofconnectors", "Colour"]})

    assert answer == {
        "configurationKey": [{"key": "NumberOfConnectors", "readonly": True, "value": "3"}],
        "unknownKey": ["Colour"],
    }


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "60", "Accepted"),
        ("HeartbeatInterval", "0", "Rejected"),
        ("HeartbeatInterval", "soon", "Rejected"),
        ("MeterValueSampleInterval", "0", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("AuthorizeRemoteTxRequests", "TRUE", "Accepted"),
        ("AuthorizeRemoteTxRequests", "1", "Rejected"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register, SoC", "Accepted"),
        ("MeterValuesSampledData", "RPM", "Rejected"),
        ("NumberOfConnectors", "9", "Rejected"),
        ("Colour", "red", "NotSupported"),
    ],
)
def test_change_configuration_knows_types_read_only_and_unknown_keys(key: str, value: str, status: str) -> None:
    assert booted().command("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}


def test_a_changed_heartbeat_interval_counts_from_now() -> None:
    central = booted()

    central.command("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "5"})
    central.run(16)

    assert central.payloads("Heartbeat") == [{}] * 3


def test_a_changed_sample_interval_counts_from_now_and_zero_ends_the_samples() -> None:
    central = charging()

    central.command("ChangeConfiguration", {"key": "metervaluesampleinterval", "value": "10"})
    central.run(35)
    often = len(central.payloads("MeterValues"))
    central.command("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "0"})
    central.run(120)

    assert (often, len(central.payloads("MeterValues"))) == (3, 3)


def test_only_the_configured_measurands_are_sampled() -> None:
    central = charging()

    central.command("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": "SoC"})
    central.run(61)

    (values,) = central.payloads("MeterValues")
    measurands = [v["measurand"] for v in values["meterValue"][0]["sampledValue"]]
    assert measurands == ["Energy.Active.Import.Register", "SoC"]

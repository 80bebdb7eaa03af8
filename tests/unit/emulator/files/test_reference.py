"""The reference system's `configuration.json` in both forms, loaded as it is, and the canned answers beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms_emulator.files import reference
from csms_emulator.files.specification import Connector, Key, Nameplate, Specification
from csms_emulator.settings import Settings

V16: dict[str, Any] = {
    "connectorId": [
        {"id": 2, "voltage": "AC", "interface": "CCS1", "meterValue": 120},
        {"id": 1, "voltage": "DC", "interface": "CCS2", "meterValue": 0},
    ],
    "configurationKey": [
        {"key": "CentralSystemURL", "readonly": False, "value": "ws://example.org:9220/ocpp/account"},
        {"key": "StationIdentity", "readonly": False, "value": "EM-A0000001"},
        {"key": "HeartbeatInterval", "readonly": False, "value": "600"},
        {"key": "ChargePointVendor", "readonly": True, "value": "Apostol"},
        {"key": "ChargePointModel", "readonly": True, "value": "CP_EM"},
        {"key": "ChargePointSerialNumber", "readonly": True, "value": "202206040001"},
        {"key": "ChargePointSoftwareVersion", "readonly": True, "value": "1.0.0.1"},
        {"key": "FinishingTimeout", "value": 60},
        {"key": "AuthorizationCacheEnabled", "value": True},
    ],
    "comment": "passed over",
}
V201: dict[str, Any] = {
    "OcppVersion": "2.0.1",
    "ChargePointVendor": "Emulator",
    "CentralSystemURL": "ws://localhost:9220/ocpp/",
    "Evses": [
        {"evseId": 1, "power": 22000, "connectors": [{"connectorId": 1, "type": "cCCS2"}]},
        {
            "evseId": 2,
            "power": 7.4,
            "connectors": [{"connectorId": 1, "type": "cChaoJi"}, {"connectorId": 2, "type": "sType2"}],
        },
    ],
    "ConfigurationKeys": {"HeartbeatInterval": {"value": "60", "readonly": False}},
}


def written(folder: Path, document: Any, name: str = "configuration.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder / name


def sentence_of(file: Path) -> str:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared by the caller
        reference.read(file)
    return str(refused.value)


def test_the_form_of_1_6(tmp_path: Path) -> None:
    file = written(tmp_path / "CP1", V16)

    assert reference.read(file) == Specification(
        origin=file,
        settings=Settings(
            count=1, url="ws://example.org:9220/ocpp/account", identity="EM-A0000001", connectors=2, ramp=0.0
        ),
        connectors=(
            Connector(type="CCS2", direct=True, meter=0.0),
            Connector(type="CCS1", direct=False, meter=120.0),
        ),
        nameplate=Nameplate("Apostol", "CP_EM", "202206040001", "1.0.0.1"),
        keys=(
            Key("CentralSystemURL", "ws://example.org:9220/ocpp/account"),
            Key("StationIdentity", "EM-A0000001"),
            Key("HeartbeatInterval", "600"),
            Key("ChargePointVendor", "Apostol", readonly=True),
            Key("ChargePointModel", "CP_EM", readonly=True),
            Key("ChargePointSerialNumber", "202206040001", readonly=True),
            Key("ChargePointSoftwareVersion", "1.0.0.1", readonly=True),
            Key("FinishingTimeout", "60"),
            Key("AuthorizationCacheEnabled", "true"),
        ),
    )


def test_connectors_keep_the_numbers_that_the_file_gives_them(tmp_path: Path) -> None:
    file = written(tmp_path / "CP2", V16 | {"connectorId": [{"id": 19170129}, {"id": 1}]})

    assert [connector.number for connector in reference.read(file).connectors] == [None, 19170129]


def test_without_identity_and_address_the_folder_and_the_default_stand_for_them(tmp_path: Path) -> None:
    file = written(tmp_path / "CP {7}", {"connectorId": [{"id": 1}], "configurationKey": []})

    settings = reference.read(file).settings
    assert (settings.identities(), settings.url) == (["CP {7}"], "ws://localhost:9220/ocpp")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = written(tmp_path / "CP1", V16)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert reference.read(file).settings.identity == "EM-A0000001"


def test_the_form_of_2_0_1(tmp_path: Path) -> None:
    found = reference.read(written(tmp_path / "CP201", V201))

    assert (found.settings.version, found.settings.identity) == ("2.0.1", "CP201")
    assert found.nameplate == Nameplate("Emulator")
    assert found.keys == (Key("HeartbeatInterval", "60"),)
    assert found.connectors == (
        Connector(type="cCCS2", power_kw=22.0, evse=1),
        Connector(type="cChaoJi", power_kw=7.4, evse=2),
        Connector(type="sType2", power_kw=7.4, evse=2),
    )


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "Expected `object`, got `array`."),
        ({}, "Object missing required field `connectorId`."),
        (V16 | {"connectorId": []}, "connectorId: one or several different numbers are wanted, not none."),
        (
            V16 | {"connectorId": [{"id": 3}, {"id": 3}]},
            "connectorId: one or several different numbers are wanted, not 3, 3.",
        ),
        (V16 | {"connectorId": [{"id": "1"}]}, "connectorId[0].id: Expected `int`, got `str`."),
        (V16 | {"configurationKey": [{"value": "1"}]}, "configurationKey[0]: Object missing required field `key`."),
        (
            V16 | {"configurationKey": [{"key": "CentralSystemURL", "value": "example.org"}]},
            "url is a ws:// or wss:// address.",
        ),
        (V201 | {"OcppVersion": "1.6"}, "OcppVersion: Invalid enum value '1.6'."),
        (
            V201 | {"Evses": [{"evseId": 2, "connectors": []}]},
            "Evses: their numbers are 1, 2, 3 … without a gap, not 2.",
        ),
    ],
)
def test_what_no_station_can_be_made_of_is_refused(tmp_path: Path, document: Any, sentence: str) -> None:
    file = written(tmp_path / "CP1", document)

    assert sentence_of(file) == f"{file}: {sentence}"


def test_canned_answers_are_the_files_beside_it(tmp_path: Path) -> None:
    file = written(tmp_path / "CP1", V16)
    written(tmp_path / "CP1", {"status": "Accepted", "data": "9FE9"}, "DataTransfer.json")

    assert reference.read(file).answers == {"DataTransfer": {"status": "Accepted", "data": "9FE9"}}


@pytest.mark.parametrize(
    ("name", "document", "sentence"),
    [
        ("Dance", {}, "OCPP 1.6 has no command Dance."),
        ("Heartbeat", {}, "OCPP 1.6 has no command Heartbeat."),
        ("Reset", {"status": "Perhaps"}, 'status: "Perhaps" is not one of "Accepted" or "Rejected".'),
        ("Reset", [], "The payload is not a JSON object."),
    ],
)
def test_a_canned_answer_that_the_version_does_not_have_is_refused(
    tmp_path: Path, name: str, document: Any, sentence: str
) -> None:
    file = written(tmp_path / "CP1", V16)
    wrong = written(tmp_path / "CP1", document, f"{name}.json")

    assert sentence_of(file) == f"{wrong}: {sentence}"

"""A station as its file describes it: its nameplate, its keys and its canned answers; everything else as it was."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import Raw

from csms_emulator.actions import Ask
from csms_emulator.charging import Outlet
from csms_emulator.connector import DRIVER
from csms_emulator.deeds import Plug
from csms_emulator.files.dressing import dressed, options
from csms_emulator.files.specification import Connector, Key, Nameplate, Specification
from csms_emulator.settings import Settings
from csms_emulator.v2 import station as v2
from csms_ocpp import schemas
from csms_ocpp.session import CallEnded, Outcome
from csms_ocpp.version import MessageId, Version
from tests.unit.emulator.driving import EPOCH, Central, check

NUMBERED = ("StatusNotification", "StartTransaction", "MeterValues")
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


def central(*, version: Version = Version.V1_6, n: int = 1, **described: Any) -> Central:
    """A central system whose one station is as `described`."""
    number: Any = version.removeprefix("ocpp")
    settings = Settings(version=number, transport="soap" if number == "1.5" else "json", count=1, connectors=1)
    made = Central(version=version, drivers=described.get("drivers", True) is not False)
    specification = Specification(origin=Path("station.toml"), settings=settings, **described)
    made.behaviour = dressed(made.behaviour, specification, n, made.now)
    return made


def told(central: Central, *keys: str) -> Any:
    return central.command("GetConfiguration", {"key": list(keys)})


def change(central: Central, key: str, value: str) -> Any:
    return central.command("ChangeConfiguration", {"key": key, "value": value})


def test_the_boot_bears_the_nameplate() -> None:
    found = central(nameplate=Nameplate("ACME", "Wall 7", "W7-{n:05}", "1.2"), n=3)

    found.connect()

    assert found.pending
    assert found.pending.payload == {
        **found.pending.payload,
        "chargePointVendor": "ACME",
        "chargePointModel": "Wall 7",
        "chargePointSerialNumber": "W7-00003",
        "firmwareVersion": "1.2",
    }


def test_a_station_of_1_5_bears_it_too() -> None:
    found = central(version=Version.V1_5, nameplate=Nameplate(vendor="ACME"))

    found.connect()

    assert found.pending
    assert found.pending.payload["chargePointVendor"] == "ACME"


def test_a_key_that_the_station_obeys_is_set_in_it() -> None:
    found = central(keys=(Key("MeterValueSampleInterval", "15"),))

    assert found.station.configuration.number("MeterValueSampleInterval") == 15
    assert change(found, "MeterValueSampleInterval", "20") == ACCEPTED
    assert found.station.configuration.number("MeterValueSampleInterval") == 20


def test_a_station_of_1_5_has_its_keys_too() -> None:
    found = central(
        version=Version.V1_5, keys=(Key("MeterValueSampleInterval", "15"), Key("Colour", "red", readonly=True))
    )

    keys = told(found, "MeterValueSampleInterval", "Colour")["configurationKey"]

    assert [(key["key"], key["readonly"], key["value"]) for key in keys] == [
        ("MeterValueSampleInterval", False, "15"),
        ("Colour", True, "red"),
    ]


def test_a_key_that_the_file_locks_cannot_be_changed() -> None:
    found = central(keys=(Key("MeterValueSampleInterval", "15", readonly=True),))

    assert change(found, "metervaluesampleinterval", "20") == REJECTED
    assert told(found, "MeterValueSampleInterval") == {
        "configurationKey": [{"key": "MeterValueSampleInterval", "readonly": True, "value": "15"}]
    }


def test_keys_that_only_the_file_knows_are_told_and_changed_as_it_says() -> None:
    keys = (Key("StationIdentity", "CP1"), Key("PowermeterSerialNumber", "58", readonly=True))
    found = central(keys=keys)

    answers = [change(found, "StationIdentity", "CP2"), change(found, "powermeterserialnumber", "59")]

    assert answers == [ACCEPTED, REJECTED]
    assert told(found, "stationidentity", "PowermeterSerialNumber", "Colour") == {
        "configurationKey": [
            {"key": "StationIdentity", "readonly": False, "value": "CP2"},
            {"key": "PowermeterSerialNumber", "readonly": True, "value": "58"},
        ],
        "unknownKey": ["Colour"],
    }


def test_every_key_is_told_once_when_all_are_asked_for() -> None:
    plain, found = Central(), central(keys=(Key("StationIdentity", "CP1"), Key("NumberOfConnectors", "7")))
    before: Any = plain.command("GetConfiguration")

    keys: Any = found.command("GetConfiguration")

    names = [key["key"] for key in keys["configurationKey"]]
    assert sorted(names) == sorted(["StationIdentity", *(key["key"] for key in before["configurationKey"])])
    assert {"key": "NumberOfConnectors", "readonly": False, "value": "7"} in keys["configurationKey"]


def test_a_canned_command_never_reaches_the_station_and_others_do() -> None:
    found = central(answers={"ClearCache": REJECTED})
    found.station.board.cache.add("TAG")

    answers = [found.command("ClearCache"), found.command("GetLocalListVersion")]

    assert answers == [REJECTED, {"listVersion": 0}]
    assert found.station.board.cache == {"TAG"}


def test_a_register_starts_where_the_file_says() -> None:
    found = central(connectors=(Connector(meter=120.0),))

    assert found.station.connectors[1].register == 120.0


@pytest.mark.parametrize(
    ("described", "outlet"),
    [
        (Connector(), Outlet("AC3", 22_080.0)),
        (Connector(phases=1), Outlet("AC1", 7_360.0)),
        (Connector(power_kw=11), Outlet("AC3", 11_000.0)),
        (Connector(type="cCCS2"), Outlet("DC", 50_000.0)),
        (Connector(type="CCS2", power_kw=150), Outlet("DC", 150_000.0)),
    ],
)
def test_a_connector_gives_what_its_description_says(described: Connector, outlet: Outlet) -> None:
    settings = Settings(version="1.6", connectors=1)
    specification = Specification(origin=Path("station.toml"), settings=settings, connectors=(described,))

    assert options(specification) == {"outlets": [outlet], "drivers": True}


def test_an_evse_of_2_x_is_made_as_the_first_of_its_connectors() -> None:
    specification = Specification(
        origin=Path("station.toml"),
        settings=Settings(version="2.1", connectors=2),
        connectors=(
            Connector(type="cCCS2", power_kw=150, evse=1, meter=120.0),
            Connector(evse=1),
            Connector(phases=1, evse=2),
        ),
    )
    plain = v2.Station("SN", random=Random(1), epoch=EPOCH, connectors=2, **options(specification))

    dressed(plain, specification, 1, 0.0)

    assert [evse.outlet for evse in plain.evses.values()] == [Outlet("DC", 150_000.0), Outlet("AC1", 7_360.0)]
    assert plain.evses[1].register == 120.0
    types = [plain.device.get("Connector", "ConnectorType", evse=n, connector=1) for n in (1, 2)]
    phases = [plain.device.get("EVSE", "SupplyPhases", evse=n) for n in (1, 2)]
    assert (types, phases) == (["cCCS2", "cType2"], ["0", "1"])


def test_a_connector_is_called_by_the_number_of_the_file_both_ways() -> None:
    found = central(connectors=(Connector(number=19170129),), drivers="remote")
    found.station.board.pace = 600.0

    found.connect()
    found.run(1.0)
    unknown = found.command("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1})
    known = found.command("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 19170129})
    found.run(60.0)

    assert (unknown, known) == (REJECTED, ACCEPTED)
    numbers = {action: {p["connectorId"] for a, p in found.asked if a == action} for action in NUMBERED}
    assert numbers == {
        "StatusNotification": {0, 19170129},
        "StartTransaction": {19170129},
        "MeterValues": {19170129},
    }


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
def test_drivers_who_are_called_come_with_a_remote_start_and_only_then(version: Version) -> None:
    found = central(version=version, drivers="remote")
    found.station.board.pace = 600.0

    found.connect()
    found.run(60.0)
    before = {action for action, _ in found.asked}
    answer = found.command("RemoteStartTransaction", {"idTag": "TAG"})
    found.run(60.0)

    assert before == {"BootNotification", "StatusNotification"}
    assert answer == ACCEPTED
    assert [action for action, _ in found.asked if action.endswith("Transaction")] == [
        "StartTransaction",
        "StopTransaction",
    ]


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
def test_without_drivers_a_remote_start_waits_for_the_cable(version: Version) -> None:
    found = central(version=version, drivers=False)

    found.connect()
    found.run(1.0)
    answer = found.command("RemoteStartTransaction", {"idTag": "TAG"})
    found.settle()
    before = [action for action, _ in found.asked if action.endswith("Transaction")]
    found.by_hand(Plug(1))
    after = [action for action, _ in found.asked if action.endswith("Transaction")]

    assert (answer, before, after) == (ACCEPTED, [], ["StartTransaction"])


@pytest.mark.parametrize("drivers", [True, False, "remote"])
def test_drivers_come_to_a_station_of_2_x_when_the_file_wants_them(drivers: Any) -> None:
    settings = Settings(version="2.0.1", count=1, connectors=1)
    specification = Specification(origin=Path("station.toml"), settings=settings, drivers=drivers)
    plain = v2.Station("SN", random=Random(1), epoch=EPOCH, **options(specification))
    station = dressed(plain, specification, 1, 0.0)

    (boot,) = [a for a in station.connected(0.0) if isinstance(a, Ask)]
    answer = Raw(b'{"status": "Accepted", "interval": 300, "currentTime": "2023-11-14T22:13:20Z"}')
    station.session_event(CallEnded(MessageId("1"), "BootNotification", Outcome.RESULT, boot.number, answer), 0.0)

    assert plain.board.online
    assert ((DRIVER, 1) in plain.board.agenda) is (drivers is True)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_station_of_2_x_has_its_nameplate_and_its_variables_too(version: Any) -> None:
    plain = v2.Station("SN", random=Random(1), epoch=EPOCH)
    specification = Specification(
        origin=Path("station.toml"),
        settings=Settings(version=version, count=1, connectors=1),
        nameplate=Nameplate("ACME", firmware="2.0"),
        keys=(Key("HeartbeatInterval", "77"), Key("SampledDataCtrlr.TxUpdatedInterval", "33")),
    )

    (boot,) = [a for a in dressed(plain, specification, 1, 0.0).connected(0.0) if isinstance(a, Ask)]

    check(Version(f"ocpp{version}"), "BootNotification", schemas.REQUEST, boot.payload)
    station = boot.payload["chargingStation"]
    assert (station["vendorName"], station["firmwareVersion"]) == ("ACME", "2.0")
    assert plain.board.number("OCPPCommCtrlr", "HeartbeatInterval") == 77
    assert plain.board.number("SampledDataCtrlr", "TxUpdatedInterval") == 33


def test_a_dressed_station_lives_as_a_plain_one_does() -> None:
    plain, found = Central(pace=600.0), central(nameplate=Nameplate("CSMS", "Emulator", "EMU-00001", "1.0"))
    lives = []
    for one in (plain, found):
        one.station.board.pace = 600.0
        one.connect()
        one.run(60.0)
        one.shut_down(5.0)
        lives.append(one.asked)

    assert lives[0] == lives[1]
    assert "StopTransaction" in [action for action, _ in lives[1]]

"""Stations as files describe them, over real sockets, against central systems that are not ours."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ocpp.v16 import call
from ocpp.v201 import call as call_201

from csms.compose import plan
from csms.settings import ParkSettings, read
from csms_emulator.files.reading import load
from csms_emulator.service import park
from csms_ocpp.version import Version
from tests.service.emulator import foreign_v2
from tests.service.emulator.foreign import foreign_central
from tests.service.emulator.soap_central import soap_central

SLOW = "pace = 0.001\nramp = 0.0\nconnectors = 1\n"
REFERENCE = {
    "connectorId": [{"id": 1, "voltage": "DC", "interface": "CCS2", "meterValue": 0}],
    "configurationKey": [
        {"key": "ChargePointVendor", "readonly": True, "value": "Apostol"},
        {"key": "PowerConsumptionTimeout", "readonly": False, "value": "5"},
    ],
}
REFERENCE_201 = {
    "OcppVersion": "2.0.1",
    "ChargePointVendor": "Emulator",
    "ChargePointModel": "DualDC-50",
    "Evses": [{"evseId": 1, "power": 50000, "connectors": [{"connectorId": 1, "type": "cCCS2"}]}],
}


@asynccontextmanager
async def parked(*paths: Path, url: str = "") -> AsyncIterator[None]:
    """The park of these files, and afterwards proof that its task has ended without an error."""
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        tasks.append(asyncio.create_task(work, name=name))

    async with park(load(paths, url), spawn=spawn):
        yield
    async with asyncio.timeout(1):
        await asyncio.gather(*tasks)


def station(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "station.toml").write_text(SLOW + text, encoding="utf-8")
    return folder


def reference(folder: Path, **documents: Any) -> Path:
    folder.mkdir()
    for name, document in {"configuration": REFERENCE, **documents}.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


async def test_fleets_of_different_kinds_run_together_and_leave_together(tmp_path: Path) -> None:
    async with foreign_central() as json_central, soap_central(Version.V1_5) as old, soap_central() as soap:
        text = (
            f'[[stations]]\nidentity = "J-{{n}}"\ncount = 2\nurl = "{json_central.url}"\n'
            f'[[stations]]\nidentity = "S5"\nversion = "1.5"\nurl = "{old.url}"\n'
            f'[[stations]]\nidentity = "S6"\ntransport = "soap"\nurl = "{soap.url}"\n'
        )
        async with parked(station(tmp_path, text)):
            for peer in ("J-1", "J-2"):
                await json_central.hears("StatusNotification", peer=peer, times=2)
            await old.hears("StatusNotification", peer="S5", times=2)
            await soap.hears("StatusNotification", peer="S6", times=2)
        await json_central.until(lambda: not json_central.peers)

    assert json_central.closes == [1000, 1000]


async def test_what_the_file_says_reaches_the_central_system(tmp_path: Path) -> None:
    text = 'identity = "A"\nvendor = "ACME"\nserial = "S{n}"\nconfiguration = { MeterValueSampleInterval = "15" }\n'
    async with foreign_central() as central, parked(station(tmp_path, text), url=central.url):
        ((_, _, boot),) = await central.hears("BootNotification")
        told = await central.peers["A"].call(call.GetConfiguration(["MeterValueSampleInterval"]))

    assert (boot["charge_point_vendor"], boot["charge_point_serial_number"]) == ("ACME", "S1")
    assert told.configuration_key == [{"key": "MeterValueSampleInterval", "readonly": False, "value": "15"}]


async def test_a_folder_of_the_reference_system_answers_as_its_files_say(tmp_path: Path) -> None:
    folder = reference(tmp_path / "CP1", DataTransfer={"status": "Accepted", "data": "9FE9"})
    async with foreign_central() as central, parked(folder, url=central.url):
        ((_, _, boot),) = await central.hears("BootNotification")
        canned = await central.peers["CP1"].call(call.DataTransfer("ACME"))
        own = await central.peers["CP1"].call(call.GetLocalListVersion())
        told = await central.peers["CP1"].call(call.GetConfiguration(["PowerConsumptionTimeout"]))

    assert boot["charge_point_vendor"] == "Apostol"
    assert (canned.status, canned.data, own.list_version) == ("Accepted", "9FE9", 0)
    assert told.configuration_key == [{"key": "PowerConsumptionTimeout", "readonly": False, "value": "5"}]


async def test_a_folder_in_the_form_for_2_0_1_does_too(tmp_path: Path) -> None:
    folder = reference(tmp_path / "CP201", configuration=REFERENCE_201, ClearCache={"status": "Rejected"})
    async with foreign_v2.foreign_central() as central, parked(folder, url=central.url):
        ((_, _, boot),) = await central.hears("BootNotification")
        canned = await central.peers["CP201"].call(call_201.ClearCache())
        own = await central.peers["CP201"].call(call_201.GetLocalListVersion())

    assert (boot["charging_station"]["vendor_name"], boot["charging_station"]["model"]) == ("Emulator", "DualDC-50")
    assert (canned.status, own.version_number) == ("Rejected", 0)


async def test_drivers_who_are_called_come_to_a_station_of_2_0_1_only_when_they_are(tmp_path: Path) -> None:
    (tmp_path / "station.toml").write_text('version = "2.0.1"\ndrivers = "remote"\npace = 600.0\n', encoding="utf-8")
    async with foreign_v2.foreign_central() as central, parked(tmp_path, url=central.url):
        await central.hears("StatusNotification", times=2)
        await asyncio.sleep(1)  # ten minutes there; somebody would have come after four
        before = [heard for heard in central.heard if heard[1] == "TransactionEvent"]
        token = {"idToken": "04A1B2C3", "type": "ISO14443"}
        answer = await central.peers["CP-00001"].call(call_201.RequestStartTransaction(token, 7, evse_id=1))
        await central.hears("TransactionEvent")

    assert (before, answer.status) == ([], "Accepted")


async def test_canned_answers_of_a_station_toml_are_given(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "ClearCache.json").write_text('{"status": "Rejected"}', encoding="utf-8")
    folder = station(tmp_path, 'identity = "A"\nanswers = "ours"\n')
    async with foreign_central() as central, parked(folder, url=central.url):
        await central.hears("BootNotification")
        canned = await central.peers["A"].call(call.ClearCache())

    assert canned.status == "Rejected"


def test_the_environment_may_name_the_files_and_the_central_system(tmp_path: Path) -> None:
    folder = station(tmp_path, 'identity = "A"\n')
    environment = {"CSMS_PARK_PATHS": json.dumps([str(folder)]), "CSMS_PARK_URL": "ws://example.org/ocpp"}

    found = read(None, environment)

    assert found.park == ParkSettings((str(folder),), "ws://example.org/ocpp")
    assert [part.name for part in plan("emulate", found).parts] == ["emulator"]


async def csms(*arguments: str | Path) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "csms", *map(str, arguments), stderr=PIPE)


async def test_the_command_runs_all_its_paths_and_its_url_wins(tmp_path: Path) -> None:
    one, two = station(tmp_path / "a", 'identity = "A"\nurl = "ws://localhost:1/"\n'), reference(tmp_path / "CP1")
    async with foreign_central() as central:
        process = await csms("emulate", one, two, "--url", central.url)
        try:
            await central.hears("BootNotification", peer="A")
            await central.hears("BootNotification", peer="CP1")
        finally:
            process.terminate()
            await process.communicate()

    assert process.returncode == 0


async def test_the_command_refuses_options_that_the_files_answer(tmp_path: Path) -> None:
    process = await csms("emulate", station(tmp_path, ""), "--count", "3")
    _, said = await process.communicate()

    assert (process.returncode, said) == (2, b"csms: --count goes without PATH: with it, the files say so.\n")


async def test_the_command_refuses_a_file_before_anything_starts(tmp_path: Path) -> None:
    folder = station(tmp_path, "colour = 1\n")
    process = await csms("emulate", folder)
    _, said = await process.communicate()

    sentence = f"csms: {folder}/station.toml: Object contains unknown field `colour`.\n"
    assert (process.returncode, said.decode()) == (2, sentence)

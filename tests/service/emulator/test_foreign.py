"""A station's day at two foreign central systems, which check all it says by schemas of their own.

`ocpp` is the Python package, `ocpp-rpc` the one for Node.js, in its strict mode.
"""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from csms_emulator.testing import Station
from csms_ocpp.version import Version
from tests.service.emulator import foreign, foreign_v2
from tests.service.emulator.file_servers import http_server
from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign_central import ForeignCentral
from tests.service.emulator.orders import errands, messages, sweep
from tests.service.emulator.strict import StrictCentral, strict_central
from tests.support.foreign import dial, identity

Central = ForeignCentral | StrictCentral
Made = Callable[[], AbstractAsyncContextManager[Central]]

CP = "CP-1"
FAST = 600.0
BRIEF = {Version.V1_6: "1.6", Version.V2_0_1: "2.0.1", Version.V2_1: "2.1"}
DAILY = ("BootNotification", "StatusNotification", "Authorize", "Heartbeat")
CHARGING = {Version.V1_6: ("StartTransaction", "MeterValues", "StopTransaction")}
# What a station does not say by itself, only when it is told to by hand.
SILENT = {
    Version.V1_6: {"DataTransfer"},
    Version.V2_0_1: {
        "ClearedChargingLimit",
        "DataTransfer",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "NotifyChargingLimit",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
    },
}
SILENT[Version.V2_1] = SILENT[Version.V2_0_1] | {
    "BatterySwap",
    "ClosePeriodicEventStream",  # neither package knows how a stream is sent: it is refused
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "VatNumberValidation",
}
# The Python package cannot say some names in these of 2.1: stateOfCharge's abbreviation, fixedPF…, limit_L2.
UNSPEAKABLE = {"RequestStartTransaction", "SetChargingProfile", "SetDERControl", "UpdateDynamicSchedule"}


def python_package(version: Version) -> AbstractAsyncContextManager[Central]:
    if version is Version.V1_6:
        return foreign.foreign_central(heartbeat=1)
    return foreign_v2.foreign_central(BRIEF[version], heartbeat=1)


def node_package(version: Version) -> AbstractAsyncContextManager[Central]:
    return strict_central()


@pytest.fixture(params=[*BRIEF])
def version(request: pytest.FixtureRequest) -> Version:
    made: Version = request.param
    return made


@pytest.fixture(params=["ocpp", "ocpp-rpc"])
def central_system(request: pytest.FixtureRequest, version: Version) -> Made:
    make = {"ocpp": python_package, "ocpp-rpc": node_package}[request.param]
    return lambda: make(version)


async def test_it_complains_of_what_is_wrong(version: Version, central_system: Made) -> None:
    async with central_system() as central, await dial(central.url, identity(), version) as socket:
        await socket.send(json.dumps([2, "1", "BootNotification", {"chargePointModel": 1}]))
        answer = json.loads(await socket.recv())

    assert answer[:2] == [4, "1"]
    assert [told["kind"] for told in central.complaints] == ["violation"]
    assert central.heard == []


async def test_whole_days_of_charging_are_valid(version: Version, central_system: Made) -> None:
    async with central_system() as central, emulated(central.url, version=BRIEF[version], count=2, pace=FAST):
        for name in ("EMU-00001", "EMU-00002"):
            await central.hears(*DAILY, *CHARGING.get(version, ("TransactionEvent",)), peer=name)

    assert central.complaints == []


async def test_every_command_is_answered_validly(version: Version, central_system: Made) -> None:
    async with central_system() as central, Station(CP, url=central.url, version=BRIEF[version]):
        mute = UNSPEAKABLE if version is Version.V2_1 and isinstance(central, ForeignCentral) else ()
        for action, payload in sweep(version, least_only=mute):
            await central.ask(CP, action, payload)

    assert central.complaints == []


async def test_what_follows_from_commands_is_valid(version: Version, central_system: Made) -> None:
    async with (
        http_server() as files,
        central_system() as central,
        Station(CP, url=central.url, version=BRIEF[version], pace=FAST),
    ):
        for order in errands(version, files.url):
            answer = await central.ask(CP, order.action, order.payload)
            assert (order.action, answer.get("status", "")) == (order.action, order.status)
            await central.hears(*filter(None, [order.says]))
        await central.hears("BootNotification", times=2)

    assert central.complaints == []


async def test_every_message_that_is_sent_by_hand_is_valid(version: Version, central_system: Made) -> None:
    said = messages(version)
    async with central_system() as central, Station(CP, url=central.url, version=BRIEF[version]) as station:
        for action, payload in said:
            await station.call(action, payload)

    assert {action for action, _ in said} <= {action for _, action, _ in central.heard}
    assert central.complaints == []


def test_days_and_errands_make_a_station_say_all_that_it_says_by_itself(version: Version) -> None:
    daily = {*DAILY, *CHARGING.get(version, ("TransactionEvent",))}
    asked_for = {order.says for order in errands(version, "http://127.0.0.1:1") if order.says}

    assert daily | asked_for == {action for action, _ in messages(version)} - SILENT[version]

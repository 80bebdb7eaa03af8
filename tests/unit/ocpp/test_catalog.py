"""The catalog against lists that were written down independently of it, and against the official schemas."""

from importlib import resources

import pytest

from csms_ocpp.catalog import Role, actions, asked_by
from csms_ocpp.schemas import REQUEST, RESPONSE, table
from csms_ocpp.version import DIALECTS, Version

# OCPP 1.6 §4 "Operations Initiated by Charge Point"; security white paper, edition 3.
STATION_1_6 = """Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification
Heartbeat LogStatusNotification MeterValues SecurityEventNotification SignCertificate SignedFirmwareStatusNotification
StartTransaction StatusNotification StopTransaction"""

# OCPP 1.6 §5 "Operations Initiated by Central System"; security white paper, edition 3.
CSMS_1_6 = """CancelReservation CertificateSigned ChangeAvailability ChangeConfiguration ClearCache ClearChargingProfile
DataTransfer DeleteCertificate ExtendedTriggerMessage GetCompositeSchedule GetConfiguration GetDiagnostics
GetInstalledCertificateIds GetLocalListVersion GetLog InstallCertificate RemoteStartTransaction RemoteStopTransaction
ReserveNow Reset SendLocalList SetChargingProfile SignedUpdateFirmware TriggerMessage UnlockConnector UpdateFirmware"""

# The services of the 1.5 WSDLs: urn://Ocpp/Cs/2012/06/ and urn://Ocpp/Cp/2012/06/.
STATION_1_5 = """Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification
Heartbeat MeterValues StartTransaction StatusNotification StopTransaction"""
CSMS_1_5 = """CancelReservation ChangeAvailability ChangeConfiguration ClearCache DataTransfer GetConfiguration
GetDiagnostics GetLocalListVersion RemoteStartTransaction RemoteStopTransaction ReserveNow Reset SendLocalList
UnlockConnector UpdateFirmware"""

STATION_2_0_1 = """Authorize BootNotification ClearedChargingLimit DataTransfer FirmwareStatusNotification
Get15118EVCertificate GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit
NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent
NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification ReportChargingProfiles ReservationStatusUpdate
SecurityEventNotification SignCertificate StatusNotification TransactionEvent"""

STATION_2_1_ADDS = """BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm NotifyDERStartStop
NotifyPeriodicEventStream NotifyPriorityCharging NotifySettlement OpenPeriodicEventStream PullDynamicScheduleUpdate
ReportDERControl VatNumberValidation"""
CSMS_2_1_ADDS = """AFRRSignal AdjustPeriodicEventStream ChangeTransactionTariff ClearDERControl ClearTariffs
GetDERControl GetPeriodicEventStream GetTariffs NotifyAllowedEnergyTransfer NotifyWebPaymentStarted RequestBatterySwap
SetDERControl SetDefaultTariff UpdateDynamicSchedule UsePriorityCharging"""


@pytest.mark.parametrize(
    ("version", "role", "names"),
    [
        (Version.V1_5, Role.STATION, STATION_1_5),
        (Version.V1_5, Role.CSMS, CSMS_1_5),
        (Version.V1_6, Role.STATION, STATION_1_6),
        (Version.V1_6, Role.CSMS, CSMS_1_6),
        (Version.V2_0_1, Role.STATION, STATION_2_0_1),
        (Version.V2_1, Role.STATION, f"{STATION_2_0_1} {STATION_2_1_ADDS}"),
    ],
)
def test_each_end_asks_what_the_specification_lets_it_ask(version, role, names):
    assert sorted(asked_by(role, version)) == sorted(names.split())


def test_what_2_1_adds_for_the_csms():
    added = asked_by(Role.CSMS, Version.V2_1).keys() - asked_by(Role.CSMS, Version.V2_0_1).keys()

    assert sorted(added) == sorted(CSMS_2_1_ADDS.split())


def test_2_1_drops_no_action_of_2_0_1():
    dropped = {role: asked_by(role, Version.V2_0_1).keys() - asked_by(role, Version.V2_1).keys() for role in Role}

    assert dropped == {Role.STATION: set(), Role.CSMS: set()}


@pytest.mark.parametrize(
    ("version", "station", "csms", "both"),
    [(Version.V1_5, 10, 15, 24), (Version.V1_6, 14, 26, 39), (Version.V2_0_1, 25, 40, 64), (Version.V2_1, 37, 55, 91)],
)
def test_the_number_of_actions(version, station, csms, both):
    asks = {role: asked_by(role, version) for role in Role}

    assert (len(asks[Role.STATION]), len(asks[Role.CSMS])) == (station, csms)
    assert len(asks[Role.STATION].keys() | asks[Role.CSMS].keys()) == both


def test_only_data_transfer_is_asked_by_both_ends():
    both = {v: asked_by(Role.STATION, v).keys() & asked_by(Role.CSMS, v).keys() for v in Version}

    assert both == {v: {"DataTransfer"} for v in Version}


def test_the_only_send_is_2_1_s_periodic_event_stream():
    sends = [(a.name, a.station, a.csms) for a in actions().values() if a.send]

    assert sends == [("NotifyPeriodicEventStream", frozenset({Version.V2_1}), frozenset())]


def test_every_role_has_its_peer():
    assert (Role.STATION.peer, Role.CSMS.peer) == (Role.CSMS, Role.STATION)


@pytest.mark.parametrize("version", [Version.V1_6, Version.V2_0_1, Version.V2_1])
def test_every_official_schema_belongs_to_an_action_and_every_action_has_its_schemas(version):
    dialect = DIALECTS[version]
    folder = resources.files("ocpp") / dialect.schemas / "schemas"
    files = {entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")}

    named = set()
    for name, part in table(version):
        send = actions()[name].send
        named.add(f"{name}Response" if part == RESPONSE else name + ("" if send else dialect.request_suffix))

    assert named == files


@pytest.mark.parametrize("version", list(Version))
def test_every_call_has_two_schemas_and_every_send_one(version):
    asked = asked_by(Role.STATION, version) | asked_by(Role.CSMS, version)
    calls = {(name, part) for name, action in asked.items() if not action.send for part in (REQUEST, RESPONSE)}
    sends = {(name, REQUEST) for name, action in asked.items() if action.send}

    assert set(table(version)) == calls | sends


def test_the_table_of_schemas_is_compiled_once():
    assert table(Version.V1_6) is table(Version.V1_6)

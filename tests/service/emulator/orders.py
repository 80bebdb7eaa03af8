"""What a central system can ask of a station, version by version, and what some of it makes the station say."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from tests.service.router.samples import fullest, smallest
from tests.unit.emulator.papers import Authority, text

Payload = dict[str, Any]
PAST = "2020-01-01T00:00:00Z"
TOKEN = {"idToken": "TAG", "type": "ISO14443"}
AVAILABILITY = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}


class Order(NamedTuple):
    """A command, the status that it is answered ("": it has none), and what the station then says ("": nothing)."""

    action: str
    payload: Payload
    status: str = "Accepted"
    says: str = ""


def sweep(version: Version, least_only: Collection[str] = ()) -> list[tuple[str, Payload]]:
    """Every command but Reset, with every field (but for those in `least_only`) and with the least that is valid."""
    return [
        (action, make(version, action))
        for action in sorted(asked_by(Role.CSMS, version).keys() - {"Reset"})
        for make in ((smallest,) if action in least_only else (fullest, smallest))
    ]


def messages(version: Version) -> list[tuple[str, Payload]]:
    """Every message of a station that is answered, with every field."""
    return [
        (name, _in_watts(fullest(version, name)))
        for name, one in asked_by(Role.STATION, version).items()
        if not one.send
    ]


def _in_watts(payload: Any) -> Any:
    """Without the unit Hertz of 1.6, which came with an erratum that not everybody has heard of."""
    match payload:
        case dict():
            return {name: _in_watts(value) for name, value in payload.items()}
        case list():
            return [_in_watts(value) for value in payload]
        case "Hertz":
            return "W"
        case _:
            return payload


def errands(version: Version, files: str) -> list[Order]:
    """What makes a station that nobody uses say everything it can; `files` is the URL of a file server's directory."""
    return _errands_1_6(files) if version is Version.V1_6 else _errands_2(version, files)


def _errands_1_6(files: str) -> list[Order]:
    log, maker = {"remoteLocation": files}, Authority("Maker")
    signed = {"signingCertificate": text(maker.root), "signature": maker.sign(b"firmware")}
    return [
        Order("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}, says="MeterValues"),
        Order("GetDiagnostics", {"location": files}, "", "DiagnosticsStatusNotification"),
        Order("GetLog", {"logType": "SecurityLog", "requestId": 1, "log": log}, says="LogStatusNotification"),
        Order(
            "UpdateFirmware",
            {"location": f"{files}/none.bin", "retrieveDate": PAST},
            "",
            "FirmwareStatusNotification",
        ),
        Order(
            "SignedUpdateFirmware",
            {"requestId": 1, "firmware": {"location": f"{files}/none.bin", "retrieveDateTime": PAST, **signed}},
            "AcceptedCanceled",
            "SignedFirmwareStatusNotification",
        ),
        Order("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}, says="SignCertificate"),
        Order("Reset", {"type": "Soft"}, says="SecurityEventNotification"),
    ]


def _errands_2(version: Version, files: str) -> list[Order]:
    firmware = {"location": f"{files}/none.bin", "retrieveDateTime": PAST}
    display = {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Guten Tag"}}
    log = {"remoteLocation": files}
    return [
        Order("TriggerMessage", {"requestedMessage": "MeterValues"}, says="MeterValues"),
        Order("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}, says="SignCertificate"),
        Order("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, says="NotifyReport"),
        Order("SetVariableMonitoring", {"setMonitoringData": [_monitor()]}, ""),
        Order("GetMonitoringReport", {"requestId": 2}, says="NotifyMonitoringReport"),
        Order("ReserveNow", _reservation(), says="NotifyEvent"),
        Order("ChangeAvailability", _availability("Inoperative"), says="ReservationStatusUpdate"),
        Order("ChangeAvailability", _availability("Operative")),
        Order("SetDisplayMessage", {"message": display}),
        Order("GetDisplayMessages", {"requestId": 3}, says="NotifyDisplayMessages"),
        Order(
            "CustomerInformation",
            {"requestId": 4, "report": True, "clear": False, "customerIdentifier": "C-1"},
            says="NotifyCustomerInformation",
        ),
        Order("SetChargingProfile", {"evseId": 0, "chargingProfile": _profile()}),
        Order("GetChargingProfiles", {"requestId": 5, "chargingProfile": {}}, says="ReportChargingProfiles"),
        Order("GetLog", {"logType": "SecurityLog", "requestId": 6, "log": log}, says="LogStatusNotification"),
        Order(
            "PublishFirmware",
            {"requestId": 7, "location": f"{files}/none.bin", "checksum": "0" * 32},
            says="PublishFirmwareStatusNotification",
        ),
        *(_errands_2_1() if version is Version.V2_1 else ()),
        Order("UpdateFirmware", {"requestId": 8, "firmware": firmware}, says="FirmwareStatusNotification"),
        Order("Reset", {"type": "OnIdle"}, says="SecurityEventNotification"),
    ]


def _errands_2_1() -> list[Order]:
    control = {"isDefault": True, "controlId": "C-1", "controlType": "Gradients"}
    gradient = {"priority": 1, "gradient": 10, "softGradient": 10}
    stream = {"periodicEventStream": {"interval": 1, "values": 1}, "type": "Periodic", "value": 60}
    return [
        Order("SetDERControl", {**control, "gradient": gradient}),
        Order("GetDERControl", {"requestId": 9}, says="ReportDERControl"),
        Order("SetChargingProfile", {"evseId": 0, "chargingProfile": _dynamic()}, says="PullDynamicScheduleUpdate"),
        Order("SetVariableMonitoring", {"setMonitoringData": [_monitor(**stream)]}, "", "OpenPeriodicEventStream"),
    ]


def _monitor(**fields: Any) -> Payload:
    return {**AVAILABILITY, "type": "Delta", "value": 1, "severity": 5, **fields}


def _profile(**fields: Any) -> Payload:
    periods = [{"startPeriod": 0, "limit": 16.0}]
    return {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "A", "startSchedule": PAST, "chargingSchedulePeriod": periods}
        ],
        **fields,
    }


def _dynamic() -> Payload:
    schedule = [{"id": 2, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}]
    kind = {"chargingProfileKind": "Dynamic", "dynUpdateInterval": 1, "chargingSchedule": schedule}
    return _profile(id=2, stackLevel=1, **kind)


def _reservation() -> Payload:
    over = datetime.now(UTC) + timedelta(hours=1)
    return {"id": 1, "evseId": 1, "idToken": TOKEN, "expiryDateTime": over.isoformat()}


def _availability(status: str) -> Payload:
    return {"operationalStatus": status, "evse": {"id": 1}}

"""Every operation of both services in both versions: what is asked, and what a foreign peer answers.

Written out by hand, so that nothing derived from our tables checks itself.
"""

from typing import Any, NamedTuple

WHEN = "2026-03-01T10:00:00Z"
LATER = "2026-03-01T12:00:00.000Z"

_METER_15 = {
    "timestamp": WHEN,
    "value": [
        {"_value_1": "1200", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"_value_1": "16.1", "measurand": "Current.Import", "unit": "Amp"},
    ],
}
_METER_16 = {
    "timestamp": WHEN,
    "sampledValue": [
        {"value": "1200", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "16.1", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
    ],
}
BOOT = {"chargePointVendor": "Foreign", "chargePointModel": "Zeep", "chargePointSerialNumber": "SN-1"}

METER_VALUES: dict[str, dict[str, Any]] = {"1.5": {"values": [_METER_15]}, "1.6": {"meterValue": [_METER_16]}}
TRANSACTION_DATA: dict[str, list[Any]] = {"1.5": [{"values": [_METER_15]}], "1.6": [_METER_16]}
STATUS = {"1.5": "Occupied", "1.6": "Charging"}
INTERVAL = {"1.5": "heartbeatInterval", "1.6": "interval"}


class Asked(NamedTuple):
    """A command: its payload in JSON, what the station must see of it in wire order, what it answers, and how that
    reads in JSON. `...` in `seen` stands for an element with parts."""

    action: str
    payload: dict[str, Any]
    seen: list[tuple[str, Any]]
    answer: str
    result: dict[str, Any]


def _status(word: str) -> tuple[str, dict[str, Any]]:
    return f"<cp:status>{word}</cp:status>", {"status": word}


_PROFILE = {
    "chargingProfileId": 7,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16},
            {"startPeriod": 60, "limit": 8.5, "numberPhases": 3},
        ],
    },
}

_BOTH = [
    Asked("CancelReservation", {"reservationId": 3}, [("reservationId", "3")], *_status("Rejected")),
    Asked(
        "ChangeAvailability",
        {"type": "Operative", "connectorId": 1},
        [("connectorId", "1"), ("type", "Operative")],
        *_status("Scheduled"),
    ),
    Asked(
        "ChangeConfiguration",
        {"value": "<&> ä €", "key": "Greeting"},
        [("key", "Greeting"), ("value", "<&> ä €")],
        *_status("NotSupported"),
    ),
    Asked("ClearCache", {}, [], *_status("Accepted")),
    Asked(
        "DataTransfer",
        {"vendorId": "org.example", "data": "line one\nline two"},
        [("vendorId", "org.example"), ("data", "line one\nline two")],
        "<cp:status>Accepted</cp:status><cp:data><![CDATA[<ok/>]]></cp:data>",
        {"status": "Accepted", "data": "<ok/>"},
    ),
    Asked(
        "GetConfiguration",
        {"key": ["HeartbeatInterval", "Unheard"]},
        [("key", "HeartbeatInterval"), ("key", "Unheard")],
        "<cp:configurationKey><cp:key>HeartbeatInterval</cp:key><cp:readonly>false</cp:readonly><cp:value>300</cp:value>"
        "</cp:configurationKey><cp:unknownKey>Unheard</cp:unknownKey>",
        {
            "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
            "unknownKey": ["Unheard"],
        },
    ),
    Asked(
        "GetDiagnostics",
        {"location": "ftp://files.example/", "retries": 2, "startTime": WHEN},
        [("location", "ftp://files.example/"), ("startTime", WHEN), ("retries", "2")],
        "<cp:fileName>diagnostics.tar</cp:fileName>",
        {"fileName": "diagnostics.tar"},
    ),
    Asked("GetLocalListVersion", {}, [], "<cp:listVersion> 12 </cp:listVersion>", {"listVersion": 12}),
    Asked("RemoteStopTransaction", {"transactionId": 42}, [("transactionId", "42")], *_status("Rejected")),
    Asked(
        "ReserveNow",
        {"reservationId": 9, "idTag": "TAG-1", "expiryDate": LATER, "connectorId": 1},
        [("connectorId", "1"), ("expiryDate", LATER), ("idTag", "TAG-1"), ("reservationId", "9")],
        *_status("Occupied"),
    ),
    Asked("Reset", {"type": "Soft"}, [("type", "Soft")], *_status("Accepted")),
    Asked(
        "UpdateFirmware",
        {"retrieveDate": LATER, "location": "https://files.example/f.bin", "retryInterval": 60},
        [("retrieveDate", LATER), ("location", "https://files.example/f.bin"), ("retryInterval", "60")],
        "",
        {},
    ),
]

COMMANDS: dict[str, list[Asked]] = {
    "1.5": [
        *_BOTH,
        Asked(
            "RemoteStartTransaction",
            {"connectorId": 1, "idTag": "TAG-1"},
            [("idTag", "TAG-1"), ("connectorId", "1")],
            *_status("Rejected"),
        ),
        Asked(
            "SendLocalList",
            {
                "hash": "abc",
                "listVersion": 3,
                "updateType": "Full",
                "localAuthorisationList": [{"idTagInfo": {"status": "Accepted"}, "idTag": "TAG-1"}],
            },
            [("updateType", "Full"), ("listVersion", "3"), ("localAuthorisationList", ...), ("hash", "abc")],
            "<cp:status>Accepted</cp:status><cp:hash>def</cp:hash>",
            {"status": "Accepted", "hash": "def"},
        ),
        Asked("UnlockConnector", {"connectorId": 1}, [("connectorId", "1")], *_status("Accepted")),
    ],
    "1.6": [
        *_BOTH,
        Asked("ClearChargingProfile", {"id": 7}, [("id", "7")], *_status("Unknown")),
        Asked(
            "GetCompositeSchedule",
            {"duration": 600, "connectorId": 1},
            [("connectorId", "1"), ("duration", "600")],
            f"<cp:status>Accepted</cp:status><cp:connectorId>1</cp:connectorId><cp:scheduleStart>{WHEN}</cp:scheduleStart>"
            "<cp:chargingSchedule><cp:chargingRateUnit>W</cp:chargingRateUnit><cp:chargingSchedulePeriod>"
            "<cp:startPeriod>0</cp:startPeriod><cp:limit>11000.0</cp:limit></cp:chargingSchedulePeriod></cp:chargingSchedule>",
            {
                "status": "Accepted",
                "connectorId": 1,
                "scheduleStart": WHEN,
                "chargingSchedule": {
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000.0}],
                },
            },
        ),
        Asked(
            "RemoteStartTransaction",
            {"idTag": "TAG-1", "connectorId": 1, "chargingProfile": _PROFILE | {"chargingProfilePurpose": "TxProfile"}},
            [("connectorId", "1"), ("idTag", "TAG-1"), ("chargingProfile", ...)],
            *_status("Rejected"),
        ),
        Asked(
            "SendLocalList",
            {
                "listVersion": 3,
                "updateType": "Differential",
                "localAuthorizationList": [{"idTag": "TAG-1"}, {"idTag": "TAG-2", "idTagInfo": {"status": "Blocked"}}],
            },
            [
                ("listVersion", "3"),
                ("localAuthorizationList", ...),
                ("localAuthorizationList", ...),
                ("updateType", "Differential"),
            ],
            *_status("VersionMismatch"),
        ),
        Asked(
            "SetChargingProfile",
            {"connectorId": 0, "csChargingProfiles": _PROFILE},
            [("connectorId", "0"), ("csChargingProfiles", ...)],
            *_status("Accepted"),
        ),
        Asked(
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
            [("requestedMessage", "MeterValues"), ("connectorId", "1")],
            *_status("NotImplemented"),
        ),
        Asked("UnlockConnector", {"connectorId": 1}, [("connectorId", "1")], *_status("UnlockFailed")),
    ],
}

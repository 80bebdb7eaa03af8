"""An example for each shape of `/api/v2`."""

from typing import Any

_STATION = {
    "identity": "CS-1",
    "account": "acme",
    "registered": True,
    "disabled": False,
    "securityProfile": 1,
    "hasPassword": True,
    "quirks": [],
    "registration": "Accepted",
    "online": True,
    "version": "ocpp1.6",
    "transport": "json",
    "peer": "192.0.2.7",
    "callback": "",
    "since": "2026-01-01T12:00:00.000Z",
    "lastSeen": "2026-01-01T12:30:00.000Z",
    "gateway": "gw-1",
    "epoch": 17,
    "boot": {"chargePointVendor": "Example", "chargePointModel": "Two"},
    "connectors": [{"connectorId": 1, "status": "Available", "errorCode": "NoError"}],
}
_RECORD = {
    "account": "acme",
    "callback": "http://192.0.2.7:8080/ocpp",
    "securityProfile": 1,
    "quirks": ["lenient"],
    "registration": "Accepted",
}
_TAG_FIELDS = {"status": "Accepted", "expires": "2027-01-01T00:00:00Z", "parent": "", "limit": 1}
_TAG = {"id": "A1B2C3D4", **_TAG_FIELDS, "expires": "2027-01-01T00:00:00.000Z"}
_TRANSACTION = {
    "id": "42",
    "identity": "CS-1",
    "version": "ocpp1.6",
    "connectorId": 1,
    "evseId": None,
    "idTag": "A1B2C3D4",
    "meterStart": 1000,
    "meterStop": None,
    "started": "2026-01-01T12:00:00Z",
    "stopped": None,
    "reason": None,
    "reservationId": None,
    "authorized": True,
    "superseded": False,
    "active": True,
}
_LETTER = {
    "id": "5f0c9a1e",
    "identity": "CS-1",
    "account": "acme",
    "version": "ocpp1.6",
    "action": "MeterValues",
    "endpoint": "main",
    "reason": "The endpoint answered 410.",
    "attempts": 3,
    "stored": "2026-01-01T12:00:00.000Z",
    "died": "2026-01-01T12:30:00.000Z",
}
_COMMAND = {"identity": "CS-1", "uniqueId": "r-1", "action": "Reset"}
_LATE = "The charging station did not answer in time; whether it acted is not known."

BY_SHAPE: dict[str, Any] = {
    "NewStation": {"identity": "CS-1", **_RECORD},
    "StationRecord": _RECORD,
    "StationChanges": {"disabled": True},
    "Password": {"password": "0123456789abcdef"},
    "Station": _STATION,
    "StationPage": {"stations": [_STATION], "next": "CS-1"},
    "TagFields": _TAG_FIELDS,
    "Tag": _TAG,
    "TagPage": {"tags": [_TAG], "next": ""},
    "Transaction": _TRANSACTION,
    "TransactionPage": {"transactions": [_TRANSACTION], "next": ""},
    "DeadLetter": _LETTER | {"uniqueId": "19", "payload": {"connectorId": 1, "meterValue": []}},
    "DeadLetterPage": {"deadLetters": [_LETTER], "next": ""},
    "Replay": {"id": "5f0c9a1e", "status": "accepted"},
    "Ask": {"action": "Reset", "payload": {"type": "Soft"}, "uniqueId": "r-1"},
    "Accepted": {**_COMMAND, "status": "accepted"},
    "Outcome": {**_COMMAND, "outcome": "result", "payload": {"status": "Accepted"}},
    "FailedOutcome": {
        **_COMMAND,
        "outcome": "Timeout",
        "errorDescription": _LATE,
        "errorDetails": {},
        "error": {"code": 504, "message": _LATE},
    },
    "CommandRecord": {
        **_COMMAND,
        "status": "ended",
        "created": "2026-01-01T12:00:00.000Z",
        "request": {"type": "Soft"},
        "version": "ocpp1.6",
        "ended": "2026-01-01T12:00:00.120Z",
        "outcome": "result",
        "payload": {"status": "Accepted"},
    },
    "Start": {"idTag": "A1B2C3D4", "connectorId": 1},
    "Stop": {"transactionId": "42"},
    "Reset": {"type": "soft"},
    "Unlock": {"connectorId": 1},
    "Availability": {"operative": False, "connectorId": 1},
}

"""1.6's payloads in the words of 1.5, and back: a function for every message that differs, in four tables.

What is in no table is the same in both versions.
"""

from collections.abc import Callable

from csms_emulator.actions import Payload

Translation = Callable[[Payload], Payload]
Request = Callable[[Payload], Payload | None]

_STATUSES = dict.fromkeys(("Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"), "Occupied")
_ERRORS = {"EVCommunicationError": "Mode3Error"} | dict.fromkeys(
    ("InternalError", "LocalListConflict", "OverVoltage"), "OtherError"
)
_UNITS = {unit: unit for unit in ("Wh", "kWh", "varh", "kvarh", "W", "kW", "var", "kvar", "Celsius")} | {
    "A": "Amp",
    "V": "Volt",
}
_UNKNOWN_MEASURANDS = {"Current.Offered", "Frequency", "Power.Factor", "Power.Offered", "RPM", "SoC"}
_FIRST_PHASES = {"L1", "L1-N", "L1-L2"}
_KNOWN_ATTRIBUTES = {
    "context": {
        "Interruption.Begin",
        "Interruption.End",
        "Sample.Clock",
        "Sample.Periodic",
        "Transaction.Begin",
        "Transaction.End",
    },
    "location": {"Inlet", "Outlet", "Body"},
}
_KEYS = {"HeartbeatInterval": "HeartBeatInterval"}
_SAID_WHILE = {
    "FirmwareStatusNotification": {"Downloaded", "DownloadFailed", "InstallationFailed", "Installed"},
    "DiagnosticsStatusNotification": {"Uploaded", "UploadFailed"},
}

# --- requests of the station: 1.6 to 1.5, None for what 1.5 cannot say ------------------------------------------------


def _status_notification(request: Payload) -> Payload:
    status, error = request["status"], request["errorCode"]
    return {**request, "status": _STATUSES.get(status, status), "errorCode": _ERRORS.get(error, error)}


def _meter_values(request: Payload) -> Payload | None:
    values = _readings(request["meterValue"])
    return {**_without(request, "meterValue"), "values": values} if values else None


def _stop_transaction(request: Payload) -> Payload:
    values = _readings(request.get("transactionData", ()))
    stop = _without(request, "reason", "transactionData")
    return {**stop, "transactionData": [{"values": values}]} if values else stop


def _said_while(action: str) -> Request:
    return lambda request: request if request["status"] in _SAID_WHILE[action] else None


REQUESTS: dict[str, Request] = {
    "DiagnosticsStatusNotification": _said_while("DiagnosticsStatusNotification"),
    "FirmwareStatusNotification": _said_while("FirmwareStatusNotification"),
    "MeterValues": _meter_values,
    "SecurityEventNotification": lambda request: None,
    "StatusNotification": _status_notification,
    "StopTransaction": _stop_transaction,
}


def _readings(meter_values: list[Payload]) -> list[Payload]:
    readings = [(one["timestamp"], [*filter(None, map(_value, one["sampledValue"]))]) for one in meter_values]
    return [{"timestamp": at, "value": values} for at, values in readings if values]


def _value(sampled: Payload) -> Payload | None:
    """None for what 1.5 cannot measure. It knows no phases either: the first one speaks for the connector."""
    unit = sampled.get("unit", "Wh")
    if sampled.get("measurand") in _UNKNOWN_MEASURANDS or unit not in _UNITS:
        return None
    if sampled.get("phase", "L1") not in _FIRST_PHASES:
        return None
    kept = {name: word for name, word in _without(sampled, "phase").items() if _is_known(name, word)}
    return {**kept, "unit": _UNITS[unit]}


def _is_known(name: str, word: str) -> bool:
    return name not in _KNOWN_ATTRIBUTES or word in _KNOWN_ATTRIBUTES[name]


# --- answers to them: 1.5 to 1.6 --------------------------------------------------------------------------------------


def _registration(answer: Payload) -> Payload:
    return {**_without(answer, "heartbeatInterval"), "interval": answer["heartbeatInterval"]}


HEARD: dict[str, Translation] = {"BootNotification": _registration}

# --- commands: 1.5 to 1.6 ---------------------------------------------------------------------------------------------


def _local_list(command: Payload) -> Payload:
    kept = _without(command, "localAuthorisationList", "hash")
    entries = command.get("localAuthorisationList")
    return kept if entries is None else {**kept, "localAuthorizationList": entries}


ASKED: dict[str, Translation] = {"SendLocalList": _local_list}

# --- answers to commands: 1.6 to 1.5 ----------------------------------------------------------------------------------


def _unlocked(answer: Payload) -> Payload:
    return {"status": "Accepted" if answer["status"] == "Unlocked" else "Rejected"}


def _changed(answer: Payload) -> Payload:
    return {"status": "Accepted" if answer["status"] == "RebootRequired" else answer["status"]}


def _configuration(answer: Payload) -> Payload:
    keys = [{**entry, "key": _KEYS.get(entry["key"], entry["key"])} for entry in answer["configurationKey"]]
    return {**answer, "configurationKey": keys}


ANSWERS: dict[str, Translation] = {
    "ChangeConfiguration": _changed,
    "GetConfiguration": _configuration,
    "UnlockConnector": _unlocked,
}


def _without(payload: Payload, *names: str) -> Payload:
    return {name: value for name, value in payload.items() if name not in names}

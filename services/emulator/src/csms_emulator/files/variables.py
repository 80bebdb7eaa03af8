"""Variables of a 2.x station as a file gives them: set by SetVariables, as a central system would, before it connects.

Files of the reference system name some of them by 1.6's keys.
"""

from msgspec import Raw

from csms_emulator.actions import Answer, Payload
from csms_emulator.behaviour import Behaviour
from csms_emulator.files.specification import Key
from csms_emulator.files.wrapper import encode
from csms_ocpp.session import CallReceived
from csms_ocpp.version import MessageId

_BY_KEY = {
    "AuthorizeRemoteTxRequests": "AuthCtrlr.AuthorizeRemoteStart",
    "AuthorizationCacheEnabled": "AuthCacheCtrlr.Enabled",
    "ConnectionTimeOut": "TxCtrlr.EVConnectionTimeOut",
    "HeartbeatInterval": "OCPPCommCtrlr.HeartbeatInterval",
    "LocalAuthListEnabled": "LocalAuthListCtrlr.Enabled",
    "LocalAuthorizeOffline": "AuthCtrlr.LocalAuthorizeOffline",
    "LocalPreAuthorize": "AuthCtrlr.LocalPreAuthorize",
    "MeterValueSampleInterval": "SampledDataCtrlr.TxUpdatedInterval",
}


def set_variables(station: Behaviour, keys: tuple[Key, ...], now: float) -> list[str]:
    """Set what has a variable; answers the names of those that the station did not take."""
    return [key.name for key in keys if not _set(station, key, now)]


def _set(station: Behaviour, key: Key, now: float) -> bool:
    component, _, variable = _BY_KEY.get(key.name, key.name).partition(".")
    if not variable:
        return False
    wanted = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": key.value}
    results = _ask(station, {"setVariableData": [wanted]}, now).get("setVariableResult", [])
    return [result["attributeStatus"] for result in results] in (["Accepted"], ["RebootRequired"])


def _ask(station: Behaviour, payload: Payload, now: float) -> Payload:
    call = CallReceived(MessageId("from the file"), "SetVariables", Raw(encode(payload)))
    return next((a.payload for a in station.session_event(call, now) if isinstance(a, Answer)), {})

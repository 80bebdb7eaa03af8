"""Translates what `/api/v2` asks of any station to the action and payload of the station's version. Pure.

Untranslatable   what is asked cannot be said in that version
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from csms_api.v2.verbs import Availability, Reset, Start, Stop, Unlock, Verb
from csms_ocpp.version import DIALECTS, Version
from csms_platform.ports import Transaction

Number = int | UnsetType


class Untranslatable(ValueError):  # noqa: N818 - the client's, not ours
    """The text is a sentence for the client."""


class Translated(NamedTuple):
    """What the station is asked."""

    action: str
    payload: dict[str, Any]


def translate(verb: Verb, version: Version, number: int) -> Translated:
    """`verb` in the words of `version`; `number` (31 bits) is the remoteStartId of a start in 2.x.

    A stop must name its transaction. Whether the payload fits its schema is not checked. Raises `Untranslatable`.
    """
    found: Translated = _family(version)[type(verb)](verb, number)
    return found


def is_at(transaction: Transaction, stop: Stop, version: Version) -> bool:
    """Whether the transaction is at the place that `stop` names."""
    if _is_first(version):
        return transaction.connector == _one(stop.connector_id, stop.evse_id)
    if transaction.evse != _one(stop.evse_id, stop.connector_id):
        return False
    both = stop.evse_id is not UNSET and stop.connector_id is not UNSET
    # A station need not tell which of an EVSE's connectors is in use.
    return not both or transaction.connector in (0, stop.connector_id)


def _is_first(version: Version) -> bool:
    return DIALECTS[version].integer_transaction_ids


def _one(number: Number, other: Number) -> Number:
    return other if number is UNSET else number


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not UNSET}


# --- 1.x --------------------------------------------------------------------------------------------------------------


def _start_1(verb: Start, number: int) -> Translated:
    place = _given(connectorId=_one(verb.connector_id, verb.evse_id))
    return Translated("RemoteStartTransaction", {"idTag": verb.id_tag} | place)


def _stop_1(verb: Stop, number: int) -> Translated:
    text = str(_transaction(verb))
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise Untranslatable(f"transactionId: {text[:50]!r} is no number, as the transactions of OCPP 1.x have.")
    return Translated("RemoteStopTransaction", {"transactionId": int(text)})


def _reset_1(verb: Reset, number: int) -> Translated:
    # OCPP 1.6 §5.14: a soft reset ends what is under way in order; there is none that waits for its end.
    return Translated("Reset", {"type": "Soft" if verb.type in _GENTLE else "Hard"})


def _unlock_1(verb: Unlock, number: int) -> Translated:
    return Translated("UnlockConnector", {"connectorId": verb.connector_id})


def _availability_1(verb: Availability, number: int) -> Translated:
    # OCPP 1.6 §6.7: connectorId 0 is the charge point and all its connectors.
    place = _one(_one(verb.connector_id, verb.evse_id), 0)
    return Translated("ChangeAvailability", {"connectorId": place, "type": _operational(verb)})


# --- 2.x --------------------------------------------------------------------------------------------------------------


def _start_2(verb: Start, number: int) -> Translated:
    token = {"idToken": verb.id_tag, "type": verb.token_type}
    place = _given(evseId=_one(verb.evse_id, verb.connector_id))
    return Translated("RequestStartTransaction", {"idToken": token, "remoteStartId": number} | place)


def _stop_2(verb: Stop, number: int) -> Translated:
    return Translated("RequestStopTransaction", {"transactionId": str(_transaction(verb))})


def _reset_2(verb: Reset, number: int) -> Translated:
    return Translated("Reset", {"type": "OnIdle" if verb.type in _GENTLE else "Immediate"})


def _unlock_2(verb: Unlock, number: int) -> Translated:
    if verb.evse_id is UNSET:
        return Translated("UnlockConnector", {"evseId": verb.connector_id, "connectorId": 1})
    return Translated("UnlockConnector", {"evseId": verb.evse_id, "connectorId": verb.connector_id})


def _availability_2(verb: Availability, number: int) -> Translated:
    status = {"operationalStatus": _operational(verb)}
    evse = _one(verb.evse_id, verb.connector_id)
    if evse is UNSET:
        return Translated("ChangeAvailability", status)
    # With one number only it is the EVSE's: the connector is one of both.
    connector = UNSET if verb.evse_id is UNSET else verb.connector_id
    return Translated("ChangeAvailability", status | {"evse": _given(id=evse, connectorId=connector)})


_GENTLE = ("soft", "onIdle")
_Table = dict[type, Callable[[Any, int], Translated]]
_V1: _Table = {
    Start: _start_1,
    Stop: _stop_1,
    Reset: _reset_1,
    Unlock: _unlock_1,
    Availability: _availability_1,
}
_V2: _Table = {
    Start: _start_2,
    Stop: _stop_2,
    Reset: _reset_2,
    Unlock: _unlock_2,
    Availability: _availability_2,
}


def _family(version: Version) -> _Table:
    return _V1 if _is_first(version) else _V2


def _operational(verb: Availability) -> str:
    return "Operative" if verb.operative else "Inoperative"


def _transaction(verb: Stop) -> int | str:
    if verb.transaction_id is UNSET:
        raise Untranslatable("transactionId, connectorId or evseId must say which transaction.")
    return verb.transaction_id

"""A payload for every action that stations ask, made from its schema: what it requires, and a little more.

Values are plausible where the field's name says what it is, and say that they are made up where there is room for it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version

IDENTITY = "WEBHOOK-TEST"

_TIME = "2026-01-01T12:00:00Z"
_TEXTS = {
    "idTag": "WEBHOOKTEST",
    "idToken": "WEBHOOKTEST",
    "chargePointVendor": "Example",
    "chargePointModel": "Webhook test",
    "vendorName": "Example",
    "model": "Webhook test",
    "vendorId": "com.example.webhook-test",
    "transactionId": "webhook-test-1",
    "value": "1000",
}
_NUMBERS = {"connectorId": 1, "evseId": 1, "id": 1, "transactionId": 1, "meterStart": 1000, "meterStop": 2500}
_WORDS = frozenset(
    {"Available", "Started", "Periodic", "Energy.Active.Import.Register", "NoError", "PowerUp", "ISO14443"}
)
# Not required, and yet what an endpoint would want to see. 1.6: a StatusNotification's time; 2.x: who, where, how much.
_TOLD = frozenset({"idToken", "evse", "meterValue", "values", "measurand", "timestamp", "meterStart"})


def asked(version: Version) -> Iterator[str]:
    """The actions of which specimens can be made: what stations ask in `version`, in alphabetical order."""
    return (action.name for _, action in sorted(asked_by(Role.STATION, version).items()) if not action.send)


@cache
def specimen(version: Version, action: str) -> msgspec.Raw:
    """A valid payload. Raises `KeyError` when stations do not ask this in `version`."""
    if asked_by(Role.STATION, version)[action].send:
        raise KeyError(action)
    document = schemas.document(version, action, schemas.REQUEST)
    return msgspec.Raw(msgspec.json.encode(_value(document, document, "")))


def _value(schema: dict[str, Any], document: dict[str, Any], name: str) -> Any:
    if "$ref" in schema:
        return _value(document["definitions"][schema["$ref"].rsplit("/", 1)[1]], document, name)
    if "enum" in schema:
        return next((word for word in schema["enum"] if word in _WORDS), schema["enum"][0])
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            wanted = [key for key in properties if key in schema.get("required", ()) or key in _TOLD]
            return {key: _value(properties[key], document, key) for key in wanted}
        case "array":
            return [_value(schema["items"], document, name) for _ in range(max(schema.get("minItems", 0), 1))]
        case "integer" | "number" as kind:
            return _number(schema, name, kind)
        case "boolean":
            return False
        case _:
            return _text(schema, name)


def _number(schema: dict[str, Any], name: str, kind: str) -> float:
    value = _NUMBERS.get(name, 1000 if name == "value" else 0)
    value = int(min(max(value, schema.get("minimum", value)), schema.get("maximum", value)))
    return value if kind == "integer" else float(value)


def _text(schema: dict[str, Any], name: str) -> str:
    if schema.get("format") == "date-time":
        return _TIME
    if schema.get("format") == "uri" or name.lower().endswith(("url", "urls")):
        return "https://example.com/"
    return _TEXTS.get(name, "test")[: schema.get("maxLength", 50)]

"""An example payload for each operation, made from its schema: the required fields, with the least that is allowed."""

from collections.abc import Mapping
from typing import Any

from csms_api.operations import schema_of
from csms_ocpp.version import Version

_NAMED: dict[str, Any] = {
    "connectorId": 1,
    "evseId": 1,
    "idTag": "A1B2C3D4",
    "idToken": "A1B2C3D4",
    "location": "https://files.example.org/upload",
    "url": "https://files.example.org/upload",
    "vendorId": "org.example",
    "key": "HeartbeatInterval",
}
_FORMATS = {"date-time": "2026-01-01T12:00:00Z", "uri": "https://files.example.org/upload"}


def sample(version: Version, operation: str) -> dict[str, Any]:
    """A payload that the request's schema allows."""
    return example(schema_of(operation, version))


def example(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An object that this official schema allows."""
    found: dict[str, Any] = _value("", schema, schema.get("definitions", {}))
    return found


def _value(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(name, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        properties = schema.get("properties", {})
        return {field: _value(field, properties[field], definitions) for field in schema.get("required", ())}
    if kind == "array":
        return [_value(name, schema["items"], definitions)] * schema.get("minItems", 1)
    return _plain(name, kind, schema)


def _plain(name: str, kind: str, schema: Mapping[str, Any]) -> Any:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    known = _NAMED.get(name)
    if kind == "string":
        text = known if isinstance(known, str) else "text"
        return text[: schema.get("maxLength", len(text))]
    if kind == "boolean":
        return True
    return max(schema.get("minimum", 1), known if isinstance(known, int) else 1)

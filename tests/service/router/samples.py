"""Requests made from the schemas (those of 1.5 are ours): the smallest that is valid, and one with every field."""

import json
from functools import cache
from importlib import resources
from typing import Any

from csms_ocpp.soap import schema as soap
from csms_ocpp.version import DIALECTS, Version

_TIME = "2026-01-01T12:00:00Z"


@cache
def _document(version: Version, action: str, *, send: bool) -> dict[str, Any]:
    dialect = DIALECTS[version]
    if version is Version.V1_5:
        return soap.document(version, action, "request")
    assert dialect.schemas is not None
    name = action + ("" if send else dialect.request_suffix)
    file = resources.files("ocpp") / dialect.schemas / "schemas" / f"{name}.json"
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8-sig"))
    return document


def smallest(version: Version, action: str, *, send: bool = False) -> Any:
    """The required fields only."""
    document = _document(version, action, send=send)
    return _value(document, document, "", full=False)


def fullest(version: Version, action: str, *, send: bool = False) -> Any:
    """Every field, at every depth."""
    document = _document(version, action, send=send)
    return _value(document, document, "", full=True)


def _value(schema: dict[str, Any], document: dict[str, Any], name: str, *, full: bool) -> Any:
    if "$ref" in schema:
        return _value(document["definitions"][schema["$ref"].rsplit("/", 1)[1]], document, name, full=full)
    if "enum" in schema:
        return schema["enum"][-1 if full else 0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {}) if full else schema.get("required", ())
            return {key: _value(schema["properties"][key], document, key, full=full) for key in wanted}
        case "array":
            length = min(schema.get("maxItems", 2), 2) if full else schema.get("minItems", 0)
            return [_value(schema["items"], document, name, full=full) for _ in range(length)]
        case "string":
            return _string(schema, name, full=full)
        case "integer":
            return int(schema.get("maximum", 7) if full else schema.get("minimum", 0))
        case "number":
            return schema.get("maximum", 1.5) if full else schema.get("minimum", 1)
        case "boolean":
            return full
        case _:
            return {"anything": 1}


def _string(schema: dict[str, Any], name: str, *, full: bool) -> str:
    if schema.get("format") == "date-time":
        return _TIME
    if schema.get("format") == "uri":
        return "https://example.com/"
    return "ü" * min(schema.get("maxLength", 50), 300) if full else "x"

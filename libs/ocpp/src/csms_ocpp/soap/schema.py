"""JSON schemas of a SOAP service's messages, from its tables: for 1.5, which has no official ones."""

from typing import Any

from csms_ocpp.catalog import Role
from csms_ocpp.soap.tables import Complex, Field, Service, Simple, Tables, tables
from csms_ocpp.version import Version

_DRAFT = "http://json-schema.org/draft-04/schema#"
_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "dateTime": {"type": "string", "format": "date-time"},
    "anyURI": {"type": "string"},
}


def document(version: Version, action: str, part: str) -> dict[str, Any]:
    """The schema (draft 4) of an action's "request" or "response", whoever asks it.

    An action that both ends ask (DataTransfer) has the same types in both services. Raises `KeyError` when the version
    has no such message.
    """
    suffix = "Response" if part == "response" else "Request"
    for role in (Role.CSMS, Role.STATION):
        known = tables(version, _asked_by(role))
        if action in known.operations:
            found = _object(known, known.complex[action + suffix])
            return {"$schema": _DRAFT, "title": action + suffix, **found}
    raise KeyError((version.value, action, part))


def _asked_by(role: Role) -> Service:
    return next(service for service in Service if service.asker is role)


def _object(known: Tables, type: Complex) -> dict[str, Any]:
    properties = {field.name: _property(known, field) for field in type.fields}
    required = [field.name for field in type.fields if field.required]
    if type.text:
        properties, required = {"value": _TYPES[type.text], **properties}, ["value", *required]
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    # Draft 4 wants at least one name in `required`.
    return made | {"required": required} if required else made


def _property(known: Tables, field: Field) -> dict[str, Any]:
    one = _simple(known.simple[field.type]) if field.type in known.simple else _object(known, known.complex[field.type])
    if not field.many:
        return one
    return {"type": "array", "items": one} | ({"minItems": 1} if field.required else {})


def _simple(type: Simple) -> dict[str, Any]:
    made = dict(_TYPES[type.base])
    if type.values:
        made["enum"] = list(type.values)
    if type.longest is not None:
        made["maxLength"] = type.longest
    return made

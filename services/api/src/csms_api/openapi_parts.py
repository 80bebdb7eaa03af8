"""Pieces of the OpenAPI document that several of its chapters use: errors, references, and schemas of newer drafts."""

from collections.abc import Mapping
from typing import Any

from csms_platform.resources import Document, described

ERROR = described("field", "errorCode", "errorDescription", "errorDetails", "outcome")

# Keywords that are not of JSON Schema, or that 2020-12 has no more.
_DROPPED = frozenset({"$schema", "$id", "id", "javaType", "comment", "additionalItems", "definitions", "title"})


def reference(name: str) -> Document:
    """A reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Document, example: Any = None, kind: str = "application/json") -> Document:
    """One media type of a body."""
    return {kind: {"schema": schema} | ({} if example is None else {"example": example})}


def error(description: str) -> Document:
    """A response that is an error."""
    return {"description": description, "content": content(reference("Error"))}


REFUSALS: Document = {
    "401": error("Credentials are needed, or wrong."),
    "403": error("The credentials do not have the scope."),
    "413": error("The body is too large."),
    "429": error("Too many requests, or too many commands wait for the station; see Retry-After."),
    "500": error("A fault of the central system."),
    "503": error("The station is offline, or the central system's bus or store is away."),
}
"""What every route may answer."""


def modern(schema: Any, namespace: str) -> Any:
    """A schema of draft 4 or 6 in the words of 2020-12; its definitions are components named `<namespace>.<name>`."""
    if isinstance(schema, list):
        return [modern(item, namespace) for item in schema]
    if not isinstance(schema, Mapping):
        return schema.replace("\r\n", "\n").strip() if isinstance(schema, str) else schema
    if "$ref" in schema:
        return reference(f"{namespace}.{schema['$ref'].rpartition('/')[2]}")
    return {key: _modern_value(key, value, namespace) for key, value in schema.items() if key not in _DROPPED}


def _modern_value(key: str, value: Any, namespace: str) -> Any:
    if key == "properties":
        return {name: modern(item, namespace) for name, item in value.items()}
    # Values of these are data, not schemas.
    return value if key in ("enum", "required", "default", "const") else modern(value, namespace)

"""The official JSON schemas, compiled once, and what a violation is called in each version.

The schemas are package data of the `ocpp` distribution; 1.5, which has none, gets its own from the types of its SOAP
services. A payload comes in as the bytes that travelled; the caller
keeps those bytes, and only the check looks inside.
"""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs
import msgspec

from csms_ocpp.catalog import Action, Role, actions
from csms_ocpp.errors import ErrorCode, Violation
from csms_ocpp.soap import schema as soap_schema
from csms_ocpp.version import DIALECTS, Dialect, Version

REQUEST = "request"
RESPONSE = "response"

_decode = msgspec.json.Decoder().decode

# What a violated schema keyword is called: which of the dialect's codes, or a code that all versions share.
_OCCURRENCE = frozenset({"required", "minItems", "maxItems", "minProperties", "maxProperties"})
_PROPERTY = frozenset(
    {"enum", "const", "format", "pattern", "maxLength", "minLength", "minimum", "maximum", "multipleOf",
     "exclusiveMinimum", "exclusiveMaximum", "uniqueItems"}
)  # fmt: skip


class Schema:
    """One compiled schema: `check(payload)` answers None, or the `Violation` in the dialect's words.

    Every version is compiled as draft 4, where 1.0 is not an integer (2.x's draft 6 would let it pass): what passes
    here decodes into an `int`, and we never send an integer as `0.0`. The schemas use no keyword on which the drafts
    differ otherwise.
    """

    __slots__ = ("_dialect", "_validator", "accepts_empty")

    def __init__(self, dialect: Dialect, document: dict[str, Any]) -> None:
        self._dialect = dialect
        self._validator = jsonschema_rs.Draft4Validator(document, validate_formats=True, offline=True)
        self.accepts_empty = self._validator.is_valid({})

    def check(self, payload: bytes | msgspec.Raw) -> Violation | None:
        """Why `payload` (JSON text) is refused, or None. Never raises, whatever the bytes are."""
        if self.accepts_empty and len(payload) == 2 and bytes(payload) == b"{}":
            return None
        try:
            value = _decode(payload)
            if type(value) is dict:
                return None if self._validator.is_valid(value) else self._explain(value)
        except (ValueError, RecursionError) as error:
            return _unreadable(self._dialect, error)
        return _not_an_object(self._dialect)

    def _explain(self, value: dict[str, Any]) -> Violation | None:
        for error in self._validator.iter_errors(value):
            rule = error.kind.name
            if rule == "format" and _is_iso_8601(value, error.instance_path):
                continue
            where = ".".join(str(step) for step in error.instance_path)
            sentence = f"{where}: {error.message}" if where else error.message
            return Violation(self._code(rule), sentence[:255], rule, where)
        return None

    def _code(self, rule: str) -> str:
        if rule in _OCCURRENCE:
            return self._dialect.occurrence_violation
        if rule in _PROPERTY:
            return ErrorCode.PROPERTY_CONSTRAINT_VIOLATION
        return ErrorCode.TYPE_CONSTRAINT_VIOLATION if rule == "type" else self._dialect.formation_violation


def check_shape(payload: bytes | msgspec.Raw, dialect: Dialect) -> Violation | None:
    """Why `payload` cannot be passed on even unvalidated: it is not JSON, or not an object. Never raises."""
    try:
        return None if type(_decode(payload)) is dict else _not_an_object(dialect)
    except (ValueError, RecursionError) as error:
        return _unreadable(dialect, error)


def _unreadable(dialect: Dialect, error: Exception) -> Violation:
    return Violation(dialect.formation_violation, f"Unreadable payload: {error}"[:255], "json", unreadable=True)


def _not_an_object(dialect: Dialect) -> Violation:
    return Violation(dialect.formation_violation, "The payload is not a JSON object.", "type", unreadable=True)


def _is_iso_8601(document: dict[str, Any], path: list[str | int]) -> bool:
    # The schemas' "date-time" is RFC 3339, which demands a zone; OCPP 1.6 §3.14 says ISO 8601, which does not, and
    # many stations in the field leave it out. Such a time is UTC.
    value: Any = document
    for step in path:
        value = value[step]
    try:
        return isinstance(value, str) and "T" in value and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def document(version: Version, action: str, part: str) -> dict[str, Any]:
    """The schema of an action's REQUEST or RESPONSE as `json.loads` would give it, errata applied.

    Raises `KeyError` when the version has no such message.
    """
    dialect, known = DIALECTS[version], actions()[action]
    if part not in _parts(known, version):
        raise KeyError((version.value, action, part))
    if dialect.schemas is None:
        return soap_schema.document(version, action, part)
    suffix = "Response" if part == RESPONSE else "" if known.send else dialect.request_suffix
    file = resources.files("ocpp") / dialect.schemas / "schemas" / f"{action}{suffix}.json"
    found: dict[str, Any] = _with_errata(_decode(file.read_text(encoding="utf-8-sig")))
    return found


def _parts(action: Action, version: Version) -> tuple[str, ...]:
    if not any(action.asked_by(role, version) for role in Role):
        return ()
    return (REQUEST,) if action.send else (REQUEST, RESPONSE)


@cache
def table(version: Version) -> dict[tuple[str, str], Schema]:
    """All schemas of `version` by (action, REQUEST or RESPONSE); compiled at the first call, about 30 ms a version.

    A SEND has a request only.
    """
    dialect = DIALECTS[version]
    return {
        (action.name, part): Schema(dialect, document(version, action.name, part))
        for action in actions().values()
        for part in _parts(action, version)
    }


def _with_errata(document: Any) -> Any:
    # OCPP 1.6 errata v4.0 §2.8: the unit is "Celsius"; the schema's "Celcius" stays accepted.
    if isinstance(document, dict):
        values = document.get("enum")
        if isinstance(values, list) and "Celcius" in values:
            return {**document, "enum": sorted({*values, "Celsius"})}
        return {key: _with_errata(item) for key, item in document.items()}
    return [_with_errata(item) for item in document] if isinstance(document, list) else document

"""Whether a path leads anywhere in a message of a version: what is misspelt is found before anything starts."""

from functools import cache
from typing import Any

from csms_emulator.messages import Kind
from csms_emulator.scenarios.conditions import Condition
from csms_emulator.scenarios.paths import Field, Item, Path, Those
from csms_emulator.scenarios.words import WordsError
from csms_ocpp.catalog import actions
from csms_ocpp.schemas import REQUEST, RESPONSE, document
from csms_ocpp.version import Version

_ERROR: dict[str, Any] = {"properties": {"code": {}, "description": {}}}


def check_action(action: str, version: Version, *, by: str = "") -> None:
    """The version has this action, asked by this end. Raises `ValueError`, with a sentence."""
    known = actions().get(action)
    if known is None or version not in known.station | known.csms:
        raise ValueError(f"{version} has no action {action}")
    if by and version not in (known.station if by == "station" else known.csms):
        raise ValueError(f"{action} is not sent by the {by} in {version}")


def check_paths(paths: tuple[Path, ...], action: str, kind: Kind, version: Version) -> None:
    """All of them lead somewhere, but those that begin with a variable. Raises `WordsError`."""
    schema = _ERROR if kind == "error" else _schema(version, action, RESPONSE if kind == "result" else REQUEST)
    for path in paths:
        if not path.variable:
            check_path(path, schema, f"{action}'s {kind}")


def check_condition(condition: Condition | None, action: str, kind: Kind, version: Version) -> None:
    """The same for a condition."""
    if condition:
        check_paths(condition.paths, action, kind, version)


def check_path(path: Path, schema: dict[str, Any], what: str) -> None:
    """It leads somewhere in what this JSON schema describes. Raises `WordsError`."""
    here: dict[str, Any] | None = schema
    for step in path.steps:
        if here is None:
            return
        here = _below(here, step, schema, what)


def _below(here: dict[str, Any], step: Field | Item | Those, root: dict[str, Any], what: str) -> dict[str, Any] | None:
    """What is described there; None where anything may be."""
    match step:
        case Field(name=name, column=column):
            properties = here.get("properties")
            if properties is None and "type" not in here:
                return None
            if properties is None or name not in properties:
                raise WordsError(f"{what} has no {name}{_among(properties)}", column)
            return _resolved(properties[name], root)
        case Item():
            return _resolved(here["items"], root) if "items" in here else None
        case Those(names=names):
            items = _resolved(here.get("items", {}), root)
            for path in names:
                if items and not path.variable:
                    check_path(path, {**items, "definitions": root.get("definitions", {})}, what)
            return items or None


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    found = schema
    while "$ref" in found:
        found = root.get("definitions", {}).get(found["$ref"].rpartition("/")[2], {})
    return found


def _among(properties: dict[str, Any] | None) -> str:
    return f", but {', '.join(sorted(properties))}" if properties else ""


@cache
def _schema(version: Version, action: str, part: str) -> dict[str, Any]:
    try:
        return document(version, action, part)
    except KeyError:
        raise ValueError(f"{action} has no answer in {version}") from None

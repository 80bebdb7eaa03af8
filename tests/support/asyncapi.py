"""docs/asyncapi.yaml as JSON Schemas, for messages as they are on the exchanges."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml  # type: ignore[import-untyped]

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"


@cache
def document() -> dict[str, Any]:
    """The whole document, decoded."""
    with FILE.open(encoding="utf-8") as file:
        found: dict[str, Any] = yaml.safe_load(file)
    return found


def complaints(name: str, message: object) -> list[str]:
    """What is wrong with a message by the schema `name`; nothing, when it is as documented."""
    return [f"{list(error.instance_path)}: {error.message}" for error in _validator(name).iter_errors(message)]


@cache
def _validator(name: str) -> jsonschema_rs.Draft7Validator:
    # AsyncAPI 3.0 §Schema Object: "a superset of the JSON Schema Specification Draft 07".
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema_rs.Draft7Validator(schema)

"""The OpenAPI 3.1 document, made of what each `Resource` says about its operations and of the shapes' own words."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.routing import BaseRoute

from csms_emulator.faults.troubles import Trouble
from csms_emulator.rest import shapes
from csms_emulator.rest.resource import Document, Resource
from csms_platform.resources import described

TITLE = "CSMS emulator"
VERSION = "1"
_TEMPLATE = "#/components/schemas/{name}"
_DESCRIPTION = """\
Charging stations that are not there: look at them, do what drivers and technicians do at them, and let things go wrong.

Where the emulator has a `control_token`, every request needs it as a bearer token. Every error is
`{"error": {"code": <HTTP status>, "message": "…"}}`.
"""
_ERROR = described("field", "outcome", "errorCode", "errorDescription")
_IDENTITY: Document = {
    "name": "identity",
    "in": "path",
    "required": True,
    "description": "The charging station; characters that are special in URLs are percent-encoded.",
    "schema": {"type": "string", "minLength": 1},
    "example": "EMU-00001",
}
_GATE = {401: "The token is needed, or wrong.", 403: "Not from a web page, or machine, from elsewhere."}


def operation(
    id: str,
    summary: str,
    answers: Mapping[int, tuple[str, Any]],
    *,
    tag: str,
    description: str = "",
    body: Document | None = None,
    query: Iterable[Document] = (),
    refusals: Mapping[int, str] | None = None,
) -> Document:
    """An operation object. `answers` are descriptions and media types; `refusals`: what else may go wrong."""
    described: Document = {"operationId": id, "tags": [tag], "summary": summary}
    described |= {"description": description} if description else {}
    described |= {"parameters": parameters} if (parameters := [*query]) else {}
    described |= {"requestBody": body} if body else {}
    answered = {
        str(status): {"description": text, **({"content": content} if content else {})}
        for status, (text, content) in answers.items()
    }
    refused = {str(status): _refusal(text) for status, text in (_GATE | dict(refusals or {})).items()}
    return described | {"responses": answered | refused}


def json(schema: Document, example: Any = None) -> Document:
    """The media type of a JSON body."""
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def reference(shape: type) -> Document:
    """The schema of one of `shapes.ALL`."""
    return {"$ref": _TEMPLATE.format(name=shape.__name__)}


def request(schema: Document, example: Any, *, required: bool) -> Document:
    """A request body; one that is not required may be empty, which stands for `{}`."""
    return {"required": required, "content": json(schema, example)}


def untagged(shape: type) -> Document:
    """The schema of a struct that its path names already: the field that tells its kind need not be there."""
    (_,), found = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    schema = _cleaned(found[shape.__name__])
    tag = shape.__struct_config__.tag_field  # type: ignore[attr-defined]
    del schema["properties"][tag]
    schema["required"] = [name for name in schema["required"] if name != tag]
    return schema if schema["required"] else {key: value for key, value in schema.items() if key != "required"}


def trouble() -> Document:
    """The schema of any trouble; its parts are components."""
    (schema,), _ = msgspec.json.schema_components([Trouble], ref_template=_TEMPLATE)
    return schema


def document(routes: Iterable[BaseRoute]) -> Document:
    """The document of those among `routes` that describe themselves."""
    _, components = msgspec.json.schema_components([*shapes.ALL, Trouble], ref_template=_TEMPLATE)
    schemas = {name: _cleaned(schema) for name, schema in components.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": _DESCRIPTION},
        "paths": {route.path: _item(route) for route in routes if isinstance(route, Resource)},
        "components": {
            "schemas": schemas | {"Error": _ERROR},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}, {}],
    }


def _item(resource: Resource) -> Document:
    item = {method.lower(): operation.described for method, operation in resource.operations.items()}
    return {**item, **({"parameters": [_IDENTITY]} if "{identity}" in resource.path else {})}


def _refusal(text: str) -> Document:
    return {"description": text, "content": json({"$ref": _TEMPLATE.format(name="Error")})}


def _cleaned(schema: Document) -> Document:
    """With the docstring as prose, and without the name that the component has anyway."""
    text = inspect.cleandoc(schema.get("description", ""))
    kept = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return {**({"description": text} if text else {}), **kept}

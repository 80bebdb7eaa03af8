"""The chapter of the OpenAPI document about `/api/v2`: made of what each `Resource` says about its operations."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.routing import BaseRoute

from csms_api.openapi_parts import REFUSALS, content, error, reference
from csms_api.v2 import shapes, specimens
from csms_api.v2.reading import MOST, USUAL
from csms_api.v2.resource import Resource
from csms_platform.resources import Document

_TEXT: Document = {"type": "string"}
_NAMES: dict[str, str] = {
    "identity": "The charging station; characters that are special in URLs are percent-encoded.",
    "id": "Which one.",
}
_EXAMPLES = {"identity": "CS-1"}
REPEATED: Document = {"type": "array", "items": _TEXT}
BOOLEAN: Document = {"type": "boolean"}
TIME: Document = {"type": "string", "format": "date-time"}


class Answer(NamedTuple):
    """A response with a body of `shape` (None: without one). `headers`: descriptions by name."""

    description: str
    shape: type | None = None
    headers: Mapping[str, str] = {}


def operation(
    id: str,
    summary: str,
    answers: Mapping[int, Answer],
    *,
    tag: str,
    description: str = "",
    query: Iterable[Document] = (),
    body: type | None = None,
    refusals: Mapping[int, str] | None = None,
) -> Document:
    """An operation object. `refusals`: what else may go wrong, besides what may go wrong everywhere."""
    described: Document = {"operationId": id, "tags": [tag], "summary": summary}
    if description:
        described["description"] = description
    if parameters := [*query]:
        described["parameters"] = parameters
    if body:
        described["requestBody"] = {"required": True, "content": _content(body)}
    answered = {str(status): _response(answer) for status, answer in answers.items()}
    refused = {str(status): error(text) for status, text in (refusals or {}).items()}
    return described | {"responses": answered | REFUSALS | refused}


def parameter(name: str, description: str, schema: Document = _TEXT, example: Any = None) -> Document:
    """A query parameter."""
    found = {"name": name, "in": "query", "description": description, "schema": schema}
    return found if example is None else found | {"example": example}


PAGE = (
    parameter("after", "The `next` of the page before."),
    parameter("limit", "At most so many.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
)


def wait(usual: float) -> Document:
    """The query parameter that says how long the request may wait for a command's outcome."""
    schema = {"type": "number", "minimum": 0, "maximum": 300, "default": usual}
    return parameter("wait", "Seconds to wait for the outcome; 0: answer 202 at once.", schema)


def paths(routes: Iterable[BaseRoute]) -> dict[str, Document]:
    """Path items by path, of those among `routes` that describe themselves."""
    return {route.path: _item(route) for route in routes if isinstance(route, Resource)}


def components() -> dict[str, Document]:
    """Schemas by name."""
    _, found = msgspec.json.schema_components(shapes.ALL, ref_template="#/components/schemas/{name}")
    return found


def _item(resource: Resource) -> Document:
    item: Document = {
        method.lower(): operation.described
        | {"description": f"{operation.described.get('description', '')}\n\nScope: `{operation.scope}`.".strip()}
        for method, operation in resource.operations.items()
    }
    if named := [segment[1:-1] for segment in resource.path.split("/") if segment[:1] == "{"]:
        item["parameters"] = [_named(name) for name in named]
    return item


def _named(name: str) -> Document:
    schema = {"type": "string", "minLength": 1}
    found = {"name": name, "in": "path", "required": True, "description": _NAMES[name], "schema": schema}
    return found | ({"example": _EXAMPLES[name]} if name in _EXAMPLES else {})


def _response(answer: Answer) -> Document:
    found: Document = {"description": answer.description}
    if answer.headers:
        found["headers"] = {name: {"description": text, "schema": _TEXT} for name, text in answer.headers.items()}
    return found | ({"content": _content(answer.shape)} if answer.shape else {})


def _content(shape: type) -> Document:
    return content(reference(shape.__name__), specimens.BY_SHAPE.get(shape.__name__))

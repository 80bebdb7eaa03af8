"""The chapter of the OpenAPI document about commands: a path for each operation, with the schemas of its versions.

An operation of several versions takes any of their payloads: the station's version decides which one is right.
"""

from typing import Any

from csms_api.openapi_parts import REFUSALS, content, error, modern, reference
from csms_api.operations import SOAP, VERSIONS, Speech, names, operations, spoken
from csms_api.samples import sample
from csms_ocpp import schemas
from csms_ocpp.soap.namespaces import VERSIONS as SOAP_VERSIONS
from csms_ocpp.version import DIALECTS, Version
from csms_platform.resources import Document

PATH = "/api/v1/ChargePoint/{identity}/"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_IDENTITY: Document = {
    "name": "identity",
    "in": "path",
    "required": True,
    "description": "The charging station.",
    "schema": {"type": "string", "minLength": 1},
    "example": "CS-1",
}
_QUERY: Document = {
    "name": "payload",
    "in": "query",
    "description": "The payload's fields: `name=…`, `name[part]=…`, `name[0][part]=…`, or JSON text for an object.",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
_ANSWERS: Document = REFUSALS | {
    "400": error("The payload is not what the operation's schema allows; the message says which field, and why."),
    "404": error("There is no such station, or what it speaks does not have the operation."),
    "409": error("The command was refused by a policy."),
    "415": error("The body is neither JSON nor a form."),
    "502": error("The station answered with a CALLERROR: errorCode, errorDescription and errorDetails are beside."),
    "504": error("The station did not answer in time."),
}


def paths() -> dict[str, Document]:
    """Path items by path."""
    return {PATH + name: _item(name) for name in sorted(names())}


def components() -> dict[str, Document]:
    """Schemas by name: `<version>.<Action>Request`, `<version>.<Action>Response`, and what they refer to."""
    found: dict[str, Document] = {}
    for version in VERSIONS:
        for name in operations(version):
            for part in (schemas.REQUEST, schemas.RESPONSE):
                found.update(_components(version, name, part))
    return dict(sorted(found.items()))


def _components(version: Version, name: str, part: str) -> dict[str, Document]:
    document = schemas.document(version, name, part)
    types = {f"{version}.{key}": modern(kind, version) for key, kind in document.get("definitions", {}).items()}
    return {_name(version, name, part): modern(document, version)} | types


def _name(version: Version, operation: str, part: str) -> str:
    return f"{version}.{operation}{part.capitalize()}"


def _item(name: str) -> Document:
    having = [version for version in VERSIONS if name in operations(version)]
    numbers = ", ".join(_number(version, name) for version in having)
    answer = {
        "description": "The station's answer, as it came.",
        "content": content(_any(having, name, schemas.RESPONSE)),
    }
    described = {
        "tags": ["Charging stations"],
        "summary": name,
        "description": f"OCPP {numbers}.",
        "responses": {"200": answer} | _ANSWERS,
    }
    post = {"operationId": name, **described, "requestBody": _body(name, having)}
    get = {"operationId": f"{name}ByQuery", **described, "parameters": [_QUERY]}
    return {"parameters": [_IDENTITY], "post": post, "get": get}


def _number(version: Version, name: str) -> str:
    soap = version not in SOAP_VERSIONS or name in spoken(Speech(version, SOAP))
    return DIALECTS[version].number + ("" if soap else " (not over SOAP)")


def _body(name: str, having: list[Version]) -> Document:
    request = _any(having, name, schemas.REQUEST)
    examples = {version.value: {"value": sample(version, name)} for version in having}
    kinds: dict[str, Any] = {"application/json": {"schema": request, "examples": examples}}
    return {"content": kinds | {kind: {"schema": {"type": "object"}} for kind in _FORMS}}


def _any(having: list[Version], name: str, part: str) -> Document:
    described = [reference(_name(version, name, part)) for version in having]
    return described[0] if len(described) == 1 else {"anyOf": described}

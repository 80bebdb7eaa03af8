"""The OpenAPI 3.1 document: what FastAPI knows about its routes, and what the catalog and the official schemas say.

Built once, the same bytes every time.
"""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from csms_api import openapi_commands, openapi_lists
from csms_api.openapi_parts import ERROR, error
from csms_api.v2 import describing
from csms_platform.resources import Document

_DESCRIPTION = """\
Ask charging stations, and list what is known about them.

Every error is `{"error": {"code": <HTTP status>, "message": "…"}}`. Credentials are HTTP Basic or a bearer token (an
API key or an OAuth 2.0 access token) with the scope `read`, `command` or `admin`.
"""
_SECURITY = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or an OAuth 2.0 access token (JWT)."},
}


def encoded(app: FastAPI) -> bytes:
    """The document of `app` as JSON, kept with it."""
    if not hasattr(app.state, "openapi"):
        app.state.openapi = msgspec.json.encode(document(app))
    found: bytes = app.state.openapi
    return found


def document(app: FastAPI) -> Document:
    """The document of `app`."""
    made = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=_DESCRIPTION, routes=app.routes
    )
    schemas, paths = made.setdefault("components", {}).setdefault("schemas", {}), made["paths"]
    for described in paths.values():
        _with_our_errors(described)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    paths.update(openapi_lists.paths() | describing.paths(app.routes) | openapi_commands.paths())
    schemas.update({"Error": ERROR} | openapi_commands.components() | openapi_lists.components())
    schemas.update(describing.components())
    made["components"]["securitySchemes"] = _SECURITY
    made["security"] = [{name: []} for name in _SECURITY]
    return made


def _with_our_errors(path: dict[str, Any]) -> None:
    for operation in path.values():
        if "responses" in operation and "422" in operation["responses"]:
            operation["responses"]["422"] = error("The request does not have the form that is described here.")

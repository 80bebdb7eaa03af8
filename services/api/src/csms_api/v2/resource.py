"""A resource of `/api/v2`: one path, an operation for each method, and the words that describe them in OpenAPI.

Paths are split before they are decoded, as station URLs are: `EM%2FA` is the one segment `EM/A`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from csms_api.auth import permit
from csms_api.errors import ApiError
from csms_api.openapi_parts import Document
from csms_api.routes.plain import Endpoint, Plain

PREFIX = "/api/v2"
_encode = msgspec.json.Encoder().encode


class Operation(NamedTuple):
    """What a method does, for whom (a scope of `auth`), and its description."""

    handle: Endpoint
    scope: str
    described: Document


class Resource(Plain):
    """Answers `operations` (by method) at `path`, whose `{names}` stand for one segment each."""

    def __init__(self, path: str, **operations: Operation) -> None:
        super().__init__(PREFIX + path, self._answer, *operations)
        self.operations: Mapping[str, Operation] = operations
        self._template = self.path.split("/")

    async def _answer(self, request: Request) -> Response:
        operation = self.operations[request.method]
        permit(request, operation.scope)
        return await operation.handle(request)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route.matches`, but by the path as it was sent."""
        found = self._parameters(scope) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        match = Match.FULL if scope["method"] in self.operations else Match.PARTIAL
        return match, {"endpoint": self.endpoint, "path_params": found, "route": self}

    def _parameters(self, scope: Scope) -> dict[str, str] | None:
        segments = (scope.get("raw_path") or quote(scope["path"]).encode()).split(b"/")
        if len(segments) != len(self._template):
            return None
        found: dict[str, str] = {}
        for expected, segment in zip(self._template, segments, strict=True):
            text = _decoded(segment)
            if expected[:1] == "{" and text:
                found[expected[1:-1]] = text
            elif expected != text:
                return None
        return found


def _decoded(segment: bytes) -> str | None:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None


def location(*segments: str) -> str:
    """The path of a resource, each segment encoded."""
    return "/".join((PREFIX, *(quote(segment, safe="") for segment in segments)))


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(_encode(value), status, headers, media_type="application/json")


def created(value: Any, where: str, *, new: bool = True) -> Response:
    """201 with the resource and its path when it is new, 200 when it was there."""
    return answer(value, 201, {"Location": where}) if new else answer(value)


def nothing() -> Response:
    """204."""
    return Response(status_code=204)


def unknown(what: str, id: str) -> ApiError:
    """404 that names what is not there."""
    return ApiError(404, f"There is no {what} {id[:50]}.")

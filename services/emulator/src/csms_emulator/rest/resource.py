"""A resource: one path, an operation for each method, and the words that describe them in OpenAPI.

Paths are split before they are decoded, as station URLs are: `EM%2FA` is the one segment `EM/A`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

PREFIX = "/emulator"
Endpoint = Callable[[Request], Awaitable[Response]]
Document = dict[str, Any]
_encode = msgspec.json.Encoder().encode


class Operation(NamedTuple):
    """What a method does, and its description."""

    handle: Endpoint
    described: Document


class Resource(Route):
    """Answers `operations` (by method) at `path`, whose `{names}` stand for one segment each."""

    def __init__(self, path: str, **operations: Operation) -> None:
        super().__init__(PREFIX + path, self._answer, include_in_schema=False)
        self.methods = {*operations}
        self.operations: Mapping[str, Operation] = operations
        self._template = self.path.split("/")

    async def _answer(self, request: Request) -> Response:
        return await self.operations[request.method].handle(request)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route.matches`, but by the path as it was sent."""
        found = self._parameters(scope) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        match = Match.FULL if scope["method"] in self.operations else Match.PARTIAL
        return match, {"endpoint": self.endpoint, "path_params": found}

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


def answer(value: Any) -> Response:
    """`value` as JSON."""
    return Response(_encode(value), media_type="application/json")


def nothing() -> Response:
    """204."""
    return Response(status_code=204)

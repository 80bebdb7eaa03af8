"""What the HTTP APIs of services share: paths of segments, answers in JSON, and errors of one shape.

Paths are split before they are decoded, as station URLs are: `EM%2FA` is the one segment `EM/A`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

Document = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Segmented(Route):
    """A route whose path has `{names}` that stand for one segment each; the ones found are `path_params`."""

    def __init__(self, path: str, endpoint: Any, *methods: str) -> None:
        super().__init__(path, endpoint, include_in_schema=False)
        # As they are: Starlette would add HEAD to every GET.
        self.methods = {*methods}
        self._template = self.path.split("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route.matches`, but by the path as it was sent."""
        found = self._parameters(scope) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        match = Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL
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


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(_encode(value), status, headers, media_type="application/json")


def nothing() -> Response:
    """204."""
    return Response(status_code=204)


# --- errors: always {"error": {"code": <HTTP status>, "message": "…", …}} under the same status -----------------------


class ApiError(HTTPException):
    """A status and a sentence; `more` are further members of the error object."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.more = more


def refusal(
    status: int, message: str, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
) -> Response:
    """The response that says no."""
    return answer({"error": {"code": status, "message": message, **(more or {})}}, status, headers)


def respond(error: HTTPException) -> Response:
    """The response that tells `error`."""
    more = error.more if isinstance(error, ApiError) else {}
    return refusal(error.status_code, str(error.detail), error.headers, more)


async def told(_: Request, error: Exception) -> Response:
    """The handler of `HTTPException`."""
    assert isinstance(error, HTTPException)
    return respond(error)


def described(*members: str) -> Document:
    """The schema of an error in OpenAPI, with those of its members that an API uses."""
    always = {
        "code": {"type": "integer", "description": "The HTTP status."},
        "message": {"type": "string", "description": "What is wrong, in a sentence."},
    }
    error = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {**always, **{name: _MEMBERS[name] for name in members}},
    }
    return {"type": "object", "required": ["error"], "properties": {"error": error}}


_MEMBERS: Document = {
    "field": {"type": "string", "description": "Which field or parameter is wrong."},
    "outcome": {"type": "string", "description": "How the CALL ended."},
    "errorCode": {"type": "string", "description": "The CALLERROR of whoever was asked."},
    "errorDescription": {"type": "string"},
    "errorDetails": {"description": "Whatever they said besides."},
}

"""How the emulator says no: always `{"error": {"code": <HTTP status>, "message": "…", …}}` under the same status.

The shape is that of the central system's own API, so that one client understands both.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


class ApiError(HTTPException):
    """A status and a sentence; `more` are further members of the error object."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.more = more


def respond(error: HTTPException) -> Response:
    """The response that tells `error`."""
    more = error.more if isinstance(error, ApiError) else {}
    return _response(error.status_code, str(error.detail), error.headers, more)


def _response(
    status: int, message: str, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
) -> Response:
    body = _encode({"error": {"code": status, "message": message, **(more or {})}})
    return Response(body, status, headers, media_type="application/json")


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return respond(error)


async def _bug(_: Request, error: Exception) -> Response:
    return _response(500, "The emulator failed to answer; its log says why.")


HANDLERS: dict[int | type[Exception], Any] = {HTTPException: _told, Exception: _bug}

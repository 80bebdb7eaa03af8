"""How the API says no: always `{"error": {"code": <HTTP status>, "message": "…", …}}` under the same status.

ApiError            raised by ours: a status, a sentence, and members beside them
HTTPException       the framework's 404 and 405, told in the same shape; `ApiError` is one
RequestValidationError   422 with the first field that is wrong
Unavailable         503: a store is away
anything else       500: a bug of ours, logged with its traceback by the server
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from csms_platform.ports import Unavailable

_encode = msgspec.json.Encoder().encode
_RETRY_SOON = {"Retry-After": "2"}


class ApiError(HTTPException):
    """`more` are further members of the error object."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.more = more


def unavailable(message: str) -> ApiError:
    """503: something of ours is away; the client may try again soon."""
    return ApiError(503, message, headers=_RETRY_SOON)


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


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return _response(422, f"{where}: {first['msg']}")


async def _away(_: Request, error: Exception) -> Response:
    return respond(unavailable("The central system's store is away; try again soon."))


async def _bug(_: Request, error: Exception) -> Response:
    return _response(500, "The central system failed to answer; its log says why.")


HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: _told,
    RequestValidationError: _invalid,
    Unavailable: _away,
    Exception: _bug,
}

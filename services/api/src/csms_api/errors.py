"""How the API says no: always `{"error": {"code": <HTTP status>, "message": "…", …}}` under the same status.

ApiError            raised by ours: a status, a sentence, and members beside them
HTTPException       the framework's 404 and 405, told in the same shape; `ApiError` is one
RequestValidationError   422 with the first field that is wrong
Unavailable         503: a store is away
anything else       500: a bug of ours, logged with its traceback by the server
"""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from csms_platform.ports import Unavailable
from csms_platform.resources import ApiError, refusal, respond, told

__all__ = ["HANDLERS", "ApiError", "respond", "unavailable"]

_RETRY_SOON = {"Retry-After": "2"}


def unavailable(message: str) -> ApiError:
    """503: something of ours is away; the client may try again soon."""
    return ApiError(503, message, headers=_RETRY_SOON)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return refusal(422, f"{where}: {first['msg']}")


async def _away(_: Request, error: Exception) -> Response:
    return respond(unavailable("The central system's store is away; try again soon."))


async def _bug(_: Request, error: Exception) -> Response:
    return refusal(500, "The central system failed to answer; its log says why.")


HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: told,
    RequestValidationError: _invalid,
    Unavailable: _away,
    Exception: _bug,
}

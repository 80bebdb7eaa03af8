"""How the emulator says no: in the shape of the central system's own API, so that one client understands both."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from csms_platform.resources import ApiError, refusal, respond, told

__all__ = ["HANDLERS", "ApiError", "respond"]


async def _bug(_: Request, error: Exception) -> Response:
    return refusal(500, "The emulator failed to answer; its log says why.")


HANDLERS: dict[int | type[Exception], Any] = {HTTPException: told, Exception: _bug}

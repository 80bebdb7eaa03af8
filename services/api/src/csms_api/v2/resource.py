"""A resource of `/api/v2`: one path, an operation for each method, and the words that describe them in OpenAPI."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import permit
from csms_api.errors import ApiError
from csms_api.routes.plain import Endpoint
from csms_platform.resources import Document, Segmented, answer, nothing

__all__ = ["PREFIX", "Operation", "Resource", "answer", "created", "location", "nothing", "unknown"]

PREFIX = "/api/v2"


class Operation(NamedTuple):
    """What a method does, for whom (a scope of `auth`), and its description."""

    handle: Endpoint
    scope: str
    described: Document


class Resource(Segmented):
    """Answers `operations` (by method) at `path`, whose `{names}` stand for one segment each."""

    def __init__(self, path: str, **operations: Operation) -> None:
        super().__init__(PREFIX + path, self._answer, *operations)
        self.operations: Mapping[str, Operation] = operations

    async def _answer(self, request: Request) -> Response:
        operation = self.operations[request.method]
        permit(request, operation.scope)
        return await operation.handle(request)


def location(*segments: str) -> str:
    """The path of a resource, each segment encoded."""
    return "/".join((PREFIX, *(quote(segment, safe="") for segment in segments)))


def created(value: Any, where: str, *, new: bool = True) -> Response:
    """201 with the resource and its path when it is new, 200 when it was there."""
    return answer(value, 201, {"Location": where}) if new else answer(value)


def unknown(what: str, id: str) -> ApiError:
    """404 that names what is not there."""
    return ApiError(404, f"There is no {what} {id[:50]}.")

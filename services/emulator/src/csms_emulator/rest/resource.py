"""A resource: one path, an operation for each method, and the words that describe them in OpenAPI."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from csms_platform.resources import Document, Segmented, answer, nothing

__all__ = ["PREFIX", "Document", "Operation", "Resource", "answer", "nothing"]

PREFIX = "/emulator"
Endpoint = Callable[[Request], Awaitable[Response]]


class Operation(NamedTuple):
    """What a method does, and its description."""

    handle: Endpoint
    described: Document


class Resource(Segmented):
    """Answers `operations` (by method) at `path`, whose `{names}` stand for one segment each."""

    def __init__(self, path: str, **operations: Operation) -> None:
        super().__init__(PREFIX + path, self._answer, *operations)
        self.operations: Mapping[str, Operation] = operations

    async def _answer(self, request: Request) -> Response:
        return await self.operations[request.method].handle(request)

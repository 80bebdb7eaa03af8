"""Routes without models: a request in, a response out, as quick as the framework allows."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

Endpoint = Callable[[Request], Awaitable[Response]]


class Plain(Route):
    """Answers exactly these methods: a HEAD must not do what some of our GETs do. Not in the generated document."""

    def __init__(self, path: str, endpoint: Endpoint, *methods: str) -> None:
        super().__init__(path, endpoint, include_in_schema=False)
        self.methods = set(methods)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route.matches`; the request remembers which route it was, as those of FastAPI do."""
        match, found = super().matches(scope)
        if match is not Match.NONE:
            found["route"] = self
        return match, found

"""The W3C trace context of a request: commands that it brings about belong to the client's trace."""

from contextvars import ContextVar
from typing import Any

TRACEPARENT: ContextVar[str] = ContextVar("traceparent", default="")
LONGEST = 128


class Traced:
    """ASGI middleware: keeps the header `traceparent` for as long as the request is served."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] == "http":
            found = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
            # Only what was sent: an earlier request on this connection had a context of its own.
            TRACEPARENT.set(found[:LONGEST].decode("latin-1"))
        await self._app(scope, receive, send)

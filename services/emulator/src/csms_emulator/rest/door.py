"""Who may ask the emulator: whoever shows the token; or, where there is none, this machine alone.

Web pages from elsewhere may not, whatever a browser that shows them can reach.
"""

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from csms_emulator.rest.errors import ApiError, respond
from csms_emulator.rest.resource import PREFIX

PUBLIC = (f"{PREFIX}/docs", f"{PREFIX}/openapi.json")
"""What needs no token, and what is below it; nor does the way there."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address; a name other than localhost counts as reachable."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Door:
    """ASGI middleware around the application. `token` is "" where only this machine can ask."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = _digest(token) if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._admit(Headers(scope=scope), scope["path"])
        except ApiError as error:
            return await respond(error)(scope, receive, send)
        await self._app(scope, receive, send)

    def _admit(self, headers: Headers, path: str) -> None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin and origin.partition("://")[2] != host:
            raise ApiError(403, f"Pages from {origin} may not use this API.")
        if self._token:
            if path != PREFIX and not path.startswith(PUBLIC):
                self._identify(headers.get("authorization", ""))
        elif not is_loopback(_hostname(host)):
            # A name that leads here from outside (DNS rebinding) must not open what is open to this machine only.
            raise ApiError(403, f"The emulator is open to this machine only, not as {host!r}.")

    def _identify(self, header: str) -> None:
        scheme, _, shown = header.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(_digest(shown.strip()), self._token):
            challenge = {"WWW-Authenticate": 'Bearer realm="csms emulator"'}
            raise ApiError(401, "The emulator's control_token is needed, as a bearer token.", headers=challenge)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""

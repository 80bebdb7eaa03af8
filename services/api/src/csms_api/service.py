"""The API as a service: an ASGI application on the process's port, and an address where outcomes arrive.

It keeps nothing: stations, transactions and commands are in the stores, and any number of API processes serve them.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from csms_api.app import application
from csms_api.asking import Asking
from csms_api.auth import Openness, authenticator, openness
from csms_api.context import Context
from csms_api.jwks import FetchedKeys
from csms_api.jwt import Keys, Tokens, algorithms, fixed_keys
from csms_api.live import Live
from csms_api.settings import Settings
from csms_ocpp import schemas
from csms_ocpp.version import Version
from csms_platform.logging import get_logger
from csms_platform.ports import Ports, api_address

log = get_logger("api")


@asynccontextmanager
async def service(
    ports: Ports, settings: Settings, *, listen_host: str, now: Callable[[], float] = time.time
) -> AsyncIterator[None]:
    """Serves the API while inside. Leaving takes no more commands, waits for those under way, and ends streams.

    `listen_host` is where the process listens: elsewhere than on loopback credentials are needed. `now` is in seconds
    since 1970. Raises `SettingsError`.
    """
    access = openness(settings, listen_host)
    door = await authenticator(settings, _tokens(settings, now))
    _tell(access, settings, listen_host)
    for version in Version:
        schemas.table(version)  # compiled now, and not while the first client waits
    address = api_address(uuid4().hex[:12])
    asking = Asking(ports.bus, address, now, settings.log_commands)
    context = Context(ports, settings, asking, now, Live(ports.events, settings.listeners))
    await ports.bus.subscribe(address, asking.hear)
    ports.serve(application(context, access, door), "/")
    try:
        yield
    finally:
        context.leaving.set()
        await context.live.close(settings.drain_seconds)
        await asking.leave(settings.drain_seconds)
        # Without a broker nothing arrives any more anyway.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ports.bus.unsubscribe(address), settings.drain_seconds)


def _tokens(settings: Settings, now: Callable[[], float]) -> Tokens | None:
    if settings.jwt is None:
        return None
    algorithms(settings.jwt)
    keys: Keys | None = fixed_keys(settings.jwt)
    return Tokens(settings.jwt, keys or FetchedKeys(settings.jwt.jwks_url, settings.jwt.jwks_seconds), now)


def _tell(access: Openness, settings: Settings, listen_host: str) -> None:
    if access.local:
        log.info("the API is open without credentials, because only this machine reaches it", host=listen_host)
    elif access.open:
        log.warning("the API is open to everybody who reaches it", host=listen_host, insecure=settings.insecure)
    if settings.jwt and settings.jwt.jwks_url.startswith("http://"):
        log.warning("keys of access tokens are fetched without TLS", url=settings.jwt.jwks_url)

"""The emulator's HTTP side as a service: entering serves it, leaving ends what it streams."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from csms_emulator.rest.app import application
from csms_emulator.rest.door import is_loopback
from csms_emulator.rest.register import Register
from csms_emulator.rest.resource import PREFIX
from csms_platform.logging import get_logger
from csms_platform.ports import AsgiApp

_log = get_logger("emulator")


def may_serve(token: str, listen_host: str) -> bool:
    """Whether it is safe: there is a token, or only this machine can ask."""
    return bool(token) or is_loopback(listen_host)


@asynccontextmanager
async def control(
    register: Register, *, serve: Callable[[AsgiApp, str], None], token: str, listen_host: str
) -> AsyncIterator[None]:
    """Serve the stations of `register` while inside, if that is safe where the process listens; else say so."""
    if may_serve(token, listen_host):
        epoch = time.time() - asyncio.get_running_loop().time()
        serve(application(register, epoch, token), PREFIX)
    else:
        _log.warning("stations cannot be operated over HTTP: others reach this port, and there is no control_token")
    try:
        yield
    finally:
        register.close()

"""The emulator as `csms` starts it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from csms_emulator.service import service
from csms_emulator.settings import Settings


@asynccontextmanager
async def emulated(url: str, **fields: Any) -> AsyncIterator[None]:
    """The service, and afterwards proof that its task has ended without an error."""
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        tasks.append(asyncio.create_task(work, name=name))

    async with service(Settings(**{"url": url, "count": 1, "ramp": 0.0, "connectors": 1, **fields}), spawn=spawn):
        yield
    async with asyncio.timeout(1):
        await asyncio.gather(*tasks)

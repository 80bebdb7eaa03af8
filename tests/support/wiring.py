"""Ports for one service under test: one process's ends of an exchange in memory, and real stores."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from csms_platform.bus import Doors
from csms_platform.ports import AsgiApp, Bus, Ports, ProtocolFactory
from csms_platform.state import Stores


def nothing_to_mount(prefix: str, factory: ProtocolFactory) -> None:
    """For services that mount nothing."""
    raise AssertionError(f"nobody mounts {prefix} here")


def nothing_to_serve(app: AsgiApp, path: str) -> None:
    """For services without HTTP of their own."""
    raise AssertionError("nobody serves HTTP here")


def ports(
    doors: Doors,
    stores: Stores | None = None,
    *,
    tasks: list[asyncio.Task[None]],
    bus: Bus | None = None,
    mount: Callable[[str, ProtocolFactory], None] = nothing_to_mount,
    serve: Callable[[AsgiApp, str], None] = nothing_to_serve,
    **instead: Any,
) -> Ports:
    """What `runtime` would pass; what is spawned is appended to `tasks`. Without `stores` there are none.

    `bus` takes the place of the one in `doors`, and a keyword with a store's name that of the one in `stores`.
    """

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        tasks.append(asyncio.create_task(work, name=name))

    names = ("sessions", "stations", "tags", "transactions", "commands", "deliveries")
    found = {name: instead.get(name) or getattr(stores, name, None) for name in names}
    return Ports(
        bus=bus or doors.bus,
        events=doors.events,
        orders=doors.orders,
        spool=doors.spool,
        spawn=spawn,
        mount=mount,
        serve=serve,
        **found,
    )

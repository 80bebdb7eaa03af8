"""Opens the ports, starts services in order, waits for a signal, and drains them in reverse under one deadline.

Nobody else touches signals, ports or the event loop. A background task that dies takes the process with it.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import uvloop

from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.http import Front, tls_context
from csms_platform.logging import get_logger
from csms_platform.ports import Ports, Service
from csms_platform.state import open_stores

log = get_logger("runtime")


class LogSettings(msgspec.Struct, frozen=True):
    """`[log]`: level is debug, info, warning or error; format is json, text or auto (text on a terminal)."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class StateSettings(msgspec.Struct, frozen=True):
    """`[state]`: where sessions, stations, tags and transactions are kept."""

    url: str = "memory://"


class ListenSettings(msgspec.Struct, frozen=True):
    """Where the process listens, and how long it may take to leave.

    With `tls_certificate` and `tls_key` (PEM files) the port speaks TLS 1.2 or newer; with `tls_client_ca` it asks
    stations for certificates signed by that authority (security profile 3).
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9220
    drain_seconds: float = 25.0
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""


class Part(NamedTuple):
    """A service to run. Services with `after_listening` start when the port is open, and leave before it closes."""

    name: str
    start: Callable[[Ports], Service]
    after_listening: bool = False


class Plan(NamedTuple):
    """Everything a process needs. `stores` is False for services that may not touch the store.

    Without `listen` the process opens no port: it is a client only, and has no HTTP.
    """

    parts: Sequence[Part]
    listen: ListenSettings | None
    bus: BusSettings
    state: StateSettings
    data: Path | None = None
    stores: bool = True


def run(plan: Plan) -> int:
    """Run until a signal or a failure; answers the exit code."""
    return uvloop.run(_Process(plan).live())


class _Process:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stop = asyncio.Event()
        self._exit = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def live(self) -> int:
        self._catch_signals()
        async with AsyncExitStack() as stack:
            await self._start(stack)
            gc.collect()
            gc.freeze()  # what exists now stays: leave it out of every later collection
            await self._stop.wait()
            log.info("stopping")
            try:
                async with asyncio.timeout(self._patience()):
                    await stack.pop_all().aclose()
            except TimeoutError:
                log.error("draining took too long", seconds=self._patience())
                self._exit = 1
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        log.info("stopped")
        return self._exit

    async def _start(self, stack: AsyncExitStack) -> None:
        plan = self._plan
        stores: Any = _NoStores()
        if plan.stores:
            stores = await stack.enter_async_context(open_stores(plan.state.url, data=plan.data))
        doors = await stack.enter_async_context(open_doors(plan.bus, data=plan.data))
        checks: dict[str, Any] = {"bus": _answered(lambda: doors.bus.connected)}
        if plan.stores:
            checks["state"] = stores.ready
        front = Front(checks)
        # After the services have left, which ends what they stream; before the ports that answers may need close.
        stack.push_async_callback(front.answered)
        ports = self._ports(doors, stores, front, checks)
        for part in plan.parts:
            if not part.after_listening:
                await stack.enter_async_context(part.start(ports))
        if plan.listen:
            await self._listen(stack, front, plan.listen)
        for part in plan.parts:
            if part.after_listening:
                await stack.enter_async_context(part.start(ports))

    def _ports(self, doors: Doors, stores: Any, front: Front, checks: dict[str, Any]) -> Ports:
        return Ports(
            bus=doors.bus,
            events=doors.events,
            orders=doors.orders,
            spool=doors.spool,
            sessions=stores.sessions,
            stations=stores.stations,
            tags=stores.tags,
            transactions=stores.transactions,
            commands=stores.commands,
            deliveries=stores.deliveries,
            spawn=self._spawn,
            mount=front.mount,
            serve=front.serve,
            checks=checks,
        )

    async def _listen(self, stack: AsyncExitStack, front: Front, listen: ListenSettings) -> None:
        tls = tls_context(listen.tls_certificate, listen.tls_key, listen.tls_client_ca)
        port = await stack.enter_async_context(front.listen(listen.host, listen.port, tls))
        at, secure = f"[{listen.host}]:{port}" if ":" in listen.host else f"{listen.host}:{port}", "s" if tls else ""
        stations = [f"ws{secure}://{at}{prefix}<identity>" for prefix in front.prefixes]
        log.info("listening", host=listen.host, port=port, services=" ".join(part.name for part in self._plan.parts))
        log.info("addresses", stations=", ".join(stations) or "none", health=f"http{secure}://{at}/readyz")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a background task died", task=task.get_name(), exc_info=error)
            self._exit = 1
            self._stop.set()

    def _patience(self) -> float:
        return self._plan.listen.drain_seconds if self._plan.listen else 25.0

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set() and number is not signal.SIGQUIT:
            os._exit(128 + number)  # asked twice: leave now
        self._stop.set()


class _NoStores:
    """Stands where the stores would be in a process that may not have any."""

    def __getattr__(self, name: str) -> "_NoStores":
        return self

    def __call__(self, *_: object) -> None:
        raise RuntimeError("this service runs without a store")


def _answered(question: Callable[[], bool]) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return question()

    return check

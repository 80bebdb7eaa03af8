"""Opens the ports, starts services in order, waits for a signal, and drains them in reverse under one deadline.

Nobody else touches ports or the event loop, and signals only `steering`. A background task that dies takes the process
with it.
"""

import asyncio
import dataclasses
import gc
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from csms_platform.bus import Doors, open_doors
from csms_platform.http import Front
from csms_platform.logging import get_logger
from csms_platform.notify import ALIVE, READY, STOPPING, notify, reloading, watchdog_patience
from csms_platform.otel import tracer
from csms_platform.plan import ListenSettings, Part, Plan, Renewal
from csms_platform.ports import Ports
from csms_platform.proxies import Proxies
from csms_platform.state import open_stores
from csms_platform.steering import Steering
from csms_platform.stores import Unavailable
from csms_platform.tls import ServerTls, TlsFiles
from csms_platform.traced import TracedBus
from csms_platform.tracing import NO_TRACES
from csms_platform.vitals import reassure, watch

log = get_logger("runtime")


def run(plan: Plan) -> int:
    """Run until a signal or a failure; answers the exit code."""
    return uvloop.run(_Process(plan).live())


class _Process:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._steering = Steering()
        self._exit = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._reload = asyncio.Lock()
        self._tls: ServerTls | None = None
        self._given: Ports | None = None
        self._traces = NO_TRACES

    async def live(self) -> int:
        steering = self._steering
        steering.catch_signals(lambda: self._spawn(self._renew(), "reload"))
        self._watch()
        async with AsyncExitStack() as stack:
            await self._start(stack)
            gc.collect()
            gc.freeze()  # what exists now stays: leave it out of every later collection
            notify(READY)
            await steering.drain.wait()
            # Told that it stops, systemd would not let a drained process wait.
            notify(STOPPING if steering.stop.is_set() else "STATUS=draining")
            log.info("stopping" if steering.stop.is_set() else "draining")
            try:
                async with asyncio.timeout(self._patience()):
                    await stack.pop_all().aclose()
            except TimeoutError:
                log.error("draining took too long", seconds=self._patience())
                self._exit = 1
        if not steering.stop.is_set():
            log.info("drained", waits_for="SIGTERM")
            await steering.stop.wait()
            notify(STOPPING)
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
        self._traces = stack.enter_context(tracer(plan.tracing, plan.name))
        front = _front(plan.listen, checks)
        # After the services have left, which ends what they stream; before the ports that answers may need close.
        stack.push_async_callback(front.answered)
        self._given = ports = self._ports(doors, stores, front, checks)
        for part in plan.parts:
            if not part.after_listening:
                await stack.enter_async_context(part.start(self._for(part, ports)))
        if plan.listen:
            await self._listen(stack, front, plan.listen)
        for part in plan.parts:
            if part.after_listening:
                await stack.enter_async_context(part.start(self._for(part, ports)))

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
            proxies=front.proxies,
        )

    def _for(self, part: Part, ports: Ports) -> Ports:
        """The ports as this part gets them: its messages are recorded as its own."""
        if not self._traces.on:
            return ports
        return dataclasses.replace(ports, bus=TracedBus(ports.bus, self._traces, part.name))

    async def _listen(self, stack: AsyncExitStack, front: Front, listen: ListenSettings) -> None:
        self._tls = tls = ServerTls(_files(listen)) if listen.tls_certificate else None
        port = await stack.enter_async_context(front.listen(listen.host, listen.port, tls.context if tls else None))
        at, secure = f"[{listen.host}]:{port}" if ":" in listen.host else f"{listen.host}:{port}", "s" if tls else ""
        stations = [f"ws{secure}://{at}{prefix}<identity>" for prefix in front.prefixes]
        log.info("listening", host=listen.host, port=port, services=" ".join(part.name for part in self._plan.parts))
        log.info("addresses", stations=", ".join(stations) or "none", health=f"http{secure}://{at}/readyz")

    def _watch(self) -> None:
        self._spawn(watch(), "vitals")
        if patience := watchdog_patience():
            self._spawn(reassure(lambda: notify(ALIVE), patience), "watchdog")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a background task died", task=task.get_name(), exc_info=error)
            self._exit = 1
            self._steering.leave()

    def _patience(self) -> float:
        return self._plan.listen.drain_seconds if self._plan.listen else 25.0

    # --- reload -------------------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        """Read the configuration again; what cannot be used changes nothing, and no station notices either way."""
        async with self._reload:
            notify(reloading())
            try:
                await self._apply(self._plan.renew() if self._plan.renew else None)
            except (ValueError, OSError, Unavailable) as error:
                log.error("not reloaded", reason=str(error))
            notify(READY)

    async def _apply(self, renewal: Renewal | None) -> None:
        if renewal is None or self._given is None or self._steering.drain.is_set():
            return
        if self._tls and renewal.listen:
            self._tls.renew(_files(renewal.listen))
        renewal.log.configure()
        for part in renewal.parts:
            async with part.start(self._given):
                pass
        log.info("reloaded")
        if renewal.pending:
            log.warning("changed, and waits for a restart", settings=", ".join(renewal.pending))


def _front(listen: ListenSettings | None, checks: dict[str, Any]) -> Front:
    if listen is None:
        return Front(checks)
    proxies = Proxies(listen.trusted_proxies, listen.client_name_header)
    return Front(checks, proxies=proxies, introductions=listen.proxy_protocol)


def _files(listen: ListenSettings) -> TlsFiles:
    return TlsFiles(listen.tls_certificate, listen.tls_key, listen.tls_client_ca)


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

"""Opens the ports, starts services in order, waits for a signal, and drains them in reverse under one deadline.

Nobody else touches signals, ports or the event loop. A background task that dies takes the process with it.
"""

import asyncio
import dataclasses
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TextIO

import msgspec
import uvloop

from csms_platform.bus import BusSettings, Doors, open_doors
from csms_platform.http import Front
from csms_platform.logging import configure, get_logger
from csms_platform.notify import READY, STOPPING, notify, reloading
from csms_platform.otel import TracingSettings, tracer
from csms_platform.ports import Ports, Service
from csms_platform.proxies import Proxies
from csms_platform.state import open_stores
from csms_platform.stores import Unavailable
from csms_platform.tls import ServerTls, TlsFiles
from csms_platform.traced import TracedBus
from csms_platform.tracing import NO_TRACES
from csms_platform.vitals import watch

log = get_logger("runtime")


Level = Literal["debug", "info", "warning", "error"]


class LogSettings(msgspec.Struct, frozen=True):
    """`[log]`: level is debug, info, warning or error; format is json, text or auto (text on a terminal).

    `levels` are for single loggers, whatever `level` says: `levels = { router = "debug" }`. The names are those that
    the lines bear as `logger`. idTags are shortened unless `show_id_tags`. Below level error at most
    `lines_a_second` are written about the same event of the same logger (0: all); the next line says how many were
    `unlogged`. All of it is read again when the process is told to reload.
    """

    level: Level = "info"
    format: Literal["auto", "json", "text"] = "auto"
    levels: dict[str, Level] = {}
    show_id_tags: bool = False
    lines_a_second: Annotated[int, msgspec.Meta(ge=0)] = 200

    def configure(self, out: TextIO | None = None) -> None:
        """Log like this from now on; see `logging.configure`."""
        configure(
            self.level,
            self.format,
            self.levels,
            show_id_tags=self.show_id_tags,
            lines_a_second=self.lines_a_second,
            out=out,
        )


class StateSettings(msgspec.Struct, frozen=True):
    """`[state]`: where sessions, stations, tags and transactions are kept."""

    url: str = "memory://"


class ListenSettings(msgspec.Struct, frozen=True):
    """Where the process listens, and how long it may take to leave.

    With `tls_certificate` and `tls_key` (PEM files) the port speaks TLS 1.2 or newer; with `tls_client_ca` it asks
    stations for certificates signed by that authority (security profile 3).

    `trusted_proxies` are addresses and networks of proxies ("10.0.0.0/8"): what they say in X-Forwarded-For and
    X-Forwarded-Proto is believed, and so is the common name of a station's certificate, which they have verified, in
    the header `client_name_header`. With `proxy_protocol` each of their connections begins with a PROXY header, of
    version 1 or 2; a connection of theirs without one is dropped. That goes without TLS on this port only.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 9220
    drain_seconds: float = 25.0
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    trusted_proxies: tuple[str, ...] = ()
    client_name_header: str = ""
    proxy_protocol: bool = False

    def __post_init__(self) -> None:
        Proxies(self.trusted_proxies)
        if self.proxy_protocol and not self.trusted_proxies:
            raise ValueError("proxy_protocol needs trusted_proxies: whose headers are to be believed?")
        if self.proxy_protocol and self.tls_certificate:
            raise ValueError("proxy_protocol goes without tls_certificate: the proxy speaks TLS with the stations")


class Part(NamedTuple):
    """A service to run. Services with `after_listening` start when the port is open, and leave before it closes."""

    name: str
    start: Callable[[Ports], Service]
    after_listening: bool = False


class Renewal(NamedTuple):
    """What a reload changes while the process runs. `parts` are entered and left at once.

    `pending` names the settings that have changed besides, and wait for a restart.
    """

    log: LogSettings
    listen: ListenSettings | None
    parts: Sequence[Part] = ()
    pending: Sequence[str] = ()


class Plan(NamedTuple):
    """Everything a process needs. `stores` is False for services that may not touch the store.

    Without `listen` the process opens no port: it is a client only, and has no HTTP. `renew` reads the configuration
    again, and raises `ValueError` when it cannot be used; None: there is nothing to read. `name` is what the process is
    called in traces.
    """

    parts: Sequence[Part]
    listen: ListenSettings | None
    bus: BusSettings
    state: StateSettings
    data: Path | None = None
    stores: bool = True
    renew: Callable[[], Renewal] | None = None
    tracing: TracingSettings = TracingSettings()
    name: str = "csms"


def run(plan: Plan) -> int:
    """Run until a signal or a failure; answers the exit code."""
    return uvloop.run(_Process(plan).live())


class _Process:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._terminal = _on_a_terminal()
        self._stop = asyncio.Event()
        self._drain = asyncio.Event()
        self._exit = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._reload = asyncio.Lock()
        self._tls: ServerTls | None = None
        self._given: Ports | None = None
        self._traces = NO_TRACES

    async def live(self) -> int:
        self._catch_signals()
        self._spawn(watch(), "vitals")
        async with AsyncExitStack() as stack:
            await self._start(stack)
            gc.collect()
            gc.freeze()  # what exists now stays: leave it out of every later collection
            notify(READY)
            await self._drain.wait()
            notify(STOPPING)
            log.info("stopping" if self._stop.is_set() else "draining")
            try:
                async with asyncio.timeout(self._patience()):
                    await stack.pop_all().aclose()
            except TimeoutError:
                log.error("draining took too long", seconds=self._patience())
                self._exit = 1
        if not self._stop.is_set():
            log.info("drained", waits_for="SIGTERM")
            await self._stop.wait()
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

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a background task died", task=task.get_name(), exc_info=error)
            self._exit = 1
            self._leave()

    def _patience(self) -> float:
        return self._plan.listen.drain_seconds if self._plan.listen else 25.0

    # --- signals ------------------------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        loop.add_signal_handler(signal.SIGWINCH, self._resized)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set() and number is not signal.SIGQUIT:
            os._exit(128 + number)  # asked twice: leave now
        self._leave()

    def _leave(self) -> None:
        self._stop.set()
        self._drain.set()

    def _resized(self) -> None:
        # A terminal says so whenever its window changes. Without one it is an operator who wants the stations moved.
        if not _on_a_terminal():
            self._drain.set()

    def _hung_up(self) -> None:
        if self._terminal and not _on_a_terminal():
            _let_go_of_the_terminal()
            self._leave()
        else:
            self._spawn(self._renew(), "reload")

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
        if renewal is None or self._given is None or self._drain.is_set():
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


def _on_a_terminal() -> bool:
    return any(os.isatty(stream) for stream in range(3))


def _let_go_of_the_terminal() -> None:
    """It is gone: whoever writes to it would get an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)


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

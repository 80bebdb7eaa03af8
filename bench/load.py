"""The load generator's process, and the handle by which the benchmark steers it.

A process of its own, so that its CPU is its own and can be reported beside the systems'. Orders and reports travel
over a pipe; when the pipe closes, the process ends.
"""

import asyncio
import gc
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType

import uvloop

from bench.fleet import PATIENCE, Fleet
from bench.outcome import Outcome, Run
from bench.requests import Client


@dataclass(frozen=True, slots=True)
class Connect:
    """Add `count` stations and boot them."""

    count: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Hang up the `count` stations that came last."""

    count: int


Order = Connect | Disconnect | Run


class LoadError(Exception):
    """The load could not be brought to bear on the system; the message says why."""


class Load:
    """A load generator under way: `with Load(url) as load: load.connect(1000); outcome = load.run(run, window)`.

    Every method waits until the order is carried out, bounded by its own worst case, and raises LoadError.
    """

    def __init__(self, url: str, *, echo: bool = False, api: str = "", soap: str = "", http: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, url, echo, api, soap, http), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Load":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def connect(self, count: int) -> None:
        self._order(Connect(count), PATIENCE + count * 0.01, _ignore)

    def disconnect(self, count: int) -> None:
        self._order(Disconnect(count), PATIENCE + count * 0.01, _ignore)

    def run(self, run: Run, window: Callable[[bool], None]) -> Outcome:
        """`window(True)` is called as the measured window opens, `window(False)` as it closes."""
        outcome = self._order(run, run.warm_up + run.window + PATIENCE, window)
        if not isinstance(outcome, Outcome):
            raise LoadError(f"the load generator answered {outcome!r}")
        return outcome

    def _order(self, order: Order, patience: float, window: Callable[[bool], None]) -> object:
        try:
            self._pipe.send(order)
            while self._pipe.poll(patience):
                report = self._pipe.recv()
                if not isinstance(report, bool):
                    if isinstance(report, str):
                        raise LoadError(report)
                    return report
                window(report)
        except (EOFError, OSError) as error:
            raise LoadError(f"the load generator died: {error!r}") from error
        raise LoadError(f"the load generator did not finish {order} in {patience:.0f} s")


def _ignore(is_open: bool) -> None:
    """For orders without a window."""


def _main(pipe: Connection, url: str, echo: bool, api: str, soap: str, http: bool) -> None:
    # Ctrl-C is for the benchmark, whose pipe closes then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The stations live as long as the process: there is nothing to collect, and a pause would count as latency.
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        fleet = Client(url, pipe.send) if http else Fleet(url, pipe.send, echo=echo, api=api, soap=soap)
        runner.run(_obey(pipe, fleet))


async def _obey(pipe: Connection, fleet: Fleet | Client) -> None:
    ready = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), ready.set)
    while True:
        await ready.wait()
        try:
            order: Order = pipe.recv()
        except EOFError:
            return
        ready.clear()
        try:
            pipe.send(await _carry_out(order, fleet))
        except (OSError, TimeoutError, ExceptionGroup) as error:
            pipe.send(f"{order}: {error or type(error).__name__}")


async def _carry_out(order: Order, fleet: Fleet | Client) -> Outcome | None:
    match order:
        case Connect(count):
            await fleet.connect(count)
        case Disconnect(count):
            await fleet.disconnect(count)
        case Run():
            return await fleet.run(order)
    return None

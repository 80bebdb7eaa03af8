"""One process of a load. It says that it is ready, begins when it is told to, and ends with its parent."""

import asyncio
import gc
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import uvloop

from csms_emulator.load.crowd import Crowd
from csms_emulator.load.sample import Sample
from csms_emulator.load.settings import Settings

BEGIN, STOP = "begin", "stop"


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is there, and waits."""


@dataclass(frozen=True, slots=True)
class Done:
    """Every station has hung up."""


Said = Ready | Sample | Done


def start(settings: Settings) -> tuple[BaseProcess, Connection]:
    """A process for this part of the load, and the pipe to it: BEGIN and STOP go in, what is `Said` comes out."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, settings), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _main(pipe: Connection, settings: Settings) -> None:
    # Ctrl-C is for the parent, which says STOP then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Stations live as long as the process: looking for garbage among them would count as latency.
    gc.set_threshold(100_000, 50, 1000)
    gc.freeze()
    pipe.send(Ready())
    try:
        if pipe.recv() == BEGIN:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(pipe, settings))
        pipe.send(Done())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone, and nobody is left to tell


async def _run(pipe: Connection, settings: Settings) -> None:
    crowd = Crowd(settings, pipe.send)
    loop = asyncio.get_running_loop()

    def hear() -> None:
        loop.remove_reader(pipe.fileno())  # STOP, or the end of the parent
        crowd.stop()

    loop.add_reader(pipe.fileno(), hear)
    await crowd.run()

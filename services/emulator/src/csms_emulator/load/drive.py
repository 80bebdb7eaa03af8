"""A whole load: its processes side by side, second by second, and what they saw put together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import assert_never

from csms_emulator.load import limits, worker
from csms_emulator.load.crowd import GRACE
from csms_emulator.load.sample import Sample, Timeline
from csms_emulator.load.settings import Settings
from csms_emulator.load.worker import BEGIN, STOP, Done, Ready

PATIENCE = 30.0  # seconds for processes to start, or to end
LOOK = 0.2  # seconds between two looks at whether to stop


class DriveError(OSError):
    """A load process died, or did not end; the message says so."""


@dataclass(slots=True)
class Load:
    """What came of a load so far. `began` is Unix time; `interrupted`: it was stopped before its time."""

    settings: Settings
    began: float = 0.0
    timeline: Timeline = field(default_factory=Timeline)
    interrupted: bool = False
    problem: str = ""

    @property
    def missing(self) -> int:
        """Stations that were dialled and not connected at the end."""
        return self.timeline.total.dialled - self.timeline.total.connected

    @property
    def failed_share(self) -> float:
        total = self.timeline.total
        calls = total.answered + total.unanswered
        return total.failed / calls if calls else 0.0

    @property
    def well(self) -> bool:
        """Whether no more went wrong than was allowed."""
        settings, total = self.settings, self.timeline.total
        allowed = settings.allow_errors
        missing = self.missing / total.dialled if total.dialled else 1.0
        # A load that is stopped while it ramps up has stations that are just about to connect.
        there = missing <= allowed or (self.interrupted and total.connected > 0)
        return not self.problem and there and self.failed_share <= allowed


def drive(settings: Settings, *, tell: Callable[[Sample], None], stopped: Callable[[], bool]) -> Load:
    """Run a load to its end, or until `stopped()`; `tell(sample)` is called every second with all processes' figures.

    Blocks. Raises ValueError when the stations do not fit into the open files that the system allows.
    """
    limits.raise_open_files(settings.stations, settings.processes)
    load = Load(settings)
    with _processes(settings) as pipes:
        try:
            _Drive(load, pipes, tell, stopped).run()
        except DriveError as error:
            load.problem = str(error)
    return load


class _Drive:
    """The parent's side of the pipes."""

    def __init__(
        self, load: Load, pipes: list[Connection], tell: Callable[[Sample], None], stopped: Callable[[], bool]
    ) -> None:
        self._load = load
        self._tell = tell
        self._stopped = stopped
        self._pipes = pipes
        self._open = list(pipes)
        self._ready = 0
        self._seconds: dict[int, list[Sample]] = {}
        self._told: dict[Connection, int] = dict.fromkeys(pipes, 0)
        self._next = 0
        self._until = time.monotonic() + PATIENCE

    def run(self) -> None:
        while self._open:
            for pipe in wait(self._open, LOOK):
                assert isinstance(pipe, Connection)
                self._hear(pipe)
            self._check()
        self._put_together(final=True)

    def _hear(self, pipe: Connection) -> None:
        try:
            said: worker.Said = pipe.recv()
        except (EOFError, OSError):
            raise DriveError("A load process died.") from None
        match said:
            case Ready():
                self._ready += 1
                if self._ready == len(self._pipes):
                    self._begin()
            case Sample():
                self._seconds.setdefault(self._told[pipe], []).append(said)
                self._told[pipe] += 1
                self._put_together()
            case Done():
                self._open.remove(pipe)
            case _:
                assert_never(said)

    def _begin(self) -> None:
        settings = self._load.settings
        self._load.began = time.time()
        longest = settings.ramping + settings.timeout + settings.duration + GRACE
        self._until = time.monotonic() + longest + PATIENCE
        self._say(BEGIN)

    def _put_together(self, *, final: bool = False) -> None:
        """Tell the seconds of which every process has told; at the end, those of which any has."""
        while held := self._seconds.get(self._next):
            if len(held) < len(self._pipes) and not final:
                return
            del self._seconds[self._next]
            self._next += 1
            first, *others = held
            for other in others:
                first.beside(other)
            self._tell(first)
            self._load.timeline.add(first)

    def _check(self) -> None:
        if not self._load.interrupted and self._stopped():
            self._load.interrupted = True
            self._until = time.monotonic() + GRACE + PATIENCE
            self._say(STOP)
        if time.monotonic() > self._until:
            raise DriveError("A load process did not end in time.")

    def _say(self, word: str) -> None:
        for pipe in self._open:
            try:
                pipe.send(word)
            except OSError:
                raise DriveError("A load process died.") from None


@contextmanager
def _processes(settings: Settings) -> Iterator[list[Connection]]:
    started: list[tuple[BaseProcess, Connection]] = []
    try:
        for part in settings.parts():
            started.append(worker.start(part))
        yield [pipe for _, pipe in started]
    finally:
        for _, pipe in started:
            pipe.close()
        for process, _ in started:
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()

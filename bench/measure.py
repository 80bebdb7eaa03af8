"""One cell of the matrix, and the memory of an idle connection: the load's figures beside the processes' own."""

import time
from dataclasses import dataclass

from bench.latency import Latency
from bench.load import Load
from bench.outcome import Run
from bench.processes import Figures, machine_cpu
from bench.systems import System

SETTLE = 0.5  # seconds for a system to come to rest


@dataclass(frozen=True, slots=True)
class Cell:
    """`cpu`: CPU seconds in the window by process; `load_cpu`: the load generator's; `rate` None: the closed loop.

    `foreign_cpu`: what everything else on the machine used meanwhile; a window in which that is much is spoilt.
    """

    system: str
    scenario: str
    active: int
    rate: float | None
    calls: int
    seconds: float
    latency: Latency
    errors: dict[str, int]
    cpu: Figures
    load_cpu: float
    foreign_cpu: float

    @property
    def calls_per_second(self) -> float:
        return self.calls / self.seconds

    @property
    def total_cpu(self) -> float:
        """CPU seconds of the whole system, brokers included, without the load generator."""
        return sum(self.cpu.values())

    def micros_per_call(self, cpu_seconds: float) -> float | None:
        return cpu_seconds / self.calls * 1e6 if self.calls else None


@dataclass(frozen=True, slots=True)
class Idle:
    """Bytes of RSS that each of `connections` more idle connections cost, by process."""

    system: str
    connections: int
    bytes_per_connection: Figures
    holder: str


def run_cell(system: System, load: Load, run: Run) -> Cell:
    marks: list[tuple[Figures, float]] = []
    outcome = load.run(run, lambda is_open: marks.append((system.processes.cpu(), machine_cpu())))
    (opened, machine_opened), (closed, machine_closed) = marks
    cpu = {name: closed[name] - opened[name] for name in opened}
    foreign = machine_closed - machine_opened - sum(cpu.values()) - outcome.own_cpu
    return Cell(
        system.name, run.scenario, run.active, run.rate,
        outcome.calls, outcome.seconds, outcome.latency, outcome.errors, cpu, outcome.own_cpu, max(0.0, foreign),
    )  # fmt: skip


def run_idle(system: System, load: Load, connections: int) -> Idle:
    """Connect and boot `connections` more stations, and see what they cost; they are gone afterwards.

    The stations that are there already have made the system allocate what it allocates once.
    """
    time.sleep(SETTLE)
    before = system.processes.rss()
    load.connect(connections)
    time.sleep(SETTLE)
    after = system.processes.rss()
    load.disconnect(connections)
    cost = {name: (after[name] - before[name]) / connections for name in before}
    return Idle(system.name, connections, cost, system.holder)

"""`make bench`: every system in every scenario, interleaved, on one machine; a table, verdicts and a JSON file."""

import argparse
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import bars, report
from bench.children import NotReadyError
from bench.generator import Generated, generate
from bench.load import Load, LoadError
from bench.measure import Cell, Idle, run_cell, run_idle
from bench.outcome import Run
from bench.scenarios import COMMANDS, NAMES, SOAP
from bench.soap import codec
from bench.systems import SYSTEMS, System

OPEN_RATE = 2000.0  # calls a second
DEFAULT_ACTIVE = [1, 10, 100, 1000]
QUICK_ACTIVE = [1, 1000]
COMMANDERS = [1, 64]  # clients of the REST API, each with one command under way
SOAP_ACTIVE = [1, 100]  # SOAP stations, each with a connection that it keeps


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. Times in seconds."""

    systems: list[str]
    scenarios: list[str]
    active: list[int]
    connections: int
    idle: int
    warm_up: float
    window: float
    json: Path


def parse(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short windows, 1 and 1000 active: a look, not a result")
    parser.add_argument(
        "--only", type=_words(SYSTEMS), default=list(SYSTEMS), metavar="SYSTEM,…", help=", ".join(SYSTEMS)
    )
    parser.add_argument("--scenario", type=_words(NAMES), default=list(NAMES), metavar="NAME,…", help=", ".join(NAMES))
    parser.add_argument("--active", type=_numbers, metavar="N,…", help="stations that call, of all that are connected")
    parser.add_argument("--connections", type=int, default=1000, metavar="N")
    parser.add_argument("--idle", type=int, metavar="N", help="more connections to weigh an idle one; 0 leaves it out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: bench/results/<date>.json")
    given = parser.parse_args(arguments)
    active = given.active or (QUICK_ACTIVE if given.quick else DEFAULT_ACTIVE)
    if max(active) > given.connections:
        parser.error(f"{max(active)} active, but only {given.connections} connections")
    warm_up, window = (0.5, 1.5) if given.quick else (2.0, 5.0)
    idle = given.idle if given.idle is not None else (1000 if given.quick else 5000)
    file = given.json or Path(__file__).parent / "results" / time.strftime("%Y-%m-%dT%H%M%S.json")
    return Plan(given.only, given.scenario, active, given.connections, idle, warm_up, window, file)


_ACTIVE = {COMMANDS: COMMANDERS, SOAP: SOAP_ACTIVE}


def _words(known: Collection[str]) -> Callable[[str], list[str]]:
    def words(text: str) -> list[str]:
        if unknown := set(found := text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return found

    return words


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def runs(plan: Plan) -> Iterator[Run]:
    """The places of the matrix; the open loop comes last."""
    for scenario in plan.scenarios:
        for active in _ACTIVE.get(scenario, plan.active):
            yield Run(scenario, active, plan.warm_up, plan.window)
    if bars.SCENARIO in plan.scenarios:
        yield Run(bars.SCENARIO, plan.connections, plan.warm_up, plan.window, OPEN_RATE)


def concerns(run: Run, system: System, plan: Plan) -> bool:
    """Commands need an API, SOAP stations where to call.

    An echo server and an endpoint have one place: the plain message at full load.
    """
    if run.scenario == COMMANDS:
        return bool(system.api)
    if run.scenario == SOAP:
        return bool(system.soap)
    full = run.scenario == bars.SCENARIO and run.active == max(plan.active) and run.rate is None
    return full or not (system.echo or system.asks)


def measure(plan: Plan) -> tuple[list[Cell], list[Idle], Generated | None]:
    """All systems are up at the same time and take turns in every place, so that the machine's moods hit them alike."""
    cells: list[Cell] = []
    idles: list[Idle] = []
    generated: Generated | None = None
    with ExitStack() as stack:
        under_test: list[tuple[System, Load]] = []
        for name in plan.systems:
            system = stack.enter_context(SYSTEMS[name]())
            say(f"{name} is up; pids: {system.processes}")
            if system.null:
                generated = generate(system.url, plan.window)
                continue
            load = Load(system.url, echo=system.echo, api=system.api, soap=system.soap, http=system.http)
            stack.enter_context(load)
            load.connect(plan.connections)
            if plan.idle and not system.asks:
                idles.append(run_idle(system, load, plan.idle))
            under_test.append((system, load))
        for run in runs(plan):
            for system, load in under_test:
                if concerns(run, system, plan):
                    cells.append(cell := run_cell(system, load, run))
                    say(f"{run.scenario} {run.active} {system.name}: {cell.calls_per_second:,.0f}/s")
    return cells, idles, generated


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def show(cells: Sequence[Cell], idles: Sequence[Idle], generated: Generated | None, plan: Plan) -> None:
    verdicts = bars.verdicts(cells, idles, codec() if SOAP in plan.scenarios else None, generated)
    parts = [
        report.cells_text(cells) if cells else "",
        report.idles_text(idles) if idles else "",
        report.errors_text(cells),
        report.verdicts_text(verdicts),
    ]
    print("\n\n".join(part for part in parts if part))
    plan.json.parent.mkdir(parents=True, exist_ok=True)
    plan.json.write_text(json.dumps(report.document(cells, idles, verdicts), indent=1))
    print(f"\nwritten to {plan.json}")


def main() -> int:
    plan = parse(sys.argv[1:])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Leave through the context managers, so that nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        show(*measure(plan), plan)
    except (NotReadyError, LoadError) as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

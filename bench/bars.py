"""What the figures are held to, and whether they meet it. Pure: cells in, verdicts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.generator import Generated
from bench.measure import Cell, Idle
from bench.scenarios import COMMANDS, SOAP

ACTIVE = 1000
SCENARIO = "metervalues"
RATIO_BAR = 5.0  # × the baseline's calls/s
RATIO_GOAL = 7.0
IDLE_BAR = 10 * 1024  # bytes
FOREIGN_BAR = 0.15  # cores that anything else may use
P50_BAR = 3.0  # ms, distributed, one station active
WEBHOOK_BAR = 3000.0  # calls/s through the operator's endpoint
WEBHOOK_SHARE_BAR = 0.8  # of what aiohttp's client does by itself
COMMANDS_BAR = 500.0  # commands/s through the REST API
COMMAND_P50_BAR = 8.0  # ms, one at a time
SOAP_BAR = 1500.0  # Heartbeats/s of 100 SOAP stations
SOAP_STATIONS = 100
LOAD_STATIONS_BAR = 10_000  # stations of one process of `csms load`
LOAD_IDLE_BAR = 15 * 1024  # bytes of RSS for each of them
LOAD_BAR = 15_000.0  # calls/s that it generates
CODEC_BAR = 150.0  # µs for a MeterValues with ten samples, read or written


@dataclass(frozen=True, slots=True)
class Verdict:
    """`met` None: not measured in this run, or no bar, only a figure to look at."""

    what: str
    figure: str
    met: bool | None


def find(cells: Sequence[Cell], system: str, scenario: str, active: int, rate: float | None = None) -> Cell | None:
    wanted = (system, scenario, active, rate)
    return next((cell for cell in cells if (cell.system, cell.scenario, cell.active, cell.rate) == wanted), None)


def ratio(cells: Sequence[Cell], cell: Cell) -> float | None:
    """Calls/s as a multiple of the baseline's in the same place of the matrix."""
    base = find(cells, "baseline", cell.scenario, cell.active, cell.rate)
    return cell.calls_per_second / base.calls_per_second if base is not None and base.calls else None


def verdicts(
    cells: Sequence[Cell],
    idles: Sequence[Idle],
    codec: tuple[float, float] | None = None,
    generated: Generated | None = None,
) -> list[Verdict]:
    """`codec`: microseconds to read and to write a SOAP message. `generated`: what `csms load` can do."""
    return [
        _throughput(cells, "distributed", RATIO_BAR, "bar"),
        _throughput(cells, "distributed", RATIO_GOAL, "goal"),
        _throughput(cells, "all-in-one", RATIO_BAR, "bar"),
        _one_at_a_time(cells),
        _idle(idles),
        *_open_loop(cells),
        *_webhook(cells),
        *_commands(cells),
        *_soap(cells, codec),
        *_load(generated),
        _clean(cells),
        _quiet(cells),
    ]


def _throughput(cells: Sequence[Cell], system: str, bar: float, kind: str) -> Verdict:
    what = f"{system}: calls/s of {SCENARIO}, {ACTIVE} active, {kind} {bar:g} × baseline"
    cell = find(cells, system, SCENARIO, ACTIVE)
    times = ratio(cells, cell) if cell is not None else None
    if cell is None or times is None:
        return Verdict(what, "not measured", None)
    return Verdict(what, f"{times:.2f} × ({cell.calls_per_second:,.0f}/s)", times >= bar)


def _one_at_a_time(cells: Sequence[Cell]) -> Verdict:
    what = f"distributed: p50 of {SCENARIO}, 1 active, bar {P50_BAR:g} ms"
    cell = find(cells, "distributed", SCENARIO, 1)
    if cell is None or cell.latency.p50 is None:
        return Verdict(what, "not measured", None)
    return Verdict(what, f"{cell.latency.p50:.2f} ms", cell.latency.p50 <= P50_BAR)


def _idle(idles: Sequence[Idle]) -> Verdict:
    what = f"distributed: RSS of the gateway for an idle connection, bar {IDLE_BAR / 1024:g} KiB"
    for idle in idles:
        if idle.system == "distributed":
            cost = idle.bytes_per_connection[idle.holder]
            return Verdict(what, f"{cost / 1024:.1f} KiB", cost <= IDLE_BAR)
    return Verdict(what, "not measured", None)


def _open_loop(cells: Sequence[Cell]) -> Iterator[Verdict]:
    for cell in cells:
        if cell.rate is not None:
            micros = cell.micros_per_call(cell.total_cpu)
            figure = "not answered" if micros is None else f"{micros:.0f} µs, p50 {cell.latency.p50} ms"
            yield Verdict(f"{cell.system}: CPU a call at {cell.rate:,.0f}/s, open loop", figure, None)


def _webhook(cells: Sequence[Cell]) -> Iterator[Verdict]:
    cell, alone = find(cells, "webhook", SCENARIO, ACTIVE), find(cells, "aiohttp", SCENARIO, ACTIVE)
    if cell is not None:
        what = f"webhook: calls/s of {SCENARIO}, {ACTIVE} active, bar {WEBHOOK_BAR:,.0f}/s"
        yield Verdict(what, f"{cell.calls_per_second:,.0f}/s", cell.calls_per_second >= WEBHOOK_BAR)
    if cell is not None and alone is not None and alone.calls:
        share = cell.calls_per_second / alone.calls_per_second
        what = f"webhook: share of aiohttp's client by itself, bar {WEBHOOK_SHARE_BAR:.0%}"
        yield Verdict(what, f"{share:.0%} of {alone.calls_per_second:,.0f}/s", share >= WEBHOOK_SHARE_BAR)


def _commands(cells: Sequence[Cell]) -> Iterator[Verdict]:
    found = [cell for cell in cells if cell.system == "distributed" and cell.scenario == COMMANDS]
    for cell in found:
        if cell.active == 1:
            what = f"distributed: p50 of one command through REST, bar {COMMAND_P50_BAR:g} ms"
            met = cell.latency.p50 is not None and cell.latency.p50 <= COMMAND_P50_BAR
            yield Verdict(what, f"{cell.latency.p50} ms", met)
        else:
            what = f"distributed: commands/s through REST, bar {COMMANDS_BAR:,.0f}/s"
            yield Verdict(what, f"{cell.calls_per_second:,.0f}/s", cell.calls_per_second >= COMMANDS_BAR)


def _soap(cells: Sequence[Cell], codec: tuple[float, float] | None) -> Iterator[Verdict]:
    for cell in cells:
        if cell.scenario == SOAP and cell.active == SOAP_STATIONS:
            what = f"{cell.system}: SOAP Heartbeats/s, {SOAP_STATIONS} stations, bar {SOAP_BAR:,.0f}/s"
            yield Verdict(what, f"{cell.calls_per_second:,.0f}/s", cell.calls_per_second >= SOAP_BAR)
    if codec is not None:
        what = f"SOAP codec: MeterValues with ten samples, read and written, bar {CODEC_BAR:g} µs each"
        yield Verdict(what, "{:.0f} µs, {:.0f} µs".format(*codec), max(codec) <= CODEC_BAR)


def _load(generated: Generated | None) -> Iterator[Verdict]:
    if generated is None:
        return
    stations, rate, cost = generated.stations, generated.calls_per_second, generated.bytes_per_station
    met = stations >= LOAD_STATIONS_BAR
    yield Verdict(f"load: stations of one process, bar {LOAD_STATIONS_BAR:,}", f"{stations:,}", met)
    what = f"load: RSS of an idle station, bar {LOAD_IDLE_BAR / 1024:g} KiB"
    yield Verdict(what, f"{cost / 1024:.1f} KiB", met and cost <= LOAD_IDLE_BAR)
    figure = f"{rate:,.0f}/s, {generated.micros_per_call:.0f} µs of CPU each, {generated.failed} failed"
    what = f"load: calls/s of one process against a null server, bar {LOAD_BAR:,.0f}/s"
    yield Verdict(what, figure, rate >= LOAD_BAR and not generated.failed)


def _clean(cells: Sequence[Cell]) -> Verdict:
    what = "every call answered, and rightly"
    if not cells:
        return Verdict(what, "not measured", None)
    wrong = sum(sum(cell.errors.values()) for cell in cells)
    return Verdict(what, f"{wrong} errors", wrong == 0 and any(c.calls for c in cells))


def _quiet(cells: Sequence[Cell]) -> Verdict:
    what = f"the machine did nothing else, bar {FOREIGN_BAR:g} cores"
    busiest = max((cell.foreign_cpu / cell.seconds for cell in cells), default=None)
    if busiest is None:
        return Verdict(what, "not measured", None)
    return Verdict(what, f"{busiest:.2f} cores at worst", busiest <= FOREIGN_BAR)

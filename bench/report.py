"""Cells → what a person reads in a terminal, and what a program reads from a file. Pure but for the machine's facts."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.bars import Verdict, ratio
from bench.measure import Cell, Idle

PACKAGES = ("uvloop", "websockets", "ocpp", "msgspec", "jsonschema-rs", "aio-pika", "redis")
COLUMNS = ("system", "calls/s", "× base", "p50 ms", "p95 ms", "p99 ms", "cores", "others", "errors", "CPU µs a call")
MARKS = {True: "met", False: "MISSED", None: "–"}


def machine() -> dict[str, object]:
    """Where the figures come from: they mean nothing elsewhere."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest value; the first and the last to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            value.ljust(width) if at in (0, last) else value.rjust(width)
            for at, (value, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def cells_text(cells: Sequence[Cell]) -> str:
    """One table for every place of the matrix, the systems below one another."""
    places = dict.fromkeys((cell.scenario, cell.active, cell.rate) for cell in cells)
    return "\n\n".join(_place_text(cells, *place) for place in places)


def _place_text(cells: Sequence[Cell], scenario: str, active: int, rate: float | None) -> str:
    kind = f"{active:,} active, closed loop" if rate is None else f"open loop, {rate:,.0f}/s over {active:,} stations"
    here = [cell for cell in cells if (cell.scenario, cell.active, cell.rate) == (scenario, active, rate)]
    return f"{scenario}, {kind}\n" + table([COLUMNS, *(_row(cells, cell) for cell in here)])


def _row(cells: Sequence[Cell], cell: Cell) -> tuple[str, ...]:
    times = ratio(cells, cell)
    latency = cell.latency
    cpu = " + ".join(f"{name} {_number(cell.micros_per_call(used), 0)}" for name, used in cell.cpu.items())
    if len(cell.cpu) > 1:
        cpu += f" = {_number(cell.micros_per_call(cell.total_cpu), 0)}"
    return (
        cell.system,
        f"{cell.calls_per_second:,.0f}",
        _number(times, 2),
        *(_number(value, 2) for value in (latency.p50, latency.p95, latency.p99)),
        f"{(cell.total_cpu + cell.load_cpu) / cell.seconds:.2f}",
        f"{cell.foreign_cpu / cell.seconds:.2f}",
        str(sum(cell.errors.values())),
        f"{cpu} | load {_number(cell.micros_per_call(cell.load_cpu), 1)}",
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def idles_text(idles: Sequence[Idle]) -> str:
    """KiB of RSS that an idle connection costs."""
    rows = [
        (
            idle.system,
            f"{idle.connections:,}",
            ", ".join(f"{n} {v / 1024:.1f}" for n, v in idle.bytes_per_connection.items()),
        )
        for idle in idles
    ]
    return table([("system", "connections", "KiB of RSS each"), *rows])


def errors_text(cells: Sequence[Cell]) -> str:
    """What went wrong, and where; empty when nothing did."""
    lines = [f"{c.system}, {c.scenario}, {c.active} active: {dict(c.errors)}" for c in cells if c.errors]
    return "\n".join(["Errors", *lines]) if lines else ""


def verdicts_text(verdicts: Sequence[Verdict]) -> str:
    return table([("verdict", "figure", "bar or goal"), *((MARKS[v.met], v.figure, v.what) for v in verdicts)])


def document(cells: Sequence[Cell], idles: Sequence[Idle], verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Everything, for the JSON file."""
    return {
        "machine": machine(),
        "cells": [
            asdict(cell)
            | {
                "calls_per_second": cell.calls_per_second,
                "times_baseline": ratio(cells, cell),
                "cpu_micros_per_call": {name: cell.micros_per_call(used) for name, used in cell.cpu.items()},
                "load_cpu_micros_per_call": cell.micros_per_call(cell.load_cpu),
            }
            for cell in cells
        ],
        "idle": [asdict(idle) for idle in idles],
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }

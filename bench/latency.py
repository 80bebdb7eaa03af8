"""Latencies of one window ↔ the figures that are reported. Pure arithmetic."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; all None when nothing was answered."""

    p50: float | None
    p95: float | None
    p99: float | None
    worst: float | None


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order: a value that was measured, never one in between."""
    if not ordered:
        raise ValueError("no values")
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return ordered[rank - 1]


def summarise(seconds: "array[float]") -> Latency:
    if not seconds:
        return Latency(None, None, None, None)
    ordered = sorted(seconds)
    return Latency(*(round(percentile(ordered, percent) * 1000, 3) for percent in (50, 95, 99, 100)))

"""What came of a load, for a program: one JSON object. Times in seconds, latencies in milliseconds."""

import time
from typing import Any

from csms_emulator.load.drive import Load
from csms_emulator.load.histogram import Histogram
from csms_emulator.load.sample import Sample

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def document(load: Load) -> dict[str, Any]:
    """Everything but the password."""
    total = load.timeline.total
    return {
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(load.began)),
        "interrupted": load.interrupted,
        "problem": load.problem,
        "well": load.well,
        "settings": _settings(load),
        "total": _row(total)
        | {
            "missing": load.missing,
            "failedShare": round(load.failed_share, 6),
            "cpuMicrosPerCall": round(total.cpu / total.answered * 1e6, 1) if total.answered else None,
            "kibPerStation": round((total.rss - total.base) / total.connected / 1024, 1) if total.connected else None,
        },
        "rows": [_row(row) for row in load.timeline.rows],
    }


def _settings(load: Load) -> dict[str, Any]:
    settings = load.settings
    return {
        "url": settings.url,
        "stations": settings.stations,
        "ramp": settings.ramp,
        "profile": settings.profile,
        "duration": settings.duration,
        "processes": settings.processes,
        "identity": settings.identity,
        "rate": settings.rate or None,
        "timeout": settings.timeout,
        "allowErrors": settings.allow_errors,
    }


def _row(sample: Sample) -> dict[str, Any]:
    return {
        "at": round(sample.at, 3),
        "seconds": round(sample.seconds, 3),
        "dialled": sample.dialled,
        "connected": sample.connected,
        "answered": sample.answered,
        "callsPerSecond": round(sample.answered / sample.seconds, 1) if sample.seconds else 0.0,
        "failed": sample.failed,
        "unanswered": sample.unanswered,
        "latency": latency(sample.latencies),
        "errors": dict(sample.errors),
        "lost": sample.lost,
        "reconnected": sample.reconnected,
        "cpu": round(sample.cpu, 3),
    }


def latency(histogram: Histogram) -> dict[str, float | None]:
    """Milliseconds; all None when nothing was answered."""
    found = {name: histogram.quantile(share) for name, share in QUANTILES.items()}
    found["worst"] = histogram.worst if histogram.count else None
    return {name: None if seconds is None else round(seconds * 1000, 3) for name, seconds in found.items()}

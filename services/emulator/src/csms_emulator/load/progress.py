"""A second of a load as one line: live on a terminal, line under line elsewhere."""

from typing import TextIO

from csms_emulator.load.errors import Errors
from csms_emulator.load.sample import Sample

_ERASE = "\r\x1b[2K"
MOST = 3  # kinds of error in a line


class Progress:
    """Shows every sample on `out`. `end()` leaves the cursor on a line of its own."""

    def __init__(self, stations: int, out: TextIO) -> None:
        self._stations = stations
        self._out = out
        self._live = out.isatty()
        self._errors = Errors()

    def show(self, sample: Sample) -> None:
        for kind, count in sample.errors.items():
            self._errors.add(kind, count)
        text = line(sample, self._stations, self._errors)
        self._out.write(f"{_ERASE}{text}" if self._live else f"{text}\n")
        self._out.flush()

    def end(self) -> None:
        if self._live:
            self._out.write("\n")
            self._out.flush()


def line(sample: Sample, stations: int, errors: Errors) -> str:
    """What a person looks at; `errors` are all so far."""
    rate = sample.answered / sample.seconds if sample.seconds else 0.0
    parts = [
        f"{sample.at:5.0f} s",
        f"{sample.connected:,}/{stations:,} connected",
        f"{rate:,.0f} calls/s",
        f"p50 {_ms(sample, 0.5)} p95 {_ms(sample, 0.95)} p99 {_ms(sample, 0.99)} ms",
        _told(errors),
    ]
    return "  ".join(parts)


def _ms(sample: Sample, share: float) -> str:
    seconds = sample.latencies.quantile(share)
    return "–" if seconds is None else f"{seconds * 1000:.1f}"


def _told(errors: Errors) -> str:
    if not errors:
        return "no errors"
    most = errors.most_common(MOST)
    rest = errors.total() - sum(count for _, count in most)
    return "errors: " + ", ".join(f"{count:,} {kind}" for kind, count in most) + (f", {rest:,} others" if rest else "")

"""Lines over time as inline SVG. Pure: numbers in, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 28
GRID = 4  # horizontal lines above zero


@dataclass(frozen=True, slots=True)
class Line:
    """One value for each point in time; None where there is none. `shade` is the CSS class of its colour."""

    name: str
    values: Sequence[float | None]
    shade: str


def chart(title: str, unit: str, times: Sequence[float], lines: Sequence[Line]) -> str:
    """One chart with its legend; `times` are in seconds, in ascending order."""
    top = _round_up(max((value for line in lines for value in line.values if value is not None), default=0.0))
    end = max([*times, 1.0])
    drawn = "".join(_polyline(line, times, end, top) for line in lines)
    legend = "".join(f'<span class="{line.shade}">■ {escape(line.name)}</span>' for line in lines)
    return (
        f"<figure><figcaption><b>{escape(title)}</b> <small>{escape(unit)}</small> {legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{_grid(end, top)}{drawn}</svg></figure>"
    )


def _x(at: float, end: float) -> float:
    return round(LEFT + at / end * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 1)


def _polyline(line: Line, times: Sequence[float], end: float, top: float) -> str:
    """A gap where there is no value; a single value between gaps is a dot."""
    parts: list[list[str]] = [[]]
    for at, value in zip(times, line.values, strict=True):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(f"{_x(at, end)},{_y(value, top)}")
    return "".join(
        f'<polyline class="{line.shade}" points="{" ".join(part if len(part) > 1 else part * 2)}"/>'
        for part in parts
        if part
    )


def _grid(end: float, top: float) -> str:
    rows = [top * n / GRID for n in range(GRID + 1)]
    across = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(row, top)}" y2="{_y(row, top)}"/>'
        f'<text x="{LEFT - 8}" y="{_y(row, top) + 4}" text-anchor="end">{row:,.4g}</text>'
        for row in rows
    )
    seconds = [end * n / 6 for n in range(7)]
    below = "".join(
        f'<text x="{_x(at, end)}" y="{HEIGHT - 8}" text-anchor="middle">{at:,.0f} s</text>' for at in seconds
    )
    return f'<g class="grid">{across}{below}</g>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 10.0 ** -len(f"{1 / value:.0f}")
    return next(step * power for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= value)

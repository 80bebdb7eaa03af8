"""What came of a load, for a person: one HTML file that needs nothing else. Pure: the JSON report in, text out."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from csms_emulator.load.chart import Line, chart

_STYLE = """\
:root{color-scheme:light dark;--a:#0969da;--b:#9a6700;--c:#cf222e;--line:#8884}
@media(prefers-color-scheme:dark){:root{--a:#58a6ff;--b:#d29922;--c:#ff7b72}}
body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}figure{margin:1.5rem 0}figcaption span{margin-left:1rem}svg{width:100%;height:auto}
polyline{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.grid line{stroke:var(--line)}.grid text{font-size:11px;fill:currentColor;opacity:.7}
.a{color:var(--a);stroke:var(--a)}.b{color:var(--b);stroke:var(--b)}.c{color:var(--c);stroke:var(--c)}
span.a,span.b,span.c{stroke:none}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line)}td.n{text-align:right}
.well{color:#1a7f37}.ill{color:var(--c)}"""


def page(report: Mapping[str, Any]) -> str:
    """The whole file; `report` is `report.document`."""
    settings, total = report["settings"], report["total"]
    title = f"{settings['stations']:,} stations, {settings['profile']}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>csms load: {escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>csms load: {escape(title)}</h1><p>{_summary(report)}</p>{_facts(settings, total)}"
        f"{_charts(report['rows'])}<h2>Errors</h2>{_errors(total)}</body></html>\n"
    )


def _summary(report: Mapping[str, Any]) -> str:
    total = report["total"]
    verdict = '<b class="well">well</b>' if report["well"] else '<b class="ill">not well</b>'
    stopped = " Stopped before its time." if report["interrupted"] else ""
    return (
        f"{escape(report['began'])}: {verdict}. {total['answered']:,} calls answered, {total['failed']:,} failed, "
        f"{total['connected']:,} of {total['dialled']:,} stations connected at the end."
        f"{stopped} {escape(report['problem'])}"
    )


def _facts(settings: Mapping[str, Any], total: Mapping[str, Any]) -> str:
    latency = total["latency"]
    rate = f"{settings['rate']:,.0f}/s by the clock" if settings["rate"] else "each station again when answered"
    return _table(
        [
            ("Central system", _without_scheme(settings["url"])),
            ("Stations", f"{settings['ramp']:g}/s until all are there, in {settings['processes']} process(es)"),
            ("Calls", rate),
            ("Calls a second", f"{total['callsPerSecond']:,.0f} over the whole run"),
            ("Latency in ms", ", ".join(f"{name} {_number(value)}" for name, value in latency.items())),
            ("Connections", f"{total['lost']:,} lost, {total['reconnected']:,} made again"),
            ("Load's own cost", f"{_number(total['cpuMicrosPerCall'])} µs of CPU a call"),
        ]
    )


def _without_scheme(url: str) -> str:
    return url.partition("://")[2]


def _charts(rows: Sequence[Mapping[str, Any]]) -> str:
    times = [row["at"] for row in rows]
    shades = {"p50": "a", "p95": "b", "p99": "c"}
    latency = [Line(name, [row["latency"][name] for row in rows], shade) for name, shade in shades.items()]
    errors = [sum(row["errors"].values()) / (row["seconds"] or 1) for row in rows]
    return "".join(
        (
            chart("Latency", "ms", times, latency),
            chart("Throughput", "calls a second", times, [Line("answered", [r["callsPerSecond"] for r in rows], "a")]),
            chart(
                "Connections",
                "stations",
                times,
                [
                    Line("dialled", [r["dialled"] for r in rows], "b"),
                    Line("connected", [r["connected"] for r in rows], "a"),
                ],
            ),
            chart("Errors", "a second", times, [Line("errors", errors, "c")]),
        )
    )


def _errors(total: Mapping[str, Any]) -> str:
    if not total["errors"]:
        return "<p>None.</p>"
    ordered = sorted(total["errors"].items(), key=lambda item: -item[1])
    return _table([(kind, f"{count:,}") for kind, count in ordered])


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"

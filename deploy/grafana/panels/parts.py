"""What a panel is, and the queries that most of them are made of. Each dashboard has a module of its own here.

`$i` in a query stands for the instances chosen at the top of the dashboard.
"""

from typing import NamedTuple


class Panel(NamedTuple):
    """`unit` is Grafana's word for it. A `stat` is one number, everything else lines over time."""

    title: str
    unit: str
    queries: dict[str, str]
    text: str = ""
    stat: bool = False


class Dashboard(NamedTuple):
    """`rows` are headings with the panels below them."""

    name: str
    title: str
    rows: dict[str, list[Panel]]


def rate(metric: str, by: str, where: str = "") -> str:
    """How often a second."""
    return f"sum by ({by}) (rate({metric}{{{where}{',' if where else ''}$i}}[$__rate_interval]))"


def quantiles(metric: str, where: str = "", *levels: float) -> dict[str, str]:
    """A histogram's median and tail."""
    inner = rate(f"{metric}_bucket", "le", where)
    return {f"p{level * 100:g}": f"histogram_quantile({level}, {inner})" for level in levels or (0.5, 0.95, 0.99)}


def slowest(metric: str, by: str, where: str = "") -> dict[str, str]:
    """The 95th percentile of each."""
    return {f"{{{{{by}}}}}": f"histogram_quantile(0.95, {rate(f'{metric}_bucket', f'le, {by}', where)})"}


CALLS = "csms_ws_call_seconds"
VISITS = "csms_soap_call_seconds"

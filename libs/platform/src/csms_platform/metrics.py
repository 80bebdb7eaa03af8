"""Prometheus metrics, one registry for the process.

Label values come from the catalog and from enumerations, never from what a peer sends and never a station's id. Keep
the child of a labelled metric that is used on a hot path: looking it up costs more than counting.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE", "REGISTRY", "counter", "gauge", "histogram", "render"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
REGISTRY = CollectorRegistry()

_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
    """A counter named `csms_<name>_total`."""
    return Counter(f"csms_{name}", text, labels, registry=REGISTRY)


def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
    """A gauge named `csms_<name>`."""
    return Gauge(f"csms_{name}", text, labels, registry=REGISTRY)


def histogram(name: str, text: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = _LATENCY) -> Histogram:
    """A histogram named `csms_<name>`; seconds unless told otherwise."""
    return Histogram(f"csms_{name}", text, labels, registry=REGISTRY, buckets=buckets)


def render() -> bytes:
    """The registry in Prometheus' text format."""
    return generate_latest(REGISTRY)

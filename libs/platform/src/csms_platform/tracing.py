"""Traces: one span for each place that a message passes, joined by W3C trace contexts in envelopes and headers.

Services see `Tracer` and `Span`; what records them is `otel`. Without it `on` is False, and nobody should even ask for
a span: `NO_TRACES` would give the one that does nothing.
"""

from typing import Literal, Protocol

Kind = Literal["server", "client", "consumer", "producer", "internal"]


class Span(Protocol):
    """One step of a message's way. `traceparent` is what the next place is given ("": this one is not recorded)."""

    traceparent: str

    def end(self, error: str = "", **attributes: str | int | float) -> None:
        """The step is over; `error` says how it failed ("": it has not). Once."""
        ...


class Tracer(Protocol):
    """Makes spans. From the event loop's thread."""

    on: bool

    def start(self, name: str, kind: Kind, traceparent: str = "", **attributes: str | int | float) -> Span:
        """A step begins: below the one that `traceparent` names, or as the first of a new trace.

        What is no `traceparent` begins a trace, whoever sent it. Attributes whose value is "" are left out.
        """
        ...


class _NoSpan:
    traceparent = ""

    def end(self, error: str = "", **attributes: str | int | float) -> None:
        """Nothing was recorded."""


class _NoTraces:
    on = False

    def start(self, name: str, kind: Kind, traceparent: str = "", **attributes: str | int | float) -> Span:
        """Passes on what came, so that a trace of others is not cut in two here."""
        if not traceparent:
            return NO_SPAN
        span = _NoSpan()
        span.traceparent = traceparent
        return span


NO_SPAN: Span = _NoSpan()
NO_TRACES: Tracer = _NoTraces()


def trace_id(traceparent: str) -> str:
    """The part that all spans of a trace share, for logs; "" without one."""
    return traceparent[3:35] if len(traceparent) >= 55 else ""

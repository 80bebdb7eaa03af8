"""Traces by OpenTelemetry: spans to a collector over OTLP/HTTP, in batches, from a thread of the library's.

pip install 'csms[otel]'     what `[tracing] endpoint` needs
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from csms_platform.tracing import NO_TRACES, Kind, Span, Tracer

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class TracingSettings(msgspec.Struct, frozen=True):
    """`[tracing]`: where spans are sent over OTLP/HTTP ("http://collector:4318/v1/traces"; "" for nowhere).

    `sample` is the share of traces that begin here and are recorded; of a trace that came with a message its own mark
    decides. `service` is the name under which this process appears ("": csms and the command).
    """

    endpoint: str = ""
    sample: float = 1.0
    service: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.sample <= 1:
            raise ValueError("tracing.sample is between 0 and 1")
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError("tracing.endpoint is an http:// or https:// address")


@contextmanager
def tracer(settings: TracingSettings, service: str) -> Iterator[Tracer]:
    """The tracer of the settings; leaving sends what is left. Raises `ValueError` when OpenTelemetry is missing."""
    if not settings.endpoint:
        yield NO_TRACES
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    except ImportError:
        raise ValueError("[tracing] endpoint needs OpenTelemetry: install csms[otel].") from None
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.sample),
        resource=Resource.create({"service.name": settings.service or service}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.endpoint, timeout=5)))
    try:
        yield _Tracer(provider.get_tracer("csms"))
    finally:
        provider.shutdown()


class _Tracer:
    on = True

    def __init__(self, tracer: Any) -> None:
        from opentelemetry import trace

        self._tracer = tracer
        self._api = trace
        self._kinds = {kind.name.lower(): kind for kind in trace.SpanKind}

    def start(self, name: str, kind: Kind, traceparent: str = "", **attributes: str | int | float) -> Span:
        told = {f"ocpp.{key}": value for key, value in attributes.items() if value != ""}
        parent = self._parent(traceparent)
        return _Span(self._tracer.start_span(name, parent, self._kinds[kind], told), self._api)

    def _parent(self, traceparent: str) -> Any:
        # W3C Trace Context §3.2.2.2: an id of nothing but zeros is invalid; the library refuses it, too.
        found = _TRACEPARENT.match(traceparent)
        if found is None:
            return self._api.set_span_in_context(self._api.INVALID_SPAN)
        trace, span, flags = (int(part, 16) for part in found.groups())
        made = self._api.SpanContext(trace, span, is_remote=True, trace_flags=self._api.TraceFlags(flags))
        return self._api.set_span_in_context(self._api.NonRecordingSpan(made))


class _Span:
    __slots__ = ("_api", "_span", "traceparent")

    def __init__(self, span: Any, api: Any) -> None:
        self._span = span
        self._api = api
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def end(self, error: str = "", **attributes: str | int | float) -> None:
        for key, value in attributes.items():
            self._span.set_attribute(f"ocpp.{key}", value)
        if error:
            self._span.set_status(self._api.StatusCode.ERROR, error)
        self._span.end()

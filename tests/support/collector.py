"""An OpenTelemetry collector: takes spans over OTLP/HTTP, and remembers them."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent


class Span(NamedTuple):
    """As it came; ids in hex, `parent` "" for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    failed: bool


class Collector:
    """`url` is for `[tracing] endpoint`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Span] = []

    def wait_for(self, enough: Callable[[list[Span]], bool], seconds: float = 15) -> list[Span]:
        """All spans, once they are enough. Blocks. Raises AssertionError."""
        deadline = time.monotonic() + seconds
        while not enough(self.spans):
            assert time.monotonic() < deadline, f"not within {seconds} s: {self.spans}"
            time.sleep(0.05)
        return [*self.spans]

    def take(self, body: bytes) -> None:
        """One export."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [_span(service, sent) for scope in resource.scope_spans for sent in scope.spans]


def _span(service: str, sent: Sent) -> Span:
    told = {one.key: one.value.string_value for one in sent.attributes}
    ids = sent.trace_id.hex(), sent.span_id.hex(), sent.parent_span_id.hex()
    return Span(service, sent.name, *ids, told, sent.status.code == 2)


@contextmanager
def collector() -> Iterator[Collector]:
    """Runs in a thread while inside."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

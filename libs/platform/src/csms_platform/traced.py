"""A bus that records what passes it, for one service: a span for each message that the service serves or sends.

No service knows. A CALL or COMMAND that comes is a step which ends when the service sends its answer, or sends it on;
one that begins here is a step which ends when its answer comes. Either way the envelope carries the step's
`traceparent` further, to the next service and to the operator's endpoint. Without tracing this is not in the way.
"""

from collections.abc import Callable

from msgspec.structs import replace

from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import Address, BatchHandler, Bus, ReturnHandler
from csms_platform.tracing import Kind as SpanKind
from csms_platform.tracing import Span, Tracer

MOST_OPEN = 10_000  # spans whose answer is awaited; the oldest end without one

_Key = tuple[str, str]
_QUESTIONS = frozenset({Kind.CALL, Kind.COMMAND})
_ANSWERS = frozenset({Kind.RESULT, Kind.ERROR, Kind.REFUSE})


class TracedBus:
    """`bus` as the service called `service` uses it."""

    def __init__(self, bus: Bus, tracer: Tracer, service: str) -> None:
        self._bus = bus
        self._tracer = tracer
        self._service = service
        self._heard: dict[_Key, Span] = {}
        self._asked: dict[_Key, Span] = {}

    # --- what is recorded ---------------------------------------------------------------------------------------------

    def send(self, address: Address, envelope: Envelope) -> None:
        """See `Bus.send`."""
        self._bus.send(address, self._leaves(envelope))

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        """See `Bus.subscribe`."""

        async def traced(batch: list[Envelope]) -> None:
            await handler([self._comes(envelope) for envelope in batch])

        await self._bus.subscribe(address, traced)

    def _leaves(self, envelope: Envelope) -> Envelope:
        key, kind = (envelope.identity, envelope.unique_id), envelope.kind
        passed_on = kind in _QUESTIONS and bool(envelope.reply_to)
        if (passed_on or kind in _ANSWERS) and key in self._heard:
            span = self._heard.pop(key)
            span.end(envelope.error_code or _failed(envelope))
            # A command goes on as a CALL that the router has made of it.
            return envelope if envelope.traceparent else replace(envelope, traceparent=span.traceparent)
        if kind is Kind.SEND or (kind is Kind.COMMAND and not passed_on):
            return self._told(envelope)
        if passed_on:
            span = self._begin(envelope, "server" if kind is Kind.CALL else "producer")
            _keep(self._asked, key, span)
            return replace(envelope, traceparent=span.traceparent)
        return envelope

    def _comes(self, envelope: Envelope) -> Envelope:
        key, kind = (envelope.identity, envelope.unique_id), envelope.kind
        if kind in _QUESTIONS and not envelope.backend:
            span = self._begin(envelope, "consumer")
            _keep(self._heard, key, span)
            return replace(envelope, traceparent=span.traceparent)
        if kind in _ANSWERS and key in self._asked:
            span = self._asked.pop(key)
            span.end(envelope.error_code or _failed(envelope))
            return replace(envelope, traceparent=span.traceparent)
        return self._told(envelope) if kind is Kind.SEND else envelope

    def _told(self, envelope: Envelope) -> Envelope:
        """A message that nobody answers."""
        span = self._begin(envelope, "internal")
        span.end()
        return replace(envelope, traceparent=span.traceparent)

    def _begin(self, envelope: Envelope, kind: SpanKind) -> Span:
        return self._tracer.start(
            f"{self._service} {envelope.action}",
            kind,
            envelope.traceparent,
            identity=envelope.identity,
            account=envelope.account,
            version=envelope.version,
            action=envelope.action,
            message_id=envelope.unique_id,
        )

    # --- what is not --------------------------------------------------------------------------------------------------

    async def unsubscribe(self, address: Address) -> None:
        """See `Bus.unsubscribe`."""
        await self._bus.unsubscribe(address)

    def on_return(self, handler: ReturnHandler) -> None:
        """See `Bus.on_return`."""
        self._bus.on_return(handler)

    def on_congestion(self, handler: Callable[[bool], None]) -> None:
        """See `Bus.on_congestion`."""
        self._bus.on_congestion(handler)

    @property
    def congested(self) -> bool:
        """See `Bus.congested`."""
        return self._bus.congested

    @property
    def connected(self) -> bool:
        """See `Bus.connected`."""
        return self._bus.connected

    async def flush(self) -> None:
        """See `Bus.flush`."""
        await self._bus.flush()


def _keep(spans: dict[_Key, Span], key: _Key, span: Span) -> None:
    if len(spans) >= MOST_OPEN:
        spans.pop(next(iter(spans))).end("unanswered")
    if before := spans.pop(key, None):
        before.end("repeated")
    spans[key] = span


def _failed(envelope: Envelope) -> str:
    if envelope.kind is Kind.REFUSE:
        return "refused"
    return "" if envelope.outcome in ("", "result") else envelope.outcome

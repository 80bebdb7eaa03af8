"""What is recorded of the messages that pass a service."""

from dataclasses import dataclass, field

import pytest

from csms_platform.envelope import Envelope, Kind
from csms_platform.otel import TracingSettings, tracer
from csms_platform.ports import Address, BatchHandler
from csms_platform.traced import MOST_OPEN, TracedBus
from csms_platform.tracing import NO_TRACES, Span, trace_id
from csms_platform.tracing import Kind as SpanKind

ROUTER, GATEWAY = Address("router", shared=True), Address("gateway.1", shared=False)
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Recorded:
    name: str
    kind: str
    parent: str
    traceparent: str
    ended: str | None = None

    def end(self, error: str = "", **attributes: str | int | float) -> None:
        assert self.ended is None
        self.ended = error


@dataclass
class Recorder:
    on: bool = True
    spans: list[Recorded] = field(default_factory=list)

    def start(self, name: str, kind: SpanKind, traceparent: str = "", **attributes: str | int | float) -> Span:
        self.spans.append(Recorded(name, kind, traceparent, f"span-{len(self.spans) + 1}"))
        return self.spans[-1]

    @property
    def told(self) -> list[tuple[str, str, str, str | None]]:
        return [(span.name, span.kind, span.parent, span.ended) for span in self.spans]


@dataclass
class Wire:
    """A bus whose other end is the test's hands."""

    sent: list[Envelope] = field(default_factory=list)
    handlers: dict[str, BatchHandler] = field(default_factory=dict)

    def send(self, address: Address, envelope: Envelope) -> None:
        self.sent.append(envelope)

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        self.handlers[address.name] = handler


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def listening(wire: Wire, recorder: Recorder, service: str) -> tuple[TracedBus, list[Envelope]]:
    bus, heard = TracedBus(wire, recorder, service), []  # type: ignore[arg-type, var-annotated]

    async def handler(batch: list[Envelope]) -> None:
        heard.extend(batch)

    await bus.subscribe(ROUTER, handler)
    return bus, heard


def call(**more: str) -> Envelope:
    return Envelope(Kind.CALL, "CS-1", unique_id="1", action="Heartbeat", reply_to="gateway.1", **more)


async def test_a_gateways_question_is_a_step_until_its_answer_comes(wire: Wire, recorder: Recorder) -> None:
    bus, heard = await listening(wire, recorder, "ws-gateway")
    bus.send(ROUTER, call())
    open_ = recorder.told
    await wire.handlers["router"]([Envelope(Kind.RESULT, "CS-1", unique_id="1", action="Heartbeat")])

    assert open_ == [("ws-gateway Heartbeat", "server", "", None)]
    assert recorder.told == [("ws-gateway Heartbeat", "server", "", "")]
    assert (wire.sent[0].traceparent, heard[0].traceparent) == ("span-1", "span-1")


async def test_a_routers_step_is_below_the_one_that_asked_and_ends_with_its_answer(
    wire: Wire, recorder: Recorder
) -> None:
    bus, heard = await listening(wire, recorder, "router")
    await wire.handlers["router"]([call(traceparent=GIVEN)])
    bus.send(GATEWAY, Envelope(Kind.ERROR, "CS-1", unique_id="1", error_code="InternalError"))

    assert recorder.told == [("router Heartbeat", "consumer", GIVEN, "InternalError")]
    assert [one.traceparent for one in heard] == ["span-1"]


async def test_what_is_passed_on_ends_the_step_and_keeps_its_context(wire: Wire, recorder: Recorder) -> None:
    bus, heard = await listening(wire, recorder, "router")
    await wire.handlers["router"]([call(traceparent=GIVEN)])
    bus.send(ROUTER, heard[0])

    assert recorder.told == [("router Heartbeat", "consumer", GIVEN, "")]
    assert wire.sent[0].traceparent == "span-1"


async def test_a_copy_for_observers_ends_nothing(wire: Wire, recorder: Recorder) -> None:
    bus, _ = await listening(wire, recorder, "router")
    await wire.handlers["router"]([call()])
    bus.send(ROUTER, Envelope(Kind.CALL, "CS-1", unique_id="1", action="Heartbeat", backend="builtin"))

    assert [ended for *_, ended in recorder.told] == [None]


async def test_a_message_that_nobody_answers_is_a_step_of_its_own(wire: Wire, recorder: Recorder) -> None:
    bus, heard = await listening(wire, recorder, "router")
    sent = Envelope(Kind.SEND, "CS-1", unique_id="1", action="NotifyPeriodicEventStream")
    bus.send(ROUTER, sent)
    await wire.handlers["router"]([wire.sent[0]])

    assert [(parent, ended) for _, _, parent, ended in recorder.told] == [("", ""), ("span-1", "")]
    assert heard[0].traceparent == "span-2"


async def test_questions_without_answers_do_not_gather_for_ever(wire: Wire, recorder: Recorder) -> None:
    bus, _ = await listening(wire, recorder, "ws-gateway")
    for number in range(MOST_OPEN + 2):
        bus.send(ROUTER, Envelope(Kind.CALL, "CS-1", unique_id=str(number), action="Heartbeat", reply_to="gateway.1"))

    assert [span.ended for span in recorder.spans[:3]] == ["unanswered", "unanswered", None]


def test_without_an_endpoint_nothing_is_recorded_and_contexts_pass_through() -> None:
    with tracer(TracingSettings(), "csms") as made:
        span = made.start("x", "server", GIVEN)

        assert (made is NO_TRACES, made.on, span.traceparent) == (True, False, GIVEN)
        assert made.start("x", "server").traceparent == ""


def test_spans_of_the_library_have_the_parents_trace_and_an_id_of_their_own() -> None:
    with tracer(TracingSettings(endpoint="http://127.0.0.1:9/v1/traces"), "csms") as made:
        child, fresh, broken = (made.start("x", "server", parent) for parent in (GIVEN, "", "00-zz"))

        assert trace_id(child.traceparent) == trace_id(GIVEN)
        assert child.traceparent != GIVEN
        assert len({trace_id(one.traceparent) for one in (child, fresh, broken)}) == 3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"sample": 2}, "sample is between"), ({"endpoint": "collector:4318"}, "endpoint is an http")],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TracingSettings(**settings)  # type: ignore[arg-type]

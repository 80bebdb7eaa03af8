"""Whatever comes, and in whatever order: a session never raises, goes on serving, and loses no call."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.frames import Call, CallError, CallResult, CallResultError, Send, decode, encode
from csms_ocpp.session import CallEnded, CallReceived, Outcome, Session, Validation
from csms_ocpp.version import DIALECTS, Version
from tests.unit.ocpp.pair import ACCEPTED, HEARTBEAT_ANSWER, JSON_VERSIONS, MESSAGE

ends = st.tuples(st.sampled_from(Version), st.sampled_from(Role), st.sampled_from(Validation))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400) | st.just(-(10**30))
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=15,
)
ids = st.text(max_size=40) | st.sampled_from(["", "1", "pending", "x" * 36, "x" * 37]) | values
words = st.sampled_from(
    ["Heartbeat", "BootNotification", "DataTransfer", "Reset", "NotifyPeriodicEventStream", "Teapot"]
)
objects = st.dictionaries(
    st.sampled_from(["vendorId", "data", "status", "type", "connectorId", "customData"]) | st.text(max_size=5),
    values,
    max_size=4,
)
arrays = st.one_of(
    st.tuples(st.just(2), ids, words | values, objects | values),
    st.tuples(st.just(3), ids, objects | values),
    st.tuples(st.sampled_from([4, 5]), ids, st.text(max_size=20) | values, st.text(max_size=300) | values, values),
    st.tuples(st.just(6), ids, words | values, objects | values),
    st.lists(values, max_size=6),
)
surrogates_too = st.text(st.characters(exclude_categories=[]), max_size=200)
short = st.text(max_size=36)
decodable = values.filter(lambda value: len(str(value)) < 300)  # not the integers that no decoder takes
payloads = st.dictionaries(st.text(), decodable, max_size=3).map(
    lambda value: Raw(json.dumps(value, separators=(",", ":")).encode())
)


@st.composite
def mutated(draw):
    """A message that was valid, with bytes cut out, put in or changed."""
    text = bytearray(json.dumps(draw(arrays)).encode())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text[start : start + draw(st.integers(0, 4))] = draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"[", b"}"])
        )
    return bytes(text)


def prove(end, text):
    """`text` is survived, what goes back is well-formed, and the next Heartbeat or TriggerMessage is served."""
    version, role, validation = end
    session = Session(DIALECTS[version], role, validation=validation)
    own, question = ("TriggerMessage", MESSAGE) if role is Role.CSMS else ("Heartbeat", b"{}")
    session.call(own, question, now=0.0, timeout=30.0, unique_id="pending")

    for event in session.receive(text, 1.0):
        if isinstance(event, CallReceived):
            session.refuse(event.unique_id, "GenericError")

    for message in session.take_output():
        assert_well_formed(message, version)
    assert (session.asked, session.backlog) == (None, 0)
    if version is not Version.V1_5:
        action, payload, answer = ("Heartbeat", b"{}", HEARTBEAT_ANSWER)
        if role is Role.STATION:
            action, payload, answer = "TriggerMessage", MESSAGE, ACCEPTED
        assert session.receive(encode(Call("next", action, Raw(payload))), 2.0) == [
            CallReceived("next", action, Raw(payload))
        ]
        session.answer("next", answer)
        assert session.take_output() == [encode(CallResult("next", Raw(answer)))]


def assert_well_formed(message, version):
    kind, unique_id, *rest = json.loads(message)
    assert kind in DIALECTS[version].frame_types
    assert isinstance(unique_id, str)
    assert len(unique_id) <= 36
    types = {2: [str, dict], 3: [dict], 4: [str, str, dict], 5: [str, str, dict], 6: [str, dict]}
    assert [type(part) for part in rest] == types[kind]
    if kind in (4, 5):
        assert len(rest[1]) <= 255


@settings(deadline=None, max_examples=120)
@given(ends, st.binary(max_size=200) | surrogates_too)
def test_any_bytes_and_any_text_are_survived(end, text):
    prove(end, text)


@settings(deadline=None, max_examples=150)
@given(ends, (values | arrays).map(json.dumps))
def test_any_json_is_survived(end, text):
    prove(end, text)


@settings(deadline=None, max_examples=150)
@given(ends, mutated())
def test_any_damaged_message_is_survived(end, text):
    prove(end, text)


@settings(deadline=None, max_examples=120)
@given(
    st.builds(Call, short, st.text(), payloads)
    | st.builds(CallResult, short, payloads)
    | st.builds(CallError, short, st.text(), st.text(), payloads)
    | st.builds(CallResultError, short, st.text(), st.text(), payloads)
    | st.builds(Send, short, st.text(), payloads)
)
def test_what_is_encoded_decodes_to_the_same(frame):
    text = encode(frame)

    cut = frame
    if isinstance(frame, CallError | CallResultError):
        cut = msgspec.structs.replace(frame, description=frame.description[:255])
    assert decode(text, DIALECTS[Version.V2_1]) == cut


ANSWERED = (Outcome.RESULT, Outcome.ERROR)


class Conversation(RuleBasedStateMachine):
    """Two ends that ask, answer, refuse, ignore and close in any order, over a wire that may lose messages."""

    version = Version.V1_6

    def __init__(self):
        super().__init__()
        dialect = DIALECTS[self.version]
        self.ends = {role: Session(dialect, role, max_waiting=3) for role in Role}
        self.asked = dict.fromkeys(Role, 0)
        self.ended = {role: [] for role in Role}
        self.on_the_wire = {role: [] for role in Role}
        self.unanswered = {role: [] for role in Role}
        self.now = 0.0

    def hear(self, role, events):
        for event in events:
            if isinstance(event, CallEnded):
                self.ended[role].append(event)
            elif isinstance(event, CallReceived):
                assert not self.unanswered[role], "a second CALL while one is under way"
                self.unanswered[role].append(event.unique_id)

    def collect(self, role):
        for message in self.ends[role].take_output():
            assert_well_formed(message, self.version)
            self.on_the_wire[role].append(message)

    @rule(role=st.sampled_from(Role), timeout=st.floats(0.5, 5), valid=st.booleans())
    def ask(self, role, timeout, valid):
        action, payload = ("TriggerMessage", MESSAGE) if role is Role.CSMS else ("Heartbeat", b"{}")
        text = payload if valid else b"[]"
        events = self.ends[role].call(action, text, now=self.now, timeout=timeout, context=self.asked[role])
        self.asked[role] += 1
        self.hear(role, events)
        self.collect(role)

    @precondition(lambda self: any(self.on_the_wire.values()))
    @rule(data=st.data(), lost=st.sampled_from([False, False, False, True]), twice=st.booleans())
    def deliver(self, data, lost, twice):
        role = data.draw(st.sampled_from([role for role in Role if self.on_the_wire[role]]))
        message = self.on_the_wire[role].pop(0)
        for _ in range(0 if lost else 1 + twice):
            events = self.ends[role.peer].receive(message, self.now)
            answered = [e.unique_id for e in events if isinstance(e, CallEnded) and e.outcome in ANSWERED]
            assert answered in ([], [json.loads(message)[1]]), "an answer ended another call than its own"
            self.hear(role.peer, events)
        self.collect(role.peer)

    @precondition(lambda self: any(self.unanswered.values()))
    @rule(data=st.data(), how=st.sampled_from(["answer", "answer", "refuse", "abandon", "wrong"]))
    def reply(self, data, how):
        role = data.draw(st.sampled_from([role for role in Role if self.unanswered[role]]))
        unique_id = self.unanswered[role].pop()
        end = self.ends[role]
        match how:
            case "answer":
                events = end.answer(unique_id, HEARTBEAT_ANSWER if role is Role.CSMS else ACCEPTED)
            case "refuse":
                events = end.refuse(unique_id, "GenericError")
            case "abandon":
                events = end.abandon(unique_id)
            case _:
                events = end.answer(unique_id, b'{"wrong":1}')
        self.hear(role, events)
        self.collect(role)

    @rule(seconds=st.floats(0.1, 3), looks=st.sampled_from([True, True, False]))
    def time_passes(self, seconds, looks):
        self.now += seconds
        for role in Role if looks else ():
            self.hear(role, self.ends[role].handle_timer(self.now))
            self.collect(role)
            assert self.ends[role].timer is None or self.ends[role].timer > self.now

    @rule(role=st.sampled_from(Role))
    def reconnect(self, role):
        for end in (role, role.peer):
            self.hear(end, self.ends[end].close())
            assert len(self.ended[end]) == self.asked[end]
            self.ends[end] = Session(DIALECTS[self.version], end, max_waiting=3)
            self.on_the_wire[end].clear()
            self.unanswered[end].clear()

    @invariant()
    def no_call_ends_twice_and_those_that_waited_kept_their_order(self):
        for role in Role:
            contexts = [event.context for event in self.ended[role]]
            assert len(contexts) == len(set(contexts)) <= self.asked[role]
            sent = [
                e.context for e in self.ended[role] if e.outcome in (Outcome.RESULT, Outcome.ERROR, Outcome.TIMEOUT)
            ]
            assert sent == sorted(sent)

    def teardown(self):
        for role in Role:
            self.hear(role, self.ends[role].close())
            assert sorted(event.context for event in self.ended[role]) == list(range(self.asked[role]))


@pytest.mark.parametrize("version", JSON_VERSIONS)
def test_every_call_ends_exactly_once_and_one_is_under_way_at_a_time(version):
    machine = type("Conversation", (Conversation,), {"version": version})

    run_state_machine_as_test(machine, settings=settings(deadline=None, max_examples=30, stateful_step_count=50))

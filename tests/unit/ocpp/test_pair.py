"""A CSMS session against a station session, no socket: whole exchanges, time-outs, and the queue of our own calls."""

import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.session import AnswerRefused, CallEnded, CallReceived, Complaint, Outcome, SendReceived, Validation
from tests.unit.ocpp.pair import ACCEPTED, HEARTBEAT_ANSWER, JSON_VERSIONS, MESSAGE, Pair

V1_6, V2_0_1, V2_1 = JSON_VERSIONS
EMPTY = Raw(b"{}")
STREAM = b'{"id":1,"pending":0,"basetime":"2026-01-01T10:00:00Z","data":[{"t":0,"v":"1"}]}'

every_version = pytest.mark.parametrize("version", JSON_VERSIONS)


def trigger(pair, context=None, **options):
    """The CSMS sends TriggerMessage."""
    return pair.csms.call(
        "TriggerMessage", MESSAGE, **{"now": pair.now, "timeout": 30.0, "context": context, **options}
    )


def outcomes(events):
    return [(event.context, event.outcome) for event in events if isinstance(event, CallEnded)]


@every_version
def test_both_ends_ask_at_once_and_both_are_answered(version):
    pair = Pair(version)
    pair.station.call("Heartbeat", b"{}", now=0.0, timeout=30.0, context="beat")
    trigger(pair, "trigger")

    asked = pair.carry()
    pair.station.answer("csms-1", ACCEPTED)
    pair.csms.answer("station-1", HEARTBEAT_ANSWER)
    ended = pair.carry()

    assert asked == {
        Role.CSMS: [CallReceived("station-1", "Heartbeat", EMPTY)],
        Role.STATION: [CallReceived("csms-1", "TriggerMessage", Raw(MESSAGE))],
    }
    assert ended == {
        Role.CSMS: [CallEnded("csms-1", "TriggerMessage", Outcome.RESULT, "trigger", Raw(ACCEPTED))],
        Role.STATION: [CallEnded("station-1", "Heartbeat", Outcome.RESULT, "beat", Raw(HEARTBEAT_ANSWER))],
    }


@every_version
def test_the_second_call_leaves_after_the_first_is_answered(version):
    pair = Pair(version)
    for context in "ab":
        trigger(pair, context)

    pair.carry()
    before = list(pair.transmitted)
    pair.station.answer("csms-1", ACCEPTED)
    pair.carry()

    message = {"requestedMessage": "Heartbeat"}
    assert before == [(Role.CSMS, [2, "csms-1", "TriggerMessage", message])]
    assert pair.transmitted[len(before) :] == [
        (Role.STATION, [3, "csms-1", {"status": "Accepted"}]),
        (Role.CSMS, [2, "csms-2", "TriggerMessage", message]),
    ]


@every_version
def test_a_call_error_reaches_the_caller_and_the_queue_goes_on(version):
    pair = Pair(version)
    for context in "ab":
        trigger(pair, context)
    pair.carry()

    pair.station.refuse("csms-1", "SecurityError", "no", Raw(b'{"hint":1}'))
    events = pair.carry()

    hint = Raw(b'{"hint":1}')
    refused = CallEnded("csms-1", "TriggerMessage", Outcome.ERROR, "a", hint, "SecurityError", "no")
    assert events == {
        Role.CSMS: [refused],
        Role.STATION: [CallReceived("csms-2", "TriggerMessage", Raw(MESSAGE))],
    }


@every_version
def test_a_silent_peer_ends_in_a_time_out_once_its_late_answer_is_ignored_and_the_next_call_leaves(version):
    pair = Pair(version)
    trigger(pair, "a", timeout=10.0)
    trigger(pair, "b", timeout=10.0, deadline=60.0)
    pair.carry()

    early = pair.csms.handle_timer(9.9)
    timer = pair.csms.timer
    ended = pair.csms.handle_timer(10.0)
    pair.station.answer("csms-1", ACCEPTED)
    late = pair.carry()

    assert (early, timer, outcomes(ended)) == ([], 10.0, [("a", Outcome.TIMEOUT)])
    assert [event.kind for event in late[Role.CSMS]] == ["unexpected-answer"]
    assert late[Role.STATION] == [CallReceived("csms-2", "TriggerMessage", Raw(MESSAGE))]
    assert pair.csms.timer == 20.0


@every_version
def test_a_duplicate_answer_is_ignored(version):
    pair = Pair(version)
    trigger(pair, "a")
    pair.carry()
    answer = b'[3,"csms-1",%b]' % ACCEPTED

    first, second = (pair.csms.receive(answer, 1.0) for _ in range(2))

    assert outcomes(first) == [("a", Outcome.RESULT)]
    assert second == [Complaint("unexpected-answer", "CALLRESULT for no CALL of ours", "csms-1")]


@every_version
def test_the_queue_is_bounded(version):
    pair = Pair(version, max_waiting=2)

    events = [trigger(pair, n) for n in range(4)]

    reason = "2 calls are waiting already."
    refused = CallEnded("csms-4", "TriggerMessage", Outcome.REFUSED, 3, code="QueueFull", description=reason)
    assert events == [[], [], [], [refused]]


@every_version
def test_without_a_queue_a_call_may_still_be_made_when_none_is_under_way(version):
    pair = Pair(version, max_waiting=0)

    events = [trigger(pair, n) for n in range(2)]

    assert [outcomes(list_) for list_ in events] == [[], [(1, Outcome.REFUSED)]]


@every_version
def test_overdue_calls_make_room_in_the_queue(version):
    pair = Pair(version, max_waiting=1)
    trigger(pair, "a", timeout=90.0)
    trigger(pair, "b", deadline=5.0)

    events = trigger(pair, "c", now=6.0)

    assert outcomes(events) == [("b", Outcome.EXPIRED)]


@every_version
def test_a_call_that_waits_past_its_deadline_is_never_sent(version):
    pair = Pair(version)
    trigger(pair, "a", timeout=90.0)
    trigger(pair, "b", deadline=5.0)
    trigger(pair, "c", deadline=50.0)
    pair.carry()

    timer = pair.csms.timer
    expired = pair.csms.handle_timer(5.0)
    pair.station.answer("csms-1", ACCEPTED)
    pair.carry()

    assert (timer, outcomes(expired)) == (5.0, [("b", Outcome.EXPIRED)])
    assert [frame[1] for role, frame in pair.transmitted if role is Role.CSMS] == ["csms-1", "csms-3"]


@every_version
def test_nor_is_it_sent_when_its_turn_comes_before_the_timer_was_looked_at(version):
    pair = Pair(version)
    trigger(pair, "a", timeout=90.0)
    trigger(pair, "b", deadline=5.0)
    pair.carry()

    pair.now = 6.0
    pair.station.answer("csms-1", ACCEPTED)
    events = pair.carry()

    assert outcomes(events[Role.CSMS]) == [("a", Outcome.RESULT), ("b", Outcome.EXPIRED)]
    assert [frame[1] for role, frame in pair.transmitted if role is Role.CSMS] == ["csms-1"]


@every_version
def test_close_ends_the_call_under_way_as_uncertain_and_the_waiting_ones_as_not_sent(version):
    pair = Pair(version)
    for context in "abc":
        trigger(pair, context)
    pair.carry()

    events = pair.csms.close()

    assert outcomes(events) == [
        ("a", Outcome.TIMEOUT),
        ("b", Outcome.NOT_CONNECTED),
        ("c", Outcome.NOT_CONNECTED),
    ]
    assert (pair.csms.take_output(), pair.csms.timer, pair.csms.close()) == ([], None, [])


@every_version
def test_calls_of_the_peer_that_wait_are_forgotten_by_the_close(version):
    pair = Pair(version)
    for unique_id in "12":
        pair.csms.receive(f'[2,"{unique_id}","Heartbeat",{{}}]', 0.0)

    pair.csms.close()

    assert (pair.csms.asked, pair.csms.backlog) == (None, 0)


@every_version
def test_strict_tells_the_caller_which_code_an_invalid_answer_has_and_shows_it(version):
    pair = Pair(version, station_validation=Validation.OFF)
    trigger(pair, "a")
    trigger(pair, "b")
    pair.carry()

    pair.station.answer("csms-1", b'{"status":7}')
    events = pair.carry()

    [complaint, ended] = events[Role.CSMS]
    assert (complaint.kind, complaint.unique_id) == ("violation", "csms-1")
    assert (ended.outcome, ended.code, ended.payload) == (
        Outcome.ERROR,
        "TypeConstraintViolation",
        Raw(b'{"status":7}'),
    )
    refused = AnswerRefused("csms-1", "TypeConstraintViolation", ended.description, EMPTY, "TriggerMessage")
    next_call = CallReceived("csms-2", "TriggerMessage", Raw(MESSAGE))
    assert events[Role.STATION] == ([refused, next_call] if version is V2_1 else [next_call])


@every_version
def test_warn_hands_an_invalid_answer_to_the_caller_with_a_complaint(version):
    pair = Pair(version, csms_validation=Validation.WARN, station_validation=Validation.WARN)
    trigger(pair, "a")
    pair.carry()

    own = pair.station.answer("csms-1", b'{"status":7}')
    [complaint, ended] = pair.carry()[Role.CSMS]

    assert [event.kind for event in own] == ["violation"]
    assert (complaint.kind, ended.outcome, ended.payload) == ("violation", Outcome.RESULT, Raw(b'{"status":7}'))


@every_version
def test_off_hands_it_over_in_silence(version):
    pair = Pair(version, csms_validation=Validation.OFF, station_validation=Validation.OFF)
    trigger(pair, "a")
    pair.carry()

    own = pair.station.answer("csms-1", b'{"status":7}')

    expected = CallEnded("csms-1", "TriggerMessage", Outcome.RESULT, "a", Raw(b'{"status":7}'))
    assert (own, pair.carry()[Role.CSMS]) == ([], [expected])


@pytest.mark.parametrize("validation", Validation)
@every_version
def test_an_answer_that_is_no_object_is_an_error_however_lenient_we_are(version, validation):
    pair = Pair(version, csms_validation=validation)
    trigger(pair, "a")
    pair.carry()

    [_, ended] = pair.csms.receive('[3,"csms-1",[1]]', 1.0)

    assert (ended.outcome, ended.payload) == (Outcome.ERROR, EMPTY)


def test_2_1_tells_with_a_send_while_a_call_is_under_way():
    pair = Pair(V2_1)
    pair.station.call("Heartbeat", b"{}", now=0.0, timeout=30.0)
    assert pair.station.send("NotifyPeriodicEventStream", STREAM, unique_id="s") is None

    events = pair.carry()

    assert events[Role.CSMS] == [
        CallReceived("station-1", "Heartbeat", EMPTY),
        SendReceived("s", "NotifyPeriodicEventStream", Raw(STREAM)),
    ]
    assert events[Role.STATION] == []

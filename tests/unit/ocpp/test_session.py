"""One end of a conversation: what each message of the peer gets, in every version."""

import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.session import (
    CallEnded,
    CallReceived,
    Complaint,
    Outcome,
    Validation,
)
from csms_ocpp.version import DIALECTS
from tests.unit.ocpp.pair import (
    ACCEPTED,
    EMPTY,
    HEARTBEAT_ANSWER,
    MESSAGE,
    V1_6,
    V2_1,
    call,
    every_version,
    session,
    still_serves,
    told,
    wire,
)


class TestPeersCalls:
    @every_version
    def test_five_calls_in_a_row_get_five_answers_in_order(self, version):
        csms = session(version)
        events = [csms.receive(call(str(n), "Heartbeat"), 0.0) for n in range(5)]

        backlog = csms.backlog
        for n in range(5):
            events.append(csms.answer(str(n), HEARTBEAT_ANSWER))

        asked = [[CallReceived(str(n), "Heartbeat", EMPTY)] for n in range(5)]
        assert (events, backlog) == ([asked[0], [], [], [], [], *asked[1:], []], 4)
        assert [answer[:2] for answer in wire(csms.take_output())] == [[3, str(n)] for n in range(5)]
        assert (csms.backlog, csms.asked) == (0, None)

    @every_version
    def test_bad_calls_among_those_that_wait_are_answered_in_their_turn(self, version):
        csms = session(version)
        for unique_id, action in (("1", "Heartbeat"), ("2", "Teapot"), ("3", "Reset"), ("4", "Heartbeat")):
            csms.receive(call(unique_id, action), 0.0)

        events = csms.answer("1", HEARTBEAT_ANSWER)

        assert [getattr(event, "kind", event) for event in events] == [
            "unknown-action",
            "wrong-direction",
            CallReceived("4", "Heartbeat", EMPTY),
        ]
        assert [answer[:2] for answer in wire(csms.take_output())] == [[3, "1"], [4, "2"], [4, "3"]]

    @every_version
    def test_an_id_repeated_before_the_answer_gets_one_answer(self, version):
        csms = session(version)
        for unique_id in ("1", "2"):
            csms.receive(call(unique_id, "Heartbeat"), 0.0)

        repeats = [csms.receive(call(unique_id, "Heartbeat"), 0.0) for unique_id in ("1", "2")]

        sentence = "A CALL with this id is under way."
        assert repeats == [[Complaint("repeated-id", sentence, unique_id, "Heartbeat")] for unique_id in ("1", "2")]
        csms.answer("1", HEARTBEAT_ANSWER)
        assert csms.answer("2", HEARTBEAT_ANSWER) == []
        assert [answer[:2] for answer in wire(csms.take_output())] == [[3, "1"], [3, "2"]]

    @every_version
    def test_an_id_repeated_after_the_answer_is_a_new_call(self, version):
        csms = session(version)
        csms.receive(call("1", "Heartbeat"), 0.0)
        csms.answer("1", HEARTBEAT_ANSWER)

        assert csms.receive(call("1", "Heartbeat"), 0.0) == [CallReceived("1", "Heartbeat", EMPTY)]

    @every_version
    def test_an_answer_for_which_nobody_waits_is_not_transmitted(self, version):
        csms = session(version)
        csms.receive(call("1", "Heartbeat"), 0.0)

        wrong = [csms.answer("2", HEARTBEAT_ANSWER), csms.refuse("2", "InternalError"), csms.abandon("2")]

        complaint = Complaint("unexpected-answer", "Nobody waits for this answer any more.", "2")
        assert (wrong, csms.take_output()) == ([[complaint], [complaint], []], [])
        assert csms.asked == "1"

    @every_version
    def test_an_abandoned_call_makes_room_for_the_next(self, version):
        csms = session(version)
        csms.receive(call("1", "Heartbeat"), 0.0)
        csms.receive(call("2", "Heartbeat"), 0.0)

        events = csms.abandon("1")

        assert (events, csms.take_output()) == ([CallReceived("2", "Heartbeat", EMPTY)], [])

    @every_version
    def test_an_answer_of_ours_that_breaks_its_schema_becomes_an_internal_error(self, version):
        csms = session(version)
        csms.receive(call("1", "Heartbeat"), 0.0)

        [complaint] = csms.answer("1", b"{}")

        assert (complaint.kind, complaint.unique_id, complaint.action) == ("violation", "1", "Heartbeat")
        assert wire(csms.take_output()) == [[4, "1", "InternalError", "The answer was not valid.", {}]]

    @pytest.mark.parametrize("validation", [Validation.WARN, Validation.OFF])
    @pytest.mark.parametrize("answer", [b"", b"[]", b"{", b'{"a":\xff}', b"nonsense"])
    def test_an_answer_of_ours_that_is_no_json_object_never_leaves(self, validation, answer):
        csms = session(V1_6, validation=validation)
        csms.receive(call("1", "Heartbeat"), 0.0)

        csms.answer("1", answer)

        assert wire(csms.take_output()) == [[4, "1", "InternalError", "The answer was not valid.", {}]]

    @pytest.mark.parametrize("details", [b"", b"[]", b"null", b"{", b"oops"])
    def test_a_refusal_has_five_elements_whatever_it_is_given(self, details):
        csms = session(V2_1)
        csms.receive(call("1", "Heartbeat"), 0.0)

        csms.refuse("1", "GenericError", "why" * 100, Raw(details))

        assert wire(csms.take_output()) == [[4, "1", "GenericError", ("why" * 100)[:255], {}]]

    def test_a_refusal_carries_its_details(self):
        csms = session(V2_1)
        csms.receive(call("1", "Heartbeat"), 0.0)

        csms.refuse("1", "SecurityError", "no", Raw(b'{"hint": "boot"}'))

        assert wire(csms.take_output()) == [[4, "1", "SecurityError", "no", {"hint": "boot"}]]


class TestAnswersToUs:
    @pytest.mark.parametrize("text", ['[3,"7",{}]', '[4,"7","InternalError","",{}]', '[4,"-1","RpcFramework","",{}]'])
    @every_version
    def test_an_answer_that_nobody_asked_for_is_ignored_and_counted(self, version, text):
        csms = session(version)

        assert told(csms, text) == (["unexpected-answer"], [])
        assert still_serves(csms)

    @every_version
    def test_null_as_an_answer(self, version):
        csms = session(version)
        csms.call("GetLocalListVersion", b"{}", now=0.0, timeout=30.0)
        csms.take_output()

        [*_, ended] = csms.receive('[3,"csms-1",null]', 1.0)

        expected = DIALECTS[version].occurrence_violation if version is V1_6 else "FormatViolation"
        assert (ended.outcome, ended.code, ended.payload) == (Outcome.ERROR, expected, EMPTY)

    @pytest.mark.parametrize("code", ["OccurenceConstraintViolation", "OccurrenceConstraintViolation", "Vendor:Own"])
    @every_version
    def test_the_station_s_error_code_reaches_the_caller_as_it_is(self, version, code):
        csms = session(version)
        csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0, context="who")

        ended = csms.receive(f'[4,"csms-1","{code}","why",{{"a":1}}]', 1.0)

        a = Raw(b'{"a":1}')
        assert ended == [CallEnded("csms-1", "TriggerMessage", Outcome.ERROR, "who", a, code, "why")]

    @pytest.mark.parametrize("answer", ['[3,"csms-1"]', '[3,"csms-1",{},{}]', '[4,"csms-1"]', '[4,"csms-1",7,"",{}]'])
    @every_version
    def test_an_unreadable_answer_ends_the_call_that_waits_for_it(self, version, answer):
        csms = session(version)
        csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0)
        csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0)
        csms.take_output()

        [complaint, ended] = csms.receive(answer, 1.0)

        assert (complaint.kind, complaint.unique_id) == ("malformed", "csms-1")
        assert (ended.unique_id, ended.outcome, ended.code) == (
            "csms-1",
            Outcome.ERROR,
            DIALECTS[version].formation_violation,
        )
        output = wire(csms.take_output())
        assert output[-1][:2] == [2, "csms-2"]
        assert [frame[:2] for frame in output[:-1]] == ([[5, "csms-1"]] if version is V2_1 and answer[1] == "3" else [])


class TestOwnCallsThatNeverLeave:
    @pytest.mark.parametrize(
        ("action", "payload", "unique_id", "code"),
        [
            ("Teapot", b"{}", None, "NotImplemented"),
            ("Heartbeat", b"{}", None, "NotImplemented"),
            ("TriggerMessage", b"{}", None, "OccurrenceConstraintViolation"),
            ("TriggerMessage", b"[]", None, "FormatViolation"),
            ("TriggerMessage", b"oops", None, "FormatViolation"),
            ("TriggerMessage", MESSAGE, "x" * 37, "FormatViolation"),
        ],
    )
    def test_an_invalid_call_ends_at_once(self, action, payload, unique_id, code):
        csms = session(V2_1)

        [ended] = csms.call(action, payload, now=0.0, timeout=30.0, unique_id=unique_id, context="who")

        assert (ended.outcome, ended.code, ended.context) == (Outcome.INVALID, code, "who")
        assert (csms.take_output(), csms.timer) == ([], None)

    def test_warn_reports_an_invalid_call_and_sends_it(self):
        csms = session(V2_1, validation=Validation.WARN)

        [complaint] = csms.call("TriggerMessage", b"{}", now=0.0, timeout=30.0)

        assert (complaint.kind, complaint.unique_id, complaint.action) == ("violation", "csms-1", "TriggerMessage")
        assert wire(csms.take_output()) == [[2, "csms-1", "TriggerMessage", {}]]

    @pytest.mark.parametrize(("validation", "outcome"), [(Validation.WARN, "Invalid"), (Validation.OFF, "Invalid")])
    def test_leniency_does_not_send_what_is_no_json(self, validation, outcome):
        csms = session(V2_1, validation=validation)

        [ended] = csms.call("TriggerMessage", b"oops", now=0.0, timeout=30.0)

        assert (ended.outcome, csms.take_output()) == (Outcome(outcome), [])

    def test_a_call_whose_deadline_has_passed_expires_at_once(self):
        csms = session(V2_1)

        [ended] = csms.call("TriggerMessage", MESSAGE, now=10.0, timeout=30.0, deadline=9.0)

        assert (ended.outcome, csms.take_output(), csms.timer) == (Outcome.EXPIRED, [], None)

    def test_ids_are_made_when_none_is_given_and_kept_when_one_is(self):
        csms = session(V2_1)

        csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0, unique_id="mine")

        assert wire(csms.take_output())[0][1] == "mine"


@every_version
def test_a_closed_session_hears_nothing_says_nothing_and_takes_no_call(version):
    csms = session(version)
    csms.receive(call("1", "Heartbeat"), 0.0)

    assert csms.close() == []
    assert csms.receive(call("2", "Heartbeat"), 0.0) == []
    assert [event.kind for event in csms.answer("1", HEARTBEAT_ANSWER)] == ["unexpected-answer"]
    [ended] = csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0)
    assert ended.outcome is Outcome.NOT_CONNECTED
    assert (csms.take_output(), csms.handle_timer(99.0), csms.close(), csms.timer) == ([], [], [], None)


def test_two_sessions_may_use_the_same_ids():
    one, two = session(V1_6), session(V1_6)

    events = [end.receive(call("1", "Heartbeat"), 0.0) for end in (one, two)]

    assert events == [[CallReceived("1", "Heartbeat", EMPTY)]] * 2


def test_the_peer_s_id_and_ours_may_be_the_same():
    csms = session(V1_6)
    csms.call("TriggerMessage", MESSAGE, now=0.0, timeout=30.0, unique_id="1")
    csms.receive(call("1", "Heartbeat"), 0.0)

    csms.answer("1", HEARTBEAT_ANSWER)
    [ended] = csms.receive(b'[3,"1",%b]' % ACCEPTED, 1.0)

    assert (ended.outcome, csms.asked) == (Outcome.RESULT, None)


def test_a_session_tells_how_it_was_made():
    csms = session(V2_1, validation=Validation.WARN, max_waiting=7)

    assert (csms.role, csms.validation, csms.max_waiting, csms.dialect, csms.closed) == (
        Role.CSMS,
        Validation.WARN,
        7,
        DIALECTS[V2_1],
        False,
    )

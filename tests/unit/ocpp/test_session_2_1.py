"""SEND and CALLRESULTERROR, and that the versions before 2.1 have neither."""

import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.errors import Violation
from csms_ocpp.session import (
    AnswerRefused,
    SendReceived,
    Validation,
)
from tests.unit.ocpp.pair import (
    EMPTY,
    HEARTBEAT_ANSWER,
    STREAM,
    V1_6,
    V2_0_1,
    V2_1,
    call,
    session,
    still_serves,
    told,
)


class TestSendAndCallResultError:
    def test_a_valid_send_is_delivered_and_not_answered(self):
        csms = session(V2_1)

        events, output = told(csms, f'[6,"7","NotifyPeriodicEventStream",{STREAM.decode()}]')

        assert (events, output) == ([SendReceived("7", "NotifyPeriodicEventStream", Raw(STREAM))], [])

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ('[6,"7","NotifyPeriodicEventStream",{}]', "violation"),
            ('[6,"7","NotifyPeriodicEventStream",[]]', "violation"),
            ('[6,"7","Teapot",{}]', "unknown-action"),
            ('[6,"7","Heartbeat",{}]', "unknown-action"),
            ('[6,"7","NotifyPeriodicEventStream"]', "malformed"),
            ("[6]", "malformed"),
            ('[5,"7","FormatViolation","",{}]', "unexpected-answer"),
            ('[5,"7"]', "malformed"),
        ],
    )
    def test_whatever_is_wrong_with_it_nothing_is_answered(self, text, kind):
        csms = session(V2_1)

        assert told(csms, text) == ([kind], [])
        assert still_serves(csms)

    def test_warn_delivers_an_invalid_send(self):
        csms = session(V2_1, validation=Validation.WARN)

        events, output = told(csms, '[6,"7","NotifyPeriodicEventStream",{}]')

        assert (events, output) == (["violation", SendReceived("7", "NotifyPeriodicEventStream", EMPTY)], [])

    def test_a_call_result_error_reaches_whoever_gave_the_answer_once(self):
        csms = session(V2_1)
        csms.receive(call("7", "Heartbeat"), 0.0)
        csms.answer("7", HEARTBEAT_ANSWER)
        csms.take_output()
        text = '[5,"7","FormatViolation","why",{"a":1}]'

        first, second = told(csms, text), told(csms, text)

        a = Raw(b'{"a":1}')
        assert first == ([AnswerRefused("7", "FormatViolation", "why", a, "Heartbeat")], [])
        assert second == (["unexpected-answer"], [])

    @pytest.mark.parametrize("text", ['[5,"7","FormatViolation","",{}]', '[6,"8","NotifyPeriodicEventStream",{}]'])
    @pytest.mark.parametrize("version", [V1_6, V2_0_1])
    def test_before_2_1_both_are_ignored(self, version, text):
        csms = session(version)
        csms.receive(call("7", "Heartbeat"), 0.0)
        csms.answer("7", HEARTBEAT_ANSWER)
        csms.take_output()

        assert told(csms, text) == (["ignored"], [])

    @pytest.mark.parametrize(
        ("version", "role", "action", "code"),
        [
            (V1_6, Role.STATION, "NotifyPeriodicEventStream", "NotSupported"),
            (V2_0_1, Role.STATION, "NotifyPeriodicEventStream", "NotSupported"),
            (V2_1, Role.CSMS, "NotifyPeriodicEventStream", "NotImplemented"),
            (V2_1, Role.STATION, "Heartbeat", "NotImplemented"),
        ],
    )
    def test_a_send_that_the_version_or_role_does_not_have_is_not_sent(self, version, role, action, code):
        end = session(version, role)

        violation = end.send(action, STREAM)

        assert (violation.code, end.take_output()) == (code, [])

    def test_an_invalid_send_of_ours_is_not_sent(self):
        station = session(V2_1, Role.STATION)

        violation = station.send("NotifyPeriodicEventStream", b'{"id":1}')
        too_long = station.send("NotifyPeriodicEventStream", STREAM, unique_id="x" * 37)

        assert (violation.code, station.take_output()) == ("OccurrenceConstraintViolation", [])
        assert too_long == Violation("FormatViolation", "The message id is longer than 36 characters.")

    def test_nothing_is_sent_after_the_close(self):
        station = session(V2_1, Role.STATION)
        station.close()

        violation = station.send("NotifyPeriodicEventStream", STREAM)

        assert (violation, station.take_output()) == (Violation("GenericError", "The connection is closed."), [])

"""What text, actions and payloads that are wrong get, in every version; the session serves on."""

import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role
from csms_ocpp.session import (
    CallReceived,
    Validation,
)
from csms_ocpp.version import DIALECTS, Version
from tests.unit.ocpp.pair import (
    EMPTY,
    STREAM,
    V1_6,
    V2_0_1,
    V2_1,
    call,
    every_version,
    session,
    still_serves,
    told,
)


class TestMalformed:
    @pytest.mark.parametrize("text", ["{not json", "{}", "[]", "42", "[2]", "", '[2,7,"Heartbeat",{}]'])
    @every_version
    def test_text_without_a_readable_id_gets_nothing_in_1_6_and_minus_one_in_2(self, version, text):
        csms = session(version)

        events, output = told(csms, text)

        assert events == ["malformed"]
        if version is V1_6:
            assert output == []
        else:
            [[kind, unique_id, code, description, details]] = output
            assert [kind, unique_id, code, details] == [4, "-1", "RpcFrameworkError", {}]
            assert 0 < len(description) <= 255
        assert still_serves(csms)

    @pytest.mark.parametrize(("text", "size"), [('[2,"7","Heartbeat"]', 3), ('[2,"7","Heartbeat",{},{}]', 5)])
    @every_version
    def test_a_call_of_three_or_five_elements_is_a_protocol_error(self, version, text, size):
        csms = session(version)

        assert told(csms, text) == (
            ["malformed"],
            [[4, "7", "ProtocolError", f"{size} elements, expected 4", {}]],
        )
        assert still_serves(csms)

    @every_version
    def test_an_action_that_is_not_a_string_is_a_protocol_error(self, version):
        csms = session(version)

        assert told(csms, call("7", 8)) == (
            ["malformed"],
            [[4, "7", "ProtocolError", "an element has the wrong type", {}]],
        )

    @every_version
    def test_an_id_over_36_characters_gets_a_call_error_with_the_id_cut(self, version):
        csms = session(version)

        assert told(csms, call("x" * 37, "Heartbeat")) == (
            ["malformed"],
            [
                [
                    4,
                    "x" * 36,
                    DIALECTS[version].formation_violation,
                    "the message id is longer than 36 characters",
                    {},
                ]
            ],
        )
        assert still_serves(csms)

    @pytest.mark.parametrize("kind", ["0", "1", "7", "-1", "9" * 30, pytest.param("9" * 4000, id="huge")])
    @every_version
    def test_an_unknown_message_type_is_ignored(self, version, kind):
        csms = session(version)

        assert told(csms, f'[{kind},"7","Heartbeat",{{}}]') == (["ignored"], [])
        assert still_serves(csms)

    @pytest.mark.parametrize(
        "text", ["[3]", '[3,"7"]', "[4,7]", '[4,"7"]', '[4,"7",{},"",{}]', f'[3,"{37 * "x"}",{{}}]']
    )
    @every_version
    def test_an_unreadable_answer_is_never_answered(self, version, text):
        csms = session(version)

        assert told(csms, text) == (["malformed"], [])
        assert still_serves(csms)

    @every_version
    def test_too_much_nesting_is_refused_and_survived(self, version):
        csms = session(version)

        text = call("7", "DataTransfer", '{"vendorId":"a","data":' + "[" * 200 + "]" * 200 + "}")
        assert told(csms, text) == (
            ["malformed"],
            [[4, "7", "ProtocolError", "nested deeper than 100 levels", {}]],
        )
        assert told(csms, "[" * 200_000)[0] == ["malformed"]
        assert still_serves(csms)

    @every_version
    def test_a_megabyte_of_anything_is_survived(self, version):
        csms = session(version)

        for text in ("[" + "1," * 500_000 + "1]", call("7", "H" * 1_000_000), '[2,"' + "x" * 1_000_000 + '","a",{}]'):
            csms.receive(text, 0.0)
            assert all(len(message) < 1000 for message in csms.take_output())
        assert still_serves(csms)


class TestActions:
    @pytest.mark.parametrize(
        "action", ["Teapot", "heartbeat", "HEARTBEAT", "HeartbeatRequest", "", "a\0b", "🔌", "x" * 999]
    )
    @every_version
    def test_an_unknown_action_is_not_implemented(self, version, action):
        csms = session(version)

        sentence = f"{version} has no action {action[:50]}."
        assert told(csms, call("7", action)) == (["unknown-action"], [[4, "7", "NotImplemented", sentence, {}]])
        assert still_serves(csms)

    @pytest.mark.parametrize(
        ("version", "action"),
        [(V1_6, "TransactionEvent"), (V2_0_1, "StartTransaction"), (V2_0_1, "BatterySwap"), (V2_1, "GetConfiguration")],
    )
    def test_another_version_s_action_is_not_implemented(self, version, action):
        [[_, _, code, _, _]] = told(session(version), call("7", action))[1]

        assert code == "NotImplemented"

    @pytest.mark.parametrize(
        ("role", "action", "asker"), [(Role.CSMS, "Reset", "csms"), (Role.STATION, "Heartbeat", "station")]
    )
    @every_version
    def test_an_action_of_the_other_direction_is_not_supported(self, version, role, action, asker):
        output = told(session(version, role), call("7", action))

        assert output == (["wrong-direction"], [[4, "7", "NotSupported", f"Only the {asker} sends {action}.", {}]])

    def test_a_send_that_comes_as_a_call_is_not_supported(self):
        output = told(session(V2_1), call("7", "NotifyPeriodicEventStream", STREAM.decode()))

        sentence = "NotifyPeriodicEventStream is a SEND, not a CALL."
        assert output == (["wrong-direction"], [[4, "7", "NotSupported", sentence, {}]])


class TestPayloads:
    @pytest.mark.parametrize("payload", ["[]", '"text"', "7", "true", "[{}]"])
    @pytest.mark.parametrize("validation", Validation)
    @every_version
    def test_a_payload_that_is_no_object_is_a_formation_violation_however_lenient_we_are(
        self, version, validation, payload
    ):
        csms = session(version, validation=validation)

        code = DIALECTS[version].formation_violation
        assert told(csms, call("7", "Heartbeat", payload)) == (
            ["violation"],
            [[4, "7", code, "The payload is not a JSON object.", {}]],
        )
        assert still_serves(csms)

    @pytest.mark.parametrize("validation", Validation)
    def test_bytes_that_are_no_text_never_get_further(self, validation):
        csms = session(V1_6, validation=validation)

        events, output = told(csms, b'[2,"7","DataTransfer",{"vendorId":"\xff"}]')

        assert (events, output[0][:3]) == (["violation"], [4, "7", "FormationViolation"])

    def test_null_is_an_empty_payload_in_1_6(self):
        assert told(session(V1_6), call("7", "Heartbeat", "null")) == ([CallReceived("7", "Heartbeat", EMPTY)], [])

    @pytest.mark.parametrize("version", [V2_0_1, V2_1])
    def test_null_is_a_format_violation_in_2(self, version):
        events, output = told(session(version), call("7", "Heartbeat", "null"))

        assert (events, output[0][:3]) == (["violation"], [4, "7", "FormatViolation"])

    @pytest.mark.parametrize(
        ("payload", "v1", "v2"),
        [
            ("{}", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
            ('{"vendorId":7}', "TypeConstraintViolation", "TypeConstraintViolation"),
            ('{"vendorId":"%s"}' % ("v" * 256), "PropertyConstraintViolation", "PropertyConstraintViolation"),
            ('{"vendorId":"v","other":1}', "FormationViolation", "FormatViolation"),
        ],
    )
    @every_version
    def test_a_violation_is_answered_with_its_code(self, version, payload, v1, v2):
        csms = session(version)

        events, [[kind, unique_id, code, description, details]] = told(csms, call("7", "DataTransfer", payload))

        assert (events, kind, unique_id, details) == (["violation"], 4, "7", {})
        assert code == (v1 if version is V1_6 else v2)
        assert 0 < len(description) <= 255
        assert still_serves(csms)

    @every_version
    def test_warn_reports_a_violation_and_passes_it_on(self, version):
        csms = session(version, validation=Validation.WARN)

        [complaint, received] = csms.receive(call("7", "DataTransfer", '{"other":1}'), 0.0)

        assert (complaint.kind, complaint.unique_id, complaint.action) == ("violation", "7", "DataTransfer")
        assert received == CallReceived("7", "DataTransfer", Raw(b'{"other":1}'))

    @every_version
    def test_off_does_not_look(self, version):
        csms = session(version, validation=Validation.OFF)

        assert told(csms, call("7", "DataTransfer", '{"other":1}'))[0] == [
            CallReceived("7", "DataTransfer", Raw(b'{"other":1}'))
        ]

    @every_version
    def test_whatever_unicode_holds_comes_through_unchanged(self, version):
        payload = '{"vendorId":"Zoë 🔌","data":"\\u0000 \\ud83d\\ude00 \\u202e"}'

        assert told(session(version), call("🔌", "DataTransfer", payload))[0] == [
            CallReceived("🔌", "DataTransfer", Raw(payload.encode()))
        ]

    def test_a_version_without_official_schemas_is_checked_by_its_types(self):
        answer = told(session(Version.V1_5), call("7", "Authorize", '{"idTag":"123456789012345678901"}'))[1]

        assert answer[0][:3] == [4, "7", "PropertyConstraintViolation"]

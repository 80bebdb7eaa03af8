"""One message: text to frame and back, and what is said about text that is not one."""

import pytest
from msgspec import Raw

from csms_ocpp.frames import (
    EMPTY,
    MAX_DEPTH,
    Call,
    CallError,
    CallResult,
    CallResultError,
    Malformed,
    Send,
    decode,
    encode,
)
from csms_ocpp.version import DIALECTS, Version
from tests.unit.ocpp.pair import JSON_VERSIONS

V1_6, V2_0_1, V2_1 = JSON_VERSIONS
A = Raw(b'{"a":1}')


def read(text, version=V2_1):
    return decode(text, DIALECTS[version])


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{"a":1}]', Call("1", "Heartbeat", A)),
        ('[3,"1",{"a":1}]', CallResult("1", A)),
        ('[4,"1","GenericError","why",{"a":1}]', CallError("1", "GenericError", "why", A)),
    ],
)
@pytest.mark.parametrize("version", JSON_VERSIONS)
def test_every_version_reads_and_writes_calls_and_answers(version, text, frame):
    assert read(text, version) == frame
    assert read(text.encode(), version) == frame
    assert encode(frame) == text.encode()


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[5,"1","FormatViolation","why",{"a":1}]', CallResultError("1", "FormatViolation", "why", A)),
        ('[6,"1","NotifyPeriodicEventStream",{"a":1}]', Send("1", "NotifyPeriodicEventStream", A)),
    ],
)
def test_2_1_has_call_result_error_and_send(text, frame):
    assert read(text) == frame
    assert encode(frame) == text.encode()


@pytest.mark.parametrize("version", [V1_6, V2_0_1])
@pytest.mark.parametrize("text", ['[5,"1","X","",{}]', '[6,"1","NotifyPeriodicEventStream",{}]'])
def test_before_2_1_types_five_and_six_are_ignored(version, text):
    kind = int(text[1])

    reason = f"message type {kind} is not one of {version}"
    assert read(text, version) == Malformed(reason, kind, ignorable=True)


@pytest.mark.parametrize("kind", ["0", "1", "7", "-2", "99999999999999999999999"])
@pytest.mark.parametrize("version", JSON_VERSIONS)
def test_an_unknown_message_type_is_ignored(version, kind):
    frame = read(f'[{kind},"1","Heartbeat",{{}}]', version)

    assert frame == Malformed(f"message type {kind} is not one of {version}", int(kind), ignorable=True)


BOTTOMLESS = ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "{not json",
            "{}",
            "42",
            '"text"',
            "null",
            "true",
            "[2",
            "[2,",
            '[2,"1"}',
            "[,]",
            "['2','1']",
            "[NaN]",
        ),
        *(
            '[2,"1","H",{}] x',
            '[2,"1","Heartbeat",{}]\0',
            '[2,"1","Heart\0beat",{}]',
            '[2,"1","H",{"a":"\0"}]',
            "\ufeff[]",
        ),
        *('[2,"1","H",{"a":"\ud800"}]', '[2,"1","H",{"a":"\\ud800"}]', '[2,"\\udc00","Heartbeat",{}]'),
        *(pytest.param(text, id=f"bottomless-{n}") for n, text in enumerate(BOTTOMLESS)),
    ],
)
def test_what_is_not_a_json_array_is_malformed(text):
    frame = read(text)

    assert (frame.kind, frame.unique_id, frame.ignorable) == (None, None, False)
    assert frame.reason.startswith("not a JSON array: ")
    assert len(frame.reason) <= 255


@pytest.mark.parametrize("text", ["[]", '["2","1","Heartbeat",{}]', "[null]", "[2.0]", "[true]", "[{}]", "[[2]]"])
def test_an_array_without_a_type_number_is_malformed(text):
    assert read(text) == Malformed("no message type number")


@pytest.mark.parametrize("unique_id", ["7", "null", "{}", "[]", "true"])
def test_an_id_that_is_not_a_string_is_malformed(unique_id):
    assert read(f'[2,{unique_id},"Heartbeat",{{}}]') == Malformed("the message id is not a string", 2)


def test_an_array_that_ends_before_the_id_is_malformed():
    assert read("[2]") == Malformed("the message id is not a string", 2)


@pytest.mark.parametrize(
    ("text", "kind", "length", "expected"),
    [
        ('[2,"1","Heartbeat"]', 2, 3, 4),
        ('[2,"1","Heartbeat",{},{}]', 2, 5, 4),
        ('[2,"1"]', 2, 2, 4),
        ('[3,"1"]', 3, 2, 3),
        ('[3,"1",{},{}]', 3, 4, 3),
        ('[4,"1"]', 4, 2, 5),
        ('[4,"1","X","",{},{}]', 4, 6, 5),
        ('[5,"1"]', 5, 2, 5),
        ('[6,"1","X"]', 6, 3, 4),
    ],
)
def test_wrong_arity_is_malformed_and_the_id_is_known(text, kind, length, expected):
    assert read(text) == Malformed(f"{length} elements, expected {expected}", kind, "1")


@pytest.mark.parametrize("text", ['[2,"1",7,{}]', '[2,"1",null,{}]', '[4,"1",7,"",{}]', '[6,"1",{},{}]'])
def test_an_action_or_code_that_is_not_a_string_is_malformed(text):
    assert read(text) == Malformed("an element has the wrong type", int(text[1]), "1")


def test_an_id_has_at_most_36_characters_whatever_their_bytes():
    longest = "🔌" * 36

    assert read(f'[2,"{longest}","Heartbeat",{{}}]') == Call(longest, "Heartbeat", EMPTY)
    reason = "the message id is longer than 36 characters"
    assert read(f'[2,"{longest}x","Heartbeat",{{}}]') == Malformed(reason, 2, f"{longest}x")


@pytest.mark.parametrize(
    ("version", "payload"), [(V1_6, b"{}"), (Version.V1_5, b"{}"), (V2_0_1, b"null"), (V2_1, b"null")]
)
def test_null_is_an_empty_payload_in_1_6_only(version, payload):
    assert read('[2,"1","Heartbeat",null]', version) == Call("1", "Heartbeat", Raw(payload))
    assert read('[3,"1", null ]', version) == CallResult("1", Raw(payload))


def test_a_payload_of_null_s_length_stays_what_it_is():
    assert read('[2,"1","Heartbeat",true]', V1_6) == Call("1", "Heartbeat", Raw(b"true"))


@pytest.mark.parametrize("rest", ["", ',""', ',"",null', ',"",{', ",null,{}", ',7,"x"', ',"",[1]'])
def test_a_call_error_keeps_its_code_whatever_follows_it(rest):
    text = f'[4,"1","GenericError"{rest}]'.replace(",{]", ",{}]")

    assert read(text, V1_6) == CallError("1", "GenericError", "", EMPTY)


def test_details_that_cannot_be_decoded_are_left_out():
    assert read(b'[4,"1","GenericError","",{"a":"\xff"}]') == CallError("1", "GenericError", "", EMPTY)


def test_white_space_is_no_part_of_a_message():
    text = ' [ 2 ,\r\n\t"1" , "Heartbeat" , { "a" : "b c" } ] '

    frame = read(text)

    assert frame == Call("1", "Heartbeat", Raw(b'{ "a" : "b c" }'))
    assert encode(frame) == b'[2,"1","Heartbeat",{"a":"b c"}]'


@pytest.mark.parametrize("space", [b" ", b"\n", b"\r", b"\t"])
def test_what_we_send_is_compact_and_keeps_order_numbers_and_escapes(space):
    payload = Raw(b'{"z":%b1.50,"a":[1e3, 0.10],"u":"\\u00e9\\/ \xc3\xa9"}' % space)

    assert encode(CallResult("1", payload)) == b'[3,"1",{"z":1.50,"a":[1e3,0.10],"u":"\\u00e9\\/ \xc3\xa9"}]'


def test_beyond_ascii_nothing_changes():
    text = '[2,"ü-1","DataTransfer",{"data":"Grüße 🔌 \\u0000"}]'.encode()

    assert encode(read(text)) == text


def test_a_description_is_cut_at_255_characters():
    assert encode(CallError("1", "GenericError", "é" * 300)) == b'[4,"1","GenericError","%b",{}]' % ("é" * 255).encode()


def nested(depth):
    levels = depth - 2  # the message and its payload are the first two
    return '[2,"1","DataTransfer",{"a":' + "[" * levels + '"' + "[" * 500 + '\\""' + "]" * levels + "}]"


def test_nesting_has_a_bound_far_below_what_readers_recurse():
    assert isinstance(read(nested(MAX_DEPTH)), Call)
    too_deep = Malformed(f"nested deeper than {MAX_DEPTH} levels", 2, "1")
    assert read(nested(MAX_DEPTH + 1)) == too_deep
    assert read(nested(MAX_DEPTH + 1).encode()) == too_deep
    assert read('[3,"1",' + '{"a":' * 200 + "1" + "}" * 200 + "]") == Malformed(too_deep.reason, 3, "1")


def test_a_wide_message_is_not_a_deep_one():
    text = '[2,"1","DataTransfer",{"a":[' + ",".join(["{}"] * 10_000) + "]}]"

    assert isinstance(read(text), Call)

"""What a response means. The last tests say what matters most: nothing that an endpoint sends raises."""

from email.utils import formatdate
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import Version
from csms_platform.envelope import EMPTY, Envelope, Kind, decode, encode
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply, pause, read
from tests.unit.webhook_relay.calls import call

NOON = 1_767_268_800.0
ACCEPTED = b'{"idTagInfo":{"status":"Accepted"}}'


def reply(status: int, body: Any, asked: Envelope | None = None, **more: Any) -> Reply:
    return read(status, body if isinstance(body, bytes) else msgspec.json.encode(body), asked or call(), **more)


def same(found: Reply, expected: Reply) -> bool:
    """Equal, payloads by their bytes."""
    return msgspec.structs.asdict(found) == msgspec.structs.asdict(expected) and type(found) is type(expected)


@pytest.mark.parametrize("status", [200, 201, 202, 206, 299])
@pytest.mark.parametrize(
    "body",
    [
        b'{"payload":%b}' % ACCEPTED,
        b'{"messageTypeId":3,"payload":%b}' % ACCEPTED,
        b'{"messageTypeId":"CallResult","identity":"CS-1","uniqueId":"17","action":"Authorize","payload":%b}'
        % ACCEPTED,
        b'{"messageTypeId":null,"identity":null,"uniqueId":null,"account":7,"payload":%b}' % ACCEPTED,
    ],
)
def test_any_2xx_with_a_payload_is_a_result(status: int, body: bytes) -> None:
    found = reply(status, body)

    assert isinstance(found, Answered)
    assert bytes(found.payload) == ACCEPTED


@pytest.mark.parametrize("kind", [4, "CallError"])
def test_a_call_error_is_one(kind: Any) -> None:
    found = reply(
        200,
        {"messageTypeId": kind, "errorCode": "SecurityError", "errorDescription": "no", "errorDetails": {"why": 1}},
    )

    assert isinstance(found, Refused)
    assert (found.code, found.description, bytes(found.details)) == ("SecurityError", "no", b'{"why":1}')


@pytest.mark.parametrize(
    ("version", "named", "code", "description"),
    [
        ("ocpp1.6", "GenericError", "GenericError", "text"),
        ("ocpp1.6", "OccurrenceConstraintViolation", "OccurenceConstraintViolation", "text"),
        ("ocpp1.6", "FormatViolation", "FormationViolation", "text"),
        ("ocpp1.6", "RpcFrameworkError", "GenericError", "text"),
        ("ocpp2.0.1", "FormationViolation", "FormatViolation", "text"),
        ("ocpp2.1", "OccurenceConstraintViolation", "OccurrenceConstraintViolation", "text"),
        ("ocpp2.0.1", "RpcFrameworkError", "RpcFrameworkError", "text"),
        ("ocpp2.0.1", "Teapot", "GenericError", "Teapot: text"),
        ("ocpp1.5", "Teapot", "GenericError", "Teapot: text"),
        ("ocpp1.6", None, "InternalError", "text"),
    ],
)
def test_an_error_code_is_one_that_the_version_knows(
    version: str, named: str | None, code: str, description: str
) -> None:
    body = {"messageTypeId": 4, "errorCode": named, "errorDescription": "text"}

    assert same(reply(200, body, call(version=version)), Refused(code, description))


@pytest.mark.parametrize("details", [b"[1]", b"7", b'{"a":' * 120 + b"1" + b"}" * 120])
def test_details_that_no_error_can_carry_are_left_out(details: bytes) -> None:
    body = b'{"messageTypeId":4,"errorCode":"GenericError","errorDetails":%b}' % details

    assert same(reply(200, body), Refused("GenericError", ""))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"payload":{}}', b'{"payload":null}', b'{"uniqueId":"17"}'])
@pytest.mark.parametrize(
    ("action", "version"),
    [
        ("Heartbeat", "ocpp1.6"),
        ("StopTransaction", "ocpp1.6"),
        ("StopTransaction", "ocpp1.5"),
        ("Authorize", "ocpp1.5"),
    ],
)
def test_an_empty_reply_is_enough_where_nothing_must_be_answered(body: bytes, action: str, version: str) -> None:
    found = reply(200, body, call(action, version=version))

    if action == "StopTransaction":
        assert same(found, Answered(EMPTY))
    elif version != "ocpp1.5" or body != b'{"payload":{}}':
        assert isinstance(found, Failed)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("MeterValues", Answered(EMPTY)),
        ("Heartbeat", Failed('the reply is empty: "currentTime" is a required property', replied=True)),
    ],
)
def test_204_is_an_empty_reply(action: str, expected: Reply) -> None:
    assert same(reply(204, b"", call(action)), expected)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"identity":7}', "the reply cannot be read: Expected `str | null`, got `int` - at `$.identity`"),
        (
            b'{"payload":{"idTagInfo":{"status":"Ok"}}}',
            'idTagInfo.status: "Ok" is not one of "Accepted", "Blocked" or 3 other candidates',
        ),
        (b'{"payload":[]}', "The payload is not a JSON object."),
        (b'{"identity":"CS-2","payload":{}}', "the reply is about another station"),
        (b'{"uniqueId":"18","payload":{}}', "the reply is about another uniqueId"),
        (b'{"messageTypeId":2,"payload":{}}', "messageTypeId is neither CallResult nor CallError: 2"),
        (b'{"messageTypeId":"Call","payload":{}}', "messageTypeId is neither CallResult nor CallError: Call"),
    ],
)  # fmt: skip
def test_a_reply_that_cannot_be_used_is_a_failure_with_its_reason(body: bytes, reason: str) -> None:
    assert same(reply(200, body), Failed(reason, replied=True))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"OK", "JSON is malformed: invalid character (byte 0)"),
        (b"<html>It works!</html>", "JSON is malformed: invalid character (byte 0)"),
        (b"[3,\"17\",{}]", "Expected `object`, got `array`"),
        (b'{"payload":%b' % ACCEPTED, "Input data was truncated"),
        (b'{"identity":7,', "Expected `str | null`, got `int` - at `$.identity`"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("kind", [Kind.CALL, Kind.SEND])
def test_what_is_no_json_object_did_not_come_from_the_endpoint(
    body: bytes, reason: str, told: bool, kind: Kind
) -> None:
    assert same(reply(200, body, call(kind=kind), told=told), Failed(f"the reply cannot be read: {reason}"))


def test_a_payload_too_deep_for_the_bus_is_a_failure() -> None:
    deep = b'{"status":"Accepted","data":' + b"[" * 200 + b"]" * 200 + b"}"

    found = reply(200, b'{"payload":%b}' % deep, call("DataTransfer", version="ocpp2.0.1"))

    assert same(found, Failed("the payload nests deeper than 100 levels", replied=True))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"payload":{"x":1}}', b'{"identity":7}'])
def test_a_send_needs_no_answer(body: bytes) -> None:
    asked = call("NotifyPeriodicEventStream", version="ocpp2.1", kind=Kind.SEND)

    assert same(reply(202, body, asked), Answered(EMPTY))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"payload":null}'])
def test_an_endpoint_that_is_only_told_need_not_answer(body: bytes) -> None:
    assert same(reply(200, body, told=True), Answered(EMPTY))


def test_what_an_endpoint_answers_though_it_was_only_told_is_checked() -> None:
    assert isinstance(reply(200, b'{"payload":{"x":1}}', told=True), Failed)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, Failed("HTTP status 500")),
        (503, Failed("HTTP status 503", 30.0)),
        (429, Failed("HTTP status 429", 30.0)),
        (408, Failed("HTTP status 408")),
        (301, Final("HTTP status 301: redirects are not followed")),
        (307, Final("HTTP status 307: redirects are not followed")),
        (400, Final("HTTP status 400")),
        (401, Final("HTTP status 401")),
        (404, Final("HTTP status 404")),
        (199, Final("HTTP status 199")),
    ],
)
def test_other_statuses(status: int, expected: Reply) -> None:
    later = "30" if status in (429, 503) else ""

    assert same(reply(status, b"", retry_after=later), expected)


@pytest.mark.parametrize(
    ("body", "said"), [(b"unknown\r\n station", ": unknown station"), (b"<html>no</html>", ""), (b"\x00\xff", "")]
)
def test_the_words_of_a_refusal_are_kept(body: bytes, said: str) -> None:
    assert same(reply(422, body), Final(f"HTTP status 422{said}"))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("999999999999", 3600.0),
        (formatdate(NOON + 90, usegmt=True), 90.0),
        (formatdate(NOON - 90, usegmt=True), 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("²", 0.0),
        ("Thu, 99 Foo 2026 99:99:99 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert pause(header, NOON) == seconds


ACTIONS = [(version, action) for version in Version for action in sorted(asked_by(Role.STATION, version))]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
KEYS = (
    "payload", "messageTypeId", "identity", "uniqueId", "errorCode", "errorDescription", "errorDetails",
)  # fmt: skip
KINDS = JSON | st.sampled_from([3, 4, "CallResult", "CallError"])
REPLIES = st.fixed_dictionaries({}, optional={key: KINDS if key == "messageTypeId" else JSON for key in KEYS})


def is_passable(found: Reply, asked: Envelope) -> bool:
    """Whether what a station would get is valid, and survives the bus."""
    match found:
        case Answered(payload):
            schema = schemas.table(Version(asked.version)).get((asked.action, schemas.RESPONSE))
            carried = decode(encode([Envelope(Kind.RESULT, "CS-1", payload=payload)]))[0].payload
            return bytes(carried) == bytes(payload) and (schema is None or schema.check(payload) is None)
        case Refused(code, description, details):
            sent = Envelope(Kind.ERROR, "CS-1", error_code=code, error_description=description, payload=details)
            return decode(encode([sent]))[0].error_description == description and len(description) <= 255
        case Failed(reason) | Final(reason):
            return bool(reason) and len(reason) <= 300


@given(st.integers(100, 599), st.binary(max_size=200), st.sampled_from(ACTIONS), st.text(max_size=30))
def test_no_bytes_raise(status: int, body: bytes, about: tuple[str, str], later: str) -> None:
    asked = call(about[1], version=about[0])

    assert is_passable(read(status, body, asked, retry_after=later, now=NOON), asked)


@given(REPLIES, st.sampled_from(ACTIONS), st.booleans())
def test_no_json_raises(body: dict[str, Any], about: tuple[str, str], told: bool) -> None:
    asked = call(about[1], version=about[0])

    found = reply(200, body, asked, told=told)

    # An endpoint that is only told may answer nothing: then nobody gets it.
    assert is_passable(found, asked) or (told and same(found, Answered(EMPTY)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"messageTypeId":4,"errorCode":"\\ud800","errorDescription":"\\udfff"}',
        b'{"payload":{"a":"\xff"}}',
        b'{"messageTypeId":4,"errorDetails":{"a":"\xff"}}',
        b"[" * 100_000,
        b'{"payload":' + b'{"a":' * 50_000,
        b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b',"payload":{}}',
        b'{"messageTypeId":1e400}',
        b'{"messageTypeId":99999999999999999999999999}',
        b'\xef\xbb\xbf{"payload":{}}',
    ],
)
def test_malice_is_a_failure_or_a_passable_answer(body: bytes) -> None:
    for asked in (call(), call("StopTransaction"), call("DataTransfer", version="ocpp2.1")):
        assert is_passable(read(200, body, asked), asked)


def test_the_payload_keeps_its_bytes() -> None:
    found = reply(200, b'{ "payload" : { "currentTime" : "2026-01-01T12:00:00Z" } }', call("Heartbeat"))

    assert isinstance(found, Answered)
    assert bytes(found.payload) == b'{ "currentTime" : "2026-01-01T12:00:00Z" }'

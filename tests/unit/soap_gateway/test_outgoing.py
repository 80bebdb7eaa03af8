"""From the envelope that asks for a command to what is POSTed, and from the answer to how it ended."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from yarl import URL

from csms_ocpp.rules import Validation
from csms_ocpp.session import Outcome
from csms_ocpp.soap import Fault, Subcode, Unreadable, write_fault
from csms_ocpp.version import Version
from csms_platform.envelope import EMPTY, Capsule, Envelope, Kind
from csms_soap_gateway.outgoing import Command, Ended, headers, message_id, read_command
from csms_soap_gateway.outgoing_answers import Answer, read_answer

RESET = Envelope(
    Kind.CALL,
    "CS-1",
    version="ocpp1.6",
    transport="soap",
    unique_id="7",
    action="Reset",
    payload=Raw(b'{"type":"Soft"}'),
    callback="http://192.0.2.7/ocpp",
)


PENDING = Capsule(registration="Pending")


def changed(**fields: Any) -> Envelope:
    return msgspec.structs.replace(RESET, **fields)


def command(validation: Validation = Validation.STRICT, **fields: Any) -> Command:
    read = read_command(changed(**fields), validation)
    assert isinstance(read, Command)
    return read


def answered(body: bytes | str, status: int = 200, phrase: str = "OK") -> Answer:
    return Answer(status, phrase, "", body.encode() if isinstance(body, str) else body)


def reset_response(inner: str) -> str:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        f'<resetResponse xmlns="urn://Ocpp/Cp/2015/10/">{inner}</resetResponse></e:Body></e:Envelope>'
    )


ACCEPTED = reset_response("<status>Accepted</status>")
WRONG = reset_response("<status>Perhaps</status>")


def test_a_good_call_can_be_sent() -> None:
    read = command()

    assert (read.call, read.url, read.version) == (RESET, URL("http://192.0.2.7/ocpp"), Version.V1_6)
    assert read.violation is None


@pytest.mark.parametrize(
    ("fields", "ended"),
    [
        (
            {"version": "ocpp2.0.1"},
            Ended(Outcome.INVALID, EMPTY, "NotImplemented", "ocpp2.0.1 is not spoken over SOAP."),
        ),
        ({"version": "9"}, Ended(Outcome.INVALID, EMPTY, "NotImplemented", "9 is not spoken over SOAP.")),
        (
            {"action": "GetLog"},
            Ended(Outcome.INVALID, EMPTY, "NotImplemented", "GetLog is not in OCPP 1.6 over SOAP."),
        ),
        (
            {"action": "TriggerMessage", "version": "ocpp1.5"},
            Ended(Outcome.INVALID, EMPTY, "NotImplemented", "TriggerMessage is not in OCPP 1.5 over SOAP."),
        ),
        (
            {"action": "Heartbeat"},
            Ended(Outcome.INVALID, EMPTY, "NotImplemented", "Heartbeat is not in OCPP 1.6 over SOAP."),
        ),
        (
            {"action": "RemoteStopTransaction", "payload": Raw(b'{"transactionId":1}'), "session": PENDING},
            Ended(Outcome.REFUSED, description="The station's registration is Pending."),
        ),
        (
            {"callback": ""},
            Ended(Outcome.NOT_CONNECTED, description="The station has not said where it can be called."),
        ),
        (
            {"callback": "ftp://192.0.2.7/"},
            Ended(Outcome.NOT_CONNECTED, description="The station's address is not one of http or https."),
        ),
    ],
)
def test_what_cannot_be_sent_ends_at_once(fields: dict[str, Any], ended: Ended) -> None:
    assert read_command(changed(**fields), Validation.STRICT) == ended


@pytest.mark.parametrize("version", ["ocpp1.5", "ocpp1.6"])
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"type":"Sudden"}', "PropertyConstraintViolation"),
        (b"{}", "OccurenceConstraintViolation"),
        (b'{"type":7}', "TypeConstraintViolation"),
        (b"[]", "FormationViolation"),
        (b"null-ish", "FormationViolation"),
    ],
)
def test_a_payload_that_violates_its_schema_is_not_sent(version: str, payload: bytes, code: str) -> None:
    ended = read_command(changed(version=version, payload=Raw(payload)), Validation.STRICT)

    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.code, ended.payload) == (Outcome.INVALID, code, EMPTY)
    assert ended.description


@pytest.mark.parametrize(
    ("validation", "session"),
    [(Validation.WARN, None), (Validation.STRICT, Capsule(quirks="other lenient"))],
)
def test_a_lenient_station_gets_it_all_the_same(validation: Validation, session: Capsule | None) -> None:
    read = command(validation, payload=Raw(b'{"type":"Sudden"}'), session=session)

    assert read.violation is not None
    assert read.violation.code == "PropertyConstraintViolation"


def test_a_message_id_is_the_commands_own_or_always_the_same() -> None:
    own = "4F5A6B7C-0000-4000-8000-0123456789AB"

    assert message_id(own) == "urn:uuid:4f5a6b7c-0000-4000-8000-0123456789ab"
    assert message_id("r-1") == f"urn:uuid:{uuid5(NAMESPACE_URL, 'r-1')}"
    assert message_id("") != message_id("")


@given(st.text())
def test_every_id_makes_a_message_id(unique_id: str) -> None:
    made = message_id(unique_id)

    assert made == UUID(made).urn


def test_the_media_type_names_the_action() -> None:
    assert headers(command())["Content-Type"] == 'application/soap+xml; charset=utf-8; action="/Reset"'


def test_the_response_is_the_result() -> None:
    assert read_answer(command(), answered(ACCEPTED)) == Ended(Outcome.RESULT, Raw(b'{"status":"Accepted"}'))


def test_a_response_under_the_wrong_status_is_a_response() -> None:
    assert read_answer(command(), answered(ACCEPTED, 500)).outcome is Outcome.RESULT


def test_a_response_that_violates_its_schema_is_an_error_with_what_came() -> None:
    ended = read_answer(command(), answered(WRONG))

    assert (ended.outcome, ended.code, ended.payload) == (
        Outcome.ERROR,
        "PropertyConstraintViolation",
        Raw(b'{"status":"Perhaps"}'),
    )
    assert ended.violation is not None
    assert ended.description == ended.violation.description


def test_a_lenient_stations_response_is_the_result_all_the_same() -> None:
    ended = read_answer(command(Validation.WARN), answered(WRONG))

    assert (ended.outcome, ended.payload) == (Outcome.RESULT, Raw(b'{"status":"Perhaps"}'))
    assert ended.violation is not None


@pytest.mark.parametrize(
    ("subcode", "code", "description"),
    [
        ("SecurityError", "SecurityError", "No."),
        ("NotSupported", "NotSupported", "No."),
        ("InternalError", "InternalError", "No."),
        ("ProtocolError", "ProtocolError", "No."),
        ("GenericError", "GenericError", "No."),
        ("IdentityMismatch", "GenericError", "IdentityMismatch: No."),
        ("UrlTemporarilyUnavailable", "GenericError", "UrlTemporarilyUnavailable: No."),
        ("VersionMismatch", "GenericError", "VersionMismatch: No."),
        ("SomethingOfTheirOwn", "GenericError", "SomethingOfTheirOwn: No."),
        ("", "GenericError", "No."),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_is_an_error(subcode: str, code: str, description: str, status: int) -> None:
    fault = write_fault(Fault(Subcode(subcode) if subcode in list(Subcode) else subcode, "No."), "")

    ended = read_answer(command(), answered(fault, status))

    assert ended == Ended(Outcome.ERROR, EMPTY, code, description)


@pytest.mark.parametrize(
    ("answer", "code", "description"),
    [
        (
            answered("", 202, "Accepted"),
            "FormationViolation",
            "HTTP 202 Accepted without a readable answer: The body is not well-formed XML: no element found.",
        ),
        (
            answered("Hi\n\tyou", 200),
            "FormationViolation",
            "HTTP 200 OK without a readable answer: The body is not well-formed XML: syntax error. It begins: Hi you",
        ),
        (
            answered("<html/>", 404, "Not Found"),
            "GenericError",
            "HTTP 404 Not Found without a readable answer: html is not a SOAP envelope. It begins: <html/>",
        ),
        (
            answered(ACCEPTED.replace("resetResponse", "clearCacheResponse"), 503, ""),
            "GenericError",
            "HTTP 503 without a readable answer: The answer is clearCacheResponse, expected resetResponse."
            f" It begins: {ACCEPTED.replace('resetResponse', 'clearCacheResponse')[:100]}",
        ),
        (answered(ACCEPTED, 302, "Found"), "GenericError", "HTTP 302 Found: redirects are not followed."),
        (answered("", 307, "Moved\x07"), "GenericError", "HTTP 307 Moved: redirects are not followed."),
        (Unreadable("The answer is too large."), "FormationViolation", "The answer is too large."),
    ],
)
def test_what_is_no_answer_is_an_error_that_says_what_came(
    answer: Answer | Unreadable, code: str, description: str
) -> None:
    assert read_answer(command(), answer) == Ended(Outcome.ERROR, EMPTY, code, description)


@given(st.binary(), st.integers(100, 999), st.text())
def test_any_bytes_end_a_command(body: bytes, status: int, phrase: str) -> None:
    ended = read_answer(command(), Answer(status, phrase, phrase, body))

    assert ended.outcome is Outcome.ERROR
    assert len(ended.description) <= 255
    assert ended.description.isprintable()

"""What a SOAP station's HTTP bodies mean, without HTTP."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from csms_emulator.actions import Answer, Ask, Refuse
from csms_emulator.conversation import Conversation, Lost, Posted, Reply
from csms_ocpp.catalog import Role
from csms_ocpp.session import CallEnded, CallReceived, Outcome
from csms_ocpp.soap import (
    Addressing,
    Fault,
    Request,
    Response,
    Service,
    read_request,
    read_response,
    write_fault,
    write_request,
    write_response,
)
from csms_ocpp.version import Version

V = Version.V1_6
URL = "http://central.example.org/Ocpp"
CALLBACK = "http://127.0.0.1:1234/EMU"
HEARTBEAT = Ask("Heartbeat", {}, 7)


def conversation() -> Conversation:
    return Conversation(V, "EMU", URL, CALLBACK, new_id=lambda: "urn:uuid:1")


def heard(posted: Posted, ask: Ask = HEARTBEAT) -> Any:
    """What the answer means, as (outcome, code, payload), or why there is none."""
    ended = conversation().answer(ask, posted)
    if isinstance(ended, Lost):
        return ended
    assert (ended.action, ended.context) == (ask.action, ask.number)
    return ended.outcome, ended.code, bytes(ended.payload)


def response(action: str, **payload: Any) -> bytes:
    return write_response(
        Response(V, Role.STATION, action, Raw(msgspec.json.encode(payload)), Addressing("urn:uuid:2"))
    )


def command(action: str, identity: str = "EMU", version: Version = V, asker: Role = Role.CSMS, **payload: Any) -> bytes:
    addressing = Addressing(message_id="urn:uuid:3")
    return write_request(Request(version, asker, identity, action, Raw(msgspec.json.encode(payload)), addressing))


def refusal(reply: CallReceived | Reply, action: str = "ClearCache") -> tuple[int, str, str]:
    """HTTP status, subcode and the complaint's kind."""
    assert isinstance(reply, Reply)
    fault = read_response(reply.body, V, Service.CHARGE_POINT, action)
    assert isinstance(fault, Fault)
    return reply.status, fault.subcode, reply.complaint.kind if reply.complaint else ""


def test_a_question_is_addressed() -> None:
    question = conversation().question(HEARTBEAT)

    assert isinstance(question, bytes)
    asked = read_request(question)
    assert asked == Request(
        V, Role.STATION, "EMU", "Heartbeat", Raw(b"{}"), Addressing("urn:uuid:1", "", "/Heartbeat", URL, CALLBACK)
    )


def test_a_question_that_its_schema_refuses_is_never_asked() -> None:
    ended = conversation().question(Ask("Authorize", {}, 7))

    assert isinstance(ended, CallEnded)
    assert (ended.outcome, ended.code, ended.context) == (Outcome.INVALID, "OccurenceConstraintViolation", 7)


def test_an_answer_is_a_result() -> None:
    now = "2024-01-01T00:00:00Z"

    ended = heard(Posted(200, response("Heartbeat", currentTime=now)))

    assert ended == (Outcome.RESULT, "", b'{"currentTime":"2024-01-01T00:00:00Z"}')


def test_an_answer_that_its_schema_refuses_is_an_error() -> None:
    outcome, code, _ = heard(Posted(200, response("Heartbeat", currentTime="soon")))

    assert (outcome, code) == (Outcome.ERROR, "PropertyConstraintViolation")


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_is_an_error_with_its_subcode_whatever_the_status(status: int) -> None:
    fault = write_fault(Fault("SecurityError", "Who are you?", version=V), "urn:uuid:2")

    assert heard(Posted(status, fault)) == (Outcome.ERROR, "SecurityError", b"{}")


def test_an_answer_that_is_no_soap_is_an_error() -> None:
    assert heard(Posted(200, b"<html/>")) == (Outcome.ERROR, "FormationViolation", b"{}")


def test_somebody_who_does_not_speak_soap_is_not_the_central_system() -> None:
    assert heard(Posted(404, b"nothing here\nat all")) == Lost("HTTP 404 nothing here")


def test_no_answer_is_a_timeout() -> None:
    assert conversation().unanswered(HEARTBEAT).outcome is Outcome.TIMEOUT


def test_a_command_is_passed_on_and_answered() -> None:
    talk = conversation()

    call = talk.command(command("Reset", type="Soft"), "")
    assert isinstance(call, CallReceived)
    reply = talk.reply(Answer(call.unique_id, {"status": "Accepted"}))

    assert (call.action, bytes(call.payload)) == ("Reset", b'{"type":"Soft"}')
    answer = read_response(reply.body, V, Service.CHARGE_POINT, "Reset")
    assert isinstance(answer, Response)
    assert (reply.status, bytes(answer.payload)) == (200, b'{"status":"Accepted"}')
    assert (answer.addressing.message_id, answer.addressing.relates_to) == ("urn:uuid:1", "urn:uuid:3")


@pytest.mark.parametrize(
    ("code", "subcode"), [("NotSupported", "NotSupported"), ("TypeConstraintViolation", "GenericError")]
)
def test_what_the_station_refuses_is_a_fault(code: str, subcode: str) -> None:
    talk = conversation()

    call = talk.command(command("ClearCache"), "")
    assert isinstance(call, CallReceived)
    reply = talk.reply(Refuse(call.unique_id, code, "No."))

    assert refusal(reply) == (500, subcode, "")


def test_an_answer_of_the_station_that_its_schema_refuses_is_an_internal_error() -> None:
    talk = conversation()

    call = talk.command(command("ClearCache"), "")
    assert isinstance(call, CallReceived)
    reply = talk.reply(Answer(call.unique_id, {"status": "Perhaps"}))

    assert refusal(reply) == (500, "InternalError", "violation")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"action": "ClearCache", "identity": "OTHER"}, (400, "IdentityMismatch", "malformed")),
        ({"action": "ClearCache", "identity": ""}, (400, "IdentityMismatch", "malformed")),
        ({"action": "Reset", "type": "Gently"}, (400, "ProtocolError", "violation")),
        ({"action": "Heartbeat", "asker": Role.STATION}, (400, "NotSupported", "wrong-direction")),
        ({"action": "ClearCache", "version": Version.V1_5}, (400, "NotSupported", "malformed")),
    ],
)
def test_what_cannot_be_put_to_the_station_is_a_fault(asked: dict[str, Any], expected: tuple[int, str, str]) -> None:
    assert refusal(conversation().command(command(**asked), "")) == expected


@pytest.mark.parametrize("body", [b"", b"good morning", b"<a/>", b"\xff\xfe"])
def test_what_is_no_soap_is_a_complaint(body: bytes) -> None:
    reply = conversation().command(body, "")

    assert isinstance(reply, Reply)
    assert reply.complaint
    assert reply.complaint.kind == "malformed"

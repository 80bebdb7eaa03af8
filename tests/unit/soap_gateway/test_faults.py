"""What refusals become: fault, HTTP status, headers."""

import pytest

from csms_ocpp.catalog import Role
from csms_ocpp.soap import Addressing, Fault, Request
from csms_ocpp.version import Version
from csms_platform.envelope import EMPTY, Envelope, Kind, Refusal
from csms_soap_gateway.faults import of_error, of_refusal, unavailable


@pytest.mark.parametrize(
    ("code", "subcode", "status"),
    [
        ("SecurityError", "SecurityError", 400),
        ("NotSupported", "NotSupported", 400),
        ("NotImplemented", "NotSupported", 400),
        ("ProtocolError", "ProtocolError", 400),
        ("FormationViolation", "ProtocolError", 400),
        ("OccurenceConstraintViolation", "ProtocolError", 400),
        ("PropertyConstraintViolation", "ProtocolError", 400),
        ("TypeConstraintViolation", "ProtocolError", 400),
        ("InternalError", "InternalError", 500),
        ("GenericError", "GenericError", 500),
        ("Invented", "GenericError", 500),
        ("", "GenericError", 500),
    ],
)
def test_each_error_code_is_a_fault(code: str, subcode: str, status: int) -> None:
    refused = of_error(Envelope(Kind.ERROR, "CS-1", error_code=code, error_description="Because."))

    assert refused.fault == Fault(subcode, "Because.", sender=status == 400)
    assert refused.http_status == status


def test_an_error_without_a_description_is_told_by_its_code() -> None:
    refused = of_error(Envelope(Kind.ERROR, "CS-1", error_code="InternalError"))

    assert refused.fault.reason == "The call failed: InternalError."


@pytest.mark.parametrize(
    ("status", "user", "subcode", "http_status", "headers"),
    [
        (401, None, "SecurityError", 401, {b"www-authenticate": b'Basic realm="OCPP", charset="UTF-8"'}),
        (401, "CS-1", "SecurityError", 401, {b"www-authenticate": b'Basic realm="OCPP", charset="UTF-8"'}),
        (401, "CS-2", "IdentityMismatch", 400, {}),
        (403, "CS-1", "SecurityError", 400, {}),
        (404, None, "IdentityMismatch", 400, {}),
        (400, None, "GenericError", 400, {}),
        (503, None, "UrlTemporarilyUnavailable", 500, {b"retry-after": b"7"}),
    ],
)
def test_each_refusal_of_the_router_is_a_fault(
    status: int, user: str | None, subcode: str, http_status: int, headers: dict[bytes, bytes]
) -> None:
    refused = of_refusal(Refusal(status, "No.", retry_after=7), user, "CS-1")

    assert (refused.fault.subcode, refused.fault.reason) == (subcode, "No.")
    assert (refused.http_status, dict(refused.headers)) == (http_status, headers)
    assert refused.nobody is (status in (401, 403, 404))


def test_a_fault_answers_the_request_that_it_is_about() -> None:
    request = Request(Version.V1_5, Role.STATION, "CS-1", "Heartbeat", EMPTY, Addressing(message_id="urn:uuid:1"))
    refused = unavailable("draining", "Later.", 5)

    assert refused.to(request).fault == Fault(
        "UrlTemporarilyUnavailable", "Later.", False, Version.V1_5, Role.STATION, "urn:uuid:1"
    )
    assert refused.to(request).headers == ((b"retry-after", b"5"),)

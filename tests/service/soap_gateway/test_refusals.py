"""Every fault, with its HTTP status and what makes it."""

import gzip
from time import monotonic

import pytest

from csms_ocpp.session import Validation
from csms_platform.envelope import Refusal
from csms_soap_gateway.settings import Settings
from tests.service.soap_gateway.world import BOOT, HEARTBEAT, World, open_world
from tests.support.soap import CONTENT_TYPE, POINT, SOAP, Answered, envelope

PLAIN = envelope("1.6", "CS-1", HEARTBEAT).encode()


def told(answered: Answered) -> tuple[int, str, str]:
    """Status, code and subcode of a fault."""
    assert answered.headers["content-type"] == CONTENT_TYPE
    return answered.status, answered.code, answered.subcode


# --- what HTTP brings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (PLAIN, {"Content-Type": "application/json"}, 415, "The content type is none of XML's: "),
        (PLAIN, {"Content-Encoding": "br"}, 415, "The content encoding is not gzip or deflate."),
        (PLAIN, {"Content-Encoding": "gzip, gzip"}, 415, "The content encoding is not gzip or deflate."),
        (PLAIN, {"Content-Encoding": "gzip"}, 400, "The body is not whole gzip data."),
        (gzip.compress(PLAIN)[:-4], {"Content-Encoding": "gzip"}, 400, "The body is not whole gzip data."),
        (PLAIN + 2000 * b" ", {}, 413, "The body has more than 2000 bytes."),
        (gzip.compress(10_000_000 * b" "), {"Content-Encoding": "gzip"}, 413, "The body has more than 2000 bytes."),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_cannot_be_taken(
    body: bytes, headers: dict[str, str], status: int, reason: str, chunked: bool
) -> None:
    more = {"Transfer-Encoding": "chunked"} if chunked else {}
    async with open_world(Settings(max_message_size=2000)) as world:
        answered = await world.post(body, headers=headers | more, chunked=chunked)

        assert told(answered) == (status, "Sender", "ProtocolError")
        assert answered.reason.startswith(reason)
        assert world.router.heard == []


# --- what is no request -----------------------------------------------------------------------------------------------


TENFOLD = "".join(f'<!ENTITY a{n + 1} "{10 * ("&a" + str(n) + ";")}">' for n in range(11))
ENTITY = f'<!DOCTYPE a [<!ENTITY a0 "xxxxxxxxxx">{TENFOLD}]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("body", "status", "code", "subcode"),
    [
        (b"", 400, "Sender", "ProtocolError"),
        (b"\0\1\2", 400, "Sender", "ProtocolError"),
        (b"<a>", 400, "Sender", "ProtocolError"),
        (b'[2,"1","Heartbeat",{}]', 400, "Sender", "ProtocolError"),
        (PLAIN[:-20], 400, "Sender", "ProtocolError"),
        (f"<e:Envelope xmlns:e='{SOAP}'/>".encode(), 400, "Sender", "ProtocolError"),
        (PLAIN.replace(SOAP.encode(), b"http://schemas.xmlsoap.org/soap/envelope/"), 500, "VersionMismatch", ""),
        (PLAIN.replace(b"2015/10", b"2010/08"), 400, "Sender", "ProtocolError"),
        (envelope("1.6", "CS-1", "<cs:resetRequest/>"), 400, "Sender", "NotSupported"),
        (envelope("1.6", "CS-1", "<cs:inventedRequest/>"), 400, "Sender", "NotSupported"),
        (
            envelope("1.6", "CS-1", f'<p:clearCacheRequest xmlns:p="{POINT["1.6"]}"/>'),
            400,
            "Sender",
            "NotSupported",
        ),
        (envelope("1.6", "", HEARTBEAT), 400, "Sender", "IdentityMismatch"),
        (envelope("1.6", 256 * "x", HEARTBEAT), 400, "Sender", "IdentityMismatch"),
        (envelope("1.6", "CS&#10;1", HEARTBEAT), 400, "Sender", "IdentityMismatch"),
        (envelope("1.5", "CS-1", BOOT.replace("Plain", 21 * "x")), 400, "Sender", "ProtocolError"),
        (envelope("1.6", "CS-1", BOOT.replace("Plain", 21 * "x")), 400, "Sender", "ProtocolError"),
        (envelope("1.6", "CS-1", "<cs:authorizeRequest/>"), 400, "Sender", "ProtocolError"),
        (ENTITY + envelope("1.6", "&a11;", HEARTBEAT).partition("?>")[2], 400, "Sender", "ProtocolError"),
        (OUTSIDE + envelope("1.6", "&a;", HEARTBEAT).partition("?>")[2], 400, "Sender", "ProtocolError"),
        (b"<a>" * 100_000, 400, "Sender", "ProtocolError"),
    ],
)
async def test_what_is_no_request_is_told_so_at_once(
    world: World, body: bytes | str, status: int, code: str, subcode: str
) -> None:
    before = monotonic()

    answered = await world.post(body)

    assert told(answered) == (status, code, subcode)
    assert monotonic() - before < 2
    assert answered.reason
    assert b"root:" not in answered.text
    assert world.router.heard == []


async def test_a_fault_relates_to_its_request(world: World) -> None:
    answered = await world.ask("<cs:authorizeRequest/>", message_id="urn:uuid:4711")

    assert answered.header("RelatesTo") == "urn:uuid:4711"
    assert answered.header("Action") == "http://www.w3.org/2005/08/addressing/soap/fault"
    assert "idTag" in answered.reason


async def test_a_violation_passes_where_it_is_only_reported() -> None:
    async with open_world(Settings(validation=Validation.WARN)) as world:
        answered = await world.ask(BOOT.replace("Plain", 21 * "x"))

        assert answered.status == 200
        assert [line["action"] for line in world.logged("violation")] == ["BootNotification"]


# --- what the router says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "user", "expected"),
    [
        (401, "", (401, "Sender", "SecurityError")),
        (401, "CS-1", (401, "Sender", "SecurityError")),
        (401, "CS-2", (400, "Sender", "IdentityMismatch")),
        (403, "CS-1", (400, "Sender", "SecurityError")),
        (404, "", (400, "Sender", "IdentityMismatch")),
        (503, "", (500, "Receiver", "UrlTemporarilyUnavailable")),
    ],
)
async def test_a_refusal_of_the_router(world: World, status: int, user: str, expected: tuple[int, str, str]) -> None:
    headers = {"CS-1": {"Authorization": "Basic Q1MtMTp4"}, "CS-2": {"Authorization": "Basic Q1MtMjp4"}}.get(user, {})
    world.router.decide = lambda _: Refusal(status, "Because.", retry_after=7)

    answered = await world.ask(headers=headers)

    assert told(answered) == expected
    assert answered.reason == "Because."
    assert answered.headers.get("www-authenticate", "").startswith("Basic ") is (expected[0] == 401)
    assert answered.headers.get("retry-after") == ("7" if status == 503 else None)
    assert [line["status"] for line in world.logged("refused")] == [expected[0]]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("SecurityError", (400, "Sender", "SecurityError")),
        ("NotSupported", (400, "Sender", "NotSupported")),
        ("PropertyConstraintViolation", (400, "Sender", "ProtocolError")),
        ("InternalError", (500, "Receiver", "InternalError")),
        ("GenericError", (500, "Receiver", "GenericError")),
    ],
)
async def test_an_error_of_the_router(world: World, code: str, expected: tuple[int, str, str]) -> None:
    world.router.answers = False
    asking = world.ask_soon(message_id="1")
    [call] = await world.router.hears()
    world.router.fail(call, code, "<Because> of & \x00.")
    answered = await asking

    assert told(answered) == expected
    assert answered.reason.startswith("<Because> of & ")


async def test_an_answer_that_violates_its_schema_is_not_written(world: World) -> None:
    world.router.answers = False
    asking = world.ask_soon(BOOT)
    [call] = await world.router.hears()
    world.router.answer(call, b'{"status":"Perhaps"}')
    answered = await asking

    assert told(answered) == (500, "Receiver", "InternalError")
    assert answered.reason == "The answer was not valid."
    assert [line["id"] for line in world.logged("violation")] == [call.unique_id]


# --- other methods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/Ocpp"), ("GET", "/Ocpp?x=1"), ("PUT", "/Ocpp"), ("DELETE", "/Ocpp")]
)
async def test_other_methods_are_told_what_to_do(world: World, method: str, path: str) -> None:
    status, headers, body = await world.request(method, path)

    assert (status, headers["allow"], headers["content-type"]) == (405, "POST, GET", "text/plain; charset=utf-8")
    assert body == b"Stations POST their requests here; ?wsdl describes them.\n"

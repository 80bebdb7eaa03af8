"""What the relay sends over the bus."""

import msgspec

from csms_platform.envelope import Capsule, Envelope, Kind, Raw
from csms_platform.ports import ROUTER, Address
from csms_webhook_relay.answers import to_router, to_station, with_backlog
from csms_webhook_relay.reply import Answered, Refused
from tests.unit.webhook_relay.calls import AUTHORIZE, call

ASKED = call(account="acme", deadline=99, traceparent="00-1")
COMMON = {
    "identity": "CS-1", "account": "acme", "version": "ocpp1.6", "unique_id": "17", "action": "Authorize",
    "session": ASKED.session, "deadline": 99, "traceparent": "00-1",
}  # fmt: skip


def test_a_result_goes_to_whoever_waits() -> None:
    payload = Raw(b'{"x":1}')

    assert to_station(ASKED, Answered(payload)) == (
        Address("ocpp.gateway.east"),
        Envelope(Kind.RESULT, payload=payload, **COMMON),
    )


def test_an_error_carries_its_details() -> None:
    details = Raw(b'{"why":1}')

    assert to_station(ASKED, Refused("SecurityError", "no", details)) == (
        Address("ocpp.gateway.east"),
        Envelope(Kind.ERROR, payload=details, error_code="SecurityError", error_description="no", **COMMON),
    )


def test_an_answer_that_is_to_be_settled_passes_the_router_with_its_request() -> None:
    asked = call(account="acme", deadline=99, traceparent="00-1", settle=True)

    address, answer = to_station(asked, Answered(Raw(b"{}")))

    assert (address, answer.settle, answer.reply_to, bytes(answer.request)) == (
        ROUTER,
        True,
        "ocpp.gateway.east",
        AUTHORIZE,
    )


def test_a_call_goes_back_to_the_router_as_it_was_with_the_backend() -> None:
    asked = call(settle=True)

    told, untold = to_router(asked, "builtin", tell=True), to_router(asked, "accept")

    assert told == msgspec.structs.replace(asked, backend="builtin")
    assert untold == msgspec.structs.replace(asked, backend="accept", settle=False)


def test_the_backlog_is_a_mark_in_the_capsule() -> None:
    marked = with_backlog(call(), True)

    assert marked.session == Capsule(epoch=3, registration="Accepted", backlog=True)
    assert with_backlog(marked, False).session == call().session
    assert with_backlog(call(session=None), True).session is None

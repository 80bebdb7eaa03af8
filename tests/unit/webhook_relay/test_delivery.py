"""One request: what is in its body and its headers."""

from typing import Any

import msgspec
import pytest

from csms_platform.envelope import Capsule, Envelope, Raw
from csms_webhook_relay import delivery
from csms_webhook_relay.settings import Target
from csms_webhook_relay.signature import sign
from tests.unit.webhook_relay.calls import call

NOON = 1_767_268_800.5


def headers(target: Target, **more: Any) -> dict[str, str]:
    fields = {"delivery_id": "d1", "attempt": 2, "now": NOON} | more
    return dict(delivery.Stationery(target).headers(b"{}", **fields))


def test_the_body_holds_what_is_asked_and_the_payload_as_it_came() -> None:
    asked = call(payload=b'{ "idTag" : "A", "x":1.50 }', account="acme", transport="soap")

    assert delivery.body(asked) == (
        b'{"identity":"CS-1","uniqueId":"17","action":"Authorize","payload":{ "idTag" : "A", "x":1.50 },'
        b'"version":"ocpp1.6","transport":"soap","account":"acme"}'
    )


def test_no_account_is_no_key() -> None:
    assert list(msgspec.json.decode(delivery.body(call()))) == [
        "identity", "uniqueId", "action", "payload", "version", "transport",
    ]  # fmt: skip


def test_a_letter_says_since_when_it_waits_and_what_the_station_was_answered() -> None:
    body = msgspec.json.decode(delivery.body(call(), Raw(b'{"transactionId":7}'), 1_767_268_800_250))

    assert (body["stored"], body["answered"]) == ("2026-01-01T12:00:00.250Z", {"transactionId": 7})


def test_headers_say_which_delivery_which_attempt_and_when() -> None:
    assert headers(Target(url="http://a/"), traceparent="00-1-2-01") == {
        "Content-Type": "application/json",
        "User-Agent": "csms-webhook-relay",
        "X-OCPP-Delivery": "d1",
        "X-OCPP-Attempt": "2",
        "X-OCPP-Timestamp": "1767268800",
        "traceparent": "00-1-2-01",
    }


def test_a_secret_signs_the_time_and_the_body() -> None:
    assert headers(Target(secret="s"))["X-OCPP-Signature"] == sign(b"s", "1767268800", b"{}")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        (Target(), None),
        (
            Target(authorization="basic", username="Aladdin", password="open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (Target(authorization="Basic", username="ü", password="ß"), "Basic w7w6w58="),
        (Target(authorization="BEARER", token="abc"), "Bearer abc"),
    ],
)
def test_authorization(target: Target, value: str | None) -> None:
    assert headers(target).get("Authorization") == value


def test_the_delivery_id_is_the_same_for_a_message_that_comes_again() -> None:
    again = call(attempt=1, deadline=5, traceparent="x", backend="builtin")

    assert delivery.identify(again) == delivery.identify(call())


@pytest.mark.parametrize(
    "other",
    [
        call(unique_id="18"),
        call("DataTransfer"),
        call(payload=b'{"idTag":"B"}'),
        call(session=Capsule(epoch=4)),
        call(session=None),
        msgspec.structs.replace(call(), identity="CS-2"),
    ],
)
def test_the_delivery_id_is_another_one_for_another_message(other: Envelope) -> None:
    assert delivery.identify(other) != delivery.identify(call())

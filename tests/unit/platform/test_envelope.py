"""Envelopes as bytes: what public consumers read, and what we understand from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_platform.envelope import Capsule, Envelope, Kind, Raw, decode, encode

PAYLOAD = b'{ "b": 1.0, "a" : [\n1e2 ] , "e": "\\u00e9" }'
CALL = Envelope(
    Kind.CALL,
    "CS-1",
    account="acme",
    version="ocpp1.6",
    unique_id="7",
    action="Heartbeat",
    payload=Raw(b"{}"),
    reply_to="ocpp.gateway.x",
    session=Capsule(epoch=3, registration="Accepted", quirks="lenient old"),
    deadline=1_767_268_800_000,
    triggered=True,
    traceparent="00-1-2-01",
)


def test_names_are_camel_case_and_defaults_are_left_out() -> None:
    assert encode([CALL]) == (
        b'[{"type":"call","identity":"CS-1","account":"acme","version":"ocpp1.6","uniqueId":"7","action":"Heartbeat",'
        b'"payload":{},"replyTo":"ocpp.gateway.x","session":{"epoch":3,"registration":"Accepted",'
        b'"quirks":"lenient old"},"deadline":1767268800000,"triggered":true,"traceparent":"00-1-2-01"}]'
    )


def test_a_batch_comes_back_as_it_went() -> None:
    batch = [CALL, Envelope(Kind.DISCONNECT, "桩🔌"), Envelope(Kind.LEASE, "")]

    assert encode(decode(encode(batch))) == encode(batch)


def test_the_payload_keeps_its_bytes() -> None:
    (envelope,) = decode(encode([Envelope(Kind.CALL, "CS-1", payload=Raw(PAYLOAD))]))

    assert bytes(envelope.payload) == PAYLOAD


@pytest.mark.parametrize("body", [b'{"type":"call","identity":"CS-1"}', b' \n{"type":"call","identity":"CS-1","x":1}'])
def test_a_single_object_is_understood_and_unknown_keys_are_ignored(body: bytes) -> None:
    assert decode(body) == [Envelope(Kind.CALL, "CS-1")]


def test_an_empty_batch_is_one() -> None:
    assert decode(encode([])) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[",
        b"[1]",
        b"{}",
        b'{"type":"call"}',
        b'{"type":"shout","identity":"x"}',
        b'[{"type":"call","identity":7}]',
        b'{"type":"call","identity":"\xff"}',
        b'{"type":"call","identity":"x","payload":' + b"[" * 200_000,
    ],
)
def test_anything_else_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the promise is the type
        decode(body)


@given(st.binary())
def test_any_bytes_are_envelopes_or_a_value_error(body: bytes) -> None:
    try:
        envelopes = decode(body)
    except ValueError:
        envelopes = []

    assert all(isinstance(envelope, Envelope) for envelope in envelopes)


@pytest.mark.parametrize(
    ("quirks", "has"), [("", False), ("lenient", True), ("old lenient", True), ("lenient-not", False)]
)
def test_a_quirk_is_a_whole_word(quirks: str, has: bool) -> None:
    assert Capsule(quirks=quirks).has("lenient") is has

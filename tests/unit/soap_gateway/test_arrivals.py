"""Who calls, from where, and under which id."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_platform.envelope import ConnectRequest
from csms_soap_gateway.arrivals import MessageIds, peer_of, read_arrival, wrong_identity

BASIC = "Basic Q1MtMTpzZWNyZXQ="  # CS-1:secret


@pytest.mark.parametrize(
    ("message_id", "unique_id"),
    [
        ("urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
        ("URN:UUID:1B4E28BA", "1B4E28BA"),
        ("uuid:abc", "abc"),
        ("7", "7"),
        (36 * "x", 36 * "x"),
    ],
)
def test_a_message_keeps_its_own_id(message_id: str, unique_id: str) -> None:
    assert MessageIds("gate").of_call(message_id) == unique_id


@pytest.mark.parametrize("message_id", [37 * "x", "urn:uuid:" + 37 * "x", "a\x07b"])
def test_an_id_that_does_not_fit_becomes_one_that_is_the_same_again(message_id: str) -> None:
    found = MessageIds("gate").of_call(message_id)

    assert found == MessageIds("other").of_call(message_id)
    assert str(uuid.UUID(found)) == found
    assert found != MessageIds("gate").of_call(message_id + "x")


def test_messages_without_an_id_get_different_ones() -> None:
    ids = MessageIds("0123456789ab")

    assert [ids.of_call(""), ids.of_call("urn:uuid:"), ids.of_call("")] == [
        "0123456789ab-1",
        "0123456789ab-2",
        "0123456789ab-3",
    ]


def test_our_own_message_ids_are_uuids_and_all_different() -> None:
    ids, others = MessageIds("gate"), MessageIds("gate")
    made = [ids.new() for _ in range(100)] + [others.new() for _ in range(100)]

    assert len({uuid.UUID(one.removeprefix("urn:uuid:")) for one in made}) == 200


@given(st.text())
def test_any_message_id_makes_a_unique_id_that_ocpp_allows(message_id: str) -> None:
    found = MessageIds("0123456789ab").of_call(message_id)

    assert 1 <= len(found) <= 36
    assert found.isprintable()


@pytest.mark.parametrize("identity", ["CS-1", "Ladesäule 7", 255 * "x", "<&>"])
def test_identities_that_are(identity: str) -> None:
    assert wrong_identity(identity) == ""


@pytest.mark.parametrize("identity", ["", 256 * "x", "CS\n1", "CS\x7f"])
def test_identities_that_are_not(identity: str) -> None:
    assert wrong_identity(identity).startswith("The header chargeBoxIdentity ")


def scope(**more: Any) -> dict[str, Any]:
    return {"client": ("192.0.2.1", 4711), "state": {"tls": True, "subject": "CS-1"}} | more


def test_all_that_the_router_decides_on_is_told() -> None:
    assert read_arrival(scope(), [BASIC], "http://192.0.2.1/") == ConnectRequest(
        peer="192.0.2.1",
        user="CS-1",
        password="c2VjcmV0",
        authorization=True,
        tls=True,
        subject="CS-1",
        callback="http://192.0.2.1/",
    )


def test_what_is_not_known_is_reported_as_absent() -> None:
    assert read_arrival({"client": None}, [], "") == ConnectRequest(peer="")
    assert read_arrival(scope(state={}), [BASIC, BASIC], "") == ConnectRequest(peer="192.0.2.1", authorization=True)
    assert peer_of(scope()) == "192.0.2.1"

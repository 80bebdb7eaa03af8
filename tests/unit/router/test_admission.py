"""The rules of the handshake, one by one; `tests/service/router/test_connect.py` has them together."""

import base64
from typing import Any

import pytest

from csms_ocpp.version import StationId
from csms_platform.envelope import ConnectRequest, Refusal
from csms_platform.ports import Station
from csms_router import admission
from csms_router.admission import Credentials

CS = StationId("CS-1")
DIGEST = "scrypt$stored"


def record(**fields: Any) -> Station:
    return Station(CS, **fields)


def asked(password: bytes | None = None, **fields: Any) -> ConnectRequest:
    if password is not None:
        fields = {"user": "CS-1", "password": base64.b64encode(password).decode(), "authorization": True} | fields
    return ConnectRequest(peer="192.0.2.1", **fields)


def test_nothing_is_asked_of_a_station_without_password_at_profile_0() -> None:
    assert admission.credentials("CS-1", record(), asked(b"anything")) is None


@pytest.mark.parametrize("profile", [0, 1, 2, 3])
def test_a_password_on_record_is_asked_for_at_every_profile(profile: int) -> None:
    station = record(password=DIGEST, security_profile=profile)

    assert admission.credentials("CS-1", station, asked(b"secret")) == Credentials(DIGEST, b"secret")


@pytest.mark.parametrize("profile", [1, 2])
def test_profiles_1_and_2_ask_for_a_password_though_none_is_on_record_and_none_is_right(profile: int) -> None:
    station = record(security_profile=profile)

    assert admission.credentials("CS-1", station, asked(b"secret")) == Credentials("", b"secret")


def test_the_password_of_another_user_is_verified_against_nothing() -> None:
    request = asked(b"secret", user="CS-2")

    assert admission.credentials("CS-1", record(password=DIGEST), request) == Credentials("", b"secret")


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(authorization=True),
        asked(user="CS-1", authorization=True),
        ConnectRequest("192.0.2.1", user="CS-1", password="not base64"),
        ConnectRequest("192.0.2.1", user="CS-1", password="ü"),
    ],
    ids=["none", "bearer or unreadable", "no password", "not base64", "not ascii"],
)
def test_no_readable_credentials_are_401(request_: ConnectRequest) -> None:
    refusal = admission.credentials("CS-1", record(password=DIGEST), request_)

    assert isinstance(refusal, Refusal)
    assert refusal.status == 401


def test_a_verified_client_certificate_of_the_stations_name_stands_in_for_the_password() -> None:
    station = record(password=DIGEST, security_profile=2)

    assert admission.credentials("CS-1", station, asked(tls=True, subject="CS-1")) is None


def test_a_foreign_client_certificate_does_not() -> None:
    station = record(password=DIGEST, security_profile=2)

    refusal = admission.credentials("CS-1", station, asked(tls=True, subject="CS-2"))

    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize(
    ("profile", "tls", "subject", "allowed"),
    [
        (0, False, "", True),
        (1, False, "", True),
        (2, False, "", False),
        (2, True, "", True),
        (2, True, "CS-2", True),
        (3, False, "CS-1", False),
        (3, True, "", False),
        (3, True, "CS-2", False),
        (3, True, "CS-1", True),
        (1, True, "CS-1", True),
    ],
)
def test_a_connection_is_never_less_secure_than_the_stations_profile(
    profile: int, tls: bool, subject: str, allowed: bool
) -> None:
    refusal = admission.forbidden("CS-1", "", record(security_profile=profile), asked(tls=tls, subject=subject))

    assert (refusal.status if refusal else None) == (None if allowed else 403)


def test_a_disabled_station_is_forbidden() -> None:
    refusal = admission.forbidden("CS-1", "", record(disabled=True), asked())

    assert refusal == Refusal(403, "This charging station is disabled.")


@pytest.mark.parametrize(
    ("on_record", "in_url", "status"),
    [("", "", None), ("", "a", None), ("a", "", None), ("a", "a", None), ("a", "b", 403)],
)
def test_the_account_in_the_url_may_be_missing_but_not_another_than_on_record(
    on_record: str, in_url: str, status: int | None
) -> None:
    refusal = admission.forbidden("CS-1", in_url, record(account=on_record), asked())

    assert (refusal.status if refusal else None) == status


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def test_the_subprotocol_is_the_version(subprotocol: str) -> None:
    assert admission.version(record(quirks="assume=ocpp1.6"), asked(subprotocol=subprotocol)) == subprotocol


@pytest.mark.parametrize("subprotocol", ["", "ocpp1.5", "ocpp3.0"])
@pytest.mark.parametrize("quirks", [None, "", "lenient", "assume=ocpp1.5", "assume="])
def test_without_a_common_subprotocol_the_reason_lists_what_is_spoken(subprotocol: str, quirks: str | None) -> None:
    station = None if quirks is None else record(quirks=quirks)

    refusal = admission.version(station, asked(subprotocol=subprotocol))

    assert refusal == Refusal(400, "No common subprotocol; this central system speaks ocpp1.6, ocpp2.0.1, ocpp2.1.")


def test_a_station_with_the_quirk_is_assumed_to_speak_its_version() -> None:
    assert admission.version(record(quirks="lenient assume=ocpp2.0.1"), asked()) == "ocpp2.0.1"

"""Settings that cannot work are refused with a sentence."""

from typing import Any

import pytest

from csms_emulator.link import address, credentials
from csms_emulator.settings import Settings


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "http://localhost/ocpp"}, "url is a ws:// or wss:// address"),
        ({"url": "ws://localhost/ocpp?x=1"}, "url has no ? and no #: the identity is its last segment"),
        ({"version": "1.5"}, "version 1.5 needs the transport soap"),
        ({"transport": "soap", "url": "ws://localhost/ocpp"}, "url is an http:// or https:// address"),
        ({"callback_port": 65536}, "callback_port is between 0 and 65535"),
        ({"callback_url": "example.org"}, "callback_url is an http:// or https:// address without ? and #"),
        ({"callback_url": "http://example.org/?a"}, "callback_url is an http:// or https:// address without ? and #"),
        (
            {"transport": "soap", "callback_host": "0.0.0.0"},
            "callback_url is needed where callback_host is every address of a machine",
        ),
        ({"count": 0}, "count is at least 1"),
        ({"connectors": 0}, "connectors is between 1 and 100"),
        ({"pace": 0.0}, "pace is greater than 0"),
        ({"ramp": -1.0}, "ramp is not negative"),
        ({"grace": -1.0}, "grace is not negative"),
        ({"id_tags": ("x" * 21,)}, "an id tag has 1 to 20 characters"),
        ({"identity": "EMU"}, "identity contains {n}"),
        (
            {"identity": "EMU-{m}"},
            "identity is a format string over n, such as EMU-{n:05}: KeyError('m')",
        ),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        Settings(**fields)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "ws://localhost:9220/ocpp"),
        ({"transport": "soap"}, "http://localhost:9220/Ocpp"),
        ({"transport": "soap", "url": "https://example.org/soap?tenant=1"}, "https://example.org/soap?tenant=1"),
    ],
)
def test_the_address_is_the_default_of_the_transport_unless_it_is_given(fields: dict[str, Any], url: str) -> None:
    assert Settings(**fields).url == url


def test_identities_follow_the_pattern() -> None:
    assert Settings(count=2).identities() == ["EMU-00001", "EMU-00002"]


def test_one_station_may_have_a_plain_name() -> None:
    assert Settings(count=1, identity="GARAGE").identities() == ["GARAGE"]


def test_the_identity_is_one_segment_of_the_path_whatever_it_contains() -> None:
    assert address("ws://localhost:9220/ocpp/", "RDAM 1/2") == "ws://localhost:9220/ocpp/RDAM%201%2F2"


def test_a_password_makes_basic_credentials() -> None:
    made = (credentials("EMU", ""), credentials("EMU", "geheim"))

    assert made == ({}, {"Authorization": "Basic RU1VOmdlaGVpbQ=="})

"""Settings that cannot work are refused with a sentence."""

from typing import Any

import pytest

from csms_emulator.link_ws import address, credentials
from csms_emulator.settings import Settings


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "http://localhost/ocpp"}, "url is a ws:// or wss:// address"),
        ({"url": "ws://localhost/ocpp?x=1"}, "url has no ? and no #: the identity is its last segment"),
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


def test_identities_follow_the_pattern() -> None:
    assert Settings(count=2).identities() == ["EMU-00001", "EMU-00002"]


def test_one_station_may_have_a_plain_name() -> None:
    assert Settings(count=1, identity="GARAGE").identities() == ["GARAGE"]


def test_the_identity_is_one_segment_of_the_path_whatever_it_contains() -> None:
    assert address("ws://localhost:9220/ocpp/", "RDAM 1/2") == "ws://localhost:9220/ocpp/RDAM%201%2F2"


def test_a_password_makes_basic_credentials() -> None:
    made = (credentials("EMU", ""), credentials("EMU", "geheim"))

    assert made == ({}, {"Authorization": "Basic RU1VOmdlaGVpbQ=="})

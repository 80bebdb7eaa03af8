"""How long a station without a connection is online, and how long its capsule stands in for its arrival."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from csms_router import presence
from csms_router.settings import Settings

NOW = 1_767_268_800.0


@pytest.mark.parametrize(
    ("settings", "interval", "seconds"),
    [
        (Settings(), 0, 750),
        (Settings(), 10, 25),
        (Settings(heartbeat_interval=60), 0, 150),
        (Settings(presence_intervals=1.5), 3600, 5400),
    ],
)
def test_a_lease_is_a_few_intervals(settings: Settings, interval: int, seconds: float) -> None:
    assert presence.lease(settings, interval) == seconds


@pytest.mark.parametrize(
    ("settings", "accepted", "interval", "until"),
    [
        (Settings(), True, 0, 1_767_268_805_000),
        (Settings(soap_fresh=60), True, 10, 1_767_268_806_250),
        (Settings(soap_fresh=60), True, 0, 1_767_268_860_000),
        (Settings(), False, 0, 0),
        (Settings(boot_required=False), False, 0, 1_767_268_805_000),
    ],
)
def test_a_capsule_is_fresh_for_a_part_of_the_lease_once_its_station_was_accepted(
    settings: Settings, accepted: bool, interval: int, until: int
) -> None:
    assert presence.fresh_until(settings, accepted, interval, NOW) == until


@pytest.mark.parametrize(
    ("answer", "interval"),
    [
        ({"interval": 60}, 60),
        ({"heartbeatInterval": 60}, 60),
        ({"interval": 2**31 - 1}, 2**31 - 1),
        ({"interval": 2**31}, 0),
        ({"interval": 0}, 0),
        ({"interval": -60}, 0),
        ({"interval": 60.0}, 0),
        ({"interval": True}, 0),
        ({"interval": None}, 0),
        ([60], 0),
    ],
)
def test_what_a_boot_is_told_is_an_interval_if_it_can_be_one(answer: Any, interval: int) -> None:
    assert presence.told(Raw(msgspec.json.encode(answer))) == interval


@pytest.mark.parametrize("answer", [b"", b"{", b"[" * 5000])
def test_what_is_no_json_tells_no_interval(answer: bytes) -> None:
    assert presence.told(Raw(answer)) == 0


@pytest.mark.parametrize(("note", "interval"), [({}, 0), ({"interval": b"60"}, 60), ({"interval": b'"60"'}, 0)])
def test_what_was_noted_is_read_again(note: dict[str, bytes], interval: int) -> None:
    assert presence.noted(note) == interval

"""The station's clock, and whom it believes."""

import math

import pytest

from csms_emulator.deeds import Skew
from tests.unit.emulator.driving import booted


def year(seconds: float, **replies: str) -> str:
    """The station's year, some time after it was answered so."""
    central = booted(drivers=False)
    central.replies["Heartbeat"] = {"currentTime": replies["told"]} if replies else {}
    central.run(seconds)
    return central.behaviour.view(central.now).clock[:4]


def test_the_central_system_sets_it() -> None:
    assert year(1000, told="2031-01-01T00:00:00Z") == "2031"


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_no_clock_shows_is_not_believed(told: str) -> None:
    assert year(1000, told=told) == "2023"


@pytest.mark.parametrize("seconds", [1e12, -1e12, math.inf, math.nan])
def test_nobody_sets_it_to_a_time_that_it_cannot_show(seconds: float) -> None:
    central = booted(drivers=False)

    with pytest.raises(ValueError, match="The clock shows times from 1970 to 2100"):
        central.by_hand(Skew(seconds))

    assert central.behaviour.view(central.now).clock[:4] == "2023"

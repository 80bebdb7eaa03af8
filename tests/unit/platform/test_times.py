"""Times as OCPP writes them."""

import pytest

from csms_platform.times import iso_8601, seconds


def test_times_are_utc_with_milliseconds_and_z() -> None:
    assert iso_8601(1_767_268_800.0) == "2026-01-01T12:00:00.000Z"
    assert iso_8601(1_767_268_800.1239) == "2026-01-01T12:00:00.123Z"


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        seconds(text)

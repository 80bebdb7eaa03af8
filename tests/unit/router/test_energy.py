"""The energy register among meter values."""

from typing import Any

import msgspec
import pytest

from csms_router.energy import MeterValue, first, last


def values(*samples: list[dict[str, Any]]) -> list[MeterValue]:
    return msgspec.convert([{"sampledValue": sampled} for sampled in samples], list[MeterValue])


def test_first_and_last_readings_are_whole_watt_hours() -> None:
    readings = values([{"value": 100.4}], [{"value": 150}], [{"value": 200.6}])

    assert (first(readings), last(readings)) == (100, 201)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({}, 5),
        ({"unit": "Wh"}, 5),
        ({"unit": "kWh"}, 5000),
        ({"unit": "Wh", "multiplier": 3}, 5000),
        ({"unit": "Wh", "multiplier": -1}, 0),
    ],
)
def test_unit_and_multiplier_count(unit: dict[str, Any], expected: int) -> None:
    assert first(values([{"value": 5, "unitOfMeasure": unit}])) == expected


@pytest.mark.parametrize(
    "sample",
    [
        {"value": 5, "measurand": "Voltage"},
        {"value": 5, "phase": "L1"},
        {"value": 1e300},
        {"value": 5, "unitOfMeasure": {"multiplier": 10**18}},
    ],
    ids=["another measurand", "one phase", "implausible", "huge power of ten"],
)
def test_what_is_not_the_register_is_not_read(sample: dict[str, Any]) -> None:
    assert first(values([sample])) is None

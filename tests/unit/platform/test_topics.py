"""Which keys a pattern takes, as RabbitMQ's topic exchange does it."""

import pytest

from csms_platform.topics import matches


@pytest.mark.parametrize(
    ("pattern", "key", "taken"),
    [
        ("#", "ocpp1.6.MeterValues", True),
        ("#", "", True),
        ("ocpp1.6.MeterValues", "ocpp1.6.MeterValues", True),
        ("ocpp1.6.MeterValues", "ocpp1.6.metervalues", False),
        ("ocpp1.*.MeterValues", "ocpp1.6.MeterValues", True),
        ("*.MeterValues", "ocpp1.6.MeterValues", False),
        ("*.*.MeterValues", "ocpp1.6.MeterValues", True),
        ("#.MeterValues", "ocpp2.0.1.MeterValues", True),
        ("#.MeterValues", "MeterValues", True),
        ("ocpp1.6.#", "ocpp1.6", True),
        ("ocpp1.6.#", "ocpp1.6.a.b.c", True),
        ("ocpp1.6.#", "ocpp1.5.a", False),
        ("ocpp1.*", "ocpp1", False),
        ("#.a.#", "b.a.c.a.d", True),
        ("#.a.*.#.b", "x.a.b.b", True),
        ("#.a.*.#.b", "x.a.b", False),
        ("#.#", "", True),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("#.a.*", "a.a.a.b", True),
    ],
)
def test_a_pattern_takes_a_key(pattern: str, key: str, taken: bool) -> None:
    assert matches(pattern, key) is taken

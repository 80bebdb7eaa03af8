"""Meter values in the form of 2.x, from the readings of `charging`, and those that are kept for the end."""

from random import Random

from csms_emulator.actions import Payload
from csms_emulator.charging import Car, sample
from csms_emulator.metering import MOST_READINGS


def meter_value(
    register: float,
    car: Car | None,
    measurands: list[str],
    context: str,
    random: Random,
    timestamp: str,
    *,
    interval: float = 0.0,
) -> Payload:
    """A MeterValue with one sample; of `measurands` those that can be measured now, the register always.

    `interval` is the energy since the sample before, in Wh.
    """
    values = sample(register, car, measurands, context, random, interval=interval)
    return {"timestamp": timestamp, "sampledValue": [_translated(value) for value in values]}


def keep(readings: list[Payload], reading: Payload) -> None:
    """Keep a reading for the end of the transaction; of too many the oldest go, but not the one of the beginning."""
    if len(readings) >= MOST_READINGS:
        del readings[1]
    readings.append(reading)


def _translated(value: Payload) -> Payload:
    # In 2.x the value is a number, and the unit is an object of its own; frequencies have one, too.
    kept: Payload = {name: text for name, text in value.items() if name not in ("value", "unit")}
    return {"value": float(value["value"]), **kept, "unitOfMeasure": {"unit": value.get("unit", "Hertz")}}

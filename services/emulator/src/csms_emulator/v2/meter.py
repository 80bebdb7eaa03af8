"""Meter values in the form of 2.x, from the readings of `charging`."""

from random import Random

from csms_emulator.actions import Payload
from csms_emulator.charging import Car, sample


def meter_value(
    register: float, car: Car | None, measurands: list[str], context: str, random: Random, timestamp: str
) -> list[Payload]:
    """A `meterValue` list with one sample; of `measurands` those that can be measured now, the register always."""
    values = [_translated(value) for value in sample(register, car, measurands, context, random)]
    return [{"timestamp": timestamp, "sampledValue": values}]


def _translated(value: Payload) -> Payload:
    # In 2.x the value is a number, and the unit is an object of its own.
    kept: Payload = {name: text for name, text in value.items() if name not in ("value", "unit")}
    return {"value": float(value["value"]), **kept, "unitOfMeasure": {"unit": value["unit"]}}

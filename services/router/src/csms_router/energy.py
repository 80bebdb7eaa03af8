"""The energy register among the meter values of 2.x, in whole Wh."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

_LARGEST_MULTIPLIER = 9
_LARGEST_VALUE = 1e15
_REGISTER = "Energy.Active.Import.Register"


class Unit(Struct):
    """2.x UnitOfMeasureType."""

    unit: str = "Wh"
    multiplier: int = 0


class SampledValue(Struct, rename="camel"):
    """2.x SampledValueType, as far as it is read."""

    value: float
    # OCPP 2.0.1 SampledValueType: "Default = Energy.Active.Import.Register".
    measurand: str = _REGISTER
    phase: str | None = None
    unit_of_measure: Unit | None = None


class MeterValue(Struct, rename="camel"):
    """2.x MeterValueType."""

    sampled_value: list[SampledValue]


def first(values: list[MeterValue]) -> int | None:
    """The first reading of the register over all phases; None: there is none."""
    return next(_readings(values), None)


def last(values: list[MeterValue]) -> int | None:
    """The last reading."""
    return next(_readings(reversed(values)), None)


def _readings(values: Iterable[MeterValue]) -> Iterator[int]:
    for value in values:
        for sample in value.sampled_value:
            unit = sample.unit_of_measure or Unit()
            if sample.measurand == _REGISTER and sample.phase is None and _is_plausible(sample.value, unit):
                yield round(sample.value * 10**unit.multiplier * (1000 if unit.unit == "kWh" else 1))


def _is_plausible(value: float, unit: Unit) -> bool:
    # Validation may be off, and a power of ten of a peer's choosing is not computed.
    return abs(value) <= _LARGEST_VALUE and abs(unit.multiplier) <= _LARGEST_MULTIPLIER

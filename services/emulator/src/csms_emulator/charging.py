"""A car at the cable, and the meter in between: how power and energy move while emulated seconds pass.

Pure arithmetic; knows neither transactions nor messages.
"""

from random import Random

import msgspec

from csms_emulator.actions import Payload

NOMINAL_VOLTAGE = 230.0
CONNECTOR_CURRENT = 32.0
RAMP = 30.0  # seconds until the car takes all it wants
TAPER_FROM = 0.8  # state of charge above which the car takes less and less
STEP = 10.0  # seconds between two points of the curve
EFFICIENCY = 0.92

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"
VOLTAGE = "Voltage"
SOC = "SoC"
MEASURANDS = (ENERGY, POWER, CURRENT, VOLTAGE, SOC)


class Car(msgspec.Struct):
    """An electric vehicle. `capacity` is in Wh, `limit` in A per phase, `soc` and `wanted` are fractions of 1."""

    capacity: float
    phases: int
    limit: float
    soc: float
    wanted: float
    plugged: float = 0.0

    @property
    def full(self) -> bool:
        """Whether it takes no more."""
        return self.soc >= self.wanted

    @property
    def power(self) -> float:
        """What it takes now, in W: a ramp, a plateau, and a tail."""
        if self.full:
            return 0.0
        most = self.phases * NOMINAL_VOLTAGE * min(self.limit, CONNECTOR_CURRENT)
        ramp = min(1.0, self.plugged / RAMP)
        tail = min(1.0, 0.1 + 0.9 * (1.0 - self.soc) / (1.0 - TAPER_FROM))
        return most * ramp * tail

    def charge(self, seconds: float) -> float:
        """Let `seconds` pass at the cable; answers the energy that flowed, in Wh."""
        energy = 0.0
        while seconds > 0 and not self.full:
            step = min(seconds, STEP)
            flowed = self.power * step / 3600
            self.plugged += step
            self.soc = min(1.0, self.soc + flowed * EFFICIENCY / self.capacity)
            energy += flowed
            seconds -= step
        return energy


def arrive(random: Random) -> Car:
    """A car as they come."""
    phases, limit = random.choice(((1, 16.0), (1, 32.0), (3, 16.0), (3, 16.0), (3, 32.0)))
    capacity = random.choice((38_000.0, 52_000.0, 64_000.0, 77_000.0, 95_000.0))
    return Car(capacity, phases, limit, soc=random.uniform(0.1, 0.85), wanted=random.choice((0.8, 0.9, 1.0, 1.0)))


def sample(register: float, car: Car | None, measurands: list[str], context: str, random: Random) -> list[Payload]:
    """The `sampledValue` list of a MeterValue: those of `measurands` that can be measured now, the register always."""
    phases = car.phases if car else 3
    power = car.power if car else 0.0
    voltages = [round(random.gauss(NOMINAL_VOLTAGE, 1.0), 1) for _ in range(phases)]
    current = power / sum(voltages)
    values = [_value(ENERGY, f"{int(register)}", "Wh", context)]
    if POWER in measurands:
        values.append(_value(POWER, f"{power:.0f}", "W", context))
    if CURRENT in measurands:
        values += [_value(CURRENT, f"{current:.2f}", "A", context, phase=f"L{n}") for n in range(1, phases + 1)]
    if VOLTAGE in measurands:
        values += [_value(VOLTAGE, f"{u}", "V", context, phase=f"L{n}-N") for n, u in enumerate(voltages, 1)]
    if SOC in measurands and car:
        values.append(_value(SOC, f"{int(car.soc * 100)}", "Percent", context, location="EV"))
    return values


def _value(measurand: str, value: str, unit: str, context: str, **more: str) -> Payload:
    location = {} if "location" in more else {"location": "Outlet"}
    return {"value": value, "context": context, "measurand": measurand, "unit": unit, **location, **more}

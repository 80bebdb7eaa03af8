"""A car at the cable, and the meter in between: how power and energy move while emulated seconds pass.

Pure arithmetic; knows neither transactions nor messages.
"""

from math import inf
from random import Random
from typing import Literal

import msgspec

from csms_emulator.actions import Payload

NOMINAL_VOLTAGE = 230.0
CONNECTOR_CURRENT = 32.0
RAMP = 30.0  # seconds until the car takes all it wants
TAPER_FROM = 0.8  # state of charge above which the car takes less and less
STEP = 10.0  # seconds between two points of the curve
EFFICIENCY = 0.92

FULL_BATTERY, FLAT_BATTERY = 400.0, 340.0  # V
CHARGES_AN_HOUR = 2.0  # the current that a battery takes, as a multiple of its capacity

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"
VOLTAGE = "Voltage"
SOC = "SoC"
MEASURANDS = (ENERGY, POWER, CURRENT, VOLTAGE, SOC)
INTERVAL = "Energy.Active.Import.Interval"
CURRENT_OFFERED, POWER_OFFERED = "Current.Offered", "Power.Offered"
TEMPERATURE, FREQUENCY = "Temperature", "Frequency"
ALL_MEASURANDS = (*MEASURANDS, INTERVAL, CURRENT_OFFERED, POWER_OFFERED, TEMPERATURE, FREQUENCY)

Kind = Literal["AC1", "AC3", "DC"]


class Outlet(msgspec.Struct, frozen=True):
    """What a connector is made for: one or three phases of alternating current, or direct current; `power` in W."""

    kind: Kind = "AC3"
    power: float = 3 * NOMINAL_VOLTAGE * CONNECTOR_CURRENT

    @property
    def phases(self) -> int:
        """Those of the grid, that is: of direct current there are three behind it."""
        return 1 if self.kind == "AC1" else 3


class Car(msgspec.Struct):
    """An electric vehicle. `capacity` is in Wh, `limit` in A per phase, `soc` and `wanted` are fractions of 1.

    `most` is what the outlet can give, `ceiling` what it gives for now, in W; `direct`: with direct current.
    """

    capacity: float
    phases: int
    limit: float
    soc: float
    wanted: float
    plugged: float = 0.0
    most: float = inf
    ceiling: float = inf
    direct: bool = False

    @property
    def full(self) -> bool:
        """Whether it takes no more."""
        return self.soc >= self.wanted

    @property
    def power(self) -> float:
        """What it takes now, in W: a ramp, a plateau, and a tail."""
        if self.full:
            return 0.0
        ramp = min(1.0, self.plugged / RAMP)
        tail = min(1.0, 0.1 + 0.9 * (1.0 - self.soc) / (1.0 - TAPER_FROM))
        return min(self._plateau * ramp * tail, self.ceiling)

    @property
    def offered(self) -> float:
        """What it might take, were it hungry enough, in W."""
        made = self.most if self.direct else self.phases * NOMINAL_VOLTAGE * CONNECTOR_CURRENT
        return min(made, self.most, self.ceiling)

    @property
    def voltage(self) -> float:
        """Of the battery, in V: it rises while the current is constant, and stays from where the current falls."""
        return FLAT_BATTERY + (FULL_BATTERY - FLAT_BATTERY) * min(1.0, self.soc / TAPER_FROM)

    @property
    def _plateau(self) -> float:
        if self.direct:
            return min(self.most, self.voltage * CHARGES_AN_HOUR * self.capacity / FULL_BATTERY)
        return min(self.most, self.phases * NOMINAL_VOLTAGE * min(self.limit, CONNECTOR_CURRENT))

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


USUAL = Outlet()


def arrive(random: Random, outlet: Outlet = USUAL) -> Car:
    """A car as they come, at this outlet."""
    phases, limit = random.choice(((1, 16.0), (1, 32.0), (3, 16.0), (3, 16.0), (3, 32.0)))
    capacity = random.choice((38_000.0, 52_000.0, 64_000.0, 77_000.0, 95_000.0))
    soc, wanted = random.uniform(0.1, 0.85), random.choice((0.8, 0.9, 1.0, 1.0))
    phases = min(phases, outlet.phases)
    most = outlet.power if outlet.kind == "DC" else outlet.power / outlet.phases * phases
    return Car(capacity, phases, limit, soc=soc, wanted=wanted, most=most, direct=outlet.kind == "DC")


def sample(
    register: float, car: Car | None, measurands: list[str], context: str, random: Random, *, interval: float = 0.0
) -> list[Payload]:
    """The `sampledValue` list of a MeterValue: those of `measurands` that can be measured now, the register always.

    `interval` is the energy since the sample before, in Wh.
    """
    values = [_value(ENERGY, f"{int(register)}", "Wh", context)]
    if INTERVAL in measurands:
        values.append(_value(INTERVAL, f"{interval:.0f}", "Wh", context))
    measure = _direct if car and car.direct else _alternating
    values += measure(car, measurands, context, random)
    if car:
        values += _offered(car, measurands, context)
    if SOC in measurands and car:
        values.append(_value(SOC, f"{int(car.soc * 100)}", "Percent", context, location="EV"))
    return values + _surroundings(measurands, context, random)


def _alternating(car: Car | None, measurands: list[str], context: str, random: Random) -> list[Payload]:
    phases = car.phases if car else 3
    power = car.power if car else 0.0
    voltages = [round(random.gauss(NOMINAL_VOLTAGE, 1.0), 1) for _ in range(phases)]
    current = power / sum(voltages)
    values = [_value(POWER, f"{power:.0f}", "W", context)] if POWER in measurands else []
    if CURRENT in measurands:
        values += [_value(CURRENT, f"{current:.2f}", "A", context, phase=f"L{n}") for n in range(1, phases + 1)]
    if VOLTAGE in measurands:
        values += [_value(VOLTAGE, f"{u}", "V", context, phase=f"L{n}-N") for n, u in enumerate(voltages, 1)]
    return values


def _direct(car: Car | None, measurands: list[str], context: str, random: Random) -> list[Payload]:
    power, voltage = (car.power, car.voltage) if car else (0.0, 0.0)
    current = power / voltage if voltage else 0.0
    values = {
        POWER: _value(POWER, f"{power:.0f}", "W", context),
        CURRENT: _value(CURRENT, f"{current:.2f}", "A", context),
        VOLTAGE: _value(VOLTAGE, f"{voltage:.1f}", "V", context),
    }
    return [value for measurand, value in values.items() if measurand in measurands]


def _offered(car: Car, measurands: list[str], context: str) -> list[Payload]:
    voltage = car.voltage if car.direct else car.phases * NOMINAL_VOLTAGE
    values = {
        CURRENT_OFFERED: _value(CURRENT_OFFERED, f"{car.offered / voltage:.2f}", "A", context),
        POWER_OFFERED: _value(POWER_OFFERED, f"{car.offered:.0f}", "W", context),
    }
    return [value for measurand, value in values.items() if measurand in measurands]


def _surroundings(measurands: list[str], context: str, random: Random) -> list[Payload]:
    values = []
    if TEMPERATURE in measurands:
        degrees = random.gauss(32.0, 1.0)
        values.append(_value(TEMPERATURE, f"{degrees:.1f}", "Celsius", context, location="Body"))
    if FREQUENCY in measurands:
        # OCPP 1.6 §7.31: there is no unit for it, hertz is understood.
        hertz = random.gauss(50.0, 0.01)
        values.append(_value(FREQUENCY, f"{hertz:.2f}", "", context, location="Inlet"))
    return values


def _value(measurand: str, value: str, unit: str, context: str, **more: str) -> Payload:
    location = {} if "location" in more else {"location": "Outlet"}
    units = {"unit": unit} if unit else {}
    return {"value": value, "context": context, "measurand": measurand, **units, **location, **more}

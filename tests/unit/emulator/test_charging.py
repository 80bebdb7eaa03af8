"""Cars take power and energy as cars do, and the samples say so."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from csms_emulator.charging import MEASURANDS, Car, arrive, sample


def car(**fields: float) -> Car:
    values = {"capacity": 60_000.0, "phases": 3, "limit": 16.0, "soc": 0.3, "wanted": 1.0, **fields}
    return Car(**values)  # type: ignore[arg-type]


def test_power_ramps_up_holds_and_tails_off() -> None:
    vehicle = car()
    powers = [vehicle.power]

    for _ in range(3):
        vehicle.charge(15)
        powers.append(round(vehicle.power))
    vehicle.soc = 0.9
    powers.append(round(vehicle.power))

    assert powers == [0, 5520, 11040, 11040, 6072]


def test_a_full_car_takes_nothing() -> None:
    vehicle = car(soc=0.8, wanted=0.8)

    flowed = vehicle.charge(3600)

    assert (flowed, vehicle.power) == (0.0, 0.0)


def test_an_hour_at_11_kw_is_eleven_kilowatt_hours() -> None:
    vehicle = car(capacity=1e9, plugged=60.0)

    assert round(vehicle.charge(3600)) == 11040


@given(st.integers(), st.lists(st.floats(0, 4000), max_size=20))
def test_energy_is_never_negative_and_the_charge_never_above_what_fits(seed: int, pauses: list[float]) -> None:
    vehicle = arrive(Random(seed))

    energies = [vehicle.charge(pause) for pause in pauses]

    assert all(
        0 <= energy <= 3 * 230 * 32 * pause / 3600 + 1e-6 for energy, pause in zip(energies, pauses, strict=True)
    )
    assert 0 <= vehicle.soc <= 1


@given(st.integers())
def test_currents_and_voltages_make_the_power(seed: int) -> None:
    random = Random(seed)
    vehicle = arrive(random)
    vehicle.charge(60)

    values = sample(1234.9, vehicle, list(MEASURANDS), "Sample.Periodic", random)

    numbers = {(v["measurand"], v.get("phase", "")[:2]): float(v["value"]) for v in values}
    phases = [f"L{n}" for n in range(1, vehicle.phases + 1)]
    product = sum(numbers["Current.Import", p] * numbers["Voltage", p] for p in phases)
    assert abs(product - numbers["Power.Active.Import", ""]) < 10
    assert numbers["Energy.Active.Import.Register", ""] == 1234


def test_a_sample_of_an_idle_connector_shows_no_current_and_no_car() -> None:
    values = sample(7.0, None, ["Power.Active.Import", "SoC"], "Trigger", Random(1))

    assert [(v["measurand"], v["value"]) for v in values] == [
        ("Energy.Active.Import.Register", "7"),
        ("Power.Active.Import", "0"),
    ]

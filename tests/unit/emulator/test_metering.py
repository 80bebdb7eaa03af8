"""What a station measures besides the periodic samples: by the clock, for the end of a transaction, and more of it."""

from random import Random

import pytest

from csms_emulator.charging import ALL_MEASURANDS, Outlet, arrive, sample
from csms_emulator.deeds import Plug, Swipe, Unplug
from csms_emulator.metering import MOST_READINGS
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Central, Payload, booted, charging


def configure(central: Central, **keys: str) -> None:
    for key, value in keys.items():
        assert central.command("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}


def shown(values: list[Payload]) -> dict[str, tuple[str, str | None]]:
    return {value["measurand"]: (value["value"], value.get("unit")) for value in values}


def contexts(stop: Payload) -> list[str]:
    return [reading["sampledValue"][0]["context"] for reading in stop.get("transactionData", [])]


def test_the_clock_says_when_to_measure() -> None:
    central = booted(connectors=2, drivers=False)
    configure(central, ClockAlignedDataInterval="900")

    central.run(3600)

    told = [(p["connectorId"], p["meterValue"][0]["timestamp"][11:19]) for p in central.payloads("MeterValues")]
    assert told == [(n, at) for at in ("22:30:00", "22:45:00", "23:00:00", "23:15:00") for n in (1, 2)]


def test_the_intervals_of_the_clock_begin_anew_at_midnight() -> None:
    central = booted(drivers=False)
    configure(central, ClockAlignedDataInterval="7000")

    central.run(10_000)

    times = [p["meterValue"][0]["timestamp"][11:19] for p in central.payloads("MeterValues")]
    assert times == ["23:20:00", "00:00:00"]


def test_an_aligned_value_belongs_to_its_transaction_and_survives_a_lost_connection() -> None:
    central = charging()
    configure(central, ClockAlignedDataInterval="60", MeterValueSampleInterval="0", MeterValuesAlignedData="SoC")

    central.disconnect()
    central.run(150)
    central.connect()
    central.settle()

    values = central.payloads("MeterValues")
    assert [p["transactionId"] for p in values] == [1, 1]
    assert {v["context"] for p in values for v in p["meterValue"][0]["sampledValue"]} == {"Sample.Clock"}


def test_nothing_is_measured_by_the_clock_where_nothing_is_to_be() -> None:
    central = booted(drivers=False)
    configure(central, ClockAlignedDataInterval="60", MeterValuesAlignedData="")

    central.run(600)

    assert central.payloads("MeterValues") == []


def test_a_clock_that_is_set_to_zero_stops() -> None:
    central = booted(drivers=False)
    configure(central, ClockAlignedDataInterval="60")
    configure(central, ClockAlignedDataInterval="0")

    central.run(600)

    assert central.payloads("MeterValues") == []


def test_the_clock_goes_on_after_a_reset() -> None:
    central = booted(drivers=False)
    configure(central, ClockAlignedDataInterval="60")
    central.command("Reset", {"type": "Hard"})
    central.disconnect()
    central.connect()

    central.run(61)

    assert len(central.payloads("MeterValues")) == 1


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, []),
        (
            {"StopTxnSampledData": "Energy.Active.Import.Register"},
            ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"],
        ),
        (
            {"StopTxnAlignedData": "SoC", "ClockAlignedDataInterval": "60"},
            ["Sample.Clock", "Sample.Clock"],
        ),
    ],
)
def test_a_stop_tells_the_readings_that_it_is_to_tell(keys: dict[str, str], wanted: list[str]) -> None:
    central = booted(drivers=False)
    configure(central, **keys)
    central.by_hand(Plug(1))
    central.by_hand(Swipe(1, "TAG"))

    central.run(150)
    central.by_hand(Unplug(1))

    (stop,) = central.payloads("StopTransaction")
    assert contexts(stop) == wanted


def test_a_long_transaction_keeps_its_first_reading_and_the_last_ones() -> None:
    central = booted(drivers=False)
    configure(central, StopTxnSampledData="SoC", MeterValueSampleInterval="1")
    central.by_hand(Plug(1))
    central.by_hand(Swipe(1, "TAG"))

    central.run(MOST_READINGS + 50)
    central.by_hand(Unplug(1))

    (stop,) = central.payloads("StopTransaction")
    assert len(stop["transactionData"]) == MOST_READINGS
    assert contexts(stop)[:: MOST_READINGS - 1] == ["Transaction.Begin", "Transaction.End"]


def test_a_1_5_stop_tells_its_readings_too() -> None:
    central = charging(version=Version.V1_5)
    configure(central, StopTxnSampledData="Energy.Active.Import.Register")

    central.run(61)
    central.command("RemoteStopTransaction", {"transactionId": 1})
    central.settle()

    (stop,) = central.payloads("StopTransaction")
    (data,) = stop["transactionData"]
    assert [reading["value"][0]["context"] for reading in data["values"]] == ["Sample.Periodic", "Transaction.End"]


def test_every_measurand_can_be_sampled() -> None:
    central = charging()
    configure(central, MeterValuesSampledData=",".join(ALL_MEASURANDS))

    central.run(61)

    (told,) = central.payloads("MeterValues")
    values = shown(told["meterValue"][0]["sampledValue"])
    assert values.keys() == set(ALL_MEASURANDS)
    assert (values["Temperature"][1], values["Frequency"][1]) == ("Celsius", None)


def test_the_energy_of_the_intervals_makes_the_energy_of_the_register() -> None:
    central = charging()
    configure(central, MeterValuesSampledData="Energy.Active.Import.Interval")

    central.run(301)

    samples = [shown(p["meterValue"][0]["sampledValue"]) for p in central.payloads("MeterValues")]
    registers = [int(s["Energy.Active.Import.Register"][0]) for s in samples]
    intervals = [int(s["Energy.Active.Import.Interval"][0]) for s in samples]
    assert abs(registers[-1] - registers[0] - sum(intervals[1:])) <= len(samples)
    assert all(intervals)


def test_what_is_offered_is_what_the_profile_leaves() -> None:
    central = charging()
    configure(central, MeterValuesSampledData="Power.Offered,Current.Offered")
    plan = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"}
    wanted = {**profile, "chargingProfileKind": "Absolute", "chargingSchedule": plan}
    central.command("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": wanted})

    central.run(61)

    (told,) = central.payloads("MeterValues")
    assert shown(told["meterValue"][0]["sampledValue"])["Current.Offered"] == ("6.00", "A")


@pytest.mark.parametrize("seed", range(20))
def test_an_outlet_gives_no_more_than_it_is_made_for(seed: int) -> None:
    outlets = [Outlet("AC1", 3680.0), Outlet("AC3", 11_040.0), Outlet("DC", 50_000.0)]
    cars = [arrive(Random(seed), outlet) for outlet in outlets]

    for car in cars:
        car.soc = 0.2
        car.charge(60)

    assert all(car.power <= outlet.power for car, outlet in zip(cars, outlets, strict=True))
    assert cars[0].phases == 1


def test_direct_current_is_constant_until_the_voltage_is_and_falls_from_then_on() -> None:
    car = arrive(Random(1), Outlet("DC", 1e6))
    car.soc, car.wanted = 0.2, 1.0
    car.charge(60)
    seen = []

    for soc in (0.3, 0.6, 0.8, 0.9, 0.95):
        car.soc = soc
        seen.append((round(car.voltage), round(car.power / car.voltage)))

    voltages, currents = zip(*seen, strict=True)
    assert voltages[:3] == tuple(sorted(voltages[:3]))
    assert set(voltages[2:]) == {400}
    assert len(set(currents[:3])) == 1
    assert currents[2] > currents[3] > currents[4]


def test_a_sample_of_direct_current_has_no_phases() -> None:
    car = arrive(Random(1), Outlet("DC", 50_000.0))
    car.charge(60)

    values = sample(0.0, car, ["Current.Import", "Voltage", "Power.Active.Import"], "Sample.Periodic", Random(1))

    numbers = {value["measurand"]: float(value["value"]) for value in values}
    assert not any("phase" in value for value in values)
    assert abs(numbers["Current.Import"] * numbers["Voltage"] - numbers["Power.Active.Import"]) < 50

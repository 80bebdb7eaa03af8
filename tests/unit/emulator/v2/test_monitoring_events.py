"""What monitors tell, and when."""

import pytest

from csms_emulator.v2.device import Calls, Device
from csms_emulator.v2.events import events, next_event
from csms_ocpp import schemas
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload, check
from tests.unit.emulator.v2.asking import ISO_NOW, NOW, ask, device, named
from tests.unit.emulator.v2.driving import TOKEN, Central, booted

POWER = named("EVSE", "Power", id=1)
STATE = named("EVSE", "AvailabilityState", id=1)
WARM = named("ChargingStation", "Temperature")


def watched(item: Payload, kind: str, value: float, severity: int = 4, version: Version = Version.V2_1) -> Device:
    """A station with one monitor."""
    station = device(version)
    data = {**item, "type": kind, "value": value, "severity": severity}
    results = ask(station, "SetVariableMonitoring", {"setMonitoringData": [data]})[0]["setMonitoringResult"]
    assert [result["status"] for result in results] == ["Accepted"]
    return station


def happened(station: Device, now: float = NOW) -> Calls:
    calls = events(station, now)
    for action, body in calls:
        check(station.version, action, schemas.REQUEST, body)
    return calls


def values(calls: Calls) -> list[tuple[str, str, bool | None]]:
    """Trigger, value and `cleared` of each event."""
    return [(e["trigger"], e["actualValue"], e.get("cleared")) for _, body in calls for e in body["eventData"]]


def powers(station: Device, *levels: str) -> list[list[tuple[str, str, bool | None]]]:
    """What is told as the power of EVSE 1 goes through these levels."""
    told = []
    for second, level in enumerate(levels):
        station.set("EVSE", "Power", level, evse=1)
        told.append(values(happened(station, NOW + second)))
    return told


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_an_event_names_its_monitor(version: Version) -> None:
    station = watched(POWER, "UpperThreshold", 1000, version=version)
    station.set("EVSE", "Power", "1500.0", evse=1)

    event = {
        "eventId": 1,
        "timestamp": ISO_NOW,
        "trigger": "Alerting",
        "actualValue": "1500.0",
        "cleared": False,
        **POWER,
        "variableMonitoringId": 1,
        "eventNotificationType": "CustomMonitor",
    }
    assert happened(station) == [
        ("NotifyEvent", {"generatedAt": ISO_NOW, "seqNo": 0, "tbc": False, "eventData": [event]})
    ]


def test_a_threshold_is_told_when_it_is_crossed_and_when_it_is_cleared() -> None:
    upper = powers(watched(POWER, "UpperThreshold", 1000), "1000", "1001", "2000", "900")
    lower = powers(watched(POWER, "LowerThreshold", 500), "500", "400", "600")

    assert upper == [[], [("Alerting", "1001", False)], [], [("Alerting", "900", True)]]
    assert lower == [[], [("Alerting", "400", False)], [("Alerting", "600", True)]]


def test_a_delta_counts_from_what_was_told_last() -> None:
    told = powers(watched(POWER, "Delta", 100), "60", "99", "100", "150", "0")

    assert told == [[], [], [("Delta", "100", None)], [], [("Delta", "0", None)]]


def test_a_number_that_changes_all_the_time_is_told_once_in_a_second() -> None:
    station = watched(POWER, "Delta", 1)
    told = []
    for now, level in ((0.0, "10"), (0.4, "20"), (0.9, "30"), (1.0, "40")):
        station.set("EVSE", "Power", level, evse=1)
        told.append((values(happened(station, now)), next_event(station)))

    assert told == [([("Delta", "10", None)], None), ([], 1.0), ([], 1.0), ([("Delta", "40", None)], None)]


def test_any_change_of_what_is_no_number_is_a_delta() -> None:
    station = watched(STATE, "Delta", 1)
    station.set("EVSE", "AvailabilityState", "Occupied", evse=1)

    assert values(happened(station)) == [("Delta", "Occupied", None)]
    assert happened(station) == []


def test_a_periodic_monitor_tells_at_its_times_and_makes_up_for_nothing() -> None:
    station = watched(WARM, "Periodic", 60)

    told = [(next_event(station), values(happened(station, now))) for now in (59.0, 60.0, 61.0, 200.0)]

    once = [("Periodic", "25.0", None)]
    assert told == [(60.0, []), (60.0, once), (120.0, []), (120.0, once)]
    assert next_event(station) == 240.0


def test_a_clock_aligned_monitor_tells_at_full_minutes() -> None:
    station = watched(WARM, "PeriodicClockAligned", 60)  # it is 22:13:20

    assert next_event(station) == 40.0
    assert values(happened(station, 40.0)) == [("Periodic", "25.0", None)]
    assert next_event(station) == 100.0


def test_beyond_the_level_and_when_monitoring_is_off_nothing_is_told() -> None:
    faint, off = watched(POWER, "Delta", 1, severity=5), watched(POWER, "Delta", 1)
    ask(faint, "SetMonitoringLevel", {"severity": 4})
    off.set("MonitoringCtrlr", "Enabled", "false")

    assert (powers(faint, "9"), powers(off, "9")) == ([[]], [[]])


def test_a_cleared_monitor_tells_nothing_and_needs_no_time() -> None:
    station = watched(WARM, "Periodic", 60)

    ask(station, "ClearVariableMonitoring", {"id": [1]})

    assert (next_event(station), happened(station, 100.0)) == (None, [])


# --- in a station's life ----------------------------------------------------------------------------------------------


def monitored(kind: str, value: float, severity: int = 4, item: Payload = STATE) -> Central:
    """A station with this monitor, where nobody comes."""
    central = booted(pace=0.0001)
    data = {**item, "type": kind, "value": value, "severity": severity}
    answer = central.command("SetVariableMonitoring", {"setMonitoringData": [data]})
    assert isinstance(answer, dict)
    assert answer["setMonitoringResult"][0]["status"] == "Accepted"
    return central


def heard(central: Central) -> list[tuple[str, str, bool | None]]:
    return values([("NotifyEvent", body) for body in central.payloads("NotifyEvent")])


def test_a_station_tells_what_it_sees_as_soon_as_it_happens() -> None:
    central = monitored("Delta", 1)
    central.command("ReserveNow", {"id": 1, "expiryDateTime": "2024-01-01T00:00:00Z", "idToken": TOKEN, "evseId": 1})
    central.settle()

    assert heard(central) == [("Delta", "Reserved", None)]


def test_a_station_tells_what_is_periodic_without_any_other_reason() -> None:
    central = monitored("Periodic", 60, item=WARM)
    central.run(181)

    assert heard(central) == [("Periodic", "25.0", None)] * 3


@pytest.mark.parametrize(("severity", "kept"), [(5, 2), (6, 0)])
def test_grave_events_wait_for_a_connection(severity: int, kept: int) -> None:
    central = monitored("Periodic", 60, severity, WARM)

    central.disconnect()
    central.run(121)
    central.connect()
    central.settle()

    assert heard(central) == [("Periodic", "25.0", None)] * kept


def test_a_hundred_events_wait_and_the_log_tells_of_those_that_were_given_up() -> None:
    central = monitored("Periodic", 60, item=WARM)

    central.disconnect()
    central.run(102 * 60)
    central.connect()
    central.settle()

    assert len(heard(central)) == 100
    assert [entry.event for entry in central.logged].count("event given up") == 2


@pytest.mark.parametrize(("severity", "told"), [(5, 2), (6, 1)])
def test_a_grave_event_that_was_lost_with_the_connection_is_told_again(severity: int, told: int) -> None:
    central = monitored("Periodic", 60, severity, WARM)
    central.replies["NotifyEvent"] = None
    central.run_until_asked("NotifyEvent")

    central.disconnect()
    central.connect()
    central.settle()

    assert len(central.payloads("NotifyEvent")) == told

"""A station's life with its central system."""

from csms_ocpp.session import Outcome
from tests.unit.emulator.driving import Central, booted, charging

SERIAL = "EMU-00001"
BOOT = {
    "chargePointVendor": "CSMS",
    "chargePointModel": "Emulator",
    "firmwareVersion": "1.0",
    "meterType": "Arithmetic",
    "chargePointSerialNumber": SERIAL,
}


def status(connector: int, word: str) -> tuple[str, dict[str, object]]:
    fields = {"connectorId": connector, "errorCode": "NoError", "status": word, "timestamp": "2023-11-14T22:15:00.000Z"}
    return "StatusNotification", fields


def test_boots_and_tells_the_status_of_every_connector() -> None:
    central = Central(connectors=2)

    central.connect()
    central.settle()

    assert central.take() == [
        ("BootNotification", BOOT),
        status(0, "Available"),
        status(1, "Available"),
        status(2, "Available"),
    ]


def test_says_nothing_but_boot_notifications_while_pending_and_repeats_them_at_the_interval() -> None:
    central = Central()
    central.replies["BootNotification"] = {"status": "Pending", "currentTime": "2024-01-01T00:00:00Z", "interval": 20}

    central.connect()
    central.run(59)

    assert central.take() == [("BootNotification", BOOT)] * 3


def test_chooses_an_interval_when_the_central_system_names_none() -> None:
    central = Central()
    central.replies["BootNotification"] = {"status": "Rejected", "currentTime": "2024-01-01T00:00:00Z", "interval": 0}

    central.connect()
    central.run(29)

    assert central.take() == [("BootNotification", BOOT)]


def test_boots_again_when_nobody_answered() -> None:
    central = Central()
    central.connect()

    central.fail(Outcome.TIMEOUT)
    central.run(30)

    assert [action for action, _ in central.take()][:2] == ["BootNotification", "BootNotification"]


def test_heartbeats_at_the_interval_of_the_central_system() -> None:
    central = Central(seed=3)
    central.replies["BootNotification"] = {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 7}
    central.connect()

    central.run(7 * 5 + 1)

    assert central.payloads("Heartbeat") == [{}] * 5


def test_a_station_that_is_no_longer_accepted_saves_up_no_heartbeats() -> None:
    central = booted()
    central.command("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "5"})
    central.replies["BootNotification"] = {"status": "Rejected", "currentTime": "2024-01-01T00:00:00Z", "interval": 90}
    central.command("TriggerMessage", {"requestedMessage": "BootNotification"})
    central.run(80)
    del central.replies["BootNotification"]

    central.run(20)

    assert len(central.payloads("BootNotification")) == 2
    assert central.payloads("Heartbeat") == []


def test_a_heartbeat_interval_of_zero_leaves_the_stations_own() -> None:
    central = Central()
    central.replies["BootNotification"] = {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 0}
    central.connect()
    central.settle()

    answer = central.command("GetConfiguration", {"key": ["HeartbeatInterval"]})

    assert answer == {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}


def test_a_driver_comes_authorizes_charges_and_leaves() -> None:
    central = booted(seed=4)

    central.run_until(lambda: central.statuses()[-1:] == ["Available"])

    actions = [action for action, _ in central.asked if action not in ("Heartbeat", "MeterValues")]
    assert actions == [
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "StatusNotification",
        "StatusNotification",
    ]
    assert central.statuses() == ["Preparing", "Charging", "Finishing", "Available"]


def test_meter_values_lie_between_start_and_stop() -> None:
    central = booted(seed=4)

    central.run_until(lambda: central.statuses()[-1:] == ["Available"])

    (start,) = central.payloads("StartTransaction")
    (stop,) = central.payloads("StopTransaction")
    samples = central.payloads("MeterValues")
    energies = [int(s["meterValue"][0]["sampledValue"][0]["value"]) for s in samples]
    assert energies == sorted(energies)
    assert start["meterStart"] < energies[0] < energies[-1] <= stop["meterStop"]
    assert {s["transactionId"] for s in samples} == {1} == {stop["transactionId"]}


def test_a_refused_card_does_not_charge() -> None:
    central = booted(seed=4)
    central.replies["Authorize"] = {"idTagInfo": {"status": "Blocked"}}

    central.run_until(lambda: central.statuses()[-1:] == ["Available"])

    assert central.payloads("StartTransaction") == []
    assert central.statuses() == ["Preparing", "Available"]
    assert [(e.event, e.fields["reason"]) for e in central.logged if e.event == "refused"] == [("refused", "Blocked")]


def test_a_start_that_is_not_accepted_stops_as_deauthorized() -> None:
    central = booted(seed=4)
    central.replies["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "ConcurrentTx"}}

    central.run_until(lambda: bool(central.payloads("StopTransaction")))

    (stop,) = central.payloads("StopTransaction")
    assert (stop["reason"], stop["transactionId"]) == ("DeAuthorized", 9)


def test_a_late_answer_to_a_former_ask_changes_nothing() -> None:
    central = Central()
    central.connect()
    stale = central.pending
    central.disconnect()
    central.connect()
    fresh, central.pending = central.pending, stale

    central.reply({"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 300})

    assert central.pending is None
    central.pending = fresh
    assert not central.station.serving


def test_shutting_down_stops_the_transaction_then_hangs_up_for_good() -> None:
    central = charging()

    central.shut_down(grace=3)
    while central.pending and not central.leaving:
        central.reply({})
    central.disconnect()

    (stop,) = central.payloads("StopTransaction")
    assert (stop["reason"], stop["transactionId"]) == ("Other", 1)
    assert central.leaving
    assert central.reconnect is None


def test_shutting_down_waits_no_longer_than_its_grace() -> None:
    central = charging()
    central.replies["StopTransaction"] = None

    central.shut_down(grace=3)
    before = central.leaving
    central.run(3)

    assert (before, central.leaving) == (False, True)


def test_the_pace_shortens_a_charge_and_not_a_heartbeat() -> None:
    central = booted(seed=4, pace=60)

    central.run(299)

    assert len(central.payloads("StopTransaction")) > 2
    assert central.payloads("Heartbeat") == []


def test_the_same_seed_gives_the_same_life() -> None:
    def life() -> list[tuple[str, dict[str, object]]]:
        central = booted(seed=11, connectors=2)
        central.run(7200)
        return central.take()

    assert life() == life()

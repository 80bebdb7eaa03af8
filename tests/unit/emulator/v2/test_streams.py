"""Periodic event streams of 2.1."""

from csms_ocpp.session import Outcome
from tests.unit.emulator.driving import TIME, Payload
from tests.unit.emulator.v2.asking import named
from tests.unit.emulator.v2.driving import ACCEPTED, REJECTED, Central, booted

OPEN, CLOSE = "OpenPeriodicEventStream", "ClosePeriodicEventStream"
WARM = named("ChargingStation", "Temperature")


def opened(central: Central | None = None, *, every: int = 5, reply: Payload = ACCEPTED, **params: int) -> Central:
    """A station whose temperature is looked at every so many seconds, and streamed; the monitor's id is 1."""
    central = central or booted(pace=0.0001)
    central.replies[OPEN] = reply
    monitor(central, every, **params)
    central.settle()
    return central


def monitor(central: Central, every: int, **params: int) -> None:
    known = {"id": 1} if 1 in central.station.device.memory.monitors else {}
    data = {**WARM, **known, "type": "Periodic", "value": every, "severity": 4, "periodicEventStream": params}
    answer = central.command("SetVariableMonitoring", {"setMonitoringData": [data]})
    assert isinstance(answer, dict)
    assert [result["status"] for result in answer["setMonitoringResult"]] == ["Accepted"]


def clear(central: Central) -> None:
    central.command("ClearVariableMonitoring", {"id": [1]})
    central.settle()


def sizes(central: Central) -> list[int]:
    """How many values each message had."""
    return [len(message["data"]) for message in central.sent]


def restart(central: Central) -> None:
    central.command("Reset", {"type": "Immediate"})
    central.settle()
    central.disconnect()
    central.now += central.reconnect or 0
    central.connect()
    central.settle()


def test_a_monitor_with_a_stream_opens_it_and_its_values_are_sent_together() -> None:
    central = opened(interval=12)
    central.run(12)

    stream = {"id": 1, "variableMonitoringId": 1, "params": {"interval": 12}}
    assert central.take() == [(OPEN, {"constantStreamData": stream})]
    assert central.sent == [
        {
            "id": 1,
            "pending": 0,
            "basetime": "2023-11-14T22:15:05.000Z",
            "data": [{"t": 0.0, "v": "25.0"}, {"t": 5.0, "v": "25.0"}],
        }
    ]
    assert central.command("GetPeriodicEventStream") == {"constantStreamData": [stream]}


def test_a_stream_is_sent_when_it_has_its_number_of_values() -> None:
    central = opened(values=3)
    central.run(31)

    assert (sizes(central), [message["pending"] for message in central.sent]) == ([3, 3], [0, 0])


def test_whatever_comes_first_counts_and_without_either_each_value_is_sent_at_once() -> None:
    both, neither = opened(interval=12, values=2), opened()
    both.run(12)
    neither.run(12)

    assert (sizes(both), sizes(neither)) == ([2], [1, 1])


def test_an_interval_without_values_is_silent() -> None:
    central = opened(every=60, interval=10)
    central.run(65)

    assert sizes(central) == [1]


def test_a_stream_is_adjusted_while_its_monitor_stays_as_it_is() -> None:
    central = opened(interval=100)

    answers = [
        central.command("AdjustPeriodicEventStream", {"id": number, "params": {"interval": interval}})
        for number, interval in ((1, 10), (2, 10), (1, 10**9))
    ]
    central.run(21)

    reasons = [{**REJECTED, "statusInfo": {"reasonCode": reason}} for reason in ("NotFound", "ValueOutOfRange")]
    assert answers == [ACCEPTED, *reasons]
    assert (sizes(central), [action for action, _ in central.take()]) == ([2, 2], [OPEN])


def test_a_stream_is_closed_with_its_monitor() -> None:
    central = opened(interval=10)

    clear(central)
    central.run(60)

    assert central.payloads(CLOSE) == [{"id": 1}]
    assert (central.sent, central.command("GetPeriodicEventStream")) == ([], {})


def test_a_monitor_that_is_set_anew_has_a_new_stream() -> None:
    central = opened(interval=10)

    opened(central, interval=20)
    central.run(1)

    told = [(action, body.get("id") or body["constantStreamData"]["id"]) for action, body in central.take()]
    assert told == [(OPEN, 1), (CLOSE, 1), (OPEN, 2)]


def test_a_stream_that_is_not_wanted_is_told_as_events() -> None:
    central = opened(reply=REJECTED, interval=10)
    central.run(11)

    assert (central.sent, central.command("GetPeriodicEventStream")) == ([], {})
    assert len(central.payloads("NotifyEvent")) == 2


def test_a_stream_is_asked_for_three_times() -> None:
    central = booted(pace=0.0001)
    central.replies[OPEN] = None
    monitor(central, 1000, interval=10)

    for _ in range(5):
        if central.pending:
            central.fail(Outcome.TIMEOUT)
        central.run(61)

    assert len(central.payloads(OPEN)) == 3


def test_a_stream_whose_monitor_has_gone_before_it_was_open_is_closed() -> None:
    central = booted()
    central.replies[OPEN] = None
    monitor(central, 5, interval=10)
    clear(central)

    central.reply(ACCEPTED)
    central.settle()

    assert [action for action, _ in central.take()] == [OPEN, CLOSE]


def test_what_is_seen_while_nobody_listens_is_sent_afterwards() -> None:
    central = opened(values=2)

    central.disconnect()
    central.run(21)
    before = sizes(central)
    central.connect()
    central.settle()

    assert (before, sizes(central), len(central.payloads(OPEN))) == ([], [2, 2], 1)


def test_a_stream_that_is_closed_while_the_registration_is_pending_is_told_afterwards() -> None:
    central = opened(interval=10)
    central.replies["Heartbeat"] = None
    central.replies["BootNotification"] = {"status": "Pending", "currentTime": TIME, "interval": 60}
    central.run_until_asked("Heartbeat")
    central.fail(Outcome.ERROR, "SecurityError")
    central.run(10)

    clear(central)
    before = central.payloads(CLOSE)
    del central.replies["BootNotification"]
    central.run(60)

    assert (before, central.payloads(CLOSE)) == ([], [{"id": 1}])


def test_after_a_restart_a_stream_is_opened_again() -> None:
    central = opened(interval=10)
    restart(central)
    central.run(10)

    assert (len(central.payloads(OPEN)), len(central.sent)) == (2, 1)

"""Stations in the hands of a test, against central systems that are not ours."""

import asyncio
from typing import Any

import msgspec
import pytest

from csms_emulator.deeds import Unplug
from csms_emulator.faults.troubles import NoAnswers
from csms_emulator.files import reading
from csms_emulator.testing import CallError, Players, Station, UnmetError
from csms_ocpp.version import Version
from tests.service.emulator import foreign_v2
from tests.service.emulator.bare_central import bare_central
from tests.service.emulator.foreign import foreign_central
from tests.service.emulator.soap_central import soap_central
from tests.support.ports import free_port

NOBODY = "ws://127.0.0.1:9/ocpp"
TAG = "04A1B2C3"


# --- deeds, and what comes of them ------------------------------------------------------------------------------------


async def test_a_driver_charges_and_leaves() -> None:
    async with foreign_central() as central, Station("CP-1", url=central.url, pace=60) as station:
        await station.plug()
        await station.swipe(TAG)
        authorize = await station.expect("Authorize")
        start = await station.expect("StartTransaction")
        charging = await station.status("Charging")
        metered = await station.until(lambda view: view.connector(1).meter > start.payload["meterStart"])
        await station.unplug()
        stop = await station.expect("StopTransaction", where=lambda m: m.payload["reason"] == "EVDisconnected")
        await station.status("Available")

    assert (authorize.payload, start.payload["idTag"], charging.id_tag) == ({"idTag": TAG}, TAG, TAG)
    assert stop.payload["meterStop"] >= metered.connector(1).meter > start.payload["meterStart"]


async def test_the_same_is_done_at_a_station_of_2_x() -> None:
    async with (
        foreign_v2.foreign_central() as central,
        Station("CP-2", url=central.url, version="2.0.1") as station,
    ):
        await station.plug()
        await station.swipe(TAG)
        started = await station.expect("TransactionEvent", where=lambda m: m.payload["eventType"] == "Started")
        seen = await station.status("Charging")
        await station.unplug()
        await station.expect("TransactionEvent", where=lambda m: m.payload["eventType"] == "Ended")

    assert seen.transaction == started.payload["transactionInfo"]["transactionId"]


@pytest.mark.parametrize("version", ["1.5", "1.6"])
async def test_and_at_one_that_speaks_soap(version: Any) -> None:
    async with (
        soap_central(Version(f"ocpp{version}")) as central,
        Station("CP-5", url=central.url, version=version) as station,
    ):
        await station.plug()
        await station.swipe(TAG)
        start = await station.expect("StartTransaction")
        await station.status("Charging")
        await station.unplug()
        await station.expect("StopTransaction")
        beat = await station.call("Heartbeat")

    assert (start.payload["idTag"], list(beat)) == (TAG, ["currentTime"])


async def test_a_car_parks_breaks_down_and_leaves() -> None:
    async with Station(url=NOBODY, within=0) as station:
        done = [await station.park(), await station.plug(), await station.fault("GroundFailure")]
        broken = station.connector()
        done += [await station.clear_fault(), await station.depart()]
        left = station.connector()

    assert done == [True] * 5
    assert (broken.status, broken.error, broken.plugged) == ("Faulted", "GroundFailure", True)
    assert (left.status, left.parked, left.plugged) == ("Available", False, False)


async def test_what_is_impossible_now_is_told_and_changes_nothing() -> None:
    async with Station(url=NOBODY, within=0) as station:
        before = station.connector()
        possible, reason = await station.unplug(), await station.do(Unplug(1))

        assert (possible, reason) == (False, "This cannot be done now: the connector is Available.")
        assert station.connector() == before


async def test_what_is_never_possible_is_a_value_error_with_a_sentence() -> None:
    async with Station(url=NOBODY, within=0) as station:
        for deed, sentence in (
            (station.plug(7), "There is no connector 7."),
            (station.fault("Tired"), "'Tired' is no errorCode of OCPP 1.6."),
            (station.swipe(""), "An id tag has 1 to 20 characters."),
        ):
            with pytest.raises(ValueError, match=sentence):
                await deed


async def test_a_connector_that_is_not_there_cannot_be_seen() -> None:
    async with Station(url=NOBODY, within=0) as station:
        with pytest.raises(LookupError, match="There is no connector 2"):
            station.connector(2)


async def test_a_power_cycle_boots_again() -> None:
    async with foreign_central() as central, Station(url=central.url, pace=1000) as station:
        await station.expect("BootNotification")
        await station.power_cycle()
        await station.booted()
        await station.expect("BootNotification")

    assert central.closes[0] == 1006


async def test_a_wrong_clock_is_set_right_by_the_central_system() -> None:
    async with foreign_central() as central:
        central.heartbeat = 1
        async with Station(url=central.url) as station:
            right = station.view.clock[:4]
            await station.skew(-20 * 366 * 86_400)
            wrong = station.view.clock[:4]
            await station.expect("Heartbeat", kind="result")
            await station.until(lambda view: view.clock[:4] == right)

    assert int(right) - int(wrong) in (20, 21)


# --- the network ------------------------------------------------------------------------------------------------------


async def test_offline_means_offline_until_it_is_online_again() -> None:
    async with foreign_central() as central, Station(url=central.url) as station:
        await station.offline()
        online, seen = station.online, station.view.connected
        with pytest.raises(ConnectionError, match="not connected"):
            await station.call("Heartbeat")
        await station.go_online()
        await station.booted()

        assert (online, seen, station.online) == (False, False, True)
    assert len(central.paths) == 2


async def test_what_was_to_be_told_offline_is_told_later() -> None:
    configuration = {"AllowOfflineTxForUnknownId": "true"}
    async with foreign_central() as central, Station(url=central.url, configuration=configuration) as station:
        await station.offline()
        await station.plug()
        await station.swipe(TAG)
        await station.status("Charging")
        await station.unplug()
        await station.go_online()
        await station.expect("StopTransaction", kind="result")

    told = [action for _, action, _ in central.heard if action in ("StartTransaction", "StopTransaction")]
    assert told == ["StartTransaction", "StopTransaction"]


# --- calls ------------------------------------------------------------------------------------------------------------


async def test_a_call_answers_the_results_payload() -> None:
    async with foreign_central() as central, Station(url=central.url) as station:
        answered = await station.call("Authorize", {"idTag": TAG})
        said = await station.expect("Authorize", kind="result", sender="csms")

    assert answered == said.payload == {"idTagInfo": {"status": "Accepted"}}


async def test_a_payload_that_the_schema_refuses_is_a_value_error_and_never_sent() -> None:
    async with foreign_central() as central, Station(url=central.url) as station:
        with pytest.raises(ValueError, match="Authorize: "):
            await station.call("Authorize", {"id": 1})
        with pytest.raises(ValueError, match="Dance: "):
            await station.call("Dance")

    assert [action for _, action, _ in central.heard if action in ("Authorize", "Dance")] == []


async def test_a_callerror_is_a_call_error_with_its_code() -> None:
    async with soap_central() as central, Station(url=central.url) as station:
        central.faults["DataTransfer"] = "NotSupported"
        with pytest.raises(CallError, match="DataTransfer: NotSupported, not now") as raised:
            await station.call("DataTransfer", {"vendorId": "com.example"})

    error = raised.value
    assert (error.action, error.code, error.description) == ("DataTransfer", "NotSupported", "not now")


async def test_a_send_needs_2_1() -> None:
    async with foreign_central() as central, Station(url=central.url) as station:
        with pytest.raises(ValueError, match=r"ocpp1\.6 has no SEND"):
            await station.send("NotifyPeriodicEventStream", {})


async def test_trouble_begins_and_is_healed() -> None:
    async with bare_central() as central, Station(url=central.url) as station:
        await station.trouble(NoAnswers())
        await central.ask("1")
        await station.expect("ClearCache", sender="csms")
        await station.heal()
        await central.ask("2")
        await central.until(lambda: b'[3,"2",{"status":"Accepted"}]' in central.came)

    assert b'[3,"1",{"status":"Accepted"}]' not in central.came


async def test_no_answer_in_time_is_a_call_error_too() -> None:
    async with bare_central() as central, Station(url=central.url) as station:
        await station.until(lambda view: view.waiting == 0)
        central.silent = True
        with pytest.raises(CallError, match=r"Heartbeat: Timeout, no answer within 0\.05 s"):
            await station.call("Heartbeat", within=0.05)


async def test_a_connection_that_goes_takes_the_answer_with_it() -> None:
    async with bare_central() as central, Station(url=central.url) as station:
        await station.until(lambda view: view.waiting == 0)
        central.silent = True
        waiting = asyncio.create_task(station.call("Heartbeat"))
        await central.until(lambda: b'"Heartbeat"' in central.came[-1])
        await station.offline()

        with pytest.raises(ConnectionError, match="The connection is gone"):
            await waiting


# --- expectations that are not met ------------------------------------------------------------------------------------


async def test_an_expectation_that_is_not_met_tells_what_came_instead() -> None:
    async with foreign_central() as central, Station("CP-1", url=central.url) as station:
        with pytest.raises(UnmetError) as unmet:
            await station.expect("StopTransaction", within=0.05)

    first, second, *said = str(unmet.value).splitlines()
    assert (first, second) == ("CP-1: not within 0.05 s: StopTransaction (call) was said.", "Said last:")
    assert said[0].startswith("  → BootNotification call {'chargePointVendor':")
    assert said[-1].startswith("Seen: View(connected=True, registration='Accepted'")
    assert isinstance(unmet.value, AssertionError)


async def test_so_does_a_status_and_a_condition() -> None:
    async with Station("CP-1", url=NOBODY, within=0) as station:
        with pytest.raises(UnmetError, match=r"CP-1: not within 0\.05 s: connector 1 Charging\."):
            await station.status("Charging", within=0.05)
        with pytest.raises(UnmetError, match=r"CP-1: not within 0\.05 s: the condition held\."):
            await station.until(lambda view: view.connected, 0.05)


async def test_commands_are_expected_like_everything_else() -> None:
    async with foreign_central() as central, Station("CP-1", url=central.url) as station:
        asking = asyncio.create_task(central.ask("CP-1", "ClearCache", {}))
        asked = await station.expect("ClearCache", sender="csms")
        answered = await station.expect("ClearCache", sender="station", kind="result")
        await asking

    assert (asked.payload, answered.payload) == ({}, {"status": "Accepted"})


# --- beginning and ending ---------------------------------------------------------------------------------------------


async def test_entering_fails_when_nobody_listens() -> None:
    with pytest.raises(UnmetError, match=r"CP-1: not within 0\.1 s: accepted\.\nSaid last:\n  nothing was said"):
        async with Station("CP-1", url=NOBODY, within=0.1):
            pass


async def test_entering_fails_when_the_station_is_not_accepted() -> None:
    async with foreign_central() as central:
        central.registration = "Pending"
        with pytest.raises(UnmetError, match="registration='Pending'"):
            async with Station("CP-1", url=central.url, within=0.2):
                pass


async def test_leaving_ends_the_transaction_and_hangs_up() -> None:
    async with foreign_central() as central:
        async with Station(url=central.url) as station:
            await station.plug()
            await station.swipe(TAG)
            await station.status("Charging")
        stops = [fields for _, action, fields in central.heard if action == "StopTransaction"]
        await central.until(lambda: not central.peers)

    assert (len(stops), central.closes) == (1, [1000])


async def test_a_failing_test_leaves_no_station_behind() -> None:
    async with foreign_central() as central:
        with pytest.raises(ZeroDivisionError):
            async with Station(url=central.url):
                raise ZeroDivisionError
        await central.until(lambda: not central.peers)


async def test_a_station_does_nothing_before_it_is_entered() -> None:
    station = Station("CP-1", url=NOBODY)

    with pytest.raises(RuntimeError, match="CP-1 does not run yet: enter it first, with `async with`"):
        await station.plug()
    assert station.told() == "Said last:\n  nothing was said"


async def test_a_station_runs_once() -> None:
    async with Station("CP-1", url=NOBODY, within=0) as station:
        pass

    with pytest.raises(RuntimeError, match="These stations have run already: make new ones"):
        await station.__aenter__()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"version": "1.7"}, "CP-1: version: Invalid enum value '1.7'."),
        ({"url": "localhost"}, "CP-1: url is a ws:// or wss:// address."),
        ({"colour": "red"}, "CP-1: Object contains unknown field `colour`."),
        ({"connectors": 0}, "CP-1: connectors is between 1 and 100."),
        ({"configuration": {"Nonsense": "1"}}, "CP-1: configuration.Nonsense: the station has no such key, or"),
    ],
)
def test_what_makes_no_station_is_a_value_error_with_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^CP-1: ") as refused:
        Station("CP-1", **options)

    assert str(refused.value).startswith(sentence)


# --- many -------------------------------------------------------------------------------------------------------------


async def test_the_stations_of_fleets_are_played_by_their_identities() -> None:
    async with foreign_central() as central:
        fleets = [reading.station(name, {"url": central.url, "drivers": False, "ramp": 0}) for name in ("A", "B")]
        async with Players(fleets) as players:
            await asyncio.gather(*(player.booted() for player in players))
            await players["B"].plug(2)
            seen = players["B"].connector(2).status, players["A"].connector(2).status
            with pytest.raises(LookupError, match="There is no station C"):
                players["C"]

    assert (len(players), seen) == (2, ("Preparing", "Available"))


def test_two_stations_of_one_identity_are_refused() -> None:
    one, other = (reading.station("A", {"url": url}) for url in (NOBODY, "ws://127.0.0.1:10/ocpp"))

    with pytest.raises(ValueError, match="There are 2 stations A"):
        Players([one, other])


async def test_what_keeps_a_fleet_from_running_is_raised() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port := free_port())
    async with server:
        with pytest.raises(OSError, match="address already in use"):
            async with Station("S", version="1.5", callback_port=port, within=0):
                pass


async def test_who_stops_waiting_for_the_start_leaves_no_station_behind() -> None:
    async with foreign_central() as central:
        slow = [reading.station("A", {"url": central.url, "drivers": False}), *_never(central.url)]
        entering = asyncio.create_task(Players(slow).__aenter__())
        await central.hears("BootNotification", peer="A")
        entering.cancel()
        await asyncio.wait([entering])
        await central.until(lambda: not central.peers)

    assert entering.cancelled()


def _never(url: str) -> list[Any]:
    """A fleet whose second station begins in an hour."""
    one = reading.station("B", {"url": url, "drivers": False})
    settings = msgspec.structs.replace(one.settings, identity="B{n}", count=2, ramp=7200.0)
    return [msgspec.structs.replace(one, settings=settings)]

"""The day of a 2.0.1 and of a 2.1 station, told by a foreign client: every answer whole, wherever it connects."""

import json
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from ocpp import v21, v201  # type: ignore[import-untyped]
from ocpp.charge_point import ChargePoint  # type: ignore[import-untyped]

from tests.e2e.conftest import Place
from tests.e2e.test_whole_day_v16 import now, seconds_since
from tests.support.foreign import V2_0_1, V2_1, charge_point, identity, raw_station

TOKEN = {"id_token": "TAG-2", "type": "ISO14443"}
ACCEPTED = {"status": "Accepted"}
UNSUPPORTED = {"reason_code": "UnsupportedRequest"}
COMPONENT, VARIABLE = {"name": "ChargingStation"}, {"name": "Available"}


class Spoken(NamedTuple):
    """A version and the foreign client's module for it."""

    version: str
    module: ModuleType

    def asks(self, action: str, **fields: Any) -> Any:
        return getattr(self.module.call, action)(**fields)

    def answers(self, action: str, **fields: Any) -> Any:
        return getattr(self.module.call_result, action)(**fields)


@pytest.fixture(params=[Spoken(V2_0_1, v201), Spoken(V2_1, v21)], ids=lambda spoken: spoken.version)
def spoken(request: pytest.FixtureRequest) -> Spoken:
    chosen: Spoken = request.param
    return chosen


class Day:
    """A connected station of either version, which sends actions by name."""

    def __init__(self, station: ChargePoint, spoken: Spoken) -> None:
        self._station = station
        self._spoken = spoken

    async def ask(self, action: str, message_id: str | None = None, **fields: Any) -> Any:
        return await self._station.call(self._spoken.asks(action, **fields), suppress=False, unique_id=message_id)

    async def say(self, action: str, **fields: Any) -> None:
        """Something to which the answer is `{}`."""
        answer = await self.ask(action, **fields)

        assert answer == self._spoken.answers(action)

    async def boot(self) -> None:
        about = {"model": "Model", "vendor_name": "Vendor"}
        answer = await self.ask("BootNotification", charging_station=about, reason="PowerUp")

        expected = {"current_time": answer.current_time, "interval": 300, "status": "Accepted"}
        assert answer == self._spoken.answers("BootNotification", **expected)
        assert seconds_since(answer.current_time) < 5

    async def event(self, type: str, number: int, why: str, **fields: Any) -> Any:
        fields.setdefault("timestamp", now())
        info = {"transaction_id": "tx-1", "charging_state": "Charging"}
        return await self.ask(
            "TransactionEvent",
            event_type=type,
            seq_no=number,
            trigger_reason=why,
            transaction_info=info,
            evse={"id": 1, "connector_id": 1},
            **fields,
        )


def metered(value: float) -> list[dict[str, Any]]:
    return [{"timestamp": now(), "sampled_value": [{"value": value, "measurand": "Energy.Active.Import.Register"}]}]


def status(state: str) -> dict[str, Any]:
    return {"timestamp": now(), "connector_status": state, "evse_id": 1, "connector_id": 1}


async def test_a_station_boots_charges_and_stops(place: Place, spoken: Spoken) -> None:
    async with charge_point(place.url, identity("day"), spoken.version, compression=place.compression) as station:
        day = Day(station, spoken)
        await day.boot()
        beat = await day.ask("Heartbeat")
        await day.say("StatusNotification", **status("Available"))
        authorized = await day.ask("Authorize", id_token=TOKEN)
        started = await day.event("Started", 0, "Authorized", id_token=TOKEN, meter_value=metered(1000))
        await day.say("StatusNotification", **status("Occupied"))
        updates = [
            await day.event("Updated", number, "MeterValuePeriodic", meter_value=metered(1000 + 100 * number))
            for number in range(1, 4)
        ]
        await day.say("MeterValues", evse_id=1, meter_value=metered(1400))
        ended = await day.event("Ended", 4, "EVDeparted", id_token=TOKEN, meter_value=metered(1400))
        await day.say("StatusNotification", **status("Available"))

    assert seconds_since(beat.current_time) < 5
    assert authorized == spoken.answers("Authorize", id_token_info=ACCEPTED)
    assert started == ended == spoken.answers("TransactionEvent", id_token_info=ACCEPTED)
    assert updates == [spoken.answers("TransactionEvent")] * 3


async def test_a_station_reports_about_itself(place: Place, spoken: Spoken) -> None:
    event = {"event_id": 1, "timestamp": now(), "trigger": "Alerting", "actual_value": "true"}
    event |= {"event_notification_type": "HardWiredNotification", "component": COMPONENT, "variable": VARIABLE}
    reported = {"component": COMPONENT, "variable": VARIABLE, "variable_attribute": [{"value": "true"}]}
    async with charge_point(place.url, identity("day"), spoken.version, compression=place.compression) as station:
        day = Day(station, spoken)
        await day.boot()
        await day.say("NotifyEvent", generated_at=now(), seq_no=0, event_data=[event])
        await day.say("NotifyReport", request_id=1, generated_at=now(), seq_no=0, report_data=[reported])
        await day.say("NotifyMonitoringReport", request_id=2, generated_at=now(), seq_no=0)
        await day.say("LogStatusNotification", status="Uploaded", request_id=3)
        await day.say("SecurityEventNotification", type="SettingSystemTime", timestamp=now(), tech_info="by hand")
        await day.say("FirmwareStatusNotification", status="Downloading", request_id=4)
        await day.say("ReservationStatusUpdate", reservation_id=5, reservation_update_status="Expired")
        await day.say("NotifyCustomerInformation", data="none", seq_no=0, generated_at=now(), request_id=6)
        data = await day.ask("DataTransfer", vendor_id="nobody.knows", data="text")
        signing = await day.ask("SignCertificate", csr="-----BEGIN CERTIFICATE REQUEST-----")

    assert data == spoken.answers("DataTransfer", status="UnknownVendorId")
    assert signing == spoken.answers("SignCertificate", status="Rejected", status_info=UNSUPPORTED)


async def test_a_transaction_event_that_is_repeated_after_a_reconnect_gets_the_same_answer(
    place: Place, spoken: Spoken
) -> None:
    name, timestamp = identity("repeat"), now()
    answers = []
    for booting in (True, False):
        async with charge_point(place.url, name, spoken.version, compression=place.compression) as station:
            day = Day(station, spoken)
            if booting:
                await day.boot()
            answer = await day.event(
                "Started", 0, "Authorized", message_id="start-1", id_token=TOKEN, timestamp=timestamp
            )
            answers.append(answer)

    assert answers == [spoken.answers("TransactionEvent", id_token_info=ACCEPTED)] * 2


async def test_a_2_1_station_swaps_batteries_and_opens_event_streams(place: Place) -> None:
    spoken = Spoken(V2_1, v21)
    battery = {"evse_id": 1, "serial_number": "B-1", "so_c": 80.0, "so_h": 99.0}
    stream = {"id": 1, "variable_monitoring_id": 9, "params": {"interval": 1, "values": 2}}
    async with charge_point(place.url, identity("day"), V2_1, compression=place.compression) as station:
        day = Day(station, spoken)
        await day.boot()
        await day.say("BatterySwap", request_id=1, event_type="BatteryIn", id_token=TOKEN, battery_data=[battery])
        opened = await day.ask("OpenPeriodicEventStream", constant_stream_data=stream)
        await day.say("ClosePeriodicEventStream", id=1)
        vat = await day.ask("VatNumberValidation", vat_number="NL1", evse_id=1)

    assert opened == spoken.answers("OpenPeriodicEventStream", status="Accepted")
    expected = {"vat_number": "NL1", "evse_id": 1, "status": "Rejected", "status_info": UNSUPPORTED}
    assert vat == spoken.answers("VatNumberValidation", **expected)


async def test_a_2_1_stream_is_sent_and_not_answered(place: Place) -> None:
    values = {"id": 1, "pending": 0, "basetime": now(), "data": [{"t": 0, "v": "230.1"}]}
    async with raw_station(place.url, identity("stream"), V2_1, compression=place.compression) as station:
        # The foreign client cannot send this: OCPP 2.1 part 4 §4.2.5, a SEND has message type 6.
        await station.socket.send(f'[6,"send-1","NotifyPeriodicEventStream",{json.dumps(values)}]')
        await station.socket.send('[6,"send-2","NotifyPeriodicEventStream",{"nothing":"valid"}]')
        await station.socket.send('[6,"send-3","Unheard",{}]')
        beat = await station.send("Heartbeat", {}, "beat-1")
        answer = await station.receive()

    assert answer[:2] == [3, beat]
    assert list(answer[2]) == ["currentTime"]

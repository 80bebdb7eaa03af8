"""A 1.6 station's day, told by a foreign client: every answer whole, wherever it connects."""

from dataclasses import asdict
from datetime import UTC, datetime

from ocpp.charge_point import ChargePoint  # type: ignore[import-untyped]
from ocpp.v16 import call, call_result  # type: ignore[import-untyped]
from ocpp.v16.enums import (  # type: ignore[import-untyped]
    ChargePointErrorCode,
    ChargePointStatus,
    DiagnosticsStatus,
    FirmwareStatus,
    Reason,
    RegistrationStatus,
    UploadLogStatus,
)

from tests.e2e.conftest import Place
from tests.support.foreign import V1_6, charge_point, identity

ACCEPTED = {"status": "Accepted"}
START = call.StartTransaction(connector_id=1, id_tag="TAG-1", meter_start=1000, timestamp="2026-01-01T10:00:00Z")


def now() -> str:
    return datetime.now(UTC).isoformat()


def seconds_since(text: str) -> float:
    return abs((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())


async def boot(station: ChargePoint) -> None:
    answer = await station.call(call.BootNotification("Model", "Vendor"), suppress=False)

    assert answer == call_result.BootNotification(answer.current_time, 300, RegistrationStatus.accepted)
    assert seconds_since(answer.current_time) < 5


async def say(station: ChargePoint, message: object) -> None:
    """Something to which the answer is `{}`."""
    answer = await station.call(message, suppress=False)

    assert answer == getattr(call_result, type(message).__name__)()


async def status(station: ChargePoint, state: ChargePointStatus) -> None:
    await say(station, call.StatusNotification(1, ChargePointErrorCode.no_error, state, now()))


async def meter(station: ChargePoint, transaction: int, value: int) -> None:
    sampled = {"value": str(value), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    values = [{"timestamp": now(), "sampled_value": [sampled]}]
    await say(station, call.MeterValues(connector_id=1, transaction_id=transaction, meter_value=values))


async def test_a_station_boots_charges_and_stops(place: Place) -> None:
    async with charge_point(place.url, identity("day"), V1_6, compression=place.compression) as station:
        await boot(station)
        beat = await station.call(call.Heartbeat(), suppress=False)
        await status(station, ChargePointStatus.available)
        authorized = await station.call(call.Authorize("TAG-1"), suppress=False)
        await status(station, ChargePointStatus.preparing)
        started = await station.call(START, suppress=False)
        await status(station, ChargePointStatus.charging)
        for value in (1100, 1200, 1300):
            await meter(station, started.transaction_id, value)
        stop = call.StopTransaction(1300, now(), started.transaction_id, Reason.ev_disconnected, "TAG-1")
        stopped = await station.call(stop, suppress=False)
        await status(station, ChargePointStatus.available)

    assert seconds_since(beat.current_time) < 5
    assert authorized == call_result.Authorize(id_tag_info=ACCEPTED)
    assert started == call_result.StartTransaction(started.transaction_id, ACCEPTED)
    assert started.transaction_id > 0
    assert stopped == call_result.StopTransaction(ACCEPTED)


async def test_a_station_reports_about_itself(place: Place) -> None:
    async with charge_point(place.url, identity("day"), V1_6, compression=place.compression) as station:
        await boot(station)
        for diagnostics in DiagnosticsStatus:
            await say(station, call.DiagnosticsStatusNotification(diagnostics))
        for firmware in (FirmwareStatus.downloading, FirmwareStatus.downloaded, FirmwareStatus.installed):
            await say(station, call.FirmwareStatusNotification(firmware))
        data = await station.call(call.DataTransfer("nobody.knows", "message", "text"), suppress=False)

    assert data == call_result.DataTransfer("UnknownVendorId")


async def test_a_station_with_the_security_extension_is_answered(place: Place) -> None:
    async with charge_point(place.url, identity("day"), V1_6, compression=place.compression) as station:
        await boot(station)
        await say(station, call.SecurityEventNotification("SettingSystemTime", now(), "by hand"))
        await say(station, call.LogStatusNotification(UploadLogStatus.uploading, 7))
        await say(station, call.SignedFirmwareStatusNotification(FirmwareStatus.signature_verified, 8))
        signing = await station.call(call.SignCertificate("-----BEGIN CERTIFICATE REQUEST-----"), suppress=False)

    assert signing == call_result.SignCertificate("Rejected")


async def test_a_start_that_is_repeated_after_a_reconnect_is_the_same_transaction(place: Place) -> None:
    name = identity("repeat")
    answers = []
    async with charge_point(place.url, name, V1_6, compression=place.compression) as station:
        await boot(station)
        answers.append(await station.call(START, suppress=False, unique_id="start-1"))
    # Without a boot: it was accepted before.
    async with charge_point(place.url, name, V1_6, compression=place.compression) as station:
        answers.append(await station.call(START, suppress=False, unique_id="start-1"))
        answers.append(await station.call(START, suppress=False, unique_id="another id"))
        another = await station.call(
            call.StartTransaction(**(asdict(START) | {"connector_id": 2})), suppress=False, unique_id="start-1"
        )

    assert answers == [answers[0]] * 3
    assert another.transaction_id != answers[0].transaction_id


async def test_a_stop_is_accepted_twice_and_for_transactions_that_nobody_knows(place: Place) -> None:
    async with charge_point(place.url, identity("stop"), V1_6, compression=place.compression) as station:
        await boot(station)
        started = await station.call(START, suppress=False)
        stops = [
            await station.call(call.StopTransaction(1500, now(), transaction), suppress=False)
            for transaction in (started.transaction_id, started.transaction_id, -1, 0, 2_000_000_000)
        ]

    assert stops == [call_result.StopTransaction()] * 5

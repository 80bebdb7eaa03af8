"""The emulator over SOAP, against a small central system: it boots, charges, obeys, comes back, and leaves properly."""

import asyncio
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any

import pytest

from csms_ocpp.version import Version
from csms_platform.metrics import REGISTRY
from tests.service.emulator import fleet
from tests.service.emulator.soap_central import SoapCentral, soap_central

EMU = "EMU-00001"
FAST = 600.0
BRISK = 20.0
SLOW = 0.001
ACCEPTED = {"status": "Accepted"}


def emulated(central: SoapCentral, **fields: Any) -> AbstractAsyncContextManager[None]:
    number = central.version.removeprefix("ocpp")
    return fleet.emulated(central.url, transport="soap", version=number, **fields)


async def accepted(central: SoapCentral, boots: int = 1) -> None:
    """The one station has told all its statuses."""
    await central.hears("StatusNotification", times=2 * boots)


async def started(central: SoapCentral) -> int:
    """The id of the one transaction."""
    ((_, _, start),) = await central.hears("StartTransaction")
    number: int = start["given"]
    return number


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
async def test_a_fleet_boots_and_charges_under_its_names(version: Version) -> None:
    identities = ("EMU-00001", "EMU-00002", "EMU-00003")
    async with soap_central(version) as central, emulated(central, count=3, pace=FAST):
        for identity in identities:
            await central.hears("BootNotification", "Authorize", "MeterValues", "StopTransaction", peer=identity)

    (base,) = {url.rpartition("/")[0] for url in central.callbacks.values()}
    assert central.callbacks == {identity: f"{base}/{identity}" for identity in identities}
    assert central.types == {"application/soap+xml; charset=utf-8; "}


async def test_a_question_is_addressed_as_ws_addressing_wants_it() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await central.hears("BootNotification")

    addressing = central.seen[0].addressing
    assert (addressing.action, addressing.to) == ("/BootNotification", central.url)
    assert addressing.message_id.startswith("urn:uuid:")
    assert addressing.source == central.callbacks[EMU] != ""


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
async def test_remote_start_and_stop(version: Version) -> None:
    async with soap_central(version) as central, emulated(central, pace=BRISK):
        await accepted(central)
        start = await central.ask(EMU, "RemoteStartTransaction", idTag="TAG", connectorId=1)
        number = await started(central)
        stop = await central.ask(EMU, "RemoteStopTransaction", transactionId=number)
        ((_, _, told),) = await central.hears("StopTransaction")

    assert (start, stop, told["transactionId"]) == (ACCEPTED, ACCEPTED, number)


async def test_a_reset_station_cannot_be_called_until_it_boots_again() -> None:
    async with soap_central() as central, emulated(central, pace=10.0):
        await accepted(central)
        answer = await central.ask(EMU, "Reset", type="Hard")
        status, meanwhile = await central.ask(EMU, "ClearCache")
        await accepted(central, boots=2)
        after = await central.ask(EMU, "ClearCache")

    assert (answer, after) == (ACCEPTED, ACCEPTED)
    assert (status, meanwhile.subcode) == (500, "UrlTemporarilyUnavailable")


async def test_a_command_for_somebody_else_is_refused() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        status, refusal = await central.ask(EMU, "ClearCache", chargebox="EMU-00002")

    assert (status, refusal.subcode, refusal.sender) == (400, "IdentityMismatch", True)


async def test_a_command_that_its_schema_refuses_is_a_protocol_error() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        status, refusal = await central.ask(EMU, "Reset", type="Gently")

    assert (status, refusal.subcode, refusal.sender) == (400, "ProtocolError", True)


async def test_a_command_of_another_version_is_not_supported() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        status, refusal = await central.ask(EMU, "ClearCache", version=Version.V1_5)

    assert (status, refusal.subcode) == (400, "NotSupported")


async def test_what_is_no_soap_is_answered_with_a_fault() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        status, body = await central.post(central.callbacks[EMU], b"good morning")

    assert status == HTTPStatus.BAD_REQUEST
    assert b"Fault" in body


async def test_nobody_lives_at_another_path_and_nobody_can_be_fetched() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        url = central.callbacks[EMU]
        answers = [(await central.post(url + "0", b"x"))[0], (await central.post(url, b"", "GET"))[0]]

    assert answers == [HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED]


async def test_a_transaction_survives_the_central_system_going_away(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/Ocpp"
    async with fleet.emulated(url, transport="soap", pace=BRISK):
        async with soap_central(port=free_port) as central:
            await accepted(central)
            await central.ask(EMU, "ChangeConfiguration", key="MeterValueSampleInterval", value="20")
            await central.ask(EMU, "RemoteStartTransaction", idTag="TAG")
            number = await started(central)
        async with soap_central(port=free_port) as again:
            await again.hears("MeterValues")
            answer = await again.ask(EMU, "RemoteStopTransaction", transactionId=number)
            ((_, _, stop),) = await again.hears("StopTransaction")

    assert (answer, stop["transactionId"]) == (ACCEPTED, number)
    assert "BootNotification" not in [action for _, action, _ in again.heard]


async def test_a_fault_is_no_reason_to_leave_and_is_tried_again() -> None:
    async with soap_central() as central, emulated(central, pace=BRISK):
        await accepted(central)
        central.faults["StartTransaction"] = "InternalError"
        await central.ask(EMU, "ChangeConfiguration", key="TransactionMessageRetryInterval", value="0")
        await central.ask(EMU, "ChangeConfiguration", key="TransactionMessageAttempts", value="100")
        before = central.posts
        await central.ask(EMU, "RemoteStartTransaction", idTag="TAG")
        await central.until(lambda: central.posts > before + 3)
        central.faults.clear()
        await started(central)

    assert [action for _, action, _ in central.heard].count("BootNotification") == 1


async def test_a_security_error_makes_the_station_boot_again() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)
        central.faults["Heartbeat"] = "SecurityError"
        await central.ask(EMU, "TriggerMessage", requestedMessage="Heartbeat")
        await central.hears("BootNotification", times=2)


async def test_the_station_keeps_coming_back_to_what_does_not_speak_soap() -> None:
    async with soap_central() as central:
        central.instead = (404, "not here")
        async with emulated(central, pace=SLOW):
            await central.until(lambda: central.posts > 1)
            central.instead = None
            await central.hears("BootNotification")


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
async def test_leaving_ends_the_transaction(version: Version) -> None:
    async with soap_central(version) as central:
        async with emulated(central, pace=BRISK):
            await accepted(central)
            await central.ask(EMU, "RemoteStartTransaction", idTag="TAG")
            number = await started(central)
        ((_, _, stop),) = await central.hears("StopTransaction")

    assert stop["transactionId"] == number


async def test_leaving_waits_no_longer_than_its_grace_for_an_answer() -> None:
    loop = asyncio.get_running_loop()
    async with soap_central() as central:
        central.silent.add("BootNotification")
        async with emulated(central, grace=0.2):
            await central.until(lambda: central.posts == 1)
            leaving = loop.time()
        left = loop.time()

    assert left - leaving < 4


async def test_leaving_while_nobody_listens_takes_no_time(free_port: int) -> None:
    loop = asyncio.get_running_loop()
    async with fleet.emulated(f"http://127.0.0.1:{free_port}/Ocpp", transport="soap", count=3):
        await asyncio.sleep(0.2)
        leaving = loop.time()

    assert loop.time() - leaving < 2


async def test_a_station_that_nobody_answered_was_not_connected(free_port: int) -> None:
    def connected() -> float:
        return REGISTRY.get_sample_value("csms_emulator_happenings_total", {"event": "connected"}) or 0.0

    before = connected()
    async with fleet.emulated(f"http://127.0.0.1:{free_port}/Ocpp", transport="soap"):
        await asyncio.sleep(0.2)
    nobody = connected()
    async with soap_central() as central, emulated(central, pace=SLOW):
        await accepted(central)

    assert (nobody - before, connected() - nobody) == (0.0, 1.0)


async def test_basic_credentials_are_shown_with_every_question() -> None:
    async with soap_central() as central, emulated(central, pace=SLOW, password="geheim"):
        await accepted(central)

    assert set(central.authorizations) == {"Basic RU1VLTAwMDAxOmdlaGVpbQ=="}


async def test_an_identity_with_spaces_and_slashes_has_an_address_of_its_own() -> None:
    async with soap_central() as central, emulated(central, identity="RDAM 1/2", pace=SLOW):
        await accepted(central)
        answer = await central.ask("RDAM 1/2", "ClearCache")

    assert central.callbacks["RDAM 1/2"].endswith("/RDAM%201%2F2")
    assert answer == ACCEPTED


async def test_stations_tell_the_address_that_they_are_told_and_listen_behind_it(free_port: int) -> None:
    public = "http://stations.example.org/fleet/"
    async with soap_central() as central, emulated(central, pace=SLOW, callback_url=public, callback_port=free_port):
        await accepted(central)
        told, central.callbacks[EMU] = central.callbacks[EMU], f"http://127.0.0.1:{free_port}/fleet/{EMU}"
        answer = await central.ask(EMU, "ClearCache")

    assert (told, answer) == (f"http://stations.example.org/fleet/{EMU}", ACCEPTED)

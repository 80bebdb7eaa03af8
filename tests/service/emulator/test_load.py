"""Load generation over real sockets: against a foreign central system, our own, and some that do everything wrong."""

import asyncio
import json
import multiprocessing
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from csms_emulator.load.drive import Load, drive
from csms_emulator.load.sample import Sample
from csms_emulator.load.settings import Settings
from tests.service.emulator.foreign import foreign_central
from tests.support import system
from tests.support.ports import free_port, wait_until
from tests.support.processes import Csms

TLS = Path(__file__).parents[2] / "support" / "tls"
BOOTED = {"status": "Accepted", "interval": 300, "currentTime": "2024-05-01T10:00:00Z"}
# The command by itself, whatever else `csms` can do.
COMMAND = (
    sys.executable,
    "-c",
    "import argparse, sys; from csms import load; parser = argparse.ArgumentParser();"
    "load.add_parser(parser.add_subparsers(), argparse.HelpFormatter); sys.exit(load.run(parser.parse_args()))",
    "load",
)

Answer = Callable[[str, str], Any]


async def run(url: str, *, seconds: list[Sample] | None = None, **given: Any) -> Load:
    """A load from start to end, beside the server in this loop."""
    usual: dict[str, Any] = {"url": url, "stations": 20, "ramp": 200.0, "duration": 1.0, "timeout": 5.0}
    settings = Settings(**usual | given)
    told = [] if seconds is None else seconds
    return await asyncio.to_thread(drive, settings, tell=told.append, stopped=lambda: False)


@asynccontextmanager
async def central(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL of a central system that boots everybody; `answer(id, action)` is the frame for all else, or None."""

    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            _, message_id, action, _ = json.loads(text)
            said = [3, message_id, BOOTED] if action == "BootNotification" else answer(message_id, action)
            if isinstance(said, Awaitable):
                await said
            elif said is not None:
                await socket.send(json.dumps(said))

    async with serve(talk, "localhost", 0, subprotocols=[Subprotocol("ocpp1.6")], ssl=tls) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"{'wss' if tls else 'ws'}://localhost:{port}/ocpp"


async def test_whole_charging_sessions_and_every_station_leaves_properly() -> None:
    seconds: list[Sample] = []
    async with foreign_central(password="secret") as peer:
        load = await run(peer.url, seconds=seconds, password="secret", identity="EMU-{n:03}")
        await peer.until(lambda: not peer.peers)

    total = load.timeline.total
    assert (load.well, total.connected, total.errors) == (True, 20, {})
    assert total.answered == sum(second.answered for second in seconds)
    assert set(peer.closes) == {1000}
    assert {"Authorize", "StartTransaction", "MeterValues", "StopTransaction"} < {action for _, action, _ in peer.heard}


async def test_two_processes_share_stations_and_rate() -> None:
    async with foreign_central() as peer:
        load = await run(peer.url, processes=2, profile="heartbeat", rate=100.0, duration=2.0)

    heard = [identity for identity, action, _ in peer.heard if action == "Heartbeat"]
    assert (load.well, load.timeline.total.answered, len(set(heard))) == (True, len(heard), 20)
    assert len(heard) == pytest.approx(200, abs=30)


async def test_idle_stations_boot_and_say_nothing() -> None:
    async with foreign_central() as peer:
        load = await run(peer.url, profile="idle", stations=5)

    assert (load.well, load.timeline.total.answered) == (True, 0)
    assert [action for _, action, _ in peer.heard] == ["BootNotification"] * 5


async def test_our_own_central_system_is_well() -> None:
    with closing(system.all_in_one(env={"CSMS_WS_GATEWAY_RATE_LIMIT": "1000000"})) as running:
        await asyncio.to_thread(running.wait_ready)
        load = await run(running.urls[0], stations=30)

    assert (load.well, load.timeline.total.connected, load.timeline.total.errors) == (True, 30, {})


async def test_stations_that_are_refused_are_missing() -> None:
    async with foreign_central(refuse=HTTPStatus.NOT_FOUND) as peer:
        load = await run(peer.url, stations=3)

    (kind,) = load.timeline.total.errors
    assert (load.well, load.missing, kind) == (False, 3, "the handshake was refused: HTTP/1.1 404 Not Found not here\n")


async def test_stations_that_are_not_accepted_are_missing() -> None:
    async with foreign_central() as peer:
        peer.registration = "Rejected"
        load = await run(peer.url, stations=3)

    (kind,) = load.timeline.total.errors
    assert (load.well, load.missing, kind) == (False, 3, "BootNotification was answered with Rejected")


async def test_where_nobody_listens_everybody_is_missing() -> None:
    port = free_port()

    load = await run(f"ws://127.0.0.1:{port}/ocpp", stations=3, duration=0.2)

    (kind,) = load.timeline.total.errors
    assert (load.well, load.missing, kind) == (False, 3, f"nobody listens at 127.0.0.1:{port}")


async def test_a_callerror_is_a_failed_call() -> None:
    async with central(lambda message_id, action: [4, message_id, "InternalError", "", {}]) as url:
        load = await run(url, profile="heartbeat", rate=20.0)

    total = load.timeline.total
    assert (load.well, load.failed_share, total.unanswered) == (False, 1.0, 0)
    assert total.errors == {"CALLERROR InternalError": total.failed}


async def test_a_call_that_is_not_answered_in_time_is_a_failed_call() -> None:
    async with central(lambda message_id, action: None) as url:
        load = await run(url, stations=2, profile="heartbeat", timeout=1.0, duration=3.5)

    total = load.timeline.total
    assert (load.well, total.answered, total.unanswered == total.failed) == (False, 0, True)
    assert set(total.errors) == {"not answered within 1 s", "not answered at the end"}
    assert total.errors["not answered within 1 s"] >= 2


async def test_stations_come_back_when_their_connection_is_lost() -> None:
    async with foreign_central() as peer:
        running = asyncio.create_task(run(peer.url, stations=4, profile="idle", duration=4.0))
        await peer.until(lambda: len(peer.peers) == 4)
        await peer.hears("BootNotification", times=4)
        for lost in list(peer.peers.values()):
            await lost._connection.close(1012)
        load = await running

    total = load.timeline.total
    assert (total.lost, total.reconnected, total.connected, load.well) == (4, 4, 4, True)
    assert total.errors == {"closed by the server with 1012": 4}
    assert len([action for _, action, _ in peer.heard if action == "BootNotification"]) == 8


async def test_a_load_process_that_dies_ends_the_load_with_a_sentence() -> None:
    async with foreign_central() as peer:
        running = asyncio.create_task(run(peer.url, processes=2, profile="idle", duration=600.0))
        await peer.hears("BootNotification", times=20)
        multiprocessing.active_children()[0].kill()
        load = await running

    assert (load.well, load.problem) == (False, "A load process died.")


async def test_over_tls_with_a_certificate_that_is_trusted_and_with_one_that_is_not() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(TLS / "server.pem")
    async with central(lambda message_id, action: [3, message_id, {}], tls) as url:
        trusted = await run(url, stations=3, profile="metervalues", rate=20.0, ca=str(TLS / "ca.pem"))
        strange = await run(url, stations=1, profile="idle", duration=0.2)

    assert (trusted.well, trusted.timeline.total.errors, trusted.timeline.total.answered > 10) == (True, {}, True)
    assert (strange.well, strange.missing, set(strange.timeline.total.errors)) == (
        False,
        1,
        {"TLS: unable to get local issuer certificate"},
    )


async def test_an_interrupt_ends_it_in_good_order_with_both_reports(tmp_path: Path) -> None:
    files = tmp_path / "report.json", tmp_path / "report.html"
    async with foreign_central() as peer:
        arguments = ("--url", peer.url, "--stations", "10", "--rate", "50/s", "--duration", "600")
        with closing(Csms(*arguments, "--json", str(files[0]), "--html", str(files[1]), command=COMMAND)) as command:
            await peer.hears("MeterValues", times=10)
            command.interrupt()
            await asyncio.to_thread(wait_until, lambda: command.returncode is not None, 15)
            await peer.until(lambda: not peer.peers)

    report = json.loads(files[0].read_text())
    assert (command.returncode, report["interrupted"], report["well"]) == (0, True, True), str(command)
    assert report["total"]["answered"] >= 10
    assert set(peer.closes) == {1000}
    assert files[1].read_text().startswith("<!doctype html>")


async def test_the_command_fails_when_calls_do_and_says_so_every_second(tmp_path: Path) -> None:
    async with central(lambda message_id, action: [4, message_id, "GenericError", "", {}]) as url:
        arguments = ("--url", url, "--stations", "2", "--rate", "10", "--duration", "2", "--profile", "heartbeat")
        with closing(Csms(*arguments, command=COMMAND)) as command:
            await asyncio.to_thread(wait_until, lambda: command.returncode is not None, 15)

    lines = command.stderr.splitlines()
    assert (command.returncode, "failed; 2 of 2 stations connected" in command.stdout) == (1, True), str(command)
    assert len(lines) >= 2
    assert all("2/2 connected" in line and "calls/s" in line for line in lines)

"""Faults on demand, as they arrive at a plain `websockets` server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from websockets.asyncio.client import connect

from csms_emulator.faults.socket import freeze, thaw
from csms_emulator.faults.troubles import (
    GarbledAnswers,
    HalfOpen,
    Malformed,
    NoAnswers,
    Raw,
    RestartingIds,
    SlowAnswers,
    SlowReader,
    Storm,
    SuddenDeath,
    Trouble,
    TwiceAnswered,
    TwoCalls,
    WrongIds,
)
from csms_emulator.faults.wrong import MALFORMED, Layer
from csms_emulator.testing import Station
from csms_ocpp.soap import Unreadable
from tests.service.emulator.bare_central import BareCentral, bare_central
from tests.service.emulator.soap_central import SoapCentral, soap_central

UNDECODABLE = ("invalid-utf-8", "utf-8-surrogate")
ACCEPTED = b'{"status":"Accepted"}'


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[BareCentral, Station]]:
    """A station that has told its statuses, and whom nobody has asked anything."""
    async with bare_central() as central, Station("EMU", url=central.url) as station:
        await central.hears("StatusNotification", times=2)
        central.forget()
        yield central, station


async def test_every_malformed_message_arrives_as_it_is() -> None:
    async with connected() as (central, station):
        kinds = [kind for kind, piece in MALFORMED.items() if piece.layer is Layer.TEXT and kind not in UNDECODABLE]
        central.silent = True
        for kind in kinds:
            await station.trouble(Malformed(kind))
        await station.trouble(Malformed("binary"))
        await station.trouble(Raw("as it is"))
        await central.comes(*(MALFORMED[kind].data for kind in kinds), b"as it is")

    assert central.binaries == [MALFORMED["binary"].data]


@pytest.mark.parametrize(
    "kind", [*UNDECODABLE, *(kind for kind, piece in MALFORMED.items() if piece.layer is Layer.SOCKET)]
)
async def test_what_is_no_websocket_message_costs_the_connection(kind: str) -> None:
    async with connected() as (central, station):
        await station.trouble(Malformed(kind))
        await central.until(lambda: bool(central.closes), 5)

        # 1006: it went without a close frame of the station, whose own the server did not understand.
        assert central.sockets[0].protocol.close_sent is not None
        assert central.sockets[0].protocol.close_sent.code in (1002, 1007, 1009)


async def test_a_half_open_socket_neither_reads_nor_writes_and_is_whole_again_when_healed() -> None:
    async with connected() as (central, station):
        await station.trouble(HalfOpen())
        await central.ask("1")
        beat = asyncio.create_task(station.call("Heartbeat"))
        pinged = await central.pinged(0.3)
        came = [*central.came]
        await station.heal()
        await beat
        await central.until(lambda: len(central.came) == 2)

        assert (pinged, came, len(central.sockets)) == (False, [], 1)
        assert sorted(json.loads(text)[0] for text in central.came) == [2, 3]
        assert await central.pinged(5)


async def test_a_half_open_socket_is_not_closed_by_its_own_pings() -> None:
    eager = {"ping_interval": 0.05, "ping_timeout": 0.05, "subprotocols": ["ocpp1.6"], "proxy": None}
    async with bare_central() as central, connect(f"{central.url}/EMU", **eager) as socket:
        freeze(socket)
        await asyncio.sleep(0.3)
        closed = socket.close_code, central.closes[:]
        thaw(socket)
        await asyncio.sleep(0.3)

        assert (closed, socket.close_code) == ((None, []), None)
        await asyncio.wait_for(await socket.ping(), 2)


async def test_a_half_open_station_does_not_notice_that_the_central_system_has_left() -> None:
    async with connected() as (central, station):
        await station.trouble(HalfOpen())
        central.sockets[0].transport.abort()
        await asyncio.sleep(0.3)
        unaware = station.online
        await station.heal()
        await central.until(lambda: len(central.sockets) == 2)

        assert unaware


async def test_pulling_the_cable_of_a_half_open_station_ends_it() -> None:
    async with connected() as (central, station):
        await station.trouble(HalfOpen())
        await station.offline()
        await station.go_online()
        await central.until(lambda: len(central.sockets) == 2)
        await central.ask("1")
        await central.until(lambda: b'[3,"1",' + ACCEPTED + b"]" in central.came)


async def test_a_station_that_is_half_open_or_dead_leaves_when_it_is_stopped() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (central, station):
        await station.trouble(HalfOpen())
        leaving = loop.time()
    async with connected() as (_, dead):
        await dead.trouble(SuddenDeath(returns=False))

    assert loop.time() - leaving < 3
    assert central.closes == [1000]


def answers(central: BareCentral) -> list[bytes]:
    """Without what the station asks."""
    return [text for text in central.came if text.startswith(b"[3,")]


async def test_a_slow_reader_takes_its_time_for_each_message_on_every_connection() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (central, station):
        await station.trouble(SlowReader(pause=0.2))
        await station.trouble(Storm())
        await central.until(lambda: len(central.sockets) == 2)
        begun = loop.time()
        for number in range(3):
            await central.ask(str(number))
        await central.until(lambda: len(answers(central)) == 3)
        taken = loop.time() - begun

    assert 0.6 <= taken < 3


async def test_a_slow_reader_that_is_healed_reads_at_once() -> None:
    async with connected() as (central, station):
        await station.trouble(SlowReader(pause=60))
        await central.ask("1")
        await asyncio.sleep(0.1)
        before = answers(central)
        await station.heal()
        await central.until(lambda: len(answers(central)) == 1, 2)

    assert before == []


ANSWERED = [
    (NoAnswers(), []),
    (NoAnswers(count=1), [b'[3,"2",%b]' % ACCEPTED]),
    (NoAnswers("Reset"), [b'[3,"1",%b]' % ACCEPTED, b'[3,"2",%b]' % ACCEPTED]),
    (TwiceAnswered(), [b'[3,"1",%b]' % ACCEPTED] * 2 + [b'[3,"2",%b]' % ACCEPTED] * 2),
    (WrongIds(), [b'[3,"not-1",%b]' % ACCEPTED, b'[3,"not-2",%b]' % ACCEPTED]),
    (GarbledAnswers(), [b'[3,"1",{"statu', b'[3,"2",{"statu']),
    (SlowAnswers(seconds=0.2), [b'[3,"1",%b]' % ACCEPTED, b'[3,"2",%b]' % ACCEPTED]),
]


@pytest.mark.parametrize(("trouble", "arrives"), ANSWERED, ids=[repr(trouble) for trouble, _ in ANSWERED])
async def test_answers_arrive_as_the_trouble_wants_it_until_it_is_healed(
    trouble: Trouble, arrives: list[bytes]
) -> None:
    async with connected() as (central, station):
        await station.trouble(trouble)
        await central.ask("1")
        await central.ask("2")
        await asyncio.sleep(0.3)
        await central.comes(*arrives)
        await station.heal()
        central.forget()
        await central.ask("3")
        await central.comes(b'[3,"3",%b]' % ACCEPTED)


async def test_what_the_station_asks_does_not_wait_for_its_late_answers() -> None:
    async with connected() as (central, station):
        await station.trouble(SlowAnswers(seconds=0.4))
        await central.ask("1")
        await asyncio.sleep(0.05)
        await station.call("Heartbeat")
        await central.until(lambda: len(central.came) == 2)

    assert [json.loads(text)[0] for text in central.came[:2]] == [2, 3]


async def test_two_calls_come_before_the_first_is_answered() -> None:
    async with connected() as (central, station):
        central.silent = True
        await station.trouble(RestartingIds())
        await station.trouble(TwoCalls("DataTransfer", {"vendorId": "x"}))
        await station.trouble(TwoCalls(same_id=True))
        await central.comes(
            b'[2,"1","DataTransfer",{"vendorId":"x"}]',
            b'[2,"2","DataTransfer",{"vendorId":"x"}]',
            b'[2,"3","Heartbeat",{}]',
            b'[2,"3","Heartbeat",{}]',
        )


async def test_message_ids_restart_on_each_connection() -> None:
    async with connected() as (central, station):
        await station.trouble(RestartingIds())
        for connection in (2, 3):
            await station.power_cycle()
            await station.offline()
            await station.go_online()
            await central.until(lambda wanted=connection: len(central.sockets) == wanted)  # type: ignore[misc]
            await central.hears("StatusNotification", times=2 * (connection - 1))

    ids = [json.loads(text)[1] for text in central.came]
    assert ids == ["1", "2", "3"] * 2


async def test_sudden_death_in_a_transaction_is_no_close_and_the_transaction_survives() -> None:
    async with connected() as (central, station):
        await station.plug()
        await station.swipe("TAG")
        await station.status("Charging")
        await station.trouble(SuddenDeath(after=0.1))
        await central.until(lambda: bool(central.closes))
        await central.until(lambda: len(central.sockets) == 2)
        await station.swipe("TAG")
        ((_, _, stop),) = await central.hears("StopTransaction")

    assert central.closes[0] == 1006
    assert stop["transactionId"] == 7


async def test_a_station_that_does_not_return_returns_when_it_is_healed() -> None:
    async with connected() as (central, station):
        await station.trouble(SuddenDeath(returns=False))
        await central.until(lambda: not central.online)
        await asyncio.sleep(1.2)
        gone = len(central.sockets)
        await station.heal()
        await central.until(lambda: len(central.sockets) == 2, 2)

    assert gone == 1


async def test_in_a_storm_the_station_is_back_at_once_each_time() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (central, station):
        begun = loop.time()
        await station.trouble(Storm(times=4, every=0.2, gap=0.05))
        await central.until(lambda: len(central.sockets) == 5)
        taken = loop.time() - begun

    assert taken < 1.5
    assert central.closes[:4] == [1006] * 4


async def test_however_short_the_gap_nobody_backs_off() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (central, station):
        begun = loop.time()
        await station.trouble(Storm(times=3, every=0.1, gap=0))
        await central.until(lambda: len(central.sockets) == 4)
        taken = loop.time() - begun

    assert taken < 0.5


async def test_a_storm_ends_when_it_is_healed_and_death_is_called_off() -> None:
    async with connected() as (central, station):
        await station.trouble(Storm(times=100, every=0.3, gap=0.05))
        await station.trouble(SuddenDeath(after=0.4, returns=False))
        await central.until(lambda: len(central.sockets) == 2)
        await station.heal()
        await asyncio.sleep(0.7)

        assert (len(central.sockets), central.online) == (2, True)


@pytest.mark.parametrize("trouble", [HalfOpen(), Malformed("empty"), Raw("x"), TwoCalls()])
async def test_without_a_connection_there_is_nothing_to_say_it_on(trouble: Trouble) -> None:
    async with connected() as (_, station):
        await station.offline()

        with pytest.raises(ConnectionError, match="The station is not connected"):
            await station.trouble(trouble)


# --- SOAP -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def in_touch() -> AsyncIterator[tuple[SoapCentral, Station]]:
    async with (
        soap_central() as central,
        Station("EMU", url=central.url, transport="soap") as station,
    ):
        await central.hears("StatusNotification", times=2)
        yield central, station


async def test_over_soap_answers_are_late() -> None:
    loop = asyncio.get_running_loop()
    async with in_touch() as (central, station):
        await station.trouble(SlowAnswers(seconds=0.3))
        begun = loop.time()
        answer = await central.ask("EMU", "ClearCache")

    assert answer == {"status": "Accepted"}
    assert loop.time() - begun >= 0.3


async def test_over_soap_a_missing_answer_is_a_cut_connection() -> None:
    async with in_touch() as (central, station):
        await station.trouble(NoAnswers(count=1))

        with pytest.raises(aiohttp.ServerDisconnectedError):
            await central.ask("EMU", "ClearCache")
        assert await central.ask("EMU", "ClearCache") == {"status": "Accepted"}


async def test_over_soap_half_an_answer_cannot_be_read() -> None:
    async with in_touch() as (central, station):
        await station.trouble(GarbledAnswers())
        status, answer = await central.ask("EMU", "ClearCache")
        await station.heal()

        assert status == 200
        assert isinstance(answer, Unreadable)
        assert await central.ask("EMU", "ClearCache") == {"status": "Accepted"}


@pytest.mark.parametrize("trouble", [HalfOpen(), SlowReader(), TwiceAnswered(), RestartingIds(), Malformed("empty")])
async def test_over_soap_some_things_cannot_go_wrong(trouble: Trouble) -> None:
    async with in_touch() as (_, station):
        with pytest.raises(ValueError, match=f"^{type(trouble).__name__} is for WebSocket stations only.$"):
            await station.trouble(trouble)


async def test_over_soap_a_storm_makes_the_station_come_back_at_once() -> None:
    async with in_touch() as (central, station):
        await station.trouble(Storm(times=2, every=0.2))
        await station.until(lambda view: not station.online)
        await station.until(lambda view: station.online)
        assert await central.ask("EMU", "ClearCache") == {"status": "Accepted"}

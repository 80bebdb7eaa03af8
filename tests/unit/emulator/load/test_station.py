"""The load generator counts what a server does wrong, and measures what it does right."""

import asyncio
import json
from collections import Counter

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from csms_emulator.load.errors import Errors
from csms_emulator.load.scripts import BOOT
from csms_emulator.load.station import Address, Station
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.schemas import RESPONSE, table
from csms_ocpp.version import Version

ADDRESS = Address("127.0.0.1:9220", "/ocpp")


class Server(asyncio.Transport):
    """The other end, in the station's memory: the library's server behind a transport."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 9220)})
        self.protocol = ServerProtocol(subprotocols=[Subprotocol("ocpp1.6")])
        self.heard: list[Frame] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.protocol.receive_data(bytes(data))
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
            else:
                assert isinstance(event, Frame)
                self.heard.append(event)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Bench:
    """A station joined to a server, with what it reported."""

    def __init__(self) -> None:
        self.errors = Errors()
        self.answers: list[bytes] = []
        self.server = Server()
        self.station = Station("A", ADDRESS, self.errors)
        self.station.connection_made(self.server)
        self.station.data_received(b"".join(self.server.protocol.data_to_send()))
        self.station.answered = lambda station, now, text: self.answers.append(text)

    def call(self) -> str:
        """The message id of a CALL that waits now."""
        self.station.call(BOOT, 0.0)
        return bytes(self.server.heard[-1].data)[4:14].decode()

    def hear(self, *texts: str) -> None:
        self.station.data_received(b"".join(Frame(Opcode.TEXT, t.encode()).serialize(mask=False) for t in texts))


async def test_an_answer_is_reported_once() -> None:
    bench = Bench()
    message_id = bench.call()

    bench.hear(f'[3,"{message_id}",{{}}]')

    assert (len(bench.answers), bench.station.waiting, bench.errors) == (1, False, Counter())


@pytest.mark.parametrize(
    "answer", ['[3, "{id}", {"status": "Accepted"}]', '[3,"{id}",{"data":"' + "x" * 70_000 + '"}]']
)
async def test_white_space_and_long_answers_are_answers(answer: str) -> None:
    bench = Bench()
    answer = answer.replace("{id}", bench.call())

    bench.hear(answer)

    assert (bench.answers, bench.errors) == ([answer.encode()], Counter())


async def test_an_answer_in_pieces_is_an_answer() -> None:
    bench = Bench()
    text = f'[3,"{bench.call()}",{{}}]'.encode()
    data = Frame(Opcode.TEXT, text).serialize(mask=False)

    for at in range(len(data)):
        bench.station.data_received(data[at : at + 1])

    assert (bench.answers, bench.errors) == ([text], Counter())


@pytest.mark.parametrize(
    ("text", "waits", "errors"),
    [
        ('[3,"9999999999",{}]', True, {"wrong message id": 1}),
        ("not JSON", True, {"wrong message id": 1}),
        ('[4,"{id}","InternalError","",{}]', False, {"CALLERROR InternalError": 1}),
    ],
)
async def test_a_wrong_answer_is_counted(text: str, waits: bool, errors: dict[str, int]) -> None:
    bench = Bench()
    message_id = bench.call()

    bench.hear(text.replace("{id}", message_id))

    counted = Counter({name.replace("{id}", message_id): count for name, count in errors.items()})
    assert (bench.station.waiting, bench.errors) == (waits, counted)


async def test_a_second_answer_is_counted() -> None:
    bench = Bench()
    answer = f'[3,"{bench.call()}",{{}}]'

    bench.hear(answer, answer)

    assert (len(bench.answers), bench.errors) == (1, Counter({"unasked answer": 1}))


async def test_a_ping_is_answered() -> None:
    bench = Bench()

    bench.station.data_received(Frame(Opcode.PING, b"abcd").serialize(mask=False))

    assert [(frame.opcode, bytes(frame.data)) for frame in bench.server.heard] == [(Opcode.PONG, b"abcd")]


async def test_a_close_by_the_server_is_counted() -> None:
    bench = Bench()

    bench.station.data_received(Frame(Opcode.CLOSE, Close(1012, "").serialize()).serialize(mask=False))

    assert (bench.server.closed, bench.errors) == (True, Counter({"closed by the server with 1012": 1}))


async def test_a_refused_handshake_is_raised_to_whoever_waits_for_it() -> None:
    station = Station("A", ADDRESS, Errors())
    station.connection_made(Server())

    station.data_received(b"HTTP/1.1 404 Not Found\r\n\r\nunknown station")

    with pytest.raises(ConnectionError, match="404 Not Found unknown station"):
        await station.open


@pytest.mark.parametrize("action", asked_by(Role.CSMS, Version.V1_6))
async def test_every_command_gets_a_valid_answer(action: str) -> None:
    bench = Bench()

    bench.hear(f'[2,"19223201","{action}",{{"x":"y"}}]')

    kind, message_id, payload = json.loads(bytes(bench.server.heard[-1].data))
    assert (kind, message_id) == (3, "19223201")
    assert table(Version.V1_6)[action, RESPONSE].check(json.dumps(payload).encode()) is None


async def test_a_handshake_in_pieces_is_a_handshake() -> None:
    server, station = Server(), Station("A", ADDRESS, Errors())
    station.connection_made(server)
    response = b"".join(server.protocol.data_to_send())

    for at in range(len(response)):
        station.data_received(response[at : at + 1])

    assert station.open.done()
    assert station.open.exception() is None

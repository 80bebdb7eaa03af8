"""The load generator's frames are WebSocket frames: what it builds the library reads, and the other way round."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from csms_emulator.load.scripts import meter_values
from csms_emulator.load.wire import (
    PING,
    PONG,
    TEXT,
    CallTemplate,
    FrameReader,
    WireError,
    client_frame,
    handshake_request,
    handshake_response,
)

ID = b"0000000042"


def opened() -> ServerProtocol:
    """The library's server after the handshake."""
    server = ServerProtocol(subprotocols=[Subprotocol("ocpp1.6")])
    server.receive_data(handshake_request("127.0.0.1:9220", "/ocpp/A", "ocpp1.6"))
    [request] = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    return server


def heard(server: ServerProtocol, data: bytes) -> list[tuple[Opcode, bytes]]:
    server.receive_data(data)
    return [(event.opcode, bytes(event.data)) for event in server.events_received() if isinstance(event, Frame)]


def said(*frames: Frame) -> bytes:
    return b"".join(frame.serialize(mask=False) for frame in frames)


def test_the_handshake_is_accepted_by_the_library_and_its_answer_by_us() -> None:
    response = b"".join(opened().data_to_send())

    assert handshake_response(response + b"rest") == b"rest"
    assert handshake_response(response[:-1]) is None


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 404 Not Found\r\n\r\nunknown station",
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: another\r\n\r\n",
    ],
)
def test_a_refused_handshake_is_an_error(response: bytes) -> None:
    with pytest.raises(WireError):
        handshake_response(response)


@pytest.mark.parametrize("size", [0, 60, 98, 125, 126, 350, 65535, 65536, 100_000])
def test_a_template_is_one_text_frame_with_the_id_in_its_place(size: int) -> None:
    payload = b'{"data":"%b"}' % (b"x" * size)

    frames = heard(opened(), CallTemplate("DataTransfer", payload).frame(ID))

    assert frames == [(Opcode.TEXT, b'[2,"0000000042","DataTransfer",%b]' % payload)]


def test_a_pong_carries_what_the_ping_did() -> None:
    assert heard(opened(), client_frame(PONG, b"abcd")) == [(Opcode.PONG, b"abcd")]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000, 1_000_000])
def test_frames_are_read_however_they_are_cut(chunk: int) -> None:
    texts = [b"", b"a" * 125, b"b" * 126, b"c" * 65535, b"d" * 65536]
    data = said(*(Frame(Opcode.TEXT, text) for text in texts), Frame(Opcode.PING, b"p"))
    reader = FrameReader()

    frames = [frame for at in range(0, len(data), chunk) for frame in reader.feed(data[at : at + chunk])]

    assert frames == [*((TEXT, text) for text in texts), (PING, b"p")]
    assert not reader.pending


def test_a_part_of_a_frame_is_kept() -> None:
    reader = FrameReader()

    assert reader.feed(said(Frame(Opcode.TEXT, b"abc"))[:-1]) == []
    assert reader.pending


@pytest.mark.parametrize(
    "data",
    [
        Frame(Opcode.TEXT, b"abc", fin=False).serialize(mask=False),
        Frame(Opcode.CONT, b"abc").serialize(mask=False),
        Frame(Opcode.TEXT, b"abc").serialize(mask=True),
    ],
    ids=["first fragment", "continuation", "masked"],
)
def test_what_a_server_must_not_send_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        FrameReader().feed(data)


def test_the_metervalues_of_the_benchmark_are_of_a_realistic_size() -> None:
    assert 300 < len(meter_values().frame(ID)) < 400

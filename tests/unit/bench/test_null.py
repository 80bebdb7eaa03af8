"""The null server answers every CALL, however its bytes arrive, and whatever the masking key."""

import asyncio
import json

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from bench.null import Null


class Wire(asyncio.Transport):
    """What the server wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True


class Conversation:
    """The library's client joined to the null server."""

    def __init__(self) -> None:
        self.client = ClientProtocol(parse_uri("ws://127.0.0.1/ocpp/A"), subprotocols=[Subprotocol("ocpp1.6")])
        self.wire, self.server = Wire(), Null()
        self.server.connection_made(self.wire)
        self.client.send_request(self.client.connect())
        self.deliver(10_000)
        self.heard()

    def deliver(self, size: int) -> None:
        """What the client has to say, `size` bytes at a time."""
        data = b"".join(self.client.data_to_send())
        for at in range(0, len(data), size):
            self.server.data_received(data[at : at + size])

    def heard(self) -> list[tuple[Opcode, bytes]]:
        self.client.receive_data(self.wire.written)
        self.wire.written = b""
        return [
            (event.opcode, bytes(event.data)) for event in self.client.events_received() if isinstance(event, Frame)
        ]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("padding", [0, 200, 70_000])
def test_every_call_gets_its_result(size: int, padding: int) -> None:
    conversation = Conversation()
    for message_id in ("1", "a-longer-id"):
        text = json.dumps([2, message_id, "DataTransfer", {"vendorId": "x" * padding}], separators=(",", ":"))
        conversation.client.send_text(text.encode())

    conversation.deliver(max(size, (padding + 20) // 50))

    answers = [json.loads(data) for _, data in conversation.heard()]
    assert [answer[:2] for answer in answers] == [[3, "1"], [3, "a-longer-id"]]


def test_a_ping_and_a_close_are_answered() -> None:
    conversation = Conversation()
    conversation.client.send_ping(b"abc")
    conversation.client.send_close(1000)

    conversation.deliver(10_000)

    frames = conversation.heard()
    assert [opcode for opcode, _ in frames] == [Opcode.PONG, Opcode.CLOSE]
    assert (frames[0][1], conversation.wire.closed) == (b"abc", True)

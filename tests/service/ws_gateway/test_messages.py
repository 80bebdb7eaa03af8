"""The WebSocket under the conversation: what comes in pieces, too large, or not as text."""

import asyncio
import json
import tracemalloc
import zlib

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from csms_platform.envelope import Kind
from csms_ws_gateway.settings import Settings
from tests.service.ws_gateway.wire import Wire, dial, frame, heartbeat, text
from tests.service.ws_gateway.world import World, open_world

SMALL = Settings(max_message_size=4096, close_deadline=0.5)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def deflated(data: bytes) -> bytes:
    """A compressed text frame."""
    compressor = zlib.compressobj(wbits=-11)
    squeezed = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return with_bit(0x40, text(squeezed[:-4]))


def with_bit(bit: int, data: bytes) -> bytes:
    """A frame with one more bit in its first byte."""
    return bytes([data[0] | bit]) + data[1:]


async def answered(wire: Wire, unique_id: str = "still serving") -> bool:
    """Whether the connection serves."""
    await wire.send(text(heartbeat(unique_id)))
    answer: list[object] = await wire.message()
    return answer[:2] == [3, unique_id]


async def test_fragmented_text_is_one_message(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        message = json.dumps(heartbeat("1")).encode()
        await wire.send(text(message[:5], fin=False), frame(Opcode.CONT, message[5:9], fin=False))
        await wire.send(frame(Opcode.PING, b"between"), frame(Opcode.CONT, message[9:]))

        assert await wire.frame() == (Opcode.PONG, b"between")
        assert (await wire.message())[:2] == [3, "1"]


@pytest.mark.parametrize("split", [1, 2, 3, 6])
async def test_a_piece_that_looks_like_a_message_but_is_the_inside_of_one(world: World, split: int) -> None:
    inside = text(heartbeat("1"))
    whole = bytes([0x81, 0x80 | len(inside)]) + bytes(4) + inside
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(whole[:split])
        await asyncio.sleep(0.02)
        await wire.send(whole[split:6])
        await asyncio.sleep(0.02)
        await wire.send(inside)

        assert await wire.closed() == 1007
        assert world.router.of(Kind.CALL) == []


async def test_messages_that_come_after_the_gateways_close_are_ignored(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await world.router.evict("CS-1", 1)
        code = await wire.closed()
        await wire.send(text(heartbeat("1")), frame(Opcode.CLOSE, b"\x03\xe8"))

        assert (code, await wire.ended(), world.router.of(Kind.CALL)) == (1000, b"", [])


async def test_a_ping_is_answered_with_the_same_bytes(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(frame(Opcode.PING, b"\x00\xff same"))

        assert await wire.frame() == (Opcode.PONG, b"\x00\xff same")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(Opcode.BINARY, b"\x00"), 1003),
        (text(b'[2,"\xff"]'), 1007),
        (text(b"x" * 4097), 1009),
        (text(b"x" * 3000, fin=False) + frame(Opcode.CONT, b"x" * 3000), 1009),
        (frame(Opcode.CONT, b"x"), 1002),
        (text(b"[2,", fin=False) + text(heartbeat("1")), 1002),
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (with_bit(0x20, text(b"{}")), 1002),
    ],
    ids=[
        "binary",
        "invalid UTF-8",
        "too large",
        "too large in sum",
        "stray continuation",
        "message in a message",
        "unmasked",
        "reserved bit",
    ],
)
async def test_what_cannot_be_a_message_ends_the_connection_with_its_code(sent: bytes, code: int) -> None:
    async with open_world(SMALL) as world, dial(world) as wire:
        await wire.upgraded()
        await wire.send(sent)

        assert await wire.closed() == code
        wire.hang_up()
        assert await world.router.hears(Kind.DISCONNECT)


async def test_the_close_code_arrives_though_the_message_was_still_being_sent() -> None:
    """The socket may not be reset while the station's data is still unread."""
    async with open_world(SMALL) as world:
        async with connect(world.url(), subprotocols=[Subprotocol("ocpp1.6")], proxy=None, compression=None) as station:
            await station.send("x" * 3_000_000)
            await station.wait_closed()

        assert station.close_code == 1009


async def test_compressed_messages_are_read_and_answered(world: World) -> None:
    async with connect(world.url(), subprotocols=[Subprotocol("ocpp2.0.1")], proxy=None) as station:
        await station.send('[2,"1","Heartbeat",{}]')
        answer = await station.recv()

    assert answer == '[3,"1",{"currentTime":"2026-01-01T12:00:00Z"}]'


async def test_a_message_that_inflates_past_the_limit_is_too_large() -> None:
    async with open_world(SMALL) as world, dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1", DEFLATE)
        await wire.send(deflated(b"x" * 50_000_000))

        assert await wire.closed() == 1009


async def test_a_compressed_flood_is_inflated_only_as_far_as_its_turn_comes(world: World) -> None:
    """Sixty CALLs of 200 kB each come in one piece of a few kB, while the first one is not answered."""
    padded = [
        [2, str(number), "Heartbeat", {"customData": {"vendorId": "x", "p": "y" * 200_000}}] for number in range(60)
    ]
    flood = b"".join(deflated(json.dumps(call).encode()) for call in padded)
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-1", DEFLATE, subprotocol="ocpp2.0.1")
        world.router.answers = False
        tracemalloc.start()
        await wire.send(flood)
        (first,) = await world.router.hears(Kind.CALL)
        await asyncio.sleep(0.1)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert len(flood) < 60_000
        assert first.unique_id == "0"
        assert held < 30 * 200_000
        world.router.answers = True
        world.router.answer(first)
        assert [(await wire.frame())[0] for _ in range(60)] == [Opcode.TEXT] * 60


async def test_a_close_is_echoed(world: World) -> None:
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(frame(Opcode.CLOSE, b"\x03\xe8bye"))

        assert await wire.frame() == (Opcode.CLOSE, b"\x03\xe8bye")
        assert await wire.ended() == b""
        assert await world.router.hears(Kind.DISCONNECT)


async def test_a_message_and_a_close_frame_in_one_piece(world: World) -> None:
    """What comes before the close frame counts; that its answer may no longer be sent harms nobody."""
    async with dial(world) as wire:
        await wire.upgraded()
        await wire.send(text([2, "1", "Nonsense", {}]), text(heartbeat("2")), frame(Opcode.CLOSE, b"\x03\xe8"))

        assert (await wire.message())[:3] == [4, "1", "NotImplemented"]
        assert await wire.closed() == 1000
        assert await wire.ended() == b""
        assert [call.unique_id for call in await world.router.hears(Kind.CALL)] == ["2"]
    async with dial(world) as wire:
        await wire.upgraded("/ocpp/CS-2")
        assert await answered(wire)


async def test_a_station_that_does_not_echo_our_close_is_cut() -> None:
    async with open_world(SMALL) as world, dial(world) as wire:
        await wire.upgraded()
        await wire.send(frame(Opcode.BINARY, b"\x00"))
        await wire.closed()

        assert await wire.ended(within=3) == b""


async def test_a_station_that_does_not_hang_up_after_the_close_is_cut() -> None:
    async with open_world(SMALL) as world, dial(world) as wire:
        await wire.upgraded()
        await wire.send(frame(Opcode.CLOSE, b"\x03\xe8"))
        await wire.closed()

        assert await world.router.hears(Kind.DISCONNECT, within=3)


@pytest.mark.parametrize(
    "message",
    [
        b"\x00" * 1000,
        b"[" * 1_000_000,
        b"[" + b"1," * 500_000 + b"1]",
        b'[2,"1","Heartbeat",[' + b"0," * 400_000 + b"0]]",
    ],
    ids=["NUL bytes", "a million brackets", "a long array", "a long payload"],
)
async def test_strange_messages_are_survived(world: World, message: bytes) -> None:
    async with dial(world) as wire:
        await wire.upgraded(subprotocol="ocpp1.6")
        await wire.send(text(message))
        if message.startswith(b'[2,"1"'):
            assert (await wire.message())[:3] == [4, "1", "FormationViolation"]

        assert await answered(wire)


async def test_a_cut_in_mid_message_ends_one_connection_and_nothing_else(world: World) -> None:
    async with dial(world) as other:
        await other.upgraded("/ocpp/CS-2")
        async with dial(world) as wire:
            await wire.upgraded()
            await wire.send(text(heartbeat("1"))[:7])
        gone = await world.router.hears(Kind.DISCONNECT)

        assert [envelope.identity for envelope in gone] == ["CS-1"]
        assert await answered(other)


async def test_without_a_pong_the_connection_is_cut_within_two_intervals() -> None:
    settings = Settings(ping_interval=1.0, pong_deadline=0.5)
    async with open_world(settings) as world, dial(world) as wire:
        await wire.upgraded()
        began = asyncio.get_running_loop().time()
        opcode, _ = await wire.frame()
        await world.router.hears(Kind.DISCONNECT)

        assert opcode is Opcode.PING
        assert asyncio.get_running_loop().time() - began < 4
        assert world.logged("no pong")


async def test_a_pong_keeps_the_connection() -> None:
    settings = Settings(ping_interval=0.5, pong_deadline=0.5)
    async with open_world(settings) as world, dial(world) as wire:
        await wire.upgraded()
        for _ in range(3):
            opcode, data = await wire.frame()
            assert opcode is Opcode.PING
            await wire.send(frame(Opcode.PONG, data))

        assert world.router.of(Kind.DISCONNECT) == []

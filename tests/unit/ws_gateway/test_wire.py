"""The short cuts agree with `websockets`, frame for frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from csms_ws_gateway.wire import Wire, frame_size, read_text, write_text

LENGTHS = [0, 1, 5, 124, 125, 126, 127, 128, 65534, 65535, 65536, 70000]
MOST = 1024 * 1024


def masked(payload: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


@pytest.mark.parametrize("length", LENGTHS)
def test_what_we_write_is_what_the_library_would_write(length: int) -> None:
    payload = b"x" * length

    assert write_text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(payload=st.binary(max_size=300))
def test_one_whole_text_frame_is_read(payload: bytes) -> None:
    assert read_text(masked(payload), MOST) == payload


@pytest.mark.parametrize("length", [126, 65535])
def test_a_frame_with_a_two_byte_length_is_read(length: int) -> None:
    assert read_text(masked(b"y" * length), MOST) == b"y" * length


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(masked(b"text")[:-1], id="cut"),
        pytest.param(masked(b"text") + b"\x81", id="more behind it"),
        pytest.param(masked(b"text") * 2, id="two frames"),
        pytest.param(masked(b"text", fin=False), id="fragment"),
        pytest.param(masked(b"text", Opcode.BINARY), id="binary"),
        pytest.param(masked(b"text", Opcode.CONT), id="continuation"),
        pytest.param(masked(b"text", Opcode.PING), id="ping"),
        pytest.param(Frame(Opcode.TEXT, b"text").serialize(mask=False), id="not masked"),
        pytest.param(b"\xc1" + masked(b"text")[1:], id="compressed"),
        pytest.param(masked(b"y" * 65536), id="eight byte length"),
        pytest.param(b"\x81\xfe\x00", id="cut in the length"),
    ],
)
def test_everything_else_is_left_to_the_library(data: bytes) -> None:
    assert read_text(data, MOST) is None


def test_a_message_over_the_limit_is_left_to_the_library_which_closes_with_1009() -> None:
    assert read_text(masked(b"x" * 101), 100) is None
    assert read_text(masked(b"x" * 100), 100) == b"x" * 100


@given(data=st.binary(max_size=40))
def test_any_bytes_are_read_or_left_and_never_raise(data: bytes) -> None:
    result = read_text(data, MOST)

    assert result is None or len(result) <= len(data) - 6


@given(
    frames=st.lists(st.tuples(st.binary(max_size=400), st.booleans()), min_size=1, max_size=5),
    cuts=st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=8),
)
def test_messages_are_the_same_however_the_bytes_are_cut(frames: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    """Whole frames, fragments and pings between them, in pieces of any size."""
    stream = b""
    for payload, fragmented in frames:
        if fragmented:
            half = len(payload) // 2
            stream += masked(payload[:half], fin=False) + masked(b"", Opcode.PING)
            stream += masked(payload[half:], Opcode.CONT)
        else:
            stream += masked(payload)
    wire = Wire(ServerProtocol(state=State.OPEN), MOST)
    found: list[bytes | None] = []

    at = 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        piece, at = stream[at : at + size], at + size
        if (whole := wire.read_whole(piece)) is not None:
            found.append(whole)
        else:
            wire.receive(piece)
            found += wire.messages()

    assert found == [payload for payload, _ in frames]
    assert wire.is_open


def test_who_stops_iterating_finds_the_rest_later() -> None:
    wire = Wire(ServerProtocol(state=State.OPEN), MOST)
    wire.receive(masked(b"one") + masked(b"two") + masked(b"three")[:-1])

    first = next(wire.messages())
    rest = list(wire.messages())
    wire.receive(masked(b"three")[-1:])

    assert (first, rest, len(list(wire.messages()))) == (b"one", [b"two"], 1)


def test_a_frame_that_announces_too_much_is_not_waited_for() -> None:
    announced = masked(b"x" * 200)[:20]

    assert frame_size(announced, 100) == 20
    assert frame_size(announced, 200) is None
    assert frame_size(masked(b"x" * 200), 200) == 208


def test_a_binary_message_is_told_apart() -> None:
    wire = Wire(ServerProtocol(state=State.OPEN), MOST)
    wire.receive(masked(b"\x00", Opcode.BINARY) + masked(b"text"))

    assert list(wire.messages()) == [None, b"text"]

"""The short cuts agree with `websockets`, frame for frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from csms_ws_gateway.wire import read_text, write_text

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

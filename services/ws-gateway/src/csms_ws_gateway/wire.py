"""The two WebSocket frames that nearly all traffic consists of, without the generality of a whole protocol.

A station's message nearly always arrives as one whole, unfragmented, masked text frame, and an answer always leaves as
one unmasked text frame. These two functions read and write exactly those; everything else is for `websockets`, which
they must agree with (RFC 6455 §5.2). They apply only to connections without extensions.
"""

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # the compiled one where there is one

_FINAL_TEXT = 0x81
_MASKED = 0x80


def read_text(data: bytes, most: int) -> bytes | None:
    """The payload, when `data` is exactly one final, masked text frame of at most `most` bytes; otherwise None."""
    size = len(data)
    if size < 6 or data[0] != _FINAL_TEXT or data[1] < _MASKED:
        return None
    length, start = data[1] - _MASKED, 2
    if length == 126:
        length, start = (data[2] << 8) | data[3], 4
    elif length == 127:
        return None
    if length > most or size != start + 4 + length:
        return None
    return apply_mask(data[start + 4 :], data[start : start + 4])


def write_text(payload: bytes) -> bytes:
    """`payload` as one final, unmasked text frame."""
    length = len(payload)
    if length < 126:
        return bytes((_FINAL_TEXT, length)) + payload
    if length < 65536:
        return bytes((_FINAL_TEXT, 126, length >> 8, length & 255)) + payload
    return bytes((_FINAL_TEXT, 127)) + length.to_bytes(8, "big") + payload

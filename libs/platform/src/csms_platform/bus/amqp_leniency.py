"""Reading the properties of messages that others made.

pamqp raises for a text that is not UTF-8 or a time that no calendar has, and aiormq ends the connection for it. The
broker would deliver the message again to the next connection, and so on: one of them could keep every router away.
RabbitMQ itself passes all of this on unseen. So it is read leniently: a stain in the text, the epoch, no headers.
"""

from datetime import UTC, datetime

from pamqp import decode
from pamqp.common import FieldTable

_UNREADABLE = (ValueError, OverflowError, OSError, RecursionError)


def be_lenient() -> None:
    """Teach pamqp's table of decoders, once and for all connections of the process. May be called again."""
    decode.METHODS["shortstr"] = short_string
    decode.METHODS["timestamp"] = timestamp
    decode.METHODS["table"] = table


def short_string(value: bytes) -> tuple[int, str]:
    """Bytes consumed, and the text; U+FFFD stands for what is not UTF-8."""
    end = value[0] + 1
    return end, value[1:end].decode("utf-8", "replace")


def timestamp(value: bytes) -> tuple[int, datetime]:
    """Bytes consumed, and the time; 1970 stands for one that cannot be."""
    try:
        return decode.timestamp(value)
    except _UNREADABLE:
        return 8, datetime.fromtimestamp(0, UTC)


def table(value: bytes) -> tuple[int, FieldTable]:
    """Bytes consumed, and the headers; none stand for those that cannot be read."""
    try:
        return decode.field_table(value)
    except _UNREADABLE:
        return 4 + int.from_bytes(value[:4], "big"), {}

"""One charging station of the load generator: a WebSocket client made to cost as little as Python allows.

It holds one CALL at a time and tells its fleet when that is answered; when to call, and what is measured, is the
fleet's business. Whatever the server does wrong is counted, never raised.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from time import perf_counter
from typing import cast

import msgspec

from bench.scenarios import Play
from bench.wire import (
    CLOSE,
    FIN_TEXT,
    ID_WIDTH,
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

SUBPROTOCOL = "ocpp1.6"
CALL, CALL_RESULT = 2, 3
COMMAND = b'[2,"'

_ids = count(1)


class Station(asyncio.Protocol):
    """`answered(station, now, text)` is called for every answer to the CALL that waits; `sent_at` is that CALL's time.

    `reply_type` is 3 for a CSMS, and 2 for an echo server, which says what it hears.
    """

    __slots__ = (
        "_errors", "_expected", "_path", "_reader", "_reply", "_transport",
        "answered", "identity", "open", "play", "plays", "sent_at",
    )  # fmt: skip

    def __init__(self, identity: str, path: str, errors: Counter[str], reply_type: int = CALL_RESULT) -> None:
        self.identity = identity
        self.answered: Callable[[Station, float, bytes], None] = _nobody
        self.plays: dict[str, Play] = {}
        self.play: Play
        self.sent_at = 0.0
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._path = path
        self._errors = errors
        self._reply = b'[%d,"' % reply_type
        self._expected: bytes | None = None
        self._reader = FrameReader()
        self._transport: asyncio.Transport

    @property
    def waiting(self) -> bool:
        """True while a CALL waits for its answer."""
        return self._expected is not None

    def call(self, template: CallTemplate, sent_at: float) -> None:
        """Send one CALL. Its latency counts from `sent_at`, in seconds of `perf_counter`."""
        message_id = b"%0*d" % (ID_WIDTH, next(_ids))
        self.sent_at = sent_at
        self._expected = self._reply + message_id + b'"'
        self._transport.write(template.frame(message_id))

    def hang_up(self) -> None:
        """Close as a station that leaves in good order, and forget the connection."""
        self.answered = _nobody
        self._expected = None
        if not self._transport.is_closing():
            self._transport.write(client_frame(CLOSE, (1000).to_bytes(2, "big")))
            self._transport.close()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        host, port = transport.get_extra_info("peername")[:2]
        transport.write(handshake_request(f"{host}:{port}", self._path, SUBPROTOCOL))

    def data_received(self, data: bytes) -> None:
        expected = self._expected
        if (
            expected is not None
            and data.startswith(expected, 2)
            and data[0] == FIN_TEXT
            and len(data) - 2 == data[1] < 126
            and not self._reader.pending
        ):
            self._expected = None
            self.answered(self, perf_counter(), data)
        elif self.open.done():
            self._read(data)
        else:
            self._handshake(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError(f"closed during the handshake: {error}"))
        elif self.answered is not _nobody or self._expected is not None:
            self._errors["connection lost"] += 1

    # --- the slow path ----------------------------------------------------------------------------------------------

    def _handshake(self, data: bytes) -> None:
        try:
            if (rest := handshake_response(data)) is not None:
                self.open.set_result(None)
                if rest:
                    self._read(rest)
        except WireError as error:
            self.open.set_exception(error)
            self._transport.close()

    def _read(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except WireError as error:
            self._errors[str(error)] += 1
            self._transport.close()
            return
        for opcode, payload in frames:
            if opcode == TEXT:
                self._text(payload)
            elif opcode == PING:
                self._transport.write(client_frame(PONG, payload))
            elif opcode == CLOSE:
                self._errors["closed by the server"] += 1
                self._transport.close()

    def _text(self, text: bytes) -> None:
        expected = self._expected
        if expected is None:
            if text.startswith(COMMAND):
                self._obey(text)
            else:
                self._errors["unasked answer"] += 1
        elif text.startswith(expected) or _is_answer(text, expected):
            self._expected = None
            self.answered(self, perf_counter(), text)
        elif text.startswith(COMMAND):
            self._obey(text)
        elif text.startswith(b"[4,"):
            # A CALLERROR ends the wait: the scenario goes on, and the count says that the figures are worthless.
            self._errors[f"CALLERROR {text[:120].decode(errors='replace')}" if not self._errors else "CALLERROR"] += 1
            self._expected = None
            self.answered(self, perf_counter(), text)
        else:
            self._errors["wrong message id"] += 1

    def _obey(self, text: bytes) -> None:
        """Answer a command."""
        message_id = text[len(COMMAND) :].partition(b'"')[0]
        self._transport.write(client_frame(TEXT, b'[3,"%b",{"status":"Accepted"}]' % message_id))


def _nobody(station: Station, now: float, text: bytes) -> None:
    """Where answers go that nobody measures."""


def _is_answer(text: bytes, expected: bytes) -> bool:
    """The same comparison for a server that puts white space between the elements."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(message, list) and message[:2] == msgspec.json.decode(expected + b"]")

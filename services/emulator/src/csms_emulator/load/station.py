"""One charging station of the load generator: a WebSocket client made to cost as little as Python allows.

It holds one CALL at a time and tells its crowd when that is answered; when to call, and what is measured, is the
crowd's business. Whatever the server does wrong is counted, never raised. It may connect again and again, one
connection at a time.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import cast
from urllib.parse import quote

import msgspec

from csms_emulator.load.errors import Errors
from csms_emulator.load.scripts import Play
from csms_emulator.load.wire import (
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

_ERROR_CODE = re.compile(rb'\[4, ?"[^"]{0,36}", ?"([A-Za-z]{1,40})"')

_ANSWERS = {
    b"GetConfiguration": b"{}",
    b"GetDiagnostics": b"{}",
    b"GetLocalListVersion": b'{"listVersion":0}',
    b"GetLog": b'{"status":"Rejected"}',
    b"UnlockConnector": b'{"status":"Unlocked"}',
    b"UpdateFirmware": b"{}",
}
"""The commands that cannot be answered with a plain Accepted."""

_ids = count(1)


def next_id() -> int:
    """A message id that is later than all before, of any station in this process."""
    return next(_ids)


@dataclass(frozen=True, slots=True)
class Address:
    """Where stations connect: the URL's host and port, its path without the identity, and everybody's password."""

    host: str
    path: str
    password: str = ""

    def opening(self, identity: str) -> bytes:
        """The request that opens a station's WebSocket."""
        # OCPP-J 1.6 §3.1.1: the identity is the last segment, percent-encoded.
        path = f"{self.path}/{quote(identity, safe='')}"
        basic = b64encode(f"{identity}:{self.password}".encode()).decode() if self.password else ""
        return handshake_request(self.host, path, SUBPROTOCOL, *([f"Authorization: Basic {basic}"] if basic else []))


class Station(asyncio.Protocol):
    """`answered(station, now, text)` is called for every answer to the CALL that waits; `sent_at` is that CALL's time.

    `lost(station)` is called when an open connection ends that `hang_up` did not end. Before each connection, `renew`
    makes a new `open`, which is done when the WebSocket is. `reply_type` is 3 for a CSMS, and 2 for an echo server,
    which says what it hears.
    """

    __slots__ = (
        "_address", "_asked", "_errors", "_expected", "_head", "_reader", "_reply", "_told", "_transport",
        "answered", "identity", "lost", "open", "play", "plays", "sent_at", "tries",
    )  # fmt: skip

    def __init__(self, identity: str, address: Address, errors: Errors, reply_type: int = CALL_RESULT) -> None:
        self.identity = identity
        self.answered: Callable[[Station, float, bytes], None] = _nobody
        self.lost: Callable[[Station], None] = _not_missed
        self.plays: dict[str, Play] | None = None
        self.play: Play
        self.sent_at = 0.0
        self.tries = 0
        self._address = address
        self._errors = errors
        self._reply = _REPLIES[reply_type]
        self._transport: asyncio.Transport
        self.renew()

    def renew(self) -> None:
        """Forget the last connection, and be ready for another."""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked = 0
        self._expected: bytes | None = None
        self._told = False
        self._head = b""
        self._reader = FrameReader()

    @property
    def waiting(self) -> bool:
        """True while a CALL waits for its answer."""
        return self._expected is not None

    @property
    def asked(self) -> int:
        """The number of the last CALL; see `next_id`."""
        return self._asked

    def call(self, template: CallTemplate, sent_at: float) -> None:
        """Send one CALL. Its latency counts from `sent_at`, in seconds of `perf_counter`."""
        self._asked = next(_ids)
        message_id = b"%0*d" % (ID_WIDTH, self._asked)
        self.sent_at = sent_at
        self._expected = self._reply + message_id + b'"'
        self._transport.write(template.frame(message_id))

    def give_up(self) -> None:
        """Wait no longer for an answer; one that comes yet is an error."""
        self._expected = None

    def hang_up(self) -> None:
        """Close as a station that leaves in good order, and forget the connection."""
        unheard(self)
        self._expected = None
        self._told = True
        if not self._transport.is_closing():
            self._transport.write(client_frame(CLOSE, (1000).to_bytes(2, "big")))
            self._transport.close()

    def abort(self) -> None:
        """End a connection that never opened, if there is one."""
        self._told = True
        if (transport := getattr(self, "_transport", None)) is not None:
            transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.write(self._address.opening(self.identity))

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
            return
        if not self._told and (self.answered is not _nobody or self._expected is not None):
            self._errors.add("connection lost")
        self.lost(self)

    # --- the slow path ----------------------------------------------------------------------------------------------

    def _handshake(self, data: bytes) -> None:
        self._head += data
        try:
            if (rest := handshake_response(self._head)) is not None:
                self._head = b""
                self.open.set_result(None)
                if rest:
                    self._read(rest)
        except WireError as error:
            self.open.set_exception(error)
            self._told = True
            self._transport.close()

    def _read(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except WireError as error:
            self._close(str(error))
            return
        for opcode, payload in frames:
            if opcode == TEXT:
                self._text(payload)
            elif opcode == PING:
                self._transport.write(client_frame(PONG, payload))
            elif opcode == CLOSE:
                # RFC 6455 §7.1.5: without a status code, the close code is 1005.
                self._close(f"closed by the server with {int.from_bytes(payload[:2], 'big') or 1005}")

    def _close(self, why: str) -> None:
        self._told = True
        self._errors.add(why)
        self._transport.close()

    def _text(self, text: bytes) -> None:
        expected = self._expected
        if expected is None:
            if text.startswith(COMMAND):
                self._obey(text)
            else:
                self._errors.add("unasked answer")
        elif text.startswith(expected) or _is_answer(text, expected):
            self._expected = None
            self.answered(self, perf_counter(), text)
        elif text.startswith(COMMAND):
            self._obey(text)
        elif text.startswith(b"[4,"):
            # A CALLERROR ends the wait: the script goes on, and the count says that the figures are worthless.
            self._errors.call_failed(_error_kind(text))
            self._expected = None
            self.answered(self, perf_counter(), text)
        else:
            self._errors.add("wrong message id")

    def _obey(self, text: bytes) -> None:
        """Answer a command, and do nothing."""
        message_id, _, rest = text[len(COMMAND) :].partition(b'"')
        answer = _ANSWERS.get(rest.partition(b'"')[2].partition(b'"')[0], b'{"status":"Accepted"}')
        self._transport.write(client_frame(TEXT, b'[3,"%b",%b]' % (message_id, answer)))


def unheard(station: Station) -> None:
    """Let nobody hear what the station is answered, or that it is lost."""
    station.answered, station.lost = _nobody, _not_missed


_REPLIES = {kind: b'[%d,"' % kind for kind in (CALL, CALL_RESULT)}


def _nobody(station: Station, now: float, text: bytes) -> None:
    """Where answers go that nobody measures."""


def _not_missed(station: Station) -> None:
    """For connections that nobody opens again."""


def _error_kind(text: bytes) -> str:
    code = _ERROR_CODE.match(text)
    return f"CALLERROR {code[1].decode()}" if code else "CALLERROR"


def _is_answer(text: bytes, expected: bytes) -> bool:
    """The same comparison for a server that puts white space between the elements."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(message, list) and message[:2] == msgspec.json.decode(expected + b"]")

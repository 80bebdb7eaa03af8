"""The WebSocket of one emulated station: joins the station, the OCPP-J session and a socket, and decides nothing.

One task reads, one writes, and the link's timer serves the session, too.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from csms_emulator import link, tls
from csms_emulator.actions import Answer, Ask, Refuse, Send
from csms_emulator.behaviour import Behaviour
from csms_emulator.faults.socket import freeze, put, thaw
from csms_emulator.faults.speech import Lasting, Speech
from csms_emulator.faults.troubles import HalfOpen, Sentence, SlowReader
from csms_emulator.faults.wrong import Piece
from csms_emulator.link import ANSWER_WITHIN, CLOSE_WITHIN, MOST_BYTES, OPEN_WITHIN, address, credentials
from csms_emulator.logbook import Logbook
from csms_emulator.settings import Settings
from csms_ocpp.catalog import Role
from csms_ocpp.session import Session
from csms_ocpp.version import DIALECTS, Version

PING_EVERY = 30.0

Output = bytes | Piece | None  # None: close the connection

_encode = msgspec.json.Encoder().encode


class Link(link.Link):
    """Keeps one station connected to the WebSocket at `url` and its identity; it speaks `version`."""

    transport = "json"

    def __init__(
        self,
        station: Behaviour,
        identity: str,
        url: str,
        password: str,
        logbook: Logbook,
        version: Version = Version.V1_6,
        secured: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(station, logbook, version)
        self._secured = secured
        self._dialect = DIALECTS[version]
        self._subprotocol = Subprotocol(version)
        self._url = address(url, identity)
        self._headers = credentials(identity, password)
        self._session: Session | None = None
        self._socket: ClientConnection | None = None
        self._reason = ""
        self._output: asyncio.Queue[Output] = asyncio.Queue()
        self._speech = Speech(self._dialect)
        self._relief = asyncio.Event()  # a reader, or a writer, that does wrong need not wait any more

    # --- the connection -----------------------------------------------------------------------------------------------

    async def _converse(self) -> str:
        try:
            async with connect(
                self._url,
                ssl=self._secured,
                subprotocols=[self._subprotocol],
                additional_headers=self._headers,
                compression=None,
                proxy=None,
                open_timeout=OPEN_WITHIN,
                close_timeout=CLOSE_WITHIN,
                ping_interval=PING_EVERY,
                ping_timeout=PING_EVERY,
                max_size=MOST_BYTES,
            ) as socket:
                return await self._serve(socket)
        except InvalidStatus as refusal:
            body = bytes(refusal.response.body or b"").decode(errors="replace")
            return f"HTTP {refusal.response.status_code} {body.strip()[:200]}".strip()
        except ConnectionRefusedError:
            return f"nobody listens at {self._url}"
        except (OSError, InvalidHandshake, InvalidMessage) as error:
            return str(error) or type(error).__name__

    async def _serve(self, socket: ClientConnection) -> str:
        """Serve the open socket until it closes; answers why it did."""
        if socket.subprotocol != self._subprotocol:
            # OCPP-J 1.6 §3.2: without a subprotocol in common there is nothing to talk about.
            return f"the central system does not speak {self._subprotocol}"
        self._speech.connected()
        self._relief.clear()
        self._session = session = Session(self._dialect, Role.STATION, new_id=self._speech.new_id)
        self._output = asyncio.Queue()
        writer = asyncio.create_task(self._write(socket, self._output))
        self._online, self._socket, self._reason = True, socket, ""
        self._logbook.online(True)
        try:
            self._act(self._station.connected(self._loop.time()))
            async for message in socket:
                if isinstance(message, str) and await self._reads():
                    self._speech.heard(message)
                    now = self._loop.time()
                    self._tell(session.receive(message, now), now)
                    self._flush()
        except ConnectionClosed:
            pass  # without a proper close; the code, if any, is told below
        finally:
            self._online, self._socket = False, None
            self._logbook.online(False)
            self._session = None
            session.close()
            writer.cancel()
        return self._reason or f"closed with {socket.close_code} {socket.close_reason or ''}".strip()

    async def _write(self, socket: ClientConnection, output: asyncio.Queue[Output]) -> None:
        try:
            while (said := await output.get()) is not None:
                if self._speech.half_open:
                    await self._relief.wait()
                await put(socket, said if isinstance(said, Piece) else Piece(said))
            await socket.close()
        except ConnectionClosed:
            pass  # the reader sees it, too

    # --- what the station wants; nothing, when the connection went while it was deciding ------------------------------

    def _ask(self, ask: Ask) -> None:
        if self._session:
            now, body = self._loop.time(), _encode(ask.payload)
            context = ask.number
            self._tell(self._session.call(ask.action, body, now=now, timeout=ANSWER_WITHIN, context=context), now)

    def _reply(self, reply: Answer | Refuse) -> None:
        if not self._session:
            return
        if isinstance(reply, Answer):
            events = self._session.answer(reply.unique_id, _encode(reply.payload))
        else:
            events = self._session.refuse(reply.unique_id, reply.code, reply.description)
        self._tell(events, self._loop.time())

    def _send(self, send: Send) -> str:
        violation = self._session.send(send.action, _encode(send.payload)) if self._session else None
        return violation.description if violation else ""

    def _sever(self, reason: str) -> None:
        self._reason = reason
        self._relief.set()
        if self._socket:
            self._socket.transport.abort()

    def _disconnect(self) -> None:
        self._flush()
        self._output.put_nowait(None)

    def _flush(self) -> None:
        if self._session:
            for text in self._session.take_output():
                self._say(text)
        super()._flush()

    def _say(self, text: bytes) -> None:
        for delay, said in self._speech.said(text):
            if delay:
                self._loop.call_later(delay, self._output.put_nowait, said)
            else:
                self._output.put_nowait(said)

    # --- what goes wrong on demand ------------------------------------------------------------------------------------

    async def _reads(self) -> bool:
        """Whether what has come is read, after the time that takes."""
        if self._speech.pause:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._speech.pause):
                    await self._relief.wait()
        if self._speech.half_open:
            await self._relief.wait()
        return not self._reason

    def _suffer(self, trouble: Lasting | Sentence) -> None:
        if isinstance(trouble, Sentence | HalfOpen) and not self._socket:
            raise ConnectionError("The station is not connected.")
        if isinstance(trouble, Sentence):
            for piece in self._speech.sentence(trouble):
                self._output.put_nowait(piece)
            return
        self._speech.begin(trouble)
        if isinstance(trouble, HalfOpen | SlowReader):
            self._relief.clear()
        if isinstance(trouble, HalfOpen) and self._socket:
            freeze(self._socket)

    def _recover(self) -> None:
        if self._speech.half_open and self._socket:
            thaw(self._socket)
        self._speech.end()
        self._relief.set()

    # --- the timer ----------------------------------------------------------------------------------------------------

    def _timers(self) -> list[float | None]:
        return [*super()._timers(), self._session.timer if self._session else None]

    def _handle_timer(self, now: float) -> None:
        if self._session:
            self._tell(self._session.handle_timer(now), now)
        super()._handle_timer(now)


@asynccontextmanager
async def links(settings: Settings) -> AsyncIterator[Callable[[Behaviour, str], Link]]:
    """What makes links that may run inside: of a station and its identity. Each has a socket of its own."""
    url, password, version = settings.url, settings.password, settings.dialect
    secured = tls.contexts(settings)
    yield lambda station, identity: Link(
        station, identity, url, password, Logbook(identity), version, secured[identity]
    )

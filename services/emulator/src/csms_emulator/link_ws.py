"""The WebSocket of one emulated station: joins `Station`, the OCPP-J session and a socket, and decides nothing.

One task reads, one writes, and one timer is armed for whichever of station and session is due first. The station lives
on between connections, so the timer runs while there is none.
"""

import asyncio
from base64 import b64encode
from typing import assert_never
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from csms_emulator.actions import Action, Answer, Ask, Disconnect, Log, Reconnect, Refuse
from csms_emulator.logbook import Logbook
from csms_emulator.station import Station
from csms_ocpp.catalog import Role
from csms_ocpp.session import Session
from csms_ocpp.version import DIALECTS, Version

DIALECT = DIALECTS[Version.V1_6]
SUBPROTOCOL = Subprotocol(Version.V1_6)
ANSWER_WITHIN = 30.0
OPEN_WITHIN = 10.0
CLOSE_WITHIN = 2.0
PING_EVERY = 30.0
MOST_BYTES = 2**20

_encode = msgspec.json.Encoder().encode


def address(url: str, identity: str) -> str:
    """The station's own URL. OCPP-J 1.6 §3.1.1: the identity is the last segment, percent-encoded."""
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"


def credentials(identity: str, password: str) -> dict[str, str]:
    """The Authorization header of HTTP Basic; none without a password."""
    if not password:
        return {}
    return {"Authorization": "Basic " + b64encode(f"{identity}:{password}".encode()).decode()}


class Link:
    """Keeps one station connected, from `run` until `stop`. Needs a running loop whose clock is the station's."""

    def __init__(self, station: Station, identity: str, url: str, password: str, logbook: Logbook) -> None:
        self._station = station
        self._url = address(url, identity)
        self._headers = credentials(identity, password)
        self._logbook = logbook
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._output: asyncio.Queue[bytes | None] = asyncio.Queue()  # None: close the connection
        self._pause = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._stopping = False
        self._scope: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Connect, and connect again, until `stop`; returns with the socket closed."""
        self._scope = scope = asyncio.timeout(None)
        try:
            async with scope:
                while not self._stopping:
                    await self._connect()
                    if not self._stopping:
                        await asyncio.sleep(self._pause)
        except TimeoutError:
            if not scope.expired():
                raise
        finally:
            self._scope = None
            self._disarm()

    def stop(self, grace: float) -> None:
        """Leave: the station gets `grace` seconds to end its transactions, then `run` returns."""
        self._stopping = True
        now = self._loop.time()
        self._act(self._station.shut_down(now, grace))
        if self._scope:
            self._scope.reschedule(now + grace + CLOSE_WITHIN if self._session else now)

    # --- the connection -----------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        reason = ""
        try:
            async with connect(
                self._url,
                subprotocols=[SUBPROTOCOL],
                additional_headers=self._headers,
                compression=None,
                proxy=None,
                open_timeout=OPEN_WITHIN,
                close_timeout=CLOSE_WITHIN,
                ping_interval=PING_EVERY,
                ping_timeout=PING_EVERY,
                max_size=MOST_BYTES,
            ) as socket:
                reason = await self._converse(socket)
        except InvalidStatus as refusal:
            body = bytes(refusal.response.body or b"").decode(errors="replace")
            reason = f"HTTP {refusal.response.status_code} {body.strip()[:200]}".strip()
        except ConnectionRefusedError:
            reason = f"nobody listens at {self._url}"
        except (OSError, InvalidHandshake, InvalidMessage) as error:
            reason = str(error) or type(error).__name__
        if not self._stopping:
            self._logbook.lost(reason)
        self._act(self._station.disconnected(self._loop.time()))

    async def _converse(self, socket: ClientConnection) -> str:
        """Serve the open socket until it closes; answers why it did."""
        if socket.subprotocol != SUBPROTOCOL:
            # OCPP-J 1.6 §3.2: without a subprotocol in common there is nothing to talk about.
            return "the central system does not speak ocpp1.6"
        self._session = session = Session(DIALECT, Role.STATION)
        self._output = asyncio.Queue()
        writer = asyncio.create_task(self._write(socket, self._output))
        self._logbook.online(True)
        try:
            self._act(self._station.connected(self._loop.time()))
            async for message in socket:
                if isinstance(message, str):
                    self._feed(session, message)
        except ConnectionClosed:
            pass  # without a proper close; the code, if any, is told below
        finally:
            self._logbook.online(False)
            self._session = None
            session.close()
            writer.cancel()
        return f"closed with {socket.close_code} {socket.close_reason or ''}".strip()

    async def _write(self, socket: ClientConnection, output: asyncio.Queue[bytes | None]) -> None:
        try:
            while (text := await output.get()) is not None:
                await socket.send(text, text=True)
            await socket.close()
        except ConnectionClosed:
            pass  # the reader sees it, too

    def _feed(self, session: Session, text: str) -> None:
        now = self._loop.time()
        for event in session.receive(text, now):
            self._act(self._station.session_event(event, now))
        self._flush()

    # --- what the station wants ---------------------------------------------------------------------------------------

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            self._carry_out(action)
        self._flush()

    def _carry_out(self, action: Action) -> None:
        session = self._session
        match action:
            case Log():
                self._logbook.write(action)
            case Reconnect():
                self._pause = action.after
            case Disconnect():
                self._flush()
                self._output.put_nowait(None)
            case Ask() if session:
                now = self._loop.time()
                body = _encode(action.payload)
                for event in session.call(action.action, body, now=now, timeout=ANSWER_WITHIN, context=action.number):
                    self._act(self._station.session_event(event, now))
            case Answer() if session:
                for event in session.answer(action.unique_id, _encode(action.payload)):
                    self._act(self._station.session_event(event, self._loop.time()))
            case Refuse() if session:
                for event in session.refuse(action.unique_id, action.code, action.description):
                    self._act(self._station.session_event(event, self._loop.time()))
            case Ask() | Answer() | Refuse():
                pass  # the connection went while the station was deciding
            case _:
                assert_never(action)

    def _flush(self) -> None:
        if self._session:
            for text in self._session.take_output():
                self._output.put_nowait(text)
        self._arm()

    # --- the timer ----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        dues = [self._station.timer, self._session.timer if self._session else None]
        due = min((at for at in dues if at is not None), default=None)
        if self._alarm and due == self._due:
            return
        self._disarm()
        if due is not None:
            self._alarm, self._due = self._loop.call_at(due, self._ring), due

    def _disarm(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        now = self._loop.time()
        if self._session:
            for event in self._session.handle_timer(now):
                self._act(self._station.session_event(event, now))
        self._act(self._station.handle_timer(now))

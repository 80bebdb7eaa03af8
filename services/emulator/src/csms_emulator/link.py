"""What a link does for its station whatever it speaks: connect, connect again, and carry out the station's actions.

A link decides nothing. One timer is armed for whatever is due first; the station lives on between connections, so the
timer runs while there is none.
"""

import asyncio
from abc import ABC, abstractmethod
from base64 import b64encode
from typing import assert_never
from urllib.parse import quote

from csms_emulator.actions import Action, Answer, Ask, Disconnect, Log, Reconnect, Refuse, Transfer, Transferred
from csms_emulator.behaviour import Behaviour
from csms_emulator.logbook import Logbook
from csms_emulator.transfers import Transfers
from csms_ocpp.session import Event

ANSWER_WITHIN = 30.0
OPEN_WITHIN = 10.0
CLOSE_WITHIN = 2.0
MOST_BYTES = 2**20


def address(url: str, identity: str) -> str:
    """The station's own URL. OCPP-J 1.6 §3.1.1: the identity is the last segment, percent-encoded."""
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"


def credentials(identity: str, password: str) -> dict[str, str]:
    """The Authorization header of HTTP Basic; none without a password."""
    if not password:
        return {}
    return {"Authorization": "Basic " + b64encode(f"{identity}:{password}".encode()).decode()}


class Link(ABC):
    """Keeps one station connected, from `run` until `stop`. Needs a running loop whose clock is the station's."""

    def __init__(self, station: Behaviour, logbook: Logbook) -> None:
        self._station = station
        self._logbook = logbook
        self._loop = asyncio.get_running_loop()
        self._online = False
        self._pause = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._stopping = False
        self._scope: asyncio.Timeout | None = None
        self._transfers = Transfers()

    async def run(self) -> None:
        """Connect, and connect again, until `stop`; returns when nothing is open any more."""
        self._scope = scope = asyncio.timeout(None)
        try:
            async with scope, self._transfers:
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
            self._scope.reschedule(now + grace + CLOSE_WITHIN if self._online else now)

    async def _connect(self) -> None:
        reason = await self._converse()
        if not self._stopping:
            self._logbook.lost(reason)
        self._act(self._station.disconnected(self._loop.time()))

    # --- what differs -------------------------------------------------------------------------------------------------

    @abstractmethod
    async def _converse(self) -> str:
        """Connect once, and serve the connection until it ends; answers why it did, or why there was none."""

    @abstractmethod
    def _ask(self, ask: Ask) -> None:
        """Begin to carry it out; what follows is fed to the station."""

    @abstractmethod
    def _reply(self, reply: Answer | Refuse) -> None:
        """Carry it out."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Carry it out: `_converse` returns soon."""

    def _flush(self) -> None:
        """The actions of one input are carried out."""
        self._arm()

    # --- what the station wants ---------------------------------------------------------------------------------------

    def _tell(self, events: list[Event], now: float) -> None:
        for event in events:
            self._act(self._station.session_event(event, now))

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            self._carry_out(action)
        self._flush()

    def _carry_out(self, action: Action) -> None:
        match action:
            case Log():
                self._logbook.write(action)
            case Reconnect():
                self._pause = action.after
            case Disconnect():
                self._disconnect()
            case Ask():
                self._ask(action)
            case Transfer():
                self._transfers.begin(action, self._transferred)
            case Answer() | Refuse():
                self._reply(action)
            case _:
                assert_never(action)

    def _transferred(self, number: int, outcome: Transferred) -> None:
        self._act(self._station.transferred(number, outcome, self._loop.time()))

    # --- the timer ----------------------------------------------------------------------------------------------------

    def _timers(self) -> list[float | None]:
        return [self._station.timer]

    def _arm(self) -> None:
        due = min((at for at in self._timers() if at is not None), default=None)
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
        self._handle_timer(self._loop.time())

    def _handle_timer(self, now: float) -> None:
        self._act(self._station.handle_timer(now))

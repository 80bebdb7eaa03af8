"""What a link does for its station whatever it speaks: connect, connect again, and carry out the station's actions.

A link decides nothing. One timer is armed for whatever is due first; the station lives on between connections, so the
timer runs while there is none.
"""

import asyncio
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, assert_never
from urllib.parse import quote

from csms_emulator.actions import (
    IMPOSSIBLE,
    Action,
    Answer,
    Ask,
    Disconnect,
    Log,
    Payload,
    Reconnect,
    Refuse,
    Send,
    Transfer,
    Transferred,
)
from csms_emulator.audience import Audience, Watcher
from csms_emulator.behaviour import Behaviour
from csms_emulator.deeds import Deed, PowerCycle
from csms_emulator.faults.outages import Outages
from csms_emulator.faults.speech import Lasting
from csms_emulator.faults.troubles import Outage, Sentence, Trouble
from csms_emulator.logbook import Logbook
from csms_emulator.own_calls import OwnCalls
from csms_emulator.transfers import Transfers
from csms_emulator.view import View
from csms_ocpp.session import CallEnded, Event
from csms_ocpp.version import Version

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

    transport: ClassVar[str]

    def __init__(self, station: Behaviour, logbook: Logbook, version: Version) -> None:
        self.version = version
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
        self._open = asyncio.Event()  # cleared: somebody has pulled the network cable
        self._open.set()
        self._hurry = asyncio.Event()
        self._outages = Outages(self._sever, self.go_offline, self.go_online)
        self._calls = OwnCalls()
        self._audience = Audience(self._loop.time)

    async def run(self) -> None:
        """Connect, and connect again, until `stop`; returns when nothing is open any more."""
        self._scope = scope = asyncio.timeout(None)
        try:
            async with scope, self._transfers:
                while not self._stopping:
                    await self._open.wait()
                    await self._connect()
                    if not self._stopping:
                        await self._rest()
        except TimeoutError:
            if not scope.expired():
                raise
        finally:
            self._scope = None
            self._outages.forget()
            self._disarm()

    def stop(self, grace: float) -> None:
        """Leave: the station gets `grace` seconds to end its transactions, then `run` returns."""
        self._stopping = True
        self._outages.forget()
        self._recover()
        now = self._loop.time()
        self._act(self._station.shut_down(now, grace))
        if self._scope:
            self._scope.reschedule(now + grace + CLOSE_WITHIN if self._online else now)

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._hurry.wait()

    async def _connect(self) -> None:
        self._hurry.clear()
        reason = await self._converse()
        self._calls.drop()
        if not self._stopping:
            self._logbook.lost(reason)
        self._act(self._station.disconnected(self._loop.time()))

    # --- from outside -------------------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Whether there is a connection; over SOAP: whether the last POST found somebody."""
        return self._online

    def view(self) -> View:
        """What can be seen of the station now."""
        return self._station.view(self._loop.time())

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Be told every message, and None after each input, when something may have changed; answers what ends it."""
        return self._audience.admit(watcher)

    def by_hand(self, deed: Deed) -> str:
        """Somebody does this at the station; answers "", or a sentence why it is impossible now: nothing has changed.

        Raises `ValueError`, with a sentence, for what can never be done.
        """
        actions = self._station.by_hand(deed, self._loop.time())
        if isinstance(deed, PowerCycle):
            self._sever("the power failed")
        self._act(actions)
        refusals = (action for action in actions if isinstance(action, Log) and action.event == IMPOSSIBLE)
        return "".join(f"This cannot be done now: the connector is {refusal.fields['status']}." for refusal in refusals)

    def go_offline(self) -> None:
        """Pull the network cable; the station lives on, and cannot connect until `go_online`."""
        self._open.clear()
        self._sever("the network is gone")

    def go_online(self) -> None:
        """The network is there again, and the station connects at once."""
        if not (self._online and self._open.is_set()):
            self._hurry.set()  # though the end of the last connection may not have been noticed yet
        self._open.set()

    def trouble(self, trouble: Trouble) -> None:
        """Something goes wrong from now on, or once, beside what does so already.

        Raises `ValueError`, with a sentence, for what cannot go wrong with this kind of link, and `ConnectionError` for
        what needs a connection when there is none. A link that is stopped leaves without any trouble.
        """
        if isinstance(trouble, Outage):
            self._outages.begin(trouble)
        else:
            self._suffer(trouble)

    def heal(self) -> None:
        """Nothing goes wrong any more, and a station that was to stay away connects again."""
        self._outages.end()
        self._recover()

    async def call(self, action: str, payload: Payload) -> CallEnded:
        """Send a CALL beside those of the station, which never hears of the answer. Raises `ConnectionError`."""
        if not self._online:
            raise ConnectionError("The station is not connected.")
        number, future = self._calls.begin()
        ask = Ask(action, payload, number)
        self._audience.wanted(ask)
        self._ask(ask)
        self._flush()
        return await future

    def send(self, action: str, payload: Payload) -> None:
        """Send a SEND (OCPP 2.1). Raises `ConnectionError`, and `ValueError`, with a sentence, for what is none."""
        if not self._online:
            raise ConnectionError("The station is not connected.")
        send = Send(action, payload)
        if reason := self._send(send):
            raise ValueError(reason)
        self._audience.wanted(send)
        self._flush()

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

    def _send(self, send: Send) -> str:
        """Carry it out; answers "", or a sentence why it was not sent."""
        return "Only OCPP 2.1 over WebSocket has a SEND."

    @abstractmethod
    def _disconnect(self) -> None:
        """Carry it out: `_converse` returns soon."""

    @abstractmethod
    def _sever(self, reason: str) -> None:
        """The connection is gone without a word, if there is one: `_converse` returns at once."""

    @abstractmethod
    def _suffer(self, trouble: Lasting | Sentence) -> None:
        """As `trouble`."""

    @abstractmethod
    def _recover(self) -> None:
        """What `_suffer` began is over."""

    def _flush(self) -> None:
        """The actions of one input are carried out."""
        self._arm()

    # --- what the station wants ---------------------------------------------------------------------------------------

    def _tell(self, events: list[Event], now: float) -> None:
        for event in events:
            self._audience.happened(event)
            if not self._calls.took(event):
                self._act(self._station.session_event(event, now))

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            self._carry_out(action)
        self._flush()
        self._audience.changed()

    def _carry_out(self, action: Action) -> None:
        self._audience.wanted(action)
        match action:
            case Log():
                self._logbook.write(action)
            case Reconnect():
                self._pause = action.after
            case Disconnect():
                self._disconnect()
            case Ask():
                self._ask(action)
            case Send():
                if reason := self._send(action):
                    self._logbook.write(Log("complaint", {"action": action.action, "reason": reason}, "warning"))
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

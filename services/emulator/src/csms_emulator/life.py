"""What stations of every version live through: connections, the registration, the queue of messages, and leaving.

No I/O and no clock. Inputs: `connected`, `disconnected`, `session_event` (an event of csms_ocpp.session),
`handle_timer`, `transferred`, `by_hand`, `shut_down`. Each takes the time and returns the actions to carry out, in
order. `timer` is when `handle_timer` is due next.

Times are seconds on any monotonic clock, always the same one. A station survives its connections: transactions go on
while it is offline, and what it has to say about them is delivered later.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Generic, assert_never

import msgspec

from csms_emulator.actions import Action, Ask, Disconnect, Payload, Reconnect, Refuse, Transferred
from csms_emulator.admission import BOOT, HEARTBEAT, Admission
from csms_emulator.attended import Attended, B, Ending, P
from csms_emulator.back_off import BackOff
from csms_emulator.outbox import Message
from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import AnswerRefused, CallEnded, CallReceived, Complaint, Event, Outcome, SendReceived

SOFT_RESET_DEADLINE = 30.0
RESTART = 20.0  # emulated seconds
TELL_TIME = ("BootNotification", "Heartbeat")

decode = msgspec.json.Decoder(Payload).decode


class Life(Attended[B, P], Generic[B, P]):
    """The base of each version's station, which makes the board, the registration and the places."""

    def __init__(self, board: B, registration: Admission, places: Mapping[int, P]) -> None:
        super().__init__(board, registration, places)
        self._back_off = BackOff(board.random)

    # --- inputs -------------------------------------------------------------------------------------------------------

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None: only after another input."""
        sends = self.board.online and self._ending is None
        waits = [self.board.agenda.timer, self.board.outbox.timer if sends else None, self._next_look()]
        return min((at for at in waits if at is not None), default=None)

    def connected(self, now: float) -> list[Action]:
        """The central system can be asked: the WebSocket is open."""
        with self.board.collect() as actions:
            self._connected = True
            self._awake(now)
            self.board.log("connected")
            if self._registration.accepted:
                self._listen(now, booted=False)
            elif not self._registration.waiting:
                self._registration.boot()
            self._settle(now)
        return actions

    def disconnected(self, now: float) -> list[Action]:
        """It cannot be asked: the WebSocket is gone, say, or was never there.

        Ends the Ask under way; `CallEnded` need not follow.
        """
        board = self.board
        with board.collect() as actions:
            self._connected = board.online = False
            lost = board.outbox.disconnected()
            self._lost(lost)
            for place in self._places.values():
                place.disconnected({m.action for m in lost if m.connector == place.number}, now)
            board.agenda.cancel(HEARTBEAT)
            ending, self._ending = self._ending, None
            if ending is None:
                board.actions.append(Reconnect(self._back_off.next()))
            elif ending.boot:
                self._restart(ending.boot, now)
        return actions

    def session_event(self, event: Event, now: float) -> list[Action]:
        """The session, or what stands for it over SOAP, says so."""
        with self.board.collect() as actions:
            match event:
                case CallEnded():
                    self._ended(event, now)
                case CallReceived():
                    self._command(event, now)
                case Complaint():
                    self.board.log("complaint", "debug", kind=event.kind, reason=event.reason, action=event.action)
                case AnswerRefused():
                    self.board.log("complaint", "debug", reason=str(event))
                case SendReceived():
                    pass  # OCPP 2.1: only stations send
                case _:
                    assert_never(event)
            self._settle(now)
        return actions

    def handle_timer(self, now: float) -> list[Action]:
        """The time has come for whatever is due."""
        with self.board.collect() as actions:
            while entry := self.board.agenda.take_due(now):
                occasion, number = entry
                if number:
                    self._places[number].handle_timer(occasion, now)
                elif occasion == HEARTBEAT:
                    self._registration.heartbeat(now)
                elif occasion == BOOT:
                    self._boot_again()
                else:
                    self._occasion(occasion, now)
            self._settle(now)
        return actions

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """The Transfer of this number has ended."""
        with self.board.collect() as actions:
            self._transferred(number, outcome, now)
            self._settle(now)
        return actions

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave: transactions end, and once that is said, or after `grace` seconds, the connection does.

        No Reconnect comes after this. While there is no connection there is nothing to wait for.
        """
        with self.board.collect() as actions:
            self._end(now, grace, "Other")
            self._settle(now)
        return actions

    # --- what the central system says ---------------------------------------------------------------------------------

    def _boot_again(self) -> None:
        if self._connected:
            self._registration.boot()

    def _ended(self, ended: CallEnded, now: float) -> None:
        outbox = self.board.outbox
        message = outbox.under_way
        if message is None or message.number != ended.context:
            return
        if ended.outcome is Outcome.RESULT:
            self._back_off.over()
            outbox.delivered()
            reply = decode(ended.payload)
            if message.action in TELL_TIME:
                # OCPP 1.6 §4.2, §4.6, OCPP 2.0.1 B01, G02: both answers bring the central system's time.
                self.board.set_clock(reply["currentTime"], now)
            self._understand(message, reply, now)
        elif ended.code == ErrorCode.SECURITY_ERROR and message.action != "BootNotification":
            outbox.postpone()
            self._registration.forgotten(now)
            self._unauthorized(message, now)
        else:
            self._failed(message, ended, now)

    def _failed(self, message: Message, ended: CallEnded, now: float) -> None:
        if self.board.outbox.failed(now, *self._retries()) is None:
            return
        self.board.log("not delivered", "warning", action=message.action, reason=ended.description or ended.code)
        if message.action == "BootNotification":
            self._registration.unanswered(now)
        self._unauthorized(message, now)

    def _unauthorized(self, message: Message, now: float) -> None:
        if message.action == "Authorize":
            for place in self.at(message.connector):
                place.authorized(None, now)

    def _refuse(self, call: CallReceived, code: str, sentence: str) -> None:
        self.board.actions.append(Refuse(call.unique_id, code, sentence))

    # --- the connection -----------------------------------------------------------------------------------------------

    def _listen(self, now: float, *, booted: bool) -> None:
        """The central system listens: tell it what it does not know."""
        self.board.online = True
        self._registration.expect_heartbeat(now)
        for place in self._places.values():
            place.open(now, booted=booted)

    def _settle(self, now: float) -> None:
        """Close every input: send what may be sent, and leave when there is nothing left to say."""
        self._look(now)
        board, ending = self.board, self._ending
        if ending is None or now < ending.until:
            message = board.outbox.next(now, self._registration.status) if self._connected else None
            if message:
                board.actions.append(Ask(message.action, message.payload, message.number))
        if ending and not ending.told and self._connected and (now >= ending.until or not self._has_more_to_say()):
            ending.told = True
            board.actions.append(Disconnect())

    def _has_more_to_say(self) -> bool:
        return self.board.online and len(self.board.outbox) > 0

    def _end(self, now: float, grace: float, reason: str, *, boot: str = "") -> None:
        """End the transactions for this reason, and leave within `grace` seconds; `boot`: to come back."""
        self._stop_all(reason, now)
        self._leave_by(now + grace, boot=boot)

    def _leave_by(self, until: float, *, boot: str) -> None:
        told = self._ending is not None and self._ending.told
        self._ending = Ending(until, boot, told)
        self.board.agenda.clear()
        self.board.agenda.set(until, "leave")

    def _restart(self, reason: str, now: float) -> None:
        self._registration.restarted(reason)
        self._back_off.over()
        self.board.agenda.clear()
        for place in self._places.values():
            place.reboot(now)
        self.board.actions.append(Reconnect(RESTART / self.board.pace))

    # --- what differs -------------------------------------------------------------------------------------------------

    def _awake(self, now: float) -> None:
        """There is a connection."""

    def _lost(self, messages: list[Message]) -> None:
        """The connection is gone, and with it these."""

    def _look(self, now: float) -> None:
        """After every input, before anything is sent: what follows from it."""

    def _next_look(self) -> float | None:
        """When something follows without an input."""
        return None

    @abstractmethod
    def _occasion(self, occasion: str, now: float) -> None:
        """What is due concerns the station as a whole, and is no heartbeat."""

    @abstractmethod
    def _transferred(self, number: int, outcome: Transferred, now: float) -> None:
        """The Transfer of this number has ended."""

    @abstractmethod
    def _command(self, call: CallReceived, now: float) -> None:
        """The central system asks; exactly one Answer or Refuse comes of it."""

    @abstractmethod
    def _understand(self, message: Message, reply: Payload, now: float) -> None:
        """The message was answered."""

    @abstractmethod
    def _retries(self) -> tuple[int, float]:
        """How often a message about a transaction is tried, and the pause after the first time."""

    @abstractmethod
    def _stop_all(self, reason: str, now: float) -> None:
        """End every transaction; `reason` is one of OCPP 1.6 §7.36."""

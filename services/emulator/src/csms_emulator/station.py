"""A 1.6 charging station's behaviour, without I/O and without a clock.

Inputs: `connected`, `disconnected`, `session_event` (an event of csms_ocpp.session), `handle_timer`, `shut_down`. Each
takes the time and returns the actions to carry out, in order. `timer` is when `handle_timer` is due next.

Times are seconds on any monotonic clock, always the same one. A station survives its connections: transactions go on
while it is offline, and what it has to say about them is delivered later.
"""

from collections.abc import Sequence
from random import Random
from typing import assert_never

import msgspec

from csms_emulator import clock, smart_charging, triggers, upkeep
from csms_emulator.actions import Action, Answer, Ask, Disconnect, Payload, Reconnect, Refuse, Transferred
from csms_emulator.admission import BOOT, HEARTBEAT, PENDING
from csms_emulator.back_off import BackOff
from csms_emulator.board import Board
from csms_emulator.by_hand import ByHand
from csms_emulator.charging import USUAL, Outlet
from csms_emulator.commands import COMMANDS
from csms_emulator.configuration import Configuration
from csms_emulator.connector import Connector
from csms_emulator.outbox import Message
from csms_emulator.registration import Registration
from csms_emulator.upkeep import Upkeep
from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import AnswerRefused, CallEnded, CallReceived, Complaint, Event, Outcome, SendReceived

SOFT_RESET_DEADLINE = 30.0
RESTART = 20.0  # emulated seconds

_decode = msgspec.json.Decoder(Payload).decode


class _Ending(msgspec.Struct):
    """The connection is to end: when everything is said, or at `until`; with a restart, or for good."""

    until: float
    for_good: bool
    told: bool = False


class Station(ByHand):
    """One charging station.

    `epoch` is the time since 1970 at which the caller's clock stood at 0. `pace`: emulated seconds in a real one.
    `outlets` says how the connectors are made, where they differ from the usual ones. Without `drivers` nobody comes,
    stays or leaves but by hand. `security`: whether the station tells security events; over SOAP there are no words
    for them.
    """

    def __init__(
        self,
        serial: str,
        *,
        random: Random,
        epoch: float,
        connectors: int = 1,
        pace: float = 1.0,
        id_tags: tuple[str, ...] = (),
        security: bool = True,
        drivers: bool = True,
        outlets: Sequence[Outlet] = (),
    ) -> None:
        self.configuration = Configuration(connectors)
        self.board = Board(random, pace, epoch, self.configuration, id_tags, drivers)
        self.board.upkeep = Upkeep(serial, security)
        self._registration = Registration(serial, self.board)
        made = [*outlets, *[USUAL] * (connectors - len(outlets))]
        self.connectors = {
            n: Connector(n, self.board, kind=outlet.kind, power=outlet.power)
            for n, outlet in enumerate(made[:connectors], 1)
        }
        self._connected = False
        self._back_off = BackOff(random)
        self._ending: _Ending | None = None

    # --- inputs -------------------------------------------------------------------------------------------------------

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None: only after another input."""
        sends = self.board.online and self._ending is None
        waits = [self.board.agenda.timer, self.board.outbox.timer if sends else None]
        return min((at for at in waits if at is not None), default=None)

    def connected(self, now: float) -> list[Action]:
        """The central system can be asked: the WebSocket is open."""
        with self.board.collect() as actions:
            self._connected = True
            clock.await_clock(self, now)
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
            for connector in self.connectors.values():
                connector.disconnected({m.action for m in lost if m.connector == connector.number}, now)
            board.agenda.cancel(HEARTBEAT)
            ending, self._ending = self._ending, None
            if ending is None:
                board.actions.append(Reconnect(self._back_off.next()))
            elif not ending.for_good:
                self._restart(now)
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
                case SendReceived() | AnswerRefused():
                    pass  # 1.6 has neither
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
                    self.connectors[number].handle_timer(occasion, now)
                elif occasion == HEARTBEAT:
                    self._registration.heartbeat(now)
                elif occasion == clock.CLOCK:
                    clock.sample_aligned(self, now)
                elif occasion in upkeep.OCCASIONS:
                    upkeep.OCCASIONS[occasion](self, now)
                elif occasion == BOOT and self._connected:
                    self._registration.boot()
            self._settle(now)
        return actions

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """The Transfer of this number has ended."""
        with self.board.collect() as actions:
            upkeep.transferred(self, number, outcome, now)
            self._settle(now)
        return actions

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave: transactions end, and once that is said, or after `grace` seconds, the connection does.

        No Reconnect comes after this. While there is no connection there is nothing to wait for.
        """
        with self.board.collect() as actions:
            self._end(now, grace, "Other", for_good=True)
            self._settle(now)
        return actions

    # --- what commands do ---------------------------------------------------------------------------------------------

    @property
    def serving(self) -> bool:
        """Whether transactions may start and stop now. OCPP 1.6 §4.2: not by remote while Pending."""
        return self._registration.accepted and self._ending is None

    @property
    def may_be_triggered(self) -> bool:
        """Whether a TriggerMessage is obeyed. OCPP 1.6 §4.2: while Pending, too; while Rejected nothing is sent."""
        obeys = self._registration.accepted or self._registration.status == PENDING
        return obeys and self._ending is None

    @property
    def leaving(self) -> bool:
        """Whether the connection is to end, with a restart or for good."""
        return self._ending is not None

    def at(self, number: int) -> list[Connector]:
        """The connector with this number, if there is one."""
        return [self.connectors[number]] if number in self.connectors else []

    def reset(self, *, hard: bool, now: float) -> None:
        """Stop all transactions, leave, boot again.

        OCPP 1.6 §5.14: a soft reset ends transactions gracefully, their StopTransaction is sent first; a hard one
        restarts at once, and sends it after the next boot.
        """
        if self._ending is None:
            self.board.log("reset", kind="Hard" if hard else "Soft")
            upkeep.will_reset(self.board, now)
            grace, reason = (0.0, "HardReset") if hard else (SOFT_RESET_DEADLINE, "SoftReset")
            self._end(now, grace, reason, for_good=False)

    def trigger(self, message: str, connector: int | None, now: float) -> None:
        """Send the message of this name, as TriggerMessage wants it."""
        if message == "BootNotification":
            self._registration.boot()
        else:
            triggers.TRIGGERS[message](self.board, self.connectors, connector, now)

    def rearm(self, key: str, now: float) -> None:
        """The configuration key has changed: an interval counts from now."""
        upkeep.reconfigured(self.board, key, now)
        if key.lower() == "heartbeatinterval" and self.board.online:
            self._registration.expect_heartbeat(now)
        elif key.lower() == "metervaluesampleinterval":
            for connector in self.connectors.values():
                connector.sample_from(now)
        elif key.lower() == "clockaligneddatainterval":
            clock.await_clock(self, now)

    def report(self, now: float) -> None:
        """Tell the state of the station as a whole."""
        if self.board.online:
            triggers.report_station(self.board, self.connectors, now)

    def _command(self, call: CallReceived, now: float) -> None:
        command = COMMANDS.get(call.action)
        if command is None:
            sentence = f"This station has no {call.action}."
            self.board.actions.append(Refuse(call.unique_id, ErrorCode.NOT_SUPPORTED, sentence))
        else:
            self.board.actions.append(Answer(call.unique_id, command(self, _decode(call.payload), now)))

    # --- what the central system answers ------------------------------------------------------------------------------

    def _ended(self, ended: CallEnded, now: float) -> None:
        outbox = self.board.outbox
        message = outbox.under_way
        if message is None or message.number != ended.context:
            return
        if ended.outcome is Outcome.RESULT:
            self._back_off.over()
            outbox.delivered()
            self._understand(message, _decode(ended.payload), now)
        elif ended.code == ErrorCode.SECURITY_ERROR and message.action != "BootNotification":
            self._forgotten(message, now)
        else:
            self._failed(message, ended, now)

    def _understand(self, message: Message, reply: Payload, now: float) -> None:
        match message.action:
            case "BootNotification":
                if self._registration.answered(reply, now):
                    self._listen(now, booted=True)
            case "Authorize":
                status = reply["idTagInfo"]["status"]
                self.board.remember(message.body["idTag"], status)
                self.connectors[message.connector].authorized(status, now)
            case "StartTransaction":
                if message.transaction:
                    self.connectors[message.connector].started(message.transaction, reply, now)

    def _failed(self, message: Message, ended: CallEnded, now: float) -> None:
        attempts = self.configuration.number("TransactionMessageAttempts")
        pause = self.configuration.number("TransactionMessageRetryInterval")
        if self.board.outbox.failed(now, attempts, pause) is None:
            return
        self.board.log("not delivered", "warning", action=message.action, reason=ended.description or ended.code)
        if message.action == "BootNotification":
            self._registration.unanswered(now)
        elif message.action == "Authorize":
            self.connectors[message.connector].authorized(None, now)

    def _forgotten(self, message: Message, now: float) -> None:
        self.board.outbox.postpone()
        self._registration.forgotten(now)
        if message.action == "Authorize":
            self.connectors[message.connector].authorized(None, now)

    # --- the connection -----------------------------------------------------------------------------------------------

    def _listen(self, now: float, *, booted: bool) -> None:
        """The central system listens: tell it what it does not know."""
        self.board.online = True
        self._registration.expect_heartbeat(now)
        if booted:
            triggers.report_station(self.board, self.connectors, now)
        for connector in self.connectors.values():
            connector.open(now, booted=booted)
        upkeep.tell_untold(self.board)

    def _settle(self, now: float) -> None:
        """Close every input: send what may be sent, and leave when there is nothing left to say."""
        board, ending = self.board, self._ending
        smart_charging.obey(self, now)
        board.upkeep.record(board.actions, now)
        if ending is None or now < ending.until:
            message = board.outbox.next(now, self._registration.status) if self._connected else None
            if message:
                board.actions.append(Ask(message.action, message.payload, message.number))
        if ending and not ending.told and self._connected and (now >= ending.until or not self._has_more_to_say()):
            ending.told = True
            board.actions.append(Disconnect())

    def _has_more_to_say(self) -> bool:
        return self.board.online and len(self.board.outbox) > 0

    def _end(self, now: float, grace: float, reason: str, *, for_good: bool) -> None:
        for connector in self.connectors.values():
            connector.abort(reason, now)
        told = self._ending is not None and self._ending.told
        self._ending = _Ending(now + grace, for_good, told)
        self.board.agenda.clear()
        self.board.agenda.set(now + grace, "leave")

    def _restart(self, now: float) -> None:
        self._registration.status = ""
        self._back_off.over()
        self.board.upkeep.restarted()
        self.board.reserved.clear()
        self.board.agenda.clear()
        for connector in self.connectors.values():
            connector.reboot()
        self.board.actions.append(Reconnect(RESTART / self.board.pace))

"""A 2.x charging station's behaviour, without I/O and without a clock; 2.0.1 and 2.1 alike.

Inputs, outputs and times are those of `csms_emulator.station`. What the two versions do not share is not here: the
session refuses what its version does not have, and the device model and `other_commands` know the rest.
"""

from random import Random
from typing import assert_never

import msgspec

from csms_emulator.actions import Action, Answer, Ask, Disconnect, Payload, Reconnect, Refuse, Transferred
from csms_emulator.admission import BOOT, HEARTBEAT, REJECTED
from csms_emulator.back_off import BackOff
from csms_emulator.outbox import Message
from csms_emulator.station import RESTART, SOFT_RESET_DEADLINE
from csms_emulator.v2.board import Board
from csms_emulator.v2.commands import COMMANDS
from csms_emulator.v2.device import Device, utc
from csms_emulator.v2.evse import Evse
from csms_emulator.v2.other_commands import COMMANDS as OTHER_COMMANDS
from csms_emulator.v2.registration import Registration
from csms_emulator.v2.resets import Resets
from csms_emulator.v2.triggers import TRIGGERS
from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import AnswerRefused, CallEnded, CallReceived, Complaint, Event, Outcome, SendReceived
from csms_ocpp.version import Version

_decode = msgspec.json.Decoder(Payload).decode


class _Ending(msgspec.Struct):
    """The connection is to end: when everything is said, or at `until`; with a restart (`boot`: its reason), or not."""

    until: float
    boot: str = ""
    told: bool = False


class Station:
    """One charging station with `connectors` EVSEs of one connector each.

    `epoch` is the time since 1970 at which the caller's clock stood at 0. `pace`: emulated seconds in a real one.
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
        version: Version = Version.V2_1,
    ) -> None:
        self.device = Device(connectors, 1, time=lambda now: utc(epoch + now), version=version)
        self.board = Board(random, pace, epoch, self.device, id_tags)
        self._registration = Registration(serial, self.board)
        self.evses = {n: Evse(n, self.board) for n in range(1, connectors + 1)}
        self._connected = False
        self._back_off = BackOff(random)
        self._ending: _Ending | None = None
        self._resets = Resets(self.board, self.evses, self._leave, self._pause)

    # --- inputs -------------------------------------------------------------------------------------------------------

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None: only after another input."""
        sends = self.board.online and self._ending is None
        waits = [self.board.agenda.timer, self.board.outbox.timer if sends else None]
        return min((at for at in waits if at is not None), default=None)

    def connected(self, now: float) -> list[Action]:
        """The WebSocket is open."""
        with self.board.collect() as actions:
            self._connected = True
            self.board.log("connected")
            if self._registration.accepted:
                self._listen(now, booted=False)
            elif not self._registration.waiting:
                self._registration.boot()
            self._settle(now)
        return actions

    def disconnected(self, now: float) -> list[Action]:
        """The WebSocket is gone, or was never there. Ends the Ask under way; `CallEnded` need not follow."""
        board = self.board
        with board.collect() as actions:
            self._connected = board.online = False
            lost = board.outbox.disconnected()
            for evse in self.evses.values():
                evse.disconnected({m.action for m in lost if m.connector == evse.number}, now)
            board.agenda.cancel(HEARTBEAT)
            ending, self._ending = self._ending, None
            if ending is None:
                board.actions.append(Reconnect(self._back_off.next()))
            elif ending.boot:
                self._restart(ending.boot, now)
        return actions

    def session_event(self, event: Event, now: float) -> list[Action]:
        """The session says so."""
        with self.board.collect() as actions:
            match event:
                case CallEnded():
                    self._ended(event, now)
                case CallReceived():
                    self._command(event, now)
                case Complaint() | AnswerRefused():
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
                    self.evses[number].handle_timer(occasion, now)
                elif occasion == HEARTBEAT:
                    self._registration.heartbeat(now)
                elif occasion == BOOT and self._connected:
                    self._registration.boot()
            self._settle(now)
        return actions

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """Never comes: this station wants no Transfer."""
        return []

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave: transactions end, and once that is said, or after `grace` seconds, the connection does."""
        with self.board.collect() as actions:
            self._end(now, grace, "AbnormalCondition", "Other")
            self._settle(now)
        return actions

    # --- what commands do ---------------------------------------------------------------------------------------------

    @property
    def serving(self) -> bool:
        """Whether transactions may start and stop now. OCPP 2.0.1 B02: not by remote while Pending."""
        return self._registration.accepted and self._ending is None

    @property
    def may_be_triggered(self) -> bool:
        """Whether a TriggerMessage is obeyed. OCPP 2.0.1 B02: while Pending, too."""
        return self._registration.status != REJECTED and self._ending is None

    def at(self, number: int) -> list[Evse]:
        """The EVSE with this number, if there is one."""
        return [self.evses[number]] if number in self.evses else []

    def reset(self, number: int, kind: str, now: float) -> str:
        """Restart the EVSE of this number, or the station (0); answers the Reset's status."""
        return "Rejected" if self._ending else self._resets.ask(number, kind, now)

    def trigger(self, message: str, evses: list[Evse], now: float) -> str:
        """Send the message of this name; answers the TriggerMessage's status."""
        if message != "BootNotification":
            TRIGGERS[message](self.board, evses, now)
            return "Accepted"
        # OCPP 2.0.1 F06: a station whose last BootNotification was Accepted does not boot again.
        if self._registration.accepted:
            return "Rejected"
        self._registration.boot(triggered=True)
        return "Accepted"

    def _command(self, call: CallReceived, now: float) -> None:
        if self._registration.status == REJECTED:
            # OCPP 2.0.1 B03: who has rejected the station has nothing to ask of it.
            sentence = "This station is not registered."
            self.board.actions.append(Refuse(call.unique_id, ErrorCode.SECURITY_ERROR, sentence))
        elif command := COMMANDS.get(call.action):
            self.board.actions.append(Answer(call.unique_id, command(self, _decode(call.payload), now)))
        elif call.action in OTHER_COMMANDS:
            self._other_command(call, now)
        else:
            sentence = f"This station has no {call.action}."
            self.board.actions.append(Refuse(call.unique_id, ErrorCode.NOT_SUPPORTED, sentence))

    def _other_command(self, call: CallReceived, now: float) -> None:
        before = self._intervals()
        answer, calls = OTHER_COMMANDS[call.action](self.device, _decode(call.payload), now)
        self.board.actions.append(Answer(call.unique_id, answer))
        for action, body in calls:
            # OCPP 2.0.1 B02: what was asked for is told while Pending, too.
            self.board.outbox.post(action, body, triggered=True)
        heartbeat, sample = (old != new for old, new in zip(before, self._intervals(), strict=True))
        if heartbeat and self.board.online:
            self._registration.expect_heartbeat(now)
        for evse in self.evses.values() if sample else ():
            evse.sample_from(now)

    def _intervals(self) -> tuple[int, int]:
        number = self.board.number
        return number("OCPPCommCtrlr", "HeartbeatInterval"), number("SampledDataCtrlr", "TxUpdatedInterval")

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
            outbox.postpone()
            self._registration.forgotten(now)
            self._unauthorized(message, now)
        else:
            self._failed(message, ended, now)

    def _understand(self, message: Message, reply: Payload, now: float) -> None:
        match message.action:
            case "BootNotification":
                if self._registration.answered(reply, now):
                    self._listen(now, booted=True)
            case "Authorize":
                status = reply["idTokenInfo"]["status"]
                self.board.remember(message.body["idToken"], status)
                self.evses[message.connector].authorized(status, now)
            case "TransactionEvent":
                self.evses[message.connector].answered(message, reply, now)

    def _failed(self, message: Message, ended: CallEnded, now: float) -> None:
        attempts = self.board.number("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent")
        pause = self.board.number("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent")
        if self.board.outbox.failed(now, attempts, pause) is None:
            return
        self.board.log("not delivered", "warning", action=message.action, reason=ended.description or ended.code)
        if message.action == "BootNotification":
            self._registration.unanswered(now)
        self._unauthorized(message, now)

    def _unauthorized(self, message: Message, now: float) -> None:
        if message.action == "Authorize":
            self.evses[message.connector].authorized(None, now)

    # --- the connection -----------------------------------------------------------------------------------------------

    def _listen(self, now: float, *, booted: bool) -> None:
        """The central system listens: tell it what it does not know."""
        self.board.online = True
        self._registration.expect_heartbeat(now)
        for evse in self.evses.values():
            evse.open(now, booted=booted)

    def _settle(self, now: float) -> None:
        """Close every input: send what may be sent, and leave when there is nothing left to say."""
        self._resets.begin_what_is_idle(now)
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

    def _leave(self, reason: str, now: float) -> None:
        self._end(now, SOFT_RESET_DEADLINE, "ResetCommand", "ImmediateReset", boot=reason)

    def _pause(self, reason: str, now: float) -> None:
        for evse in self.evses.values():
            evse.pause(now)
        self._ending_by(now + SOFT_RESET_DEADLINE, boot=reason)

    def _end(self, now: float, grace: float, trigger: str, reason: str, *, boot: str = "") -> None:
        for evse in self.evses.values():
            evse.stop(trigger, reason, now)
        self._ending_by(now + grace, boot=boot)

    def _ending_by(self, until: float, *, boot: str) -> None:
        told = self._ending is not None and self._ending.told
        self._ending = _Ending(until, boot, told)
        self._resets.forget()
        self.board.agenda.clear()
        self.board.agenda.set(until, "leave")

    def _restart(self, reason: str, now: float) -> None:
        self._registration.restarted(reason)
        self._back_off.over()
        self.board.agenda.clear()
        for evse in self.evses.values():
            evse.reboot(now)
        self.board.actions.append(Reconnect(RESTART / self.board.pace))

"""A 2.x charging station's behaviour, without I/O and without a clock; 2.0.1 and 2.1 alike.

What it shares with 1.x is `life`. What 2.0.1 and 2.1 do not share is not here: the session refuses what its version
does not have, and the device model and `other_commands` know the rest.
"""

from random import Random

from csms_emulator.actions import Answer, Payload, Transferred
from csms_emulator.admission import REJECTED
from csms_emulator.life import SOFT_RESET_DEADLINE, Life, decode
from csms_emulator.outbox import Message
from csms_emulator.v2.board import Board
from csms_emulator.v2.commands import COMMANDS
from csms_emulator.v2.device import Device
from csms_emulator.v2.evse import Evse
from csms_emulator.v2.other_commands import COMMANDS as OTHER_COMMANDS
from csms_emulator.v2.registration import Registration
from csms_emulator.v2.resets import Resets
from csms_emulator.v2.transactions import ChargingState
from csms_emulator.v2.triggers import TRIGGERS
from csms_emulator.view import ConnectorView
from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import CallReceived
from csms_ocpp.version import Version

# The triggerReason of a transaction that ends with the station, by its stoppedReason; the others are abnormal.
_TRIGGERS = {"ImmediateReset": "ResetCommand"}


class Station(Life[Board, Evse]):
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
        self.device = Device(connectors, 1, time=lambda now: board.timestamp(now), version=version)
        board = Board(random, pace, epoch, self.device, id_tags)
        self.evses = {n: Evse(n, board) for n in range(1, connectors + 1)}
        super().__init__(board, Registration(serial, board), self.evses)
        self._resets = Resets(board, self.evses, self._leave, self._pause)

    # --- what commands do ---------------------------------------------------------------------------------------------

    @property
    def may_be_triggered(self) -> bool:
        """Whether a TriggerMessage is obeyed. OCPP 2.0.1 B02: while Pending, too."""
        return self._registration.status != REJECTED and self._ending is None

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
            self._refuse(call, ErrorCode.SECURITY_ERROR, "This station is not registered.")
        elif command := COMMANDS.get(call.action):
            self.board.actions.append(Answer(call.unique_id, command(self, decode(call.payload), now)))
        elif call.action in OTHER_COMMANDS:
            self._other_command(call, now)
        else:
            self._refuse(call, ErrorCode.NOT_SUPPORTED, f"This station has no {call.action}.")

    def _other_command(self, call: CallReceived, now: float) -> None:
        before = self._intervals()
        answer, calls = OTHER_COMMANDS[call.action](self.device, decode(call.payload), now)
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

    # --- a 2.x station's life -----------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        self._resets.begin_what_is_idle(now)

    def _occasion(self, occasion: str, now: float) -> None:
        pass  # what concerns the station as a whole has not come to be yet

    def _transferred(self, number: int, outcome: Transferred, now: float) -> None:
        pass  # nothing was wanted

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

    def _retries(self) -> tuple[int, float]:
        number = self.board.number
        return (
            number("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
            number("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
        )

    def _leave(self, reason: str, now: float) -> None:
        self._end(now, SOFT_RESET_DEADLINE, "ImmediateReset", boot=reason)

    def _pause(self, reason: str, now: float) -> None:
        for evse in self.evses.values():
            evse.pause(now)
        self._leave_by(now + SOFT_RESET_DEADLINE, boot=reason)

    def _leave_by(self, until: float, *, boot: str) -> None:
        super()._leave_by(until, boot=boot)
        self._resets.forget()

    def _stop_all(self, reason: str, now: float) -> None:
        for evse in self.evses.values():
            evse.stop(_TRIGGERS.get(reason, "AbnormalCondition"), reason, now)

    def _view_of(self, place: Evse, now: float) -> ConnectorView:
        place.measure(now)
        transaction, car = place.transaction, place.car
        return ConnectorView(
            number=place.number,
            status=place.status,
            state=transaction.state.value if transaction else "",
            plugged=car is not None,
            transaction=transaction.uuid if transaction else "",
            id_tag=transaction.id_tag if transaction else "",
            meter=int(place.register),
            power=car.power if car and transaction and transaction.state is ChargingState.CHARGING else 0.0,
            soc=round(car.soc * 100, 1) if car else None,
        )

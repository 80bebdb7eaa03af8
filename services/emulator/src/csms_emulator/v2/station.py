"""A 2.x charging station's behaviour, without I/O and without a clock; 2.0.1 and 2.1 alike.

What it shares with 1.x is `life`. What 2.0.1 and 2.1 do not share is not here: the session refuses what its version
does not have, and the device model and `other_commands` know the rest.
"""

from collections.abc import Sequence
from random import Random

from csms_emulator.actions import Answer, Payload, Transferred
from csms_emulator.admission import REJECTED
from csms_emulator.charging import USUAL, Outlet
from csms_emulator.deeds import PlaceDeed
from csms_emulator.life import SOFT_RESET_DEADLINE, Life, decode
from csms_emulator.outbox import Message
from csms_emulator.upkeep import Upkeep, will_reset
from csms_emulator.v2 import aligned, by_hand, condition, dynamic, limits, smart_charging, streams, upkeep
from csms_emulator.v2.board import Board
from csms_emulator.v2.commands import COMMANDS
from csms_emulator.v2.device import Device
from csms_emulator.v2.evse import Evse
from csms_emulator.v2.metering import SAMPLING
from csms_emulator.v2.other_commands import COMMANDS as OTHER_COMMANDS
from csms_emulator.v2.registration import Registration
from csms_emulator.v2.resets import Resets
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
    `outlets` says how the EVSEs are made, where they differ from the usual ones. Without `drivers` nobody comes, stays
    or leaves but by hand.
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
        drivers: bool = True,
        outlets: Sequence[Outlet] = (),
    ) -> None:
        self.device = Device(connectors, 1, time=lambda now: board.timestamp(now), version=version)
        board = Board(random, pace, epoch, self.device, id_tags, drivers)
        made = [*outlets, *[USUAL] * (connectors - len(outlets))]
        self.evses = {n: Evse(n, board, outlet) for n, outlet in enumerate(made[:connectors], 1)}
        for number, evse in self.evses.items():
            condition.make(self.device, number, evse.outlet)
        super().__init__(board, Registration(serial, board), self.evses)
        board.upkeep = Upkeep(serial, certificates=self.device.memory.keyring.station)
        self._started = False
        self._aligned: aligned.Armed = {}
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
        upkeep.post(self.board, calls, now)
        upkeep.reconfigured(self.board, answer.get("setVariableResult", ()), now)
        heartbeat, sample = (old != new for old, new in zip(before, self._intervals(), strict=True))
        if heartbeat and self.board.online:
            self._registration.expect_heartbeat(now)
        for evse in self.evses.values() if sample else ():
            evse.sample_from(now)

    def _intervals(self) -> tuple[int, tuple[str, ...]]:
        sampled = tuple(self.device.get("SampledDataCtrlr", name) for name in SAMPLING)
        return self.board.number("OCPPCommCtrlr", "HeartbeatInterval"), sampled

    # --- a 2.x station's life -----------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        self._resets.begin_what_is_idle(now)
        smart_charging.install_requested(self, now)
        limits.obey(self, now)
        aligned.await_clock(self, self._aligned, now)
        for evse in self.evses.values():
            evse.show_power()

        upkeep.look(self.board, now)

    def _next_look(self) -> float | None:
        return upkeep.next_look(self.board)

    def _awake(self, now: float) -> None:
        if not self._started:
            self._started = True
            upkeep.started(self.board, now)

    def _listen(self, now: float, *, booted: bool) -> None:
        super()._listen(now, booted=booted)
        upkeep.listen(self.board)

    def _lost(self, messages: list[Message]) -> None:
        upkeep.lost(self.board, messages)

    def _occasion(self, occasion: str, now: float) -> None:
        if occasion == dynamic.PULL:
            dynamic.pull(self, now)
        elif occasion in aligned.OCCASIONS:
            aligned.sample(self, occasion, now)
        elif occasion in upkeep.OCCASIONS:
            upkeep.OCCASIONS[occasion](self, now)

    def _transferred(self, number: int, outcome: Transferred, now: float) -> None:
        upkeep.transferred(self, number, outcome, now)

    def _understand(self, message: Message, reply: Payload, now: float) -> None:
        match message.action:
            case "BootNotification":
                if self._registration.answered(reply, now):
                    self._listen(now, booted=True)
            case "Authorize":
                info = reply["idTokenInfo"]
                self.board.remember(message.body["idToken"], info)
                self.evses[message.connector].authorized(info["status"], now)
            case "TransactionEvent":
                self.evses[message.connector].answered(message, reply, now)
            case "PullDynamicScheduleUpdate":
                dynamic.pulled(self, message.body["chargingProfileId"], reply, now)

            case streams.OPEN:
                streams.answered(self.board, message.body["constantStreamData"]["id"], reply, now)

    def _retries(self) -> tuple[int, float]:
        number = self.board.number
        return (
            number("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
            number("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
        )

    @property
    def idle(self) -> bool:
        """Whether no transaction goes on."""
        return not any(evse.transaction for evse in self.evses.values())

    def renew(self, now: float) -> None:
        """Restart, with the firmware that was installed just now."""
        self.device.set("ChargingStation", "FirmwareVersion", self.board.upkeep.version)
        self._leave("FirmwareUpdate", now)

    def _leave(self, reason: str, now: float) -> None:
        will_reset(self.board, now)
        self._end(now, SOFT_RESET_DEADLINE, "ImmediateReset", boot=reason)

    def _pause(self, reason: str, now: float) -> None:
        will_reset(self.board, now)
        for evse in self.evses.values():
            evse.pause(now)
        self._leave_by(now + SOFT_RESET_DEADLINE, boot=reason)

    def _restart(self, reason: str, now: float) -> None:
        # OCPP 2.0.1 K01: TxProfiles do not survive a restart, even where their transaction does; all others do.
        self.board.profiles.remain(set())
        upkeep.restarted(self.board)
        self._started = False
        super()._restart(reason, now)

    def _leave_by(self, until: float, *, boot: str) -> None:
        super()._leave_by(until, boot=boot)
        self._resets.forget()

    def _stop_all(self, reason: str, now: float) -> None:
        for evse in self.evses.values():
            evse.stop(_TRIGGERS.get(reason, "AbnormalCondition"), reason, now)

    def _check(self, deed: PlaceDeed) -> None:
        super()._check(deed)
        by_hand.check(deed, self.device.version)

    def _view_of(self, place: Evse, now: float) -> ConnectorView:
        place.measure(now)
        transaction, car = place.transaction, place.car
        return ConnectorView(
            number=place.number,
            status=place.status,
            state=transaction.state.value if transaction else "",
            parked=place.parked,
            plugged=car is not None,
            transaction=transaction.uuid if transaction else "",
            id_tag=transaction.id_tag if transaction else "",
            meter=int(place.register),
            power=place.power,
            soc=round(car.soc * 100, 1) if car else None,
            error=place.error,
        )

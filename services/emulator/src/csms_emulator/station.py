"""A 1.6 charging station's behaviour, without I/O and without a clock; what it shares with 2.x is `life`."""

from collections.abc import Sequence
from random import Random

from csms_emulator import by_hand, clock, smart_charging, triggers, upkeep
from csms_emulator.actions import Answer, Payload, Transferred
from csms_emulator.admission import PENDING
from csms_emulator.board import Board
from csms_emulator.charging import USUAL, Outlet
from csms_emulator.commands import COMMANDS
from csms_emulator.configuration import Configuration
from csms_emulator.connector import Connector
from csms_emulator.deeds import PlaceDeed
from csms_emulator.life import SOFT_RESET_DEADLINE, Life, decode
from csms_emulator.outbox import Message
from csms_emulator.place import NO_ERROR
from csms_emulator.registration import Registration
from csms_emulator.upkeep import Upkeep
from csms_emulator.view import ConnectorView
from csms_ocpp.errors import ErrorCode
from csms_ocpp.session import CallReceived


class Station(Life[Board, Connector]):
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
        board = Board(random, pace, epoch, self.configuration, id_tags, drivers)
        board.upkeep = Upkeep(serial, security)
        made = [*outlets, *[USUAL] * (connectors - len(outlets))]
        self.connectors = {
            n: Connector(n, board, kind=outlet.kind, power=outlet.power)
            for n, outlet in enumerate(made[:connectors], 1)
        }
        super().__init__(board, Registration(serial, board), self.connectors)

    # --- what commands do ---------------------------------------------------------------------------------------------

    @property
    def may_be_triggered(self) -> bool:
        """Whether a TriggerMessage is obeyed. OCPP 1.6 §4.2: while Pending, too; while Rejected nothing is sent."""
        obeys = self._registration.accepted or self._registration.status == PENDING
        return obeys and self._ending is None

    def reset(self, *, hard: bool, now: float) -> None:
        """Stop all transactions, leave, boot again.

        OCPP 1.6 §5.14: a soft reset ends transactions gracefully, their StopTransaction is sent first; a hard one
        restarts at once, and sends it after the next boot.
        """
        if self._ending is None:
            self.board.log("reset", kind="Hard" if hard else "Soft")
            upkeep.will_reset(self.board, now)
            grace, reason = (0.0, "HardReset") if hard else (SOFT_RESET_DEADLINE, "SoftReset")
            self._end(now, grace, reason, boot="RemoteReset")

    @property
    def idle(self) -> bool:
        """Whether no transaction goes on."""
        return not any(connector.transaction for connector in self.connectors.values())

    def renew(self, now: float) -> None:
        """Restart, with the firmware that was installed just now."""
        self.reset(hard=False, now=now)

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
            self._refuse(call, ErrorCode.NOT_SUPPORTED, f"This station has no {call.action}.")
        else:
            self.board.actions.append(Answer(call.unique_id, command(self, decode(call.payload), now)))

    # --- a 1.6 station's life -----------------------------------------------------------------------------------------

    def _awake(self, now: float) -> None:
        clock.await_clock(self, now)

    def _occasion(self, occasion: str, now: float) -> None:
        if occasion == clock.CLOCK:
            clock.sample_aligned(self, now)
        elif occasion in upkeep.OCCASIONS:
            upkeep.OCCASIONS[occasion](self, now)

    def _look(self, now: float) -> None:
        smart_charging.obey(self, now)
        self.board.upkeep.record(self.board.actions, now)

    def _transferred(self, number: int, outcome: Transferred, now: float) -> None:
        upkeep.transferred(self, number, outcome, now)

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

    def _retries(self) -> tuple[int, float]:
        number = self.configuration.number
        return number("TransactionMessageAttempts"), number("TransactionMessageRetryInterval")

    def _listen(self, now: float, *, booted: bool) -> None:
        self.board.online = True
        if booted:
            triggers.report_station(self.board, self.connectors, now)
        super()._listen(now, booted=booted)
        upkeep.tell_untold(self.board)

    def _lost(self, messages: list[Message]) -> None:
        upkeep.lost(self.board, messages)

    def _stop_all(self, reason: str, now: float) -> None:
        for connector in self.connectors.values():
            connector.abort(reason, now)

    def _restart(self, reason: str, now: float) -> None:
        self.board.upkeep.restarted()
        self.board.reserved.clear()
        super()._restart(reason, now)

    def _check(self, deed: PlaceDeed) -> None:
        super()._check(deed)
        by_hand.check(deed)

    def _view_of(self, place: Connector, now: float) -> ConnectorView:
        place.measure(now)
        transaction, car = place.transaction, place.car
        return ConnectorView(
            number=place.number,
            status=place.status.value,
            parked=place.parked,
            plugged=car is not None,
            transaction=("?" if transaction.id is None else str(transaction.id)) if transaction else "",
            id_tag=transaction.id_tag if transaction else "",
            meter=int(place.register),
            power=car.power if car and transaction else 0.0,
            soc=round(car.soc * 100, 1) if car else None,
            error="" if place.error == NO_ERROR else place.error,
        )

"""Who may use an EVSE: cards that are presented before the cable or after it, by hand, by remote or by the car itself.

Knows neither the connection nor the registration: what is to be said goes to the board's outbox, and the station hands
back what the central system answered.
"""

from csms_emulator.actions import Payload
from csms_emulator.charging import Outlet
from csms_emulator.metering import Allowance
from csms_emulator.outbox import Message
from csms_emulator.use import RESERVATION, STAYS, TIMEOUT
from csms_emulator.v2 import points
from csms_emulator.v2.board import Board
from csms_emulator.v2.course import Course
from csms_emulator.v2.local_list import key

NOBODY: Payload = {"idToken": "", "type": "NoAuthorization"}


class Use(Course):
    """Of the EVSE `number`."""

    def __init__(self, number: int, board: Board, outlet: Outlet) -> None:
        super().__init__(number, board, outlet)
        self._id_token: Payload = {}  # the card that was presented last, or that will be

    @property
    def promised(self) -> bool:
        """Whether somebody has shown a card, or was started by remote, who has no transaction yet."""
        return self._asking or self.awaited or (self.holder is not None and self.transaction is None)

    @property
    def may_begin(self) -> bool:
        """Whether a transaction is there for a driver, or could be."""
        if self.transaction:
            return not self.transaction.authorized
        return self.car is None or points.wait_for_a_card(self._start_points)

    # --- to begin -----------------------------------------------------------------------------------------------------

    def plug_in(self, now: float) -> None:
        """A car comes and plugs in. OCPP 2.0.1 C02: where nobody has to be authorized, everybody is."""
        super().plug_in(now)
        if not self.board.flag("AuthCtrlr", "Enabled") and self.holder is None and not self.promised:
            self.swipe(NOBODY, now)

    def swipe(self, id_token: Payload, now: float) -> None:
        """A card is presented: to begin, or to end what the same one began."""
        if self.transaction and self.transaction.authorized:
            self._swipe_to_end(id_token, now)
        elif self.reservation and not self.reservation.group and not self._fits(id_token):
            self._refused(id_token, "reserved for another driver")
        elif not self.may_begin:
            self._refused(id_token, "no transaction begins before the cable is pulled")
        else:
            self._id_token = id_token
            self._present_card(now)

    def _present_card(self, now: float) -> None:
        trusted = self.awaited and not self.board.flag("AuthCtrlr", "AuthorizeRemoteStart")
        status = "Accepted" if trusted else self.board.judged(self._id_token)
        if status:
            self._decided(status, now)
        elif not self._asking:
            self._ask(now)

    def _ask(self, now: float) -> None:
        self._asking = True
        if self.board.online:
            self.board.outbox.post("Authorize", {"idToken": self._id_token}, connector=self.number)
        else:
            self.authorized(None, now)

    def authorized(self, status: str | None, now: float) -> None:
        """What the central system says about the card that waits, if one does; None: it could not be asked."""
        if not self._asking:
            return
        self._asking = False
        if status is None:
            status = "Accepted" if self.board.trusts_offline(self._id_token) else "unknown while offline"
        if self.transaction and self.transaction.authorized:
            self._decided_to_end(status, now)
        else:
            self._decided(status, now)

    def _decided(self, status: str, now: float) -> None:
        if status == "Accepted" and not self._fits(self._id_token):
            status = "reserved for another driver"
        if status == "Accepted":
            self._admit(now)
            return
        self._refused(self._id_token, status)
        self._forget_holder()
        if self.board.drivers and self.car:
            self.unplug(now)
        else:
            self._await_next(now)

    def _admit(self, now: float) -> None:
        """The driver may charge: at once, or once a car is there."""
        trigger = "RemoteStart" if self.awaited else "Authorized"
        self.holder = self._id_token
        if self.car is None:
            self._await_cable(now)
        self._notice(now)
        self._changed(trigger, now)
        if self.car and self.holder:
            self._at(now, STAYS)

    def _fits(self, id_token: Payload) -> bool:
        return self.reservation is None or self.reservation.fits(id_token, self.board.groups.get(key(id_token)))

    # --- the cable does not come --------------------------------------------------------------------------------------

    def _await_cable(self, now: float) -> None:
        wait = self.board.number("TxCtrlr", "EVConnectionTimeOut")
        self.board.agenda.cancel(RESERVATION, self.number)
        self.board.agenda.set(now + wait / self.board.pace, TIMEOUT, self.number)

    def _time_out(self, now: float) -> None:
        # OCPP 2.0.1 E03: who has not plugged in by then is not authorized any more.
        if self.holder and self.car is None:
            self.board.log("not plugged in", evse=self.number, id_token=self.holder["idToken"])
            self.revoke("EVConnectTimeout", "Timeout", now)

    # --- to end -------------------------------------------------------------------------------------------------------

    def _swipe_to_end(self, id_token: Payload, now: float) -> None:
        board = self.board
        if self.holder is None:
            self._refused(id_token, "the transaction is about to end")
        elif key(id_token) == key(self.holder):
            self.revoke("StopAuthorized", "Local", now, idToken=id_token)
        elif key(self.holder) in board.groups or board.device.get("AuthCtrlr", "MasterPassGroupId"):
            self._id_token = id_token
            self._ask(now)
        else:
            self._refused(id_token, "another driver charges")

    def _decided_to_end(self, status: str, now: float) -> None:
        """Another card was presented during a transaction: one of the same group ends it, and so does a master's."""
        groups, holder = self.board.groups, self.holder
        group = groups.get(key(self._id_token)) if status == "Accepted" else None
        if group is None or holder is None:
            self._refused(self._id_token, "another driver charges")
        elif group == groups.get(key(holder)):
            self.revoke("StopAuthorized", "Local", now, idToken=self._id_token)
        elif group["idToken"] == self.board.device.get("AuthCtrlr", "MasterPassGroupId"):
            # OCPP 2.0.1 C16
            self.revoke("StopAuthorized", "MasterPass", now, idToken=self._id_token)
        else:
            self._refused(self._id_token, "another driver charges")

    def answered(self, message: Message, reply: Payload, now: float) -> None:
        """A TransactionEvent of this EVSE was answered."""
        id_token, info = message.body.get("idToken"), reply.get("idTokenInfo", {})
        if not id_token or not info:
            return
        self.board.remember(id_token, info)
        if info["status"] == "Accepted" or message.transaction is not self.transaction or self.holder is None:
            return
        self._refused(id_token, info["status"])
        if self.board.flag("TxCtrlr", "StopTxOnInvalidId"):
            self.revoke("Deauthorized", "DeAuthorized", now)
            return
        # OCPP 2.0.1 E05: the transaction goes on, and its energy until MaxEnergyOnInvalidId has flowed.
        self.measure(now)
        self._allowance = Allowance(self.register + self.board.number("TxCtrlr", "MaxEnergyOnInvalidId"))
        self._watch_allowance(now)

    def _refused(self, id_token: Payload, reason: str) -> None:
        self.board.log("refused", evse=self.number, id_token=id_token["idToken"], reason=reason)

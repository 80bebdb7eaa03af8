"""A 2.x central system played by hand, for one station: no loop, no socket, no clock but a number.

Everything the station says is checked against the official schemas on its way in; 2.1's where nothing else is said.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec import Raw

from csms_emulator.actions import (
    Action,
    Answer,
    Ask,
    Disconnect,
    Log,
    Reconnect,
    Refuse,
    Send,
    Transfer,
    Transferred,
)
from csms_emulator.deeds import Deed
from csms_emulator.v2.device import utc
from csms_emulator.v2.station import Station
from csms_ocpp import schemas
from csms_ocpp.frames import EMPTY
from csms_ocpp.session import CallEnded, CallReceived, Outcome
from csms_ocpp.version import MessageId, Version
from tests.unit.emulator.driving import EPOCH, Payload, check

TOKEN = {"idToken": "TAG", "type": "ISO14443"}
OTHER = {"idToken": "OTHER", "type": "ISO14443"}
ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


class Central:
    """Asks under way wait in `pending`; `replies` says how `run` answers them (None: not at all)."""

    def __init__(self, *, version: Version = Version.V2_1, seed: int = 1, **options: Any) -> None:
        self.now = 100.0
        self.version = version
        self.station = Station("EMU-00001", random=Random(seed), epoch=EPOCH, version=version, **options)
        self.pending: Ask | None = None
        self.asked: list[tuple[str, Payload]] = []
        self.logged: list[Log] = []
        self.sent: list[Payload] = []  # of the SENDs: there is just one action
        self.transfers: list[Transfer] = []  # those under way
        self.leaving = False
        self.reconnect: float | None = None
        self.replies: dict[str, Payload | None] = {}
        self._said: list[Answer | Refuse] = []

    # --- inputs -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        self.reconnect, self.leaving = None, False
        self._take(self.station.connected(self.now))

    def disconnect(self) -> None:
        self.pending = None
        self._take(self.station.disconnected(self.now))

    def reply(self, payload: Payload) -> None:
        ask = self._pop()
        self._end(ask, Outcome.RESULT, payload=Raw(check(self.version, ask.action, schemas.RESPONSE, payload)))

    def fail(self, outcome: Outcome = Outcome.TIMEOUT, code: str = "") -> None:
        self._end(self._pop(), outcome, code=code)

    def command(self, action: str, payload: Payload | None = None) -> Payload | Refuse:
        """What the station answers: the payload of its CALLRESULT, or its refusal."""
        encoded = check(self.version, action, schemas.REQUEST, payload or {})
        self._take(self.station.session_event(CallReceived(MessageId("c"), action, Raw(encoded)), self.now))
        (said,) = self._said
        self._said = []
        if isinstance(said, Refuse):
            return said
        check(self.version, action, schemas.RESPONSE, said.payload)
        return said.payload

    def by_hand(self, *deeds: Deed) -> None:
        """Somebody does this at the station, one thing after the other; what it asks is answered at once."""
        for deed in deeds:
            self.do(deed)
            self.settle()

    def do(self, deed: Deed) -> None:
        """As `by_hand`, and what the station asks waits."""
        self._take(self.station.by_hand(deed, self.now))

    def variable(self, component: str, variable: str, value: str) -> None:
        """SetVariables, of one variable that can be set."""
        item = {"attributeValue": value, "component": {"name": component}, "variable": {"name": variable}}
        answer = self.command("SetVariables", {"setVariableData": [item]})
        assert isinstance(answer, dict)
        assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"

    def transferred(self, outcome: Transferred | None = None) -> Transfer:
        """The one transfer under way ends, well if nothing else is said; answers it."""
        (transfer,) = self.transfers
        self.transfers.clear()
        self._take(self.station.transferred(transfer.number, outcome or Transferred(), self.now))
        return transfer

    def shut_down(self, grace: float) -> None:
        self._take(self.station.shut_down(self.now, grace))

    # --- time ---------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass; what the station asks is answered at once."""
        self.run_until(lambda: False, seconds)

    def run_until(self, done: Callable[[], bool], most: float = 36_000.0) -> None:
        """Let time pass until `done`, or for `most` seconds."""
        end = self.now + most
        while not done():
            if self.pending and self._answer():
                continue
            due = self.station.timer
            if due is None or due > end:
                self.now = max(self.now, end)
                return
            self.now = max(self.now, due)
            self._take(self.station.handle_timer(self.now))

    def run_until_asked(self, action: str) -> None:
        """Let time pass until this CALL is under way; `replies` must leave it unanswered."""
        self.run_until(lambda: self.pending is not None and self.pending.action == action)
        assert self.pending

    def settle(self) -> None:
        """Answer what is asked, without letting time pass."""
        while self.pending and self._answer():
            pass

    # --- what was said ------------------------------------------------------------------------------------------------

    def take(self) -> list[tuple[str, Payload]]:
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked

    def payloads(self, action: str) -> list[Payload]:
        return [payload for name, payload in self.asked if name == action]

    def events(self) -> list[tuple[str, str]]:
        """What the TransactionEvents were and why, in order."""
        return [(p["eventType"], p["triggerReason"]) for p in self.payloads("TransactionEvent")]

    def statuses(self, evse: int = 1) -> list[str]:
        return [p["connectorStatus"] for p in self.payloads("StatusNotification") if p["evseId"] == evse]

    def uuid(self, evse: int = 1) -> str:
        """The id of the transaction there."""
        transaction = self.station.evses[evse].transaction
        assert transaction
        return transaction.uuid

    # --- inside -------------------------------------------------------------------------------------------------------

    def _answer(self) -> bool:
        assert self.pending
        payload = self.replies.get(self.pending.action, _default(self.pending.action, self.now))
        if payload is not None:
            self.reply(payload)
        return payload is not None

    def _pop(self) -> Ask:
        ask, self.pending = self.pending, None
        assert ask, "nothing is asked"
        return ask

    def _end(self, ask: Ask, outcome: Outcome, payload: Raw = EMPTY, code: str = "") -> None:
        event = CallEnded(MessageId("m"), ask.action, outcome, ask.number, payload, code, "")
        self._take(self.station.session_event(event, self.now))

    def _take(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Ask():
                    assert self.pending is None, "two CALLs under way"
                    check(self.version, action.action, schemas.REQUEST, action.payload)
                    self.pending = action
                    self.asked.append((action.action, action.payload))
                case Answer() | Refuse():
                    self._said.append(action)
                case Disconnect():
                    self.leaving = True
                case Reconnect():
                    self.reconnect = action.after
                case Send():
                    check(self.version, action.action, schemas.REQUEST, action.payload)
                    self.sent.append(action.payload)
                case Transfer():
                    self.transfers.append(action)
                case Log():
                    self.logged.append(action)


def _default(action: str, now: float) -> Payload:
    match action:
        case "BootNotification":
            return {"status": "Accepted", "currentTime": utc(EPOCH + now), "interval": 300}
        case "Heartbeat":
            return {"currentTime": utc(EPOCH + now)}
        case "Authorize":
            return {"idTokenInfo": {"status": "Accepted"}}
        case "SignCertificate" | "OpenPeriodicEventStream":
            return {"status": "Accepted"}
        case _:
            return {}


def booted(**options: Any) -> Central:
    """A central system that has accepted the station and heard its first statuses."""
    central = Central(**options)
    central.connect()
    central.settle()
    central.take()
    return central


def charging(**options: Any) -> Central:
    """As `booted`, and a driver charges at EVSE 1, started by remote."""
    central = booted(**options)
    answer = central.command("RequestStartTransaction", {"evseId": 1, "idToken": TOKEN, "remoteStartId": 5})
    assert answer == ACCEPTED
    central.run_until(lambda: central.station.evses[1].transaction is not None, 60)
    central.settle()
    central.take()
    return central

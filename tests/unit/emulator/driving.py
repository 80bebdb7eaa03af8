"""A central system played by hand, for one station: no loop, no socket, no clock but a number.

Everything the station says is checked against the official schemas on its way in.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from msgspec import Raw

from csms_emulator import v15
from csms_emulator.actions import Action, Answer, Ask, Disconnect, Log, Reconnect, Refuse, Transfer, Transferred
from csms_emulator.behaviour import Behaviour
from csms_emulator.charging import Outlet
from csms_emulator.deeds import Deed
from csms_emulator.station import Station
from csms_emulator.v2.device import utc
from csms_ocpp import schemas
from csms_ocpp.frames import EMPTY
from csms_ocpp.session import CallEnded, CallReceived, Outcome
from csms_ocpp.version import MessageId, Version

EPOCH = 1_700_000_000.0  # 2023-11-14T22:13:20Z
TIME = "2023-11-14T22:13:20Z"

NEW = 0  # as a transactionId in a reply: the next number

Payload = dict[str, Any]


def check(version: Version, action: str, part: str, payload: Payload) -> bytes:
    """The payload's bytes; an assertion fails when its schema refuses it."""
    encoded = msgspec.json.encode(payload)
    violation = schemas.table(version)[action, part].check(encoded)
    assert violation is None, (violation, action, payload)
    return encoded


class Central:
    """`station` is what is driven, behind its translation where `version` is 1.5.

    Asks under way wait in `pending`; `replies` says how `run` answers them (None: not at all).
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        connectors: int = 1,
        pace: float = 1.0,
        id_tags: tuple[str, ...] = (),
        version: Version = Version.V1_6,
        drivers: bool = True,
        outlets: tuple[Outlet, ...] = (),
    ) -> None:
        self.now = 100.0
        self.station = Station(
            "EMU-00001",
            random=Random(seed),
            epoch=EPOCH,
            connectors=connectors,
            pace=pace,
            id_tags=id_tags,
            drivers=drivers,
            outlets=outlets,
        )
        self.version = version
        self.behaviour: Behaviour = v15.Station(self.station) if version is Version.V1_5 else self.station
        self.pending: Ask | None = None
        self.asked: list[tuple[str, Payload]] = []
        self.started: list[tuple[int, int, Payload]] = []  # len(asked) at the answer, the transaction's id, the start
        self.logged: list[Log] = []
        self.transfers: list[Transfer] = []  # those under way
        self.leaving = False
        self.reconnect: float | None = None
        self._said: list[Answer | Refuse] = []
        self._transactions = 0
        self._commands = 0
        self.replies: dict[str, Payload | None] = {}
        self.watch: Callable[[], None] = lambda: None

    # --- inputs -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        self.reconnect, self.leaving = None, False
        self._take(self.behaviour.connected(self.now))

    def disconnect(self) -> None:
        self.pending = None
        self._take(self.behaviour.disconnected(self.now))

    def reply(self, payload: Payload) -> None:
        ask = self._pop()
        encoded = check(self.version, ask.action, schemas.RESPONSE, payload)
        if ask.action == "StartTransaction":
            self.started.append((len(self.asked), payload["transactionId"], ask.payload))
        self._end(ask, Outcome.RESULT, payload=Raw(encoded))

    def fail(self, outcome: Outcome = Outcome.TIMEOUT, code: str = "", description: str = "") -> None:
        self._end(self._pop(), outcome, code=code, description=description)

    def command(self, action: str, payload: Payload | None = None) -> Payload | Refuse:
        """What the station answers: the payload of its CALLRESULT, or its refusal."""
        self._commands += 1
        unique_id = MessageId(f"c{self._commands}")
        encoded = check(self.version, action, schemas.REQUEST, payload or {})
        self._take(self.behaviour.session_event(CallReceived(unique_id, action, Raw(encoded)), self.now))
        (said,) = self._said
        self._said = []
        assert said.unique_id == unique_id
        if isinstance(said, Refuse):
            return said
        check(self.version, action, schemas.RESPONSE, said.payload)
        return said.payload

    def by_hand(self, deed: Deed) -> None:
        """Somebody does this at the station; what it asks is answered at once."""
        self._take(self.behaviour.by_hand(deed, self.now))
        self.settle()

    def transferred(self, outcome: Transferred | None = None) -> Transfer:
        """The one transfer under way ends, well if nothing else is said; answers it."""
        (transfer,) = self.transfers
        self.transfers.clear()
        self._take(self.behaviour.transferred(transfer.number, outcome or Transferred(), self.now))
        return transfer

    def shut_down(self, grace: float) -> None:
        self._take(self.behaviour.shut_down(self.now, grace))

    def tick(self) -> None:
        self._take(self.behaviour.handle_timer(self.now))

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
            due = self.behaviour.timer
            if due is None or due > end:
                self.now = max(self.now, end)
                return
            self.now = max(self.now, due)
            self.tick()

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

    def statuses(self, connector: int = 1) -> list[str]:
        return [p["status"] for p in self.payloads("StatusNotification") if p["connectorId"] == connector]

    # --- inside -------------------------------------------------------------------------------------------------------

    def default_reply(self, action: str) -> Payload:
        match action:
            case "BootNotification":
                interval = "heartbeatInterval" if self.version is Version.V1_5 else "interval"
                return {"status": "Accepted", "currentTime": utc(EPOCH + self.now), interval: 300}
            case "Heartbeat":
                return {"currentTime": utc(EPOCH + self.now)}
            case "Authorize":
                return {"idTagInfo": {"status": "Accepted"}}
            case "StartTransaction":
                return {"transactionId": NEW, "idTagInfo": {"status": "Accepted"}}
            case _:
                return {}

    def _new_id(self) -> int:
        self._transactions += 1
        return self._transactions

    def _answer(self) -> bool:
        assert self.pending
        action = self.pending.action
        payload = self.replies[action] if action in self.replies else self.default_reply(action)
        if payload is None:
            return False
        if payload.get("transactionId") == NEW:
            payload = {**payload, "transactionId": self._new_id()}
        self.reply(payload)
        return True

    def _pop(self) -> Ask:
        ask, self.pending = self.pending, None
        assert ask, "nothing is asked"
        return ask

    def _end(self, ask: Ask, outcome: Outcome, payload: Raw = EMPTY, code: str = "", description: str = "") -> None:
        event = CallEnded(MessageId("m"), ask.action, outcome, ask.number, payload, code, description)
        self._take(self.behaviour.session_event(event, self.now))

    def _take(self, actions: list[Action]) -> None:
        self.watch()
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
                case Transfer():
                    self.transfers.append(action)
                case Log():
                    self.logged.append(action)


def booted(**options: Any) -> Central:
    """A central system that has accepted the station and heard its first statuses."""
    central = Central(**options)
    central.connect()
    central.settle()
    central.take()
    return central


def charging(**options: Any) -> Central:
    """As `booted`, and a driver charges at connector 1; the transaction's id is 1."""
    central = booted(**options)
    answer = central.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"})
    assert answer == {"status": "Accepted"}
    central.run_until(lambda: central.station.connectors[1].transaction is not None, 60)
    central.settle()
    central.take()
    return central

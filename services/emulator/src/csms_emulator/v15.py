"""A 1.5 station is a 1.6 station whose words are translated; what 1.5 has no word for is left unsaid.

Pure, as `station.py` is: the same inputs, and actions whose payloads are 1.5's. Requests of 1.5 stations are derived
from 1.6's, and so are their answers to commands; the other way round it is commands, and answers to requests.
"""

import msgspec
from msgspec import Raw

from csms_emulator.actions import Action, Answer, Ask, Payload, Transferred
from csms_emulator.behaviour import Behaviour
from csms_emulator.deeds import Deed
from csms_emulator.v15_words import ANSWERS, ASKED, HEARD, REQUESTS, Translation
from csms_emulator.view import View
from csms_ocpp.session import CallEnded, CallReceived, Event, Outcome
from csms_ocpp.version import MessageId

UNSAID = MessageId("unsaid")

_decode = msgspec.json.Decoder(Payload).decode
_encode = msgspec.json.Encoder().encode


class Station:
    """`inner` in the words of 1.5. Inputs and outputs are `station.Station`'s."""

    def __init__(self, inner: Behaviour) -> None:
        self.inner = inner

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next; None: only after another input."""
        return self.inner.timer

    def connected(self, now: float) -> list[Action]:
        """The central system can be asked."""
        return self._translated(self.inner.connected(now), "", now)

    def disconnected(self, now: float) -> list[Action]:
        """It cannot be any more."""
        return self._translated(self.inner.disconnected(now), "", now)

    def session_event(self, event: Event, now: float) -> list[Action]:
        """The link says so, in the words of 1.5."""
        if isinstance(event, CallEnded) and event.outcome is Outcome.RESULT:
            event = msgspec.structs.replace(event, payload=_reworded(HEARD, event.action, event.payload))
        elif isinstance(event, CallReceived):
            event = CallReceived(event.unique_id, event.action, _reworded(ASKED, event.action, event.payload))
            return self._translated(self.inner.session_event(event, now), event.action, now)
        return self._translated(self.inner.session_event(event, now), "", now)

    def handle_timer(self, now: float) -> list[Action]:
        """The time has come for whatever is due."""
        return self._translated(self.inner.handle_timer(now), "", now)

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """The Transfer of this number has ended."""
        return self._translated(self.inner.transferred(number, outcome, now), "", now)

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave."""
        return self._translated(self.inner.shut_down(now, grace), "", now)

    def by_hand(self, deed: Deed, now: float) -> list[Action]:
        """What somebody does at the station."""
        return self._translated(self.inner.by_hand(deed, now), "", now)

    def view(self, now: float) -> View:
        """What can be seen of it."""
        return self.inner.view(now)

    def _translated(self, actions: list[Action], command: str, now: float) -> list[Action]:
        translated: list[Action] = []
        for action in actions:
            match action:
                case Ask():
                    translated += self._asked(action, now)
                case Answer():
                    translate = ANSWERS.get(command, _unchanged)
                    translated.append(Answer(action.unique_id, translate(action.payload)))
                case _:
                    translated.append(action)
        return translated

    def _asked(self, ask: Ask, now: float) -> list[Action]:
        payload = REQUESTS[ask.action](ask.payload) if ask.action in REQUESTS else ask.payload
        if payload is not None:
            return [Ask(ask.action, payload, ask.number)]
        # As if it had been heard, so that the next one may leave.
        heard = CallEnded(UNSAID, ask.action, Outcome.RESULT, ask.number)
        return self.session_event(heard, now)


def _reworded(table: dict[str, Translation], action: str, payload: Raw) -> Raw:
    if action not in table:
        return payload
    return Raw(_encode(table[action](_decode(payload))))


def _unchanged(payload: Payload) -> Payload:
    return payload

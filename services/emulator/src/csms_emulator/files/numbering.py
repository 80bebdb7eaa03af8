"""Connectors with numbers of the file's own: the station inside counts 1, 2, 3 …, the central system sees theirs.

1.6 only. Number 0, the station as a whole, is the same for both.
"""

import msgspec
from msgspec import Raw

from csms_emulator.actions import Action, Answer, Ask, Payload
from csms_emulator.behaviour import Behaviour
from csms_emulator.deeds import Deed, PowerCycle, Skew
from csms_emulator.files.wrapper import Wrapper, decode, encode
from csms_emulator.view import View
from csms_ocpp.session import CallReceived

_NUMBER = "connectorId"


class Station(Wrapper):
    """`inner`, whose connector n is called `numbers[n - 1]`."""

    def __init__(self, inner: Behaviour, numbers: list[int]) -> None:
        super().__init__(inner)
        self._outside = {0: 0, **dict(enumerate(numbers, 1))}
        self._inside = {outside: inside for inside, outside in self._outside.items()}

    def command(self, call: CallReceived, now: float) -> list[Action]:
        """The command, with the station's own number; one that the file has not is one that the station has not."""
        payload = decode(call.payload)
        if _NUMBER in payload:
            payload[_NUMBER] = self._inside.get(payload[_NUMBER], len(self._inside))
            call = CallReceived(call.unique_id, call.action, Raw(encode(payload)))
        return super().command(call, now)

    def by_hand(self, deed: Deed, now: float) -> list[Action]:
        """At the connector that the file calls so."""
        if not isinstance(deed, PowerCycle | Skew):
            deed = msgspec.structs.replace(deed, connector=self._inside.get(deed.connector, len(self._inside)))
        return super().by_hand(deed, now)

    def view(self, now: float) -> View:
        """With the file's numbers."""
        seen = self.inner.view(now)
        places = tuple(msgspec.structs.replace(one, number=self._outside[one.number]) for one in seen.connectors)
        return msgspec.structs.replace(seen, connectors=places)

    def said(self, actions: list[Action]) -> list[Action]:
        """Requests and answers with the file's numbers."""
        return [self._told(action) for action in actions]

    def _told(self, action: Action) -> Action:
        match action:
            case Ask():
                return Ask(action.action, self._renumbered(action.payload), action.number)
            case Answer():
                return Answer(action.unique_id, self._renumbered(action.payload))
            case _:
                return action

    def _renumbered(self, payload: Payload) -> Payload:
        if _NUMBER not in payload:
            return payload
        return {**payload, _NUMBER: self._outside[payload[_NUMBER]]}

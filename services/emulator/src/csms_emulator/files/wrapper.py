"""A station around a station: the same inputs, the same actions. Who adds something overrides what it is about."""

import msgspec

from csms_emulator.actions import Action, Payload, Transferred
from csms_emulator.behaviour import Behaviour
from csms_emulator.deeds import Deed
from csms_emulator.view import View
from csms_ocpp.session import CallReceived, Event

decode = msgspec.json.Decoder(Payload).decode
encode = msgspec.json.Encoder().encode


class Wrapper:
    """`inner` as it is; pure where `inner` is."""

    def __init__(self, inner: Behaviour) -> None:
        self.inner = inner

    @property
    def timer(self) -> float | None:
        """When `handle_timer` is due next."""
        return self.inner.timer

    def connected(self, now: float) -> list[Action]:
        """The central system can be asked."""
        return self.said(self.inner.connected(now))

    def disconnected(self, now: float) -> list[Action]:
        """It cannot be any more."""
        return self.said(self.inner.disconnected(now))

    def session_event(self, event: Event, now: float) -> list[Action]:
        """The peer asked or answered."""
        if isinstance(event, CallReceived):
            return self.said(self.command(event, now))
        return self.said(self.inner.session_event(event, now))

    def handle_timer(self, now: float) -> list[Action]:
        """The time has come for whatever is due."""
        return self.said(self.inner.handle_timer(now))

    def transferred(self, number: int, outcome: Transferred, now: float) -> list[Action]:
        """The Transfer of this number has ended."""
        return self.said(self.inner.transferred(number, outcome, now))

    def by_hand(self, deed: Deed, now: float) -> list[Action]:
        """What somebody does at the station."""
        return self.said(self.inner.by_hand(deed, now))

    def view(self, now: float) -> View:
        """What can be seen of it."""
        return self.inner.view(now)

    def shut_down(self, now: float, grace: float) -> list[Action]:
        """Leave."""
        return self.said(self.inner.shut_down(now, grace))

    # --- what may be overridden ---------------------------------------------------------------------------------------

    def command(self, call: CallReceived, now: float) -> list[Action]:
        """What the central system's CALL brings about."""
        return self.inner.session_event(call, now)

    def said(self, actions: list[Action]) -> list[Action]:
        """What the inner station wants done, as it is to be done."""
        return actions

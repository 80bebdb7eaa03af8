"""Whoever watches a link: told what the station and its central system say, and that something may have changed."""

from collections.abc import Callable

import msgspec
from msgspec import Raw

from csms_emulator.actions import Action, Answer, Ask, Payload, Refuse, Send
from csms_emulator.messages import Kind, Message, Sender
from csms_ocpp.session import CallEnded, CallReceived, Event, Outcome

Watcher = Callable[[Message | None], None]

_decode = msgspec.json.Decoder(Payload).decode


class Audience:
    """Costs next to nothing while nobody watches. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._watchers: list[Watcher] = []
        self._asked: dict[str, str] = {}  # the actions of the central system's CALLs that wait for their answer

    def admit(self, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` every message, and None whenever something may have changed; answers what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def changed(self) -> None:
        """An input of the station is over."""
        self._tell(None)

    def wanted(self, action: Action) -> None:
        """The station says this, if it says anything."""
        match action:
            case Ask():
                self._said("station", "call", action.action, action.payload)
            case Send():
                self._said("station", "send", action.action, action.payload)
            case Answer():
                self._said("station", "result", self._asked.pop(action.unique_id, ""), action.payload)
            case Refuse():
                asked = self._asked.pop(action.unique_id, "")
                self._said("station", "error", asked, code=action.code, description=action.description)

    def happened(self, event: Event) -> None:
        """The central system says this, if it says anything."""
        match event:
            case CallReceived():
                self._asked[event.unique_id] = event.action
                self._said("csms", "call", event.action, event.payload)
            case CallEnded() if event.outcome is Outcome.RESULT:
                self._said("csms", "result", event.action, event.payload)
            case CallEnded():
                code = event.code or event.outcome.value
                self._said("csms", "error", event.action, code=code, description=event.description)

    def _said(
        self,
        sender: Sender,
        kind: Kind,
        action: str,
        payload: Payload | Raw | None = None,
        *,
        code: str = "",
        description: str = "",
    ) -> None:
        if not self._watchers:
            return
        told = _decode(payload) if isinstance(payload, Raw) else payload or {}
        self._tell(
            Message(
                at=self._clock(),
                sender=sender,
                kind=kind,
                action=action,
                payload=told,
                code=code,
                description=description,
            )
        )

    def _tell(self, message: Message | None) -> None:
        for watcher in [*self._watchers]:
            watcher(message)

"""What the parts of a 2.x station share: the device model, chance, the agenda, the outbox, the current actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from csms_emulator.actions import Action, Log, Payload
from csms_emulator.agenda import Agenda
from csms_emulator.v2.device import Device
from csms_emulator.v2.local_list import LocalList, key
from csms_emulator.v2.outbox import Outbox


@dataclass(slots=True)
class Board:
    """`epoch` is the time since 1970, in seconds, at which the caller's clock stood at 0.

    `online`: connected and Accepted, so that a question to the central system can be answered now. `cache` holds the
    keys of accepted idTokens.
    """

    random: Random
    pace: float
    epoch: float
    device: Device
    id_tags: tuple[str, ...] = ()
    agenda: Agenda = field(default_factory=Agenda)
    outbox: Outbox = field(default_factory=Outbox)
    cache: set[str] = field(default_factory=set)
    local_list: LocalList = field(default_factory=LocalList)
    actions: list[Action] = field(default_factory=list)
    online: bool = False

    def log(self, event: str, level: str = "info", **fields: Any) -> None:
        """Tell the reader of the log."""
        self.actions.append(Log(event, fields, level))

    def timestamp(self, now: float) -> str:
        """The time in the form of the wire: ISO 8601, UTC, milliseconds."""
        return self.device.time(now)

    def instant(self, text: str) -> float:
        """The wire's time on the caller's clock: UTC without a zone. What is no time (a leap second) is long past."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return -self.epoch
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - self.epoch

    def later(self, now: float, least: float, most: float) -> float:
        """A random instant between `least` and `most` emulated seconds from now."""
        return now + self.random.uniform(least, most) / self.pace

    def number(self, component: str, variable: str, instance: str | None = None) -> int:
        """A variable that holds a whole number."""
        return self.device.number(component, variable, instance=instance)

    def flag(self, component: str, variable: str) -> bool:
        """A variable that holds a boolean."""
        return self.device.flag(component, variable)

    def names(self, component: str, variable: str) -> list[str]:
        """A variable that holds a list."""
        return [name.strip() for name in self.device.get(component, variable).split(",") if name.strip()]

    def card(self) -> Payload:
        """The idToken of the next driver."""
        uid = self.random.choice(self.id_tags) if self.id_tags else f"{self.random.getrandbits(32):08X}"
        return {"idToken": uid, "type": "ISO14443"}

    def remember(self, id_token: Payload, status: str) -> None:
        """Keep the authorization cache: what the central system said last."""
        if status == "Accepted" and self.flag("AuthCacheCtrlr", "Enabled"):
            self.cache.add(key(id_token))
        else:
            self.cache.discard(key(id_token))

    def trusts_offline(self, id_token: Payload) -> bool:
        """Whether this idToken may charge while the central system cannot be asked.

        The list knows better than the cache; unknown is who is in neither of them.
        """
        listed = self.local_list.status(id_token) if self.flag("LocalAuthListCtrlr", "Enabled") else None
        if listed is not None:
            return listed == "Accepted" and self.flag("AuthCtrlr", "LocalAuthorizeOffline")
        if key(id_token) in self.cache and self.flag("AuthCtrlr", "LocalAuthorizeOffline"):
            return True
        return self.flag("AuthCtrlr", "OfflineTxForUnknownIdEnabled")

    @contextmanager
    def collect(self) -> Iterator[list[Action]]:
        """The actions of one input, gathered while the block runs."""
        actions: list[Action] = []
        self.actions = actions
        yield actions
        self.actions = []

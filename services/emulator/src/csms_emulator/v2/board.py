"""What the parts of a 2.x station share: the device model, chance, the agenda, the outbox, the current actions."""

from dataclasses import dataclass, field
from random import Random

from csms_emulator.actions import Action, Payload
from csms_emulator.agenda import Agenda
from csms_emulator.desk import Desk
from csms_emulator.upkeep import Upkeep
from csms_emulator.v2.device import Device
from csms_emulator.v2.local_list import LocalList, key
from csms_emulator.v2.outbox import Outbox
from csms_emulator.v2.profiles import Profiles


@dataclass(slots=True)
class Board(Desk):
    """`cache` holds the keys of accepted idTokens, `groups` the groupIdTokens that the central system told, by key.

    Without `drivers` nobody comes, stays or leaves by himself.
    """

    random: Random
    pace: float
    epoch: float
    device: Device
    id_tags: tuple[str, ...] = ()
    drivers: bool = True
    agenda: Agenda = field(default_factory=Agenda)
    outbox: Outbox = field(default_factory=Outbox)
    cache: set[str] = field(default_factory=set)
    groups: dict[str, Payload] = field(default_factory=dict)
    local_list: LocalList = field(default_factory=LocalList)
    profiles: Profiles = field(default_factory=Profiles)
    upkeep: Upkeep = field(default_factory=Upkeep)
    actions: list[Action] = field(default_factory=list)
    online: bool = False

    def set_clock(self, text: str, now: float) -> None:
        """The central system says what time it is; a great leap is a security event."""
        before = self.epoch
        Desk.set_clock(self, text, now)
        # TimeAdjustmentReportingThreshold: by how much the clock may be set without anybody being told.
        if abs(self.epoch - before) > self.number("ClockCtrlr", "TimeAdjustmentReportingThreshold"):
            self.upkeep.event(self, "SettingSystemTime", now)

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

    def remember(self, id_token: Payload, info: Payload) -> None:
        """Keep the authorization cache: what the central system said last, an idTokenInfo."""
        self.groups.pop(key(id_token), None)
        if "groupIdToken" in info:
            self.groups[key(id_token)] = info["groupIdToken"]
        if info["status"] == "Accepted" and self.flag("AuthCacheCtrlr", "Enabled"):
            self.cache.add(key(id_token))
        else:
            self.cache.discard(key(id_token))

    def judged(self, id_token: Payload) -> str | None:
        """What the station says about this idToken by itself; None: the central system is to be asked.

        The list knows better than the cache.
        """
        if not self.flag("AuthCtrlr", "Enabled"):
            return "Accepted"
        alone = self.flag("AuthCtrlr", "DisableRemoteAuthorization")
        if not alone and not self.flag("AuthCtrlr", "LocalPreAuthorize"):
            return None
        listed = self.local_list.status(id_token) if self.flag("LocalAuthListCtrlr", "Enabled") else None
        status = listed or ("Accepted" if key(id_token) in self.cache else "Unknown")
        # OCPP 2.0.1 LocalAuthListCtrlr.DisablePostAuthorize: whom the list refuses is not asked about again.
        final = alone or bool(listed and self.flag("LocalAuthListCtrlr", "DisablePostAuthorize"))
        return status if status == "Accepted" or final else None

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

"""What the parts of a station share: settings, chance, the agenda, the outbox, and the actions of the current input."""

from dataclasses import dataclass, field
from random import Random

from csms_emulator.actions import Action
from csms_emulator.agenda import Agenda
from csms_emulator.configuration import Configuration
from csms_emulator.desk import Desk
from csms_emulator.local_list import LocalList
from csms_emulator.outbox import Outbox
from csms_emulator.profiles import Profiles
from csms_emulator.reservations import Reservation
from csms_emulator.upkeep import Upkeep


@dataclass(slots=True)
class Board(Desk):
    """Without `drivers` nobody comes, stays or leaves by himself.

    `available` are the connectors that are; `reserved` the reservations of the station as a whole.
    """

    random: Random
    pace: float
    epoch: float
    configuration: Configuration
    id_tags: tuple[str, ...] = ()
    drivers: bool = True
    agenda: Agenda = field(default_factory=Agenda)
    outbox: Outbox = field(default_factory=Outbox)
    cache: set[str] = field(default_factory=set)
    local_list: LocalList = field(default_factory=LocalList)
    profiles: Profiles = field(default_factory=Profiles)
    available: set[int] = field(default_factory=set)
    reserved: dict[int, Reservation] = field(default_factory=dict)
    upkeep: Upkeep = field(default_factory=Upkeep)
    actions: list[Action] = field(default_factory=list)
    online: bool = False

    def card(self) -> str:
        """The idTag of the next driver."""
        return self.random.choice(self.id_tags) if self.id_tags else f"{self.random.getrandbits(32):08X}"

    def remember(self, id_tag: str, status: str) -> None:
        """Keep the authorization cache as OCPP 1.6 §3.5.1 wants it: what the central system said last."""
        if status == "Accepted" and self.configuration.flag("AuthorizationCacheEnabled"):
            self.cache.add(id_tag)
        else:
            self.cache.discard(id_tag)

    def trusts_offline(self, id_tag: str) -> bool:
        """Whether this idTag may charge while the central system cannot be asked; the list knows better than the cache.

        OCPP 1.6 §3.5: unknown is who is in neither of them.
        """
        listed = self.local_list.status(id_tag) if self.configuration.flag("LocalAuthListEnabled") else None
        if listed is not None:
            return listed == "Accepted" and self.configuration.flag("LocalAuthorizeOffline")
        if id_tag in self.cache and self.configuration.flag("LocalAuthorizeOffline"):
            return True
        return self.configuration.flag("AllowOfflineTxForUnknownId")

    def knows(self, id_tag: str) -> bool:
        """Whether the list, or else the cache, accepts this idTag by itself (OCPP 1.6 §3.5, LocalPreAuthorize)."""
        listed = self.local_list.status(id_tag) if self.configuration.flag("LocalAuthListEnabled") else None
        return id_tag in self.cache if listed is None else listed == "Accepted"

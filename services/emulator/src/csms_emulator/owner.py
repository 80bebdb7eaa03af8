"""A station as those see it who keep its logs and its firmware, whatever version it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from csms_emulator.desk import Desk


class Owner(Protocol):
    """What `station.Station` and `v2.station.Station` have in common for `upkeep`."""

    @property
    def board(self) -> Desk:
        """What its parts share."""
        ...

    @property
    def serving(self) -> bool:
        """Whether it is accepted, and is not about to leave."""
        ...

    @property
    def idle(self) -> bool:
        """Whether no transaction goes on."""
        ...

    def renew(self, now: float) -> None:
        """Restart, with the firmware that was installed just now."""
        ...

"""Every action of every version, once: who asks, and whether an answer follows.

The table is `catalog.toml`. Whatever lists actions (answers, commands, emulator abilities, docs) derives from here.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec

from csms_ocpp.version import DIALECTS, Version


class Role(StrEnum):
    """An end of the conversation."""

    STATION = "station"
    CSMS = "csms"

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.CSMS if self is Role.STATION else Role.STATION


class Action(msgspec.Struct, frozen=True):
    """One action: the versions in which each end sends it, and whether it is a SEND (2.1, never answered)."""

    name: str
    station: frozenset[Version]
    csms: frozenset[Version]
    send: bool = False

    def asked_by(self, role: Role, version: Version) -> bool:
        """Whether `role` may send this action in `version`."""
        return version in (self.station if role is Role.STATION else self.csms)


@cache
def actions() -> dict[str, Action]:
    """The whole catalog by action name."""
    numbers = {dialect.number: version for version, dialect in DIALECTS.items()}
    table = tomllib.loads(resources.files("csms_ocpp").joinpath("catalog.toml").read_text(encoding="utf-8"))
    return {
        name: Action(
            name,
            frozenset(numbers[n] for n in entry.get("station", ())),
            frozenset(numbers[n] for n in entry.get("csms", ())),
            entry.get("send", False),
        )
        for name, entry in table.items()
    }


@cache
def asked_by(role: Role, version: Version) -> dict[str, Action]:
    """The actions that `role` sends in `version`, SENDs included, by name."""
    return {name: action for name, action in actions().items() if action.asked_by(role, version)}

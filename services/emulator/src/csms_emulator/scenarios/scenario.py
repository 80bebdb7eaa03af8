"""A scenario as its file describes it, for one version: its stations, and what is played."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import msgspec

from csms_emulator.files import station_toml
from csms_emulator.files.specification import Specification
from csms_emulator.scenarios.durations import span
from csms_emulator.scenarios.stage import Stage

Play = Callable[[Stage], Awaitable[None]]
CardStatus = Literal["Accepted", "Blocked", "Expired", "Invalid"]

_BY_HAND = {"drivers": False, "connectors": 1, "ramp": 0}
_SOAP = " soap"
_USUAL = "1.6"


class Document(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a file may say of a scenario, besides what is played.

    `stations` are as the `[[stations]]` of a `station.toml`; an identity may hold {scenario} and {version}, too. Each
    of `versions` ("1.6 soap" is one) is a scenario of its own for all stations that do not name theirs. `cards` are
    made known to the central system, by the REST API. With `booted` it begins once all stations are accepted.
    """

    name: str = ""
    description: str = ""
    station: dict[str, Any] = {}
    stations: list[dict[str, Any]] = []
    versions: list[str | float] = []
    seed: int | None = None
    variables: dict[str, Any] = {}
    cards: dict[str, CardStatus] = {}
    needs_api: bool = False
    booted: bool = True
    limit: str = "2min"
    steps: list[Any] = []

    def __post_init__(self) -> None:
        if self.station and self.stations:
            raise ValueError("station and stations say the same thing: give one of them")
        span(self.limit)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """`versions` are the stations', one for each in their order. Nothing of it is played before `play` is called."""

    file: Path
    name: str
    version: str
    description: str
    fleets: tuple[Specification, ...]
    seed: int
    variables: dict[str, Any]
    cards: dict[str, CardStatus]
    needs_api: bool
    booted: bool
    limit: float
    play: Play

    @property
    def title(self) -> str:
        """Name and version, for people."""
        return f"{self.name} ({self.version})"

    def seeded(self, seed: int) -> "Scenario":
        """The same with other chances."""
        fleets = tuple(_seeded(fleet, seed, n) for n, fleet in enumerate(self.fleets))
        return msgspec.structs.replace(self, seed=seed, fleets=fleets)


def versions_of(document: Document) -> list[str]:
    """Those for which the document is a scenario."""
    named = [str(version) for version in document.versions]
    return named or [_default(document)]


def fleets_of(document: Document, file: Path, version: str, seed: int) -> tuple[Specification, ...]:
    """The stations for one of the versions. Raises `ValueError`, with a sentence that begins with the file."""
    tables = document.stations or [document.station]
    named = "stations[{}]" if document.stations else "station"
    spoken = version if document.versions else _USUAL
    given = [_table(table, file, spoken, letter) for table, letter in zip(tables, _letters(tables), strict=True)]
    found = [station_toml.fleet(file, table, named.format(n)) for n, table in enumerate(given)]
    names = [name for fleet in found for name in fleet.settings.identities()]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"{file}: stations: two of them are {twice}.")
    return tuple(_seeded(fleet, seed, n) for n, fleet in enumerate(found))


def seed_of(document: Document, file: Path) -> int:
    """The document's, or one that follows from its name."""
    return crc32(file.stem.encode()) if document.seed is None else document.seed


def _default(document: Document) -> str:
    named = [str(table.get("version", _USUAL)) for table in document.stations or [document.station]]
    return ", ".join(dict.fromkeys(named))


def _letters(tables: list[dict[str, Any]]) -> list[str]:
    return [""] if len(tables) == 1 else [f"{n}-" for n in range(1, len(tables) + 1)]


def _table(table: dict[str, Any], file: Path, version: str, letter: str) -> dict[str, Any]:
    version = str(table.get("version", version))
    soap = {"transport": "soap"} if version.endswith(_SOAP) else {}
    identity = str(table.get("identity", "{scenario}-{version}-" + letter + "{n}"))
    spoken = {"{scenario}": file.stem, "{version}": version.replace(" ", "-")}
    for word, said in spoken.items():
        identity = identity.replace(word, said)
    return {**_BY_HAND, **soap, **table, "version": version.removesuffix(_SOAP), "identity": identity}


def _seeded(fleet: Specification, seed: int, n: int) -> Specification:
    return msgspec.structs.replace(fleet, settings=msgspec.structs.replace(fleet.settings, seed=seed + n))

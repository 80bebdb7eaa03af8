"""`station.toml`: fleets in our own words. Keys at the top are for every `[[stations]]`; without any, for the one."""

import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from csms_emulator.files.specification import (
    TYPES,
    Connector,
    Key,
    Nameplate,
    Specification,
    refused,
    settings_of,
)

_GIVEN = ("count", "url", "password", "pace", "ramp", "id_tags", "callback_host", "callback_port", "callback_url")


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the `[[stations]]`. What is not said here, `csms_emulator.settings` says.

    `identity` and `serial` may hold {n}, which counts from 1 to `count`. `transport` follows from the version and the
    url's scheme where it is not given, and `seed` from the identity: fleets of one park live different lives.
    `connectors` is a number, or a table for each. `configuration` holds 1.x's keys, `heartbeat` is one of them.
    """

    count: int = 1
    identity: str = "CP-{n:05}"
    url: str = ""
    version: Literal["1.5", "1.6", "2.0.1", "2.1"] = "1.6"
    transport: Literal["json", "soap"] | None = None
    password: str = ""
    security_profile: Literal[0, 1, 2, 3] | None = None
    certificate: str = ""
    key: str = ""
    ca: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    heartbeat: int | None = None
    id_tags: tuple[str, ...] = ()
    pace: float = 1.0
    connectors: int | tuple[Connector, ...] = 2
    configuration: dict[str, str] = {}
    drivers: bool = True
    seed: int | None = None
    ramp: float = 2.0
    callback_host: str = "127.0.0.1"
    callback_port: int = 0
    callback_url: str = ""

    def __post_init__(self) -> None:
        self._check_security()
        named = () if isinstance(self.connectors, int) else self.connectors
        strange = [connector.type for connector in named if connector.type not in TYPES]
        if strange:
            raise ValueError(f"connectors: type {strange[0]} is none of {', '.join(sorted(TYPES))}")
        if not self.drivers and self.version == "1.5":
            raise ValueError("drivers: to stations of 1.5 they always come")
        if self.heartbeat is not None and "HeartbeatInterval" in self.configuration:
            raise ValueError("heartbeat and configuration.HeartbeatInterval say the same thing: give one of them")

    def _check_security(self) -> None:
        profile, encrypted = self.security_profile, urlsplit(self.url).scheme in ("wss", "https")
        files = [name for name in ("certificate", "key", "ca") if getattr(self, name)]
        if profile == 3 or files:
            what = files[0] if files else "security_profile"
            raise ValueError(f"{what}: emulated stations have no certificates of their own yet, nor their own trust")
        if profile in (1, 2) and not self.password:
            raise ValueError(f"security_profile: {profile} needs a password")
        if profile == 0 and self.password:
            raise ValueError("security_profile: 0 has no password")
        if self.url and profile is not None and (profile == 2) != encrypted:
            schemes = "wss:// or https://" if profile == 2 else "ws:// or http://"
            raise ValueError(f"security_profile: {profile} needs a url with {schemes}")


def read(file: Path) -> list[Specification]:
    """The fleets of the file, in its order. Raises `ValueError` (a sentence) for a file that cannot be used."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise refused(file, f"not TOML: {error}") from None
    tables = document.pop("stations", None)
    if tables is None:
        return [fleet(file, document, "")]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise refused(file, "stations is not a list of tables: write [[stations]]")
    return [fleet(file, {**document, **table}, f"stations[{n}]") for n, table in enumerate(tables)]


def fleet(file: Path, given: dict[str, Any], within: str) -> Specification:
    """The fleet of one table; `within` says where in the file it is, for errors."""
    try:
        table = msgspec.convert(given, Table)
    except ValueError as error:
        raise refused(file, error, within) from None
    return Specification(
        origin=file,
        settings=settings_of(file, _settings(table), within),
        connectors=() if isinstance(table.connectors, int) else table.connectors,
        nameplate=Nameplate(table.vendor, table.model, table.serial, table.firmware),
        keys=tuple(Key(name, value) for name, value in _keys(table).items()),
        drivers=table.drivers,
    )


def _settings(table: Table) -> dict[str, Any]:
    connectors = table.connectors if isinstance(table.connectors, int) else len(table.connectors)
    seed = crc32(table.identity.encode()) if table.seed is None else table.seed
    named = {"identity": table.identity, "version": table.version, "transport": _transport(table)}
    return {**{key: getattr(table, key) for key in _GIVEN}, **named, "connectors": connectors, "seed": seed}


def _transport(table: Table) -> str:
    if table.transport:
        return table.transport
    return "soap" if table.version == "1.5" or urlsplit(table.url).scheme in ("http", "https") else "json"


def _keys(table: Table) -> dict[str, str]:
    heartbeat = {} if table.heartbeat is None else {"HeartbeatInterval": str(table.heartbeat)}
    return {**heartbeat, **table.configuration}

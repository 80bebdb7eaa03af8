"""`station.toml`: fleets in our own words. Keys at the top are for every `[[stations]]`; without any, for the one."""

import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.files.canned import read_answers
from csms_emulator.files.specification import (
    TYPES,
    Connector,
    Drivers,
    Key,
    Nameplate,
    Specification,
    escaped,
    refused,
    settings_of,
)
from csms_emulator.settings import default_url
from csms_ocpp.version import Version

_GIVEN = ("count", "url", "password", "pace", "ramp", "id_tags", "callback_host", "callback_port", "callback_url")
_HEARTBEATS = ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval")
_ENCRYPTED = (2, 3)  # OCPP 2.0.1 part 2 §A00: the security profiles with TLS


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the `[[stations]]`. What is not said here, `csms_emulator.settings` says.

    `identity` and `serial` may hold {n}, which counts from 1 to `count`. `transport` follows from the version and the
    url's scheme where it is not given, and `seed` from the identity: fleets of one park live different lives.
    `connectors` is a number, or a table for each. `configuration` holds 1.x's keys and 2.x's variables, `heartbeat` is
    one of them. `certificate`, `key`, `ca` and `answers` are found from the file's own folder.
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
    drivers: Drivers = True
    answers: str = ""
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
        twice = [key for key in _HEARTBEATS if key in self.configuration]
        if self.heartbeat is not None and twice:
            raise ValueError(f"heartbeat and configuration.{twice[0]} say the same thing: give one of them")

    def _check_security(self) -> None:
        profile, encrypted = self.security_profile, urlsplit(self.url).scheme in ("wss", "https")
        if profile is None:
            return
        for name, profiles in (("password", (1, 2)), ("certificate", (3,))):
            if bool(getattr(self, name)) != (profile in profiles):
                raise ValueError(f"security_profile: {profile} {'needs a' if profile in profiles else 'has no'} {name}")
        if self.url and (profile in _ENCRYPTED) != encrypted:
            schemes = "wss:// or https://" if profile in _ENCRYPTED else "ws:// or http://"
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
        settings=settings_of(file, _settings(table, file.parent), within),
        connectors=() if isinstance(table.connectors, int) else table.connectors,
        nameplate=Nameplate(table.vendor, table.model, table.serial, table.firmware),
        keys=tuple(Key(name, value) for name, value in _keys(table).items()),
        answers=_answers(table, file, within),
        drivers=table.drivers,
    )


def _settings(table: Table, folder: Path) -> dict[str, Any]:
    connectors = table.connectors if isinstance(table.connectors, int) else len(table.connectors)
    seed = crc32(table.identity.encode()) if table.seed is None else table.seed
    named = {"identity": table.identity, "version": table.version, "transport": _transport(table), **_url(table)}
    counted = {"connectors": connectors, "seed": seed}
    return {**{key: getattr(table, key) for key in _GIVEN}, **named, **counted, **_files(table, folder)}


def _url(table: Table) -> dict[str, str]:
    """The default, with TLS or without it as the security profile asks."""
    if table.url or table.security_profile is None:
        return {}
    return {"url": default_url(_transport(table), encrypted=table.security_profile in _ENCRYPTED)}


def _files(table: Table, folder: Path) -> dict[str, str]:
    """Those of TLS. The folder's name is no part of the format string that a certificate's may be."""
    pattern = Path(escaped(str(folder)))
    said = {"certificate": (pattern, table.certificate), "key": (pattern, table.key), "ca": (folder, table.ca)}
    return {name: str(where / file) for name, (where, file) in said.items() if file}


def _answers(table: Table, file: Path, within: str) -> dict[str, Payload]:
    if not table.answers:
        return {}
    folder = file.parent / table.answers
    found = read_answers(folder, Version(f"ocpp{table.version}"))
    if not found:
        raise refused(file, f"answers: {folder} is no folder with files such as ClearCache.json", within)
    return found


def _transport(table: Table) -> str:
    if table.transport:
        return table.transport
    return "soap" if table.version == "1.5" or urlsplit(table.url).scheme in ("http", "https") else "json"


def _keys(table: Table) -> dict[str, str]:
    heartbeat = {} if table.heartbeat is None else {"HeartbeatInterval": str(table.heartbeat)}
    return {**heartbeat, **table.configuration}

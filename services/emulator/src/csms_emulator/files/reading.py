"""Which files a path stands for, and what all of them say together."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from csms_emulator import tls
from csms_emulator.files import nameplate, reference, station_toml
from csms_emulator.files.dressing import not_taken
from csms_emulator.files.specification import Specification, escaped, refused
from csms_emulator.settings import Settings
from csms_platform.logging import get_logger

STATION = "station.toml"
REFERENCE = "configuration.json"
_TRANSPORTS = {"ws": "json", "wss": "json", "http": "soap", "https": "soap"}
_log = get_logger("emulator")
_SAME = {"ws": "http", "wss": "https", "http": "ws", "https": "wss"}


def load(paths: Iterable[Path], *urls: str) -> tuple[Specification, ...]:
    """The fleets of all the files that `paths` stand for. A `ValueError` is a sentence with file, key and reason.

    A path is a `station.toml` (of any name), a `configuration.json`, or a folder with such files in it or in its
    folders. `urls`, those that are not "", replace the files' own (`redirected`).
    """
    files = [file for path in paths for file in _files(path)]
    found = [specification for file in files for specification in _read(file)]
    wanted = [url for url in urls if url]
    found = [redirected(specification, *wanted) for specification in found] if wanted else found
    for specification in found:
        _check(specification)
    _check_identities(found)
    return tuple(found)


def station(identity: str, given: dict[str, Any]) -> Specification:
    """One station of this identity, which is otherwise what one of the `[[stations]]` with `given` describes."""
    specification = station_toml.fleet(Path(identity), {**given, "identity": escaped(identity), "count": 1}, "")
    _check(specification)
    return specification


def redirected(specification: Specification, *urls: str) -> Specification:
    """The same stations, with the central system at that of `urls` which is for their transport.

    Where none is, they find it at the host and port of the first, and the path is their default.
    """
    settings = specification.settings
    fitting = [url for url in urls if _TRANSPORTS.get(urlsplit(url).scheme) == settings.transport]
    try:
        moved = msgspec.structs.replace(settings, url=[*fitting, _translated(urls[0])][0])
    except ValueError as error:
        raise ValueError(f"--url: {error}.") from None
    return msgspec.structs.replace(specification, settings=moved)


def at(url: str, transport: str) -> str:
    """Where the central system that is at `url` is found by this transport; what is no address stays as it is."""
    return url if _TRANSPORTS.get(urlsplit(url).scheme) in (None, transport) else _translated(url)


def _translated(url: str) -> str:
    """Where a central system at this address of one transport is found by the other one."""
    address = urlsplit(url)
    if address.scheme not in _TRANSPORTS:
        return url
    path = "/Ocpp" if _TRANSPORTS[address.scheme] == "json" else "/ocpp"
    return urlunsplit((_SAME[address.scheme], address.netloc, path, "", ""))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.suffix not in (".toml", ".json"):
            raise refused(path, f"a {STATION}, a {REFERENCE}, or a folder with such files in it is wanted")
        return [path]
    found = list(_within(path))
    if not found:
        raise refused(path, f"neither a {STATION} nor a {REFERENCE} is in this folder or in its folders")
    return found


def _within(folder: Path) -> Iterable[Path]:
    yield from (file for name in (STATION, REFERENCE) if (file := folder / name).is_file())
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and not inner.name.startswith("."):
            yield from _within(inner)


def _read(file: Path) -> list[Specification]:
    try:
        return station_toml.read(file) if file.suffix == ".toml" else [reference.read(file)]
    except OSError as error:
        raise refused(file, f"cannot be read: {error.strerror}") from None


# --- what only shows when stations are about to be made ---------------------------------------------------------------


def _check(specification: Specification) -> None:
    origin, settings = specification.origin, specification.settings
    try:
        violation = nameplate.check(specification.nameplate.numbered(settings.count), settings.dialect)
    except ValueError as error:
        raise refused(origin, error) from None
    if violation:
        raise refused(origin, violation.description.rstrip("."))
    _check_tls(specification)
    _check_keys(specification)


def _check_tls(specification: Specification) -> None:
    try:
        tls.contexts(specification.settings)
    except ValueError as error:
        raise refused(specification.origin, error) from None


def _check_keys(specification: Specification) -> None:
    """Our own files may not say what the station does not obey; the reference system's are loaded all the same."""
    settings, origin = specification.settings, specification.origin
    wanted = {key.name: key.value for key in specification.keys}
    for name in not_taken(specification):
        if origin.suffix != ".json":
            raise refused(
                origin, f"configuration.{name}: the station has no such key, or does not take {wanted[name]!r}"
            )
        if settings.version not in ("1.5", "1.6"):
            _log.warning("not for this station", file=str(origin), key=name)


def _check_identities(specifications: list[Specification]) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for specification in specifications:
        for identity in _identities(specification.origin, specification.settings):
            where = (specification.settings.url, identity)
            if where in seen:
                raise refused(specification.origin, f"the identity {identity} is taken by a station of {seen[where]}")
            seen[where] = specification.origin


def _identities(origin: Path, settings: Settings) -> list[str]:
    try:
        return settings.identities()
    except ValueError as error:
        raise refused(origin, error) from None

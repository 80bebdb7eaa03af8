"""Settings from the environment and `csms.toml`, read once, with the variable's name in every error.

A section is a frozen msgspec struct whose defaults are the documentation. Key `ping_interval` of section `ws_gateway`
is `[ws_gateway] ping_interval` in the file and `CSMS_WS_GATEWAY_PING_INTERVAL` in the environment, which wins;
`CSMS_…_FILE` names a file that holds the value, for secrets. Lists and tables in the environment are JSON.

    SettingsError    a setting that cannot be used; its text is one sentence for the operator
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(ValueError):
    """One sentence: which setting, from where, and what is wrong with it."""


class Source:
    """Where settings come from. `overrides` (the command line) beat the environment, which beats the file."""

    def __init__(
        self, file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self._file = file
        self._environ = environ
        self._overrides = overrides or {}
        self._document = _read(file) if file else {}

    def section(self, name: str, kind: type[T]) -> T:
        """The settings of section `name` ("": the top level) as a `kind`. Raises `SettingsError`."""
        table = self._table(name)
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        if name:
            self._refuse_unknown(name, table, fields)
        values = {}
        for key, field in fields.items():
            found = self._find(name, key, table)
            if found is not None:
                value, origin = found
                values[key] = _convert(value, field.type, origin)
        return kind(**values)

    def check_top_level(self, sections: set[str], kinds: list[type[msgspec.Struct]]) -> None:
        """Raises `SettingsError` for top-level keys that are neither a section nor a field of one of `kinds`."""
        fields = {field.name for kind in kinds for field in msgspec.structs.fields(kind)}
        for key in self._document.keys() - sections - fields:
            raise SettingsError(f"{self._file}: unknown key {key!r}; known are {', '.join(sorted(sections | fields))}.")

    def _table(self, name: str) -> Mapping[str, Any]:
        if not name:
            return self._document
        table = self._document.get(name, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{self._file}: [{name}] is not a table.")
        return table

    def _refuse_unknown(self, name: str, table: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        for key in table.keys() - fields.keys():
            raise SettingsError(
                f"{self._file}: unknown key {key!r} in [{name}]; known are {', '.join(sorted(fields))}."
            )

    def _find(self, name: str, key: str, table: Mapping[str, Any]) -> tuple[Any, str] | None:
        if (value := self._overrides.get(name, {}).get(key)) is not None:
            return value, f"--{key.replace('_', '-')}"
        variable = "_".join(part.upper() for part in ("CSMS", name, key) if part)
        if variable in self._environ:
            return self._environ[variable], variable
        if file := self._environ.get(f"{variable}_FILE"):
            try:
                return Path(file).read_text(encoding="utf-8").rstrip("\n"), f"{variable}_FILE"
            except OSError as error:
                raise SettingsError(f"{variable}_FILE: cannot read {file}: {error.strerror}.") from None
            except UnicodeDecodeError:
                raise SettingsError(f"{variable}_FILE: {file} is not UTF-8 text.") from None
        return (table[key], f"{self._file}: {name + '.' if name else ''}{key}") if key in table else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: not TOML: {error}.") from None


def _convert(value: Any, kind: Any, origin: str) -> Any:
    try:
        if isinstance(value, str) and kind is not str:
            value = _parse(value, kind)
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsError(f"{origin}: {error}.") from None


def _parse(text: str, kind: Any) -> Any:
    if text.startswith(("[", "{")):
        return msgspec.json.decode(text)
    if kind is bool and text.lower() in ("on", "yes", "off", "no"):
        return text.lower() in ("on", "yes")
    return text

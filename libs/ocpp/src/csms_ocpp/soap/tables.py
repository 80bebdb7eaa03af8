"""The types of both services in both versions, in wire order: `1.5.toml` and `1.6.toml`, read once."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from csms_ocpp.catalog import Role
from csms_ocpp.version import DIALECTS, Version


class Service(StrEnum):
    """Who is asked. The value is the service's name in the specification."""

    CENTRAL_SYSTEM = "CentralSystemService"
    CHARGE_POINT = "ChargePointService"

    @property
    def asker(self) -> Role:
        """Who asks it."""
        return Role.STATION if self is Service.CENTRAL_SYSTEM else Role.CSMS


class Simple(msgspec.Struct, frozen=True):
    """A type without parts. `base` is one of XML Schema's: string, int, decimal, boolean, dateTime, anyURI.

    `longest`: the most characters, None for any number; `values`: those of an enumeration, () for none; `digits`: the
    most after a decimal's point.
    """

    name: str
    base: str = "string"
    longest: int | None = None
    values: tuple[str, ...] = ()
    digits: int | None = None


class Field(msgspec.Struct, frozen=True):
    """An element, or with `attribute` an attribute, of a complex type; `type` names a simple or complex type.

    `many`: any number of them (at least one when `required`), an array in JSON also when there is one.
    """

    name: str
    type: str
    required: bool = True
    many: bool = False
    attribute: bool = False


class Complex(msgspec.Struct, frozen=True):
    """A type with parts, in wire order. `text`: its text has this simple type, and is called `value` in JSON."""

    name: str
    fields: tuple[Field, ...]
    text: str = ""


class Tables(msgspec.Struct, frozen=True):
    """One service of one version. Messages are complex types too: `HeartbeatRequest`, `HeartbeatResponse`."""

    version: Version
    service: Service
    namespace: str
    simple: dict[str, Simple]
    complex: dict[str, Complex]
    operations: tuple[str, ...]

    def fields(self, type: str) -> tuple[Field, ...]:
        """The parts of a type; () for a simple one."""
        return self.complex[type].fields if type in self.complex else ()


_BASES = ("string", "int", "decimal", "boolean", "dateTime", "anyURI")
_OCCURS = {"?": (False, False), "*": (False, True), "+": (True, True)}
_TEXT = "="


@cache
def tables(version: Version, service: Service) -> Tables:
    """The types of `service` in `version`. Raises `KeyError` for a version that is not spoken over SOAP."""
    document = _document(version)
    simple = {base: Simple(base, base) for base in _BASES}
    simple |= {name: _simple(name, spec) for name, spec in document["simple"].items()}
    messages = document[service.value]
    return Tables(
        version,
        service,
        document["namespaces"][service.value],
        simple,
        {name: _complex(name, parts) for name, parts in (document["complex"] | messages).items()},
        tuple(name.removesuffix("Request") for name in messages if name.endswith("Request")),
    )


@cache
def _document(version: Version) -> dict[str, Any]:
    file = resources.files("csms_ocpp.soap") / f"{DIALECTS[version].number}.toml"
    if not file.is_file():
        raise KeyError(f"{version} is not spoken over SOAP")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _simple(name: str, spec: Any) -> Simple:
    return Simple(name, values=tuple(spec)) if isinstance(spec, list) else Simple(name, **spec)


def _complex(name: str, parts: dict[str, str]) -> Complex:
    fields = tuple(_field(part, kind) for part, kind in parts.items() if part != _TEXT)
    return Complex(name, fields, parts.get(_TEXT, ""))


def _field(name: str, type: str) -> Field:
    required, many = _OCCURS.get(type[-1], (True, False))
    return Field(name.removeprefix("@"), type.rstrip("?*+"), required, many, attribute=name.startswith("@"))

"""What a station's device model is made of: components and the variables they have, from the table `variables.toml`.

Nothing here changes: values that do are kept by `device`. Names are compared without regard to case (OCPP 2.0.1: they
are identifierStrings of case-insensitive names).
"""

import math
import tomllib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from csms_emulator.actions import Payload
from csms_ocpp.version import Version

ACTUAL = "Actual"
LONGEST = 2500  # OCPP 2.0.1: what an attributeValue may hold

Mutability = Literal["ReadOnly", "WriteOnly", "ReadWrite"]
DataType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variable. `value` is Actual's, None where there is none yet; `attributes` what else exists, by type."""

    name: str = ""
    instance: str = ""
    type: DataType = "string"
    unit: str = ""
    min: int | float | None = None
    max: int | float | None = None
    values: tuple[str, ...] = ()
    mutability: Mutability = "ReadOnly"
    value: str | None = None
    attributes: dict[str, str] = {}
    reboot: bool = False
    monitored: bool = False
    constant: bool = False

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("decimal", "integer")

    def read(self, text: str) -> str:
        """`text` as it is kept. Raises `ValueError` when this variable cannot hold it."""
        match self.type:
            case "integer" | "decimal":
                return self._number(text)
            case "boolean":
                return _one_of(text.lower(), ("true", "false"))
            case "dateTime":
                return text if not text or datetime.fromisoformat(text) else ""
            case "OptionList":
                return _one_of(text, self.values)
            case "SequenceList" | "MemberList":
                return self._list(text)
        if not (self.min or 0) <= len(text) <= (self.max or LONGEST):
            raise ValueError(text)
        return text

    def characteristics(self, version: Version) -> Payload:
        """The wire's variableCharacteristics. 2.0.1 has no word for the longest list."""
        listed = self.type in ("SequenceList", "MemberList")
        most = {"maxElements": self.max or len(self.values)} if listed else {"maxLimit": self.max}
        known = {} if listed and version is Version.V2_0_1 else most
        found = {"unit": self.unit, "minLimit": self.min, **known, "valuesList": ",".join(self.values)}
        kept = {key: value for key, value in found.items() if value not in ("", None)}
        return {"dataType": self.type, "supportsMonitoring": self.monitored, **kept}

    def _number(self, text: str) -> str:
        number = int(text) if self.type == "integer" else float(text)
        least = -math.inf if self.min is None else self.min
        most = math.inf if self.max is None else self.max
        if number in (math.inf, -math.inf) or not least <= number <= most:
            raise ValueError(text)
        return str(number)

    def _list(self, text: str) -> str:
        names = [name.strip() for name in text.split(",") if name.strip()]
        repeated = len(names) > len(set(names))
        if repeated or not set(names) <= set(self.values) or len(names) > (self.max or len(self.values)):
            raise ValueError(text)
        return ",".join(names)


class Component(msgspec.Struct, frozen=True):
    """A component at its place, and its variables by `key(name, instance)`; 0 and "" where the wire has nothing."""

    name: str
    evse: int
    connector: int
    variables: dict[tuple[str, str], Variable]

    @property
    def payload(self) -> Payload:
        """The wire's ComponentType."""
        if not self.evse:
            return {"name": self.name}
        at = {"id": self.evse, "connectorId": self.connector} if self.connector else {"id": self.evse}
        return {"name": self.name, "evse": at}


Place = tuple[str, str, int, int]  # a component's name and instance in lower case, EVSE, connector


def key(name: str, instance: str | None) -> tuple[str, str]:
    """How names are compared."""
    return name.lower(), (instance or "").lower()


def variable_payload(variable: Variable) -> Payload:
    """The wire's VariableType."""
    return {"name": variable.name, **({"instance": variable.instance} if variable.instance else {})}


@cache
def layout(evses: int, connectors: int) -> dict[Place, Component]:
    """Every component of a station with so many EVSEs, and so many connectors on each; shared, never changed."""
    found = {}
    for name, entry in _table().items():
        variables = _variables(entry["variables"])
        for evse, connector in _places(entry.get("at", ""), evses, connectors):
            found[(*key(name, None), evse, connector)] = Component(name, evse, connector, variables)
    return found


def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("variables.toml").read_text(encoding="utf-8"))


def _variables(entries: dict[str, Any]) -> dict[tuple[str, str], Variable]:
    found = {}
    for title, entry in entries.items():
        name, _, instance = title.rstrip("]").partition("[")
        found[key(name, instance)] = msgspec.convert({**entry, "name": name, "instance": instance}, Variable)
    return found


def _places(at: str, evses: int, connectors: int) -> Iterator[tuple[int, int]]:
    for evse in range(1, evses + 1) if at else (0,):
        for connector in range(1, connectors + 1) if at == "connector" else (0,):
            yield evse, connector


def _one_of(text: str, values: tuple[str, ...]) -> str:
    if text not in values:
        raise ValueError(text)
    return text

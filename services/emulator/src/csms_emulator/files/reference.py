"""The reference system's folders: a station each, with `configuration.json` in its 1.6 or its 2.0.1 form.

They are loaded as they are: what the file says beyond what is read here is passed over, as the reference system does.
"""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from csms_emulator.files.canned import read_answers
from csms_emulator.files.specification import Connector, Key, Nameplate, Specification, escaped, refused, settings_of
from csms_ocpp.version import Version

Scalar = str | int | float | bool | None
_PLATE = {
    "vendor": "ChargePointVendor",
    "model": "ChargePointModel",
    "serial": "ChargePointSerialNumber",
    "firmware": "ChargePointSoftwareVersion",
}


class _Outlet(msgspec.Struct, frozen=True):
    id: Annotated[int, msgspec.Meta(ge=1)]
    voltage: Literal["AC", "DC"] = "AC"
    interface: str = "Type2"
    meter: float = msgspec.field(default=0.0, name="meterValue")


class _Key(msgspec.Struct, frozen=True):
    key: str
    value: Scalar = None
    readonly: bool = False


class _V16(msgspec.Struct, frozen=True):
    outlets: tuple[_Outlet, ...] = msgspec.field(name="connectorId")
    keys: tuple[_Key, ...] = msgspec.field(name="configurationKey")


class _Cable(msgspec.Struct, frozen=True):
    number: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="connectorId")
    type: str = "cType2"


class _Evse(msgspec.Struct, frozen=True):
    number: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="evseId")
    cables: tuple[_Cable, ...] = msgspec.field(name="connectors")
    power: Annotated[float, msgspec.Meta(gt=0)] | None = None


class _Variable(msgspec.Struct, frozen=True):
    value: Scalar = None
    readonly: bool = False


class _V201(msgspec.Struct, frozen=True):
    version: Literal["2.0.1", "2.1"] = msgspec.field(name="OcppVersion")
    evses: tuple[_Evse, ...] = msgspec.field(name="Evses")
    keys: dict[str, _Variable] = msgspec.field(name="ConfigurationKeys", default_factory=dict)


def read(file: Path) -> Specification:
    """The station of this `configuration.json`. Raises `ValueError` (a sentence) for a file that cannot be used."""
    try:
        document = msgspec.json.decode(file.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
        newer = "OcppVersion" in document or "Evses" in document
        return _newer(file, document) if newer else _older(file, msgspec.convert(document, _V16))
    except msgspec.MsgspecError as error:
        raise refused(file, error) from None


def _older(file: Path, form: _V16) -> Specification:
    numbers = [outlet.id for outlet in form.outlets]
    if not numbers or len({*numbers}) < len(numbers):
        raise refused(file, f"connectorId: one or several different numbers are wanted, not {_listed(numbers)}")
    outlets = sorted(form.outlets, key=lambda outlet: outlet.id)
    connectors = tuple(
        Connector(type=o.interface, direct=o.voltage == "DC", meter=o.meter, number=None if o.id == n else o.id)
        for n, o in enumerate(outlets, 1)
    )
    keys = tuple(Key(key.key, _text(key.value), key.readonly) for key in form.keys)
    return _station(file, "1.6", len(connectors), connectors, {key.name: key.value for key in keys}, keys)


def _newer(file: Path, document: dict[str, Any]) -> Specification:
    form = msgspec.convert(document, _V201)
    _check_numbers(file, [evse.number for evse in form.evses])
    connectors = tuple(
        Connector(type=cable.type, power_kw=_kilowatts(evse.power), evse=evse.number)
        for evse in sorted(form.evses, key=lambda evse: evse.number)
        for cable in sorted(evse.cables, key=lambda cable: cable.number)
    )
    keys = tuple(Key(name, _text(variable.value), variable.readonly) for name, variable in form.keys.items())
    top = {name: _text(value) for name, value in document.items() if isinstance(value, Scalar)}
    said = {**top, **{key.name: key.value for key in keys}}
    return _station(file, form.version, len(form.evses), connectors, said, keys)


def _station(
    file: Path,
    version: str,
    count: int,
    connectors: tuple[Connector, ...],
    said: dict[str, str],
    keys: tuple[Key, ...],
) -> Specification:
    identity, url = said.get("StationIdentity") or file.resolve().parent.name, said.get("CentralSystemURL", "")
    plate = {field: said.get(key, "") for field, key in _PLATE.items()}
    fields = {
        "version": version,
        "transport": "soap" if urlsplit(url).scheme in ("http", "https") else "json",
        "url": url,
        "count": 1,
        "identity": escaped(identity),
        "connectors": count,
        "ramp": 0.0,
    }
    return Specification(
        origin=file,
        settings=settings_of(file, fields),
        connectors=connectors,
        nameplate=Nameplate(**{**plate, "serial": escaped(plate["serial"])}),
        keys=keys,
        answers=read_answers(file.parent, Version(f"ocpp{version}")),
    )


def _check_numbers(file: Path, numbers: list[int]) -> None:
    # OCPP 2.0.1: EVSEs are numbered from 1 on, without a gap.
    if not numbers or sorted(numbers) != list(range(1, len(numbers) + 1)):
        raise refused(file, f"Evses: their numbers are 1, 2, 3 … without a gap, not {_listed(numbers)}")


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _kilowatts(power: float | None) -> float | None:
    # The files hold watts (22000) or kilowatts (22); no station has a thousand kilowatts at a connector.
    return power / 1000 if power and power >= 1000 else power


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)

"""A plain station becomes the one that a file describes: one wrapper for each thing the file says."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from csms_emulator import v15
from csms_emulator.behaviour import Behaviour
from csms_emulator.charging import CONNECTOR_CURRENT, NOMINAL_VOLTAGE, Kind, Outlet
from csms_emulator.files import canned, driverless, keys, nameplate, numbering
from csms_emulator.files.specification import Connector, Specification
from csms_emulator.files.variables import set_variables
from csms_emulator.place import Place
from csms_emulator.station import Station
from csms_emulator.v2 import station as v2
from csms_emulator.v2.evse import Evse

_AC1 = NOMINAL_VOLTAGE * CONNECTOR_CURRENT
_USUAL_POWER: dict[Kind, float] = {"AC1": _AC1, "AC3": 3 * _AC1, "DC": 50_000.0}  # W


_CONNECTOR_TYPE = re.compile("[a-z][A-Z0-9]")  # cCCS2, sType2, s309-1P-16A


def dressed(station: Behaviour, specification: Specification, n: int, now: float) -> Behaviour:
    """The fleet's station `n`, not connected yet, as `specification` wants it."""
    made = _configured(_equipped(station, specification), specification, now)
    if any(msgspec.structs.astuple(specification.nameplate)):
        made = nameplate.Station(made, specification.nameplate.numbered(n))
    return canned.Station(made, specification.answers) if specification.answers else made


def options(specification: Specification) -> dict[str, Any]:
    """What a station is made with because of its connectors and drivers."""
    outlets = [_outlet(connector) for connector in _first_ones(specification)]
    return {"outlets": outlets, "drivers": specification.drivers is not False}


def _first_ones(specification: Specification) -> list[Connector]:
    """The connectors; in 2.x of those that the file gives one EVSE just the first: an emulated EVSE has one."""
    if specification.settings.version in ("1.5", "1.6"):
        return [*specification.connectors]
    by_evse: dict[int, Connector] = {}
    for place, connector in enumerate(specification.connectors, 1):
        by_evse.setdefault(connector.evse or place, connector)
    return [*by_evse.values()]


def _outlet(connector: Connector) -> Outlet:
    """One with the file's power, or with what is usual for its kind."""
    kind: Kind = "DC" if connector.is_direct else "AC1" if connector.phases == 1 else "AC3"
    return Outlet(kind, _USUAL_POWER[kind] if connector.power_kw is None else connector.power_kw * 1000)


def _equipped(station: Behaviour, specification: Specification) -> Behaviour:
    """With the file's connectors, and without drivers where none shall come by himself."""
    core = station.inner if isinstance(station, v15.Station) else station
    if isinstance(core, Station | v2.Station):
        _set_meters(core, specification)
        if isinstance(core, v2.Station):
            _name_connectors(core, specification)
        if specification.drivers == "remote":
            station = driverless.Station(station, core)
    if not any(connector.number for connector in specification.connectors):
        return station
    numbers = [connector.number or place for place, connector in enumerate(specification.connectors, 1)]
    return numbering.Station(station, numbers)


def _configured(station: Behaviour, specification: Specification, now: float) -> Behaviour:
    if specification.settings.version in ("1.5", "1.6"):
        return keys.Station(station, specification.keys, now) if specification.keys else station
    set_variables(station, specification.keys, now)
    return station


def not_taken(specification: Specification) -> list[str]:
    """The names of the keys that a station of this kind would not obey, as a station of its own shows."""
    settings, wanted = specification.settings, specification.keys
    if settings.version in ("1.5", "1.6"):
        plain = Station("", random=Random(0), epoch=0.0, connectors=settings.connectors)
        return [key.name for key in keys.Station(plain, wanted, 0.0).told.values()]
    newer = v2.Station("", random=Random(0), epoch=0.0, connectors=settings.connectors)
    return set_variables(newer, wanted, 0.0)


def _set_meters(station: Station | v2.Station, specification: Specification) -> None:
    places: Mapping[int, Place | Evse] = station.connectors if isinstance(station, Station) else station.evses
    for place, described in zip(places.values(), _first_ones(specification), strict=False):
        if described.meter is not None:
            place.register = described.meter


def _name_connectors(station: v2.Station, specification: Specification) -> None:
    """Tell the device model of 2.x what the connectors are. Its names have a letter first: c is a fixed cable."""
    for n, connector in enumerate(_first_ones(specification), 1):
        name = connector.type if _CONNECTOR_TYPE.match(connector.type) else f"c{connector.type}"
        station.device.set("Connector", "ConnectorType", name[:20], evse=n, connector=1)
